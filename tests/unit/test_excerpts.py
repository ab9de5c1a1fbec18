"""Excerpts: whole sentences of the first paragraphs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.content.breaking import is_wide
from app.content.excerpts import WIDTH, excerpt_of
from app.content.rendering import render

LONG = "word " * 60
LONG_CHINESE = "没有谁分配任务" * 30
EXCERPTS = {
    "a short paragraph": ("Nobody does.", "Nobody does."),
    "paragraphs that stand together": ("One.\n\nTwo *more*.", "One. Two more."),
    "no heading, no code": ("## Install\n\nIt is easy.\n\n```\npip install x\n```\n\nThen run it.", "It is easy."),
    "no list": ("## What\n\n- a list\n\nThe answer.", "The answer."),
    "no alert, no quote": ("> [!NOTE]\n> Read on.\n\n> Quoted.\n\nThe answer.", "The answer."),
    "no picture": ("![logo](https://a.example/b.png)\n\nThe answer.[^1]\n\n[^1]: A note.", "The answer."),
    "nothing but a list": ("- one\n- two", "one two"),
    "the end of a sentence": (f"{'It is so. ' * 18}And {LONG}", ("It is so. " * 18).strip()),
    "no end within numbers, names and short forms": (
        f"{'x' * 120} is 3.11 of e.g. app.main {LONG}",
        f"{'x' * 120} is 3.11 of e.g. app.main {'word ' * 9}word…",
    ),
    "the end of a Chinese sentence": (f"{'一' * 60}。{LONG_CHINESE}", f"{'一' * 60}。"),
    "a quoted one": (f"{'一' * 60}“好！”{LONG_CHINESE}", f"{'一' * 60}“好！”"),
    "half a Chinese sentence": (f"{'一' * 60}；{LONG_CHINESE}", f"{'一' * 60}…"),
    "a word of Latin in Chinese stays whole": (f"{'一' * 97}uvicorn{LONG_CHINESE}", f"{'一' * 97}…"),
    "no mark at the end": (f"{'一' * 98}，uvicornuvicorn{LONG_CHINESE}", f"{'一' * 98}…"),
    "a word without an end": ("x" * 500, "x" * (WIDTH - 1) + "…"),
    "no colon at the end": ("It is so. Two things follow:\n\n- a\n- b", "It is so."),
    "nothing but what leads up to a list": ("Two things follow:\n\n- a\n- b", "Two things follow…"),
    "empty": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", EXCERPTS)
def test_excerpts(name):
    markdown, expected = EXCERPTS[name]
    assert excerpt_of(render(markdown).html) == expected


@given(st.text(alphabet="ab一二。，. \n#-:（）“”", max_size=600))
def test_every_text_has_an_excerpt_that_has_room(markdown):
    excerpt = excerpt_of(render(markdown).html)
    assert "\n" not in excerpt
    assert sum(2 if is_wide(character) else 1 for character in excerpt) <= WIDTH + 1
