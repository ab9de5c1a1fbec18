"""Slugs: ASCII, permanent, unique."""

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.content.document import SLUG
from app.content.slugs import MAX_LENGTH, default_slug, slugify, unique


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("How are requests distributed?", "how-are-requests-distributed"),
        ("FastAPI 任务分配", "fastapi-ren-wu-fen-pei"),
        ("臺灣的圖書館", "tai-wan-de-tu-shu-guan"),
        ("Don’t & can't", "dont-cant"),
        ("Straße Łódź Ærø Ｆｕｌｌ", "strasse-lodz-aero-full"),
        ("C++ / C#", "c-c"),
        ("  --a__b..c  ", "a-b-c"),
    ],
)
def test_slugify(text, slug):
    assert slugify(text) == slug


def test_long_slugs_end_with_a_word():
    slug = slugify("word " * 40)
    assert len(slug) <= MAX_LENGTH
    assert slug.endswith("-word")
    assert len(slugify("x" * 200)) == MAX_LENGTH


@pytest.mark.parametrize("text", ["", "???", "🎉", "Привет", "\ud800"])
def test_a_text_without_latin_letters_has_a_slug_too(text):
    assert re.fullmatch(r"q-[0-9a-f]{8}", slugify(text))


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("a/b.md", "b"),
        ("git/README.md", "git"),
        ("git/index.md", "git"),
        ("git/_index.md", "git"),
        ("README.md", "readme"),
        ("a/v1.2.md", "v1-2"),
    ],
)
def test_default_slug(path, slug):
    assert default_slug(PurePosixPath(path)) == slug


def test_unique():
    taken = {"a", "a-2", "x" * MAX_LENGTH}
    assert unique("b", taken.__contains__) == "b"
    assert unique("a", taken.__contains__) == "a-3"
    assert len(unique("x" * MAX_LENGTH, taken.__contains__)) == MAX_LENGTH


@given(st.text(max_size=200))
def test_every_text_has_a_slug(text):
    slug = slugify(text)
    assert SLUG.fullmatch(slug)
    assert len(slug) <= MAX_LENGTH
    assert slugify(slug) == slug
