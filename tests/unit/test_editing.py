"""Sources changed through a form keep all that the form does not show."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.content.comparing import compare
from app.content.document import Resource, parse_document
from app.content.editing import Fields, changed_source, fields_of, new_source

SOURCE = """---
# written by hand
title: "How?"   # a comment
lang: en
tags:
- one   # why
- two
weight: 012
resources:
  - url: https://one.example/
    title: One
# before more
more: []
related: [other]
---


Text   with odd spaces\t
and an end without a line end"""


def test_no_change_is_no_change():
    assert changed_source(SOURCE, fields_of(SOURCE)) == SOURCE


def test_one_field_changes_its_own_lines_alone():
    changed = changed_source(SOURCE, replace(fields_of(SOURCE), title="Why: not?"))
    assert changed == SOURCE.replace('title: "How?"   # a comment', "title: 'Why: not?'")


def test_lists_change_as_a_whole_and_comments_after_them_stay():
    card = Resource("https://two.example/", "Two", "About two.", archive="https://archive.example/two")
    changed = changed_source(SOURCE, replace(fields_of(SOURCE), resources=(card,), tags=("three",)))
    assert "tags: [three]\nweight: 012\nresources:\n- url: https://two.example/\n  title: Two\n" in changed
    assert "# before more\nmore: []\n" in changed
    assert fields_of(changed).resources == (card,)


def test_a_new_key_comes_last_and_an_emptied_one_goes():
    card = Resource("https://two.example/", "Two")
    changed = changed_source("---\ntitle: A\nlang: en\n---\nText\n", Fields("A", "en", "Text\n", more=(card,)))
    assert changed == "---\ntitle: A\nlang: en\nmore:\n- url: https://two.example/\n  title: Two\n---\nText\n"
    assert changed_source(changed, Fields("A", "en", "Text\n")) == "---\ntitle: A\nlang: en\n---\nText\n"


def test_the_body_keeps_its_line_ends():
    source = "---\r\ntitle: A\r\nlang: en\r\n---\r\n\r\nOne\r\n"
    assert changed_source(source, Fields("A", "en", "One\n\nTwo\n")) == source + "\r\nTwo\r\n"


@pytest.mark.parametrize(
    "head",
    ["---\n{title: A, lang: en, weight: 3}\n---\n", '+++\ntitle = "A"\nlang = "en"\nweight = 3\n+++\n'],
)
def test_other_ways_of_writing_keep_their_values(head):
    changed = changed_source(head + "Text\n", Fields("B", "en", "Text\n"))
    document = parse_document(changed, default_slug="")
    assert (document.title, document.extra) == ("B", {"weight": 3})


texts = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
cards = st.builds(
    Resource,
    url=st.sampled_from(["https://a.example/x?y=1#z", "http://b.example/"]),
    title=texts,
    description=texts | st.just(""),
    site=texts | st.none(),
)
fields = st.builds(
    Fields,
    title=texts,
    lang=st.sampled_from(["en", "zh", "zh-Hant"]),
    body=st.text(st.characters(exclude_categories=["C"]), max_size=60).map(lambda text: text.lstrip("\n") + "\n"),
    tags=st.lists(st.sampled_from(["yes", "12", "c++", "中文", "a: b", "#x", "on"]), unique=True, max_size=3).map(
        tuple
    ),
    resources=st.lists(cards, max_size=2).map(tuple),
    more=st.lists(cards, max_size=2).map(tuple),
)


@given(fields)
def test_what_is_written_is_read_again(given):
    found = fields_of(new_source(given))
    assert replace(found, body="", tags=()) == replace(given, body="", tags=())
    assert found.body.rstrip("\n") == given.body.lstrip("\n").rstrip("\n")


@given(fields, fields)
def test_any_fields_can_be_put_in_the_place_of_any_others(before, after):
    changed = fields_of(changed_source(new_source(before), after))
    assert (changed.title, changed.resources, changed.more) == (after.title, after.resources, after.more)


@pytest.mark.parametrize(
    "title",
    ["0E0", "1e3", "yes", "12:30", "2026-01-02", "null", "~", "0x1f", "1_000", "<<", "=", "012", "'a", "a: b # c"],
)
def test_a_title_that_looks_like_something_else_stays_a_text(title):
    assert fields_of(new_source(Fields(title, "en", "Text\n"))).title == title
    assert fields_of(changed_source(SOURCE, replace(fields_of(SOURCE), title=title))).title == title


def test_a_difference_is_shown_word_by_word_with_what_stands_around():
    old = "one\n\n" * 9 + "The quick brown fox.\n\n" + "two\n\n" * 9
    (hunk,) = compare(old, old.replace("quick", "slow"))
    assert [(piece.kind, piece.text) for piece in hunk.pieces if piece.kind != "same"] == [
        ("removed", "quick"),
        ("added", "slow"),
    ]
    assert hunk.skipped > 10


def test_chinese_is_compared_character_by_character():
    (hunk,) = compare("内核让进程竞争\n", "内核让线程竞争\n")
    assert [piece.text for piece in hunk.pieces if piece.kind != "same"] == ["进", "线"]


@given(st.text("ab \n", max_size=60), st.text("ab \n", max_size=60))
def test_a_difference_holds_both_texts(old, new):
    hunks = compare(old, new)
    assert (not hunks) == (old == new)
    if len(old) < 12:
        pieces = [piece for hunk in hunks for piece in hunk.pieces]
        if hunks:
            assert "".join(piece.text for piece in pieces if piece.kind != "added") in old
            assert "".join(piece.text for piece in pieces if piece.kind != "removed") in new
