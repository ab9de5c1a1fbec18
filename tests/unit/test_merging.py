"""Three-way merging: no committed text is ever lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.content.blocks import blocks
from app.content.merging import Conflict, merge

BASE = """---
title: How?
tags: [a, b]
resources:
  - url: https://one.example/
    title: One
  - url: https://two.example/
    title: Two
---

First paragraph
on two lines.

- one
- two

| a | b |
|---|---|
| 1 | 2 |
| 3 | 4 |

```python
print(1)

print(2)
```

Last.
"""


def text_of(pieces):
    assert all(isinstance(piece, str) for piece in pieces), pieces
    return "".join(pieces)


def test_blocks_are_what_people_change():
    assert blocks(BASE) == [
        "---\n",
        "title: How?\n",
        "tags: [a, b]\n",
        "resources:\n",
        "  - url: https://one.example/\n    title: One\n",
        "  - url: https://two.example/\n    title: Two\n",
        "---\n",
        "\n",
        "First paragraph\non two lines.\n",
        "\n",
        "- one\n",
        "- two\n",
        "\n",
        "| a | b |\n",
        "|---|---|\n",
        "| 1 | 2 |\n",
        "| 3 | 4 |\n",
        "\n",
        "```python\nprint(1)\n\nprint(2)\n```\n",
        "\n",
        "Last.\n",
    ]


CHANGES = [
    ("title: How?", "title: Why?"),
    ("tags: [a, b]", "tags: [a, b, c]"),
    ("title: One", "title: The first"),
    ("title: Two\n", "title: The second\n  - url: https://three.example/\n    title: Three\n"),
    ("First paragraph", "The first paragraph"),
    ("- one\n", "- one, and more\n"),
    ("- two\n", "- two\n- three\n"),
    ("| 1 | 2 |", "| 10 | 2 |"),
    ("| 3 | 4 |", "| 3 | 40 |"),
    ("print(2)", "print(3)"),
    ("Last.", "Last of all."),
    ("- one\n", ""),
]


@pytest.mark.parametrize("mine", CHANGES, ids=lambda change: change[1][:12])
@pytest.mark.parametrize("other", CHANGES, ids=lambda change: change[1][:12])
def test_changes_of_different_blocks_merge_by_themselves(mine, other):
    if mine[0] == other[0]:
        return
    expected = BASE.replace(*mine).replace(*other)
    assert text_of(merge(BASE, BASE.replace(*mine), BASE.replace(*other))) == expected


def test_the_same_block_changed_twice_is_a_conflict_with_all_three_texts():
    ours, theirs = BASE.replace("Last.", "My end."), BASE.replace("Last.", "Your end.")
    pieces = merge(BASE, ours, theirs)
    assert pieces[-1] == Conflict("Last.\n", "My end.\n", "Your end.\n")
    assert len(pieces) == 2


def test_the_same_change_on_both_sides_is_made_once():
    changed = BASE.replace("Last.", "The end.")
    assert text_of(merge(BASE, changed, changed)) == changed
    more = changed.replace("- one", "- 1")
    assert text_of(merge(BASE, changed, more)) == more


def test_two_insertions_at_one_place_are_a_conflict():
    pieces = merge("a\n\nb\n", "a\n\nours\n\nb\n", "a\n\ntheirs\n\nb\n")
    assert any(isinstance(piece, Conflict) for piece in pieces)


def test_different_keys_that_both_put_into_the_front_matter_merge():
    base = "---\ntitle: A\n---\nText\n"
    ours = "---\ntitle: A\ntags: [x]\n---\nText\n"
    theirs = "---\ntitle: A\nresources:\n- url: u\n  title: t\n---\nText\n"
    both = "---\ntitle: A\nresources:\n- url: u\n  title: t\ntags: [x]\n---\nText\n"
    assert merge(base, ours, theirs) == [both]
    assert merge(base, theirs, ours) == [both]
    same = base.replace("---\nText", "tags: [y]\n---\nText")
    assert any(isinstance(piece, Conflict) for piece in merge(base, ours, same))


def test_a_missing_line_end_is_no_change_of_the_line():
    assert text_of(merge("a\n\nb", "a\n\nb\n\nc", "A\n\nb")) == "A\n\nb\n\nc\n"


lines = st.sampled_from(
    ["alpha", "beta", "", "", "- item", "- other", "| cell |", "# Head", "```", "~~~~", "    code", "gamma\r", "---"]
)
documents = st.lists(lines, max_size=14).map(lambda picked: "".join(line + "\n" for line in picked))


@given(documents)
def test_blocks_are_the_source_character_for_character(source):
    assert "".join(blocks(source)) == source


@given(st.text())
def test_blocks_of_any_text(source):
    assert "".join(blocks(source)) == source


@given(documents, documents)
def test_merging_with_an_unchanged_side_gives_the_other_side(base, changed):
    assert merge(base, changed, base) == [changed]
    assert merge(base, base, changed) == [changed]


@given(documents, documents, documents)
def test_merging_is_symmetric(base, ours, theirs):
    swapped = [
        Conflict(piece.base, piece.theirs, piece.ours) if isinstance(piece, Conflict) else piece
        for piece in merge(base, theirs, ours)
    ]
    assert merge(base, ours, theirs) == swapped


@given(documents, documents, documents)
def test_what_either_side_has_written_is_in_the_result(base, ours, theirs):
    def written(pieces):
        return "".join(piece if isinstance(piece, str) else piece.ours + piece.theirs for piece in pieces)

    merged = written(merge(base, ours, theirs))
    for side in (ours, theirs):
        for block in set(blocks(side)) - set(blocks(base)):
            assert merged.count(block.rstrip("\n")) >= 1


@given(st.lists(st.text("abc", min_size=1, max_size=4), min_size=2, max_size=12, unique=True), st.data())
def test_edits_that_do_not_overlap_are_all_made_whatever_their_order(words, data):
    base = "\n\n".join(words) + "\n"
    mine = data.draw(st.sets(st.integers(0, len(words) - 1)))
    other = data.draw(st.sets(st.integers(0, len(words) - 1))) - mine

    def changed(which, sign):
        return "\n\n".join(word + sign * (place in which) for place, word in enumerate(words)) + "\n"

    both = "\n\n".join(word + "1" * (n in mine) + "2" * (n in other) for n, word in enumerate(words)) + "\n"
    assert text_of(merge(base, changed(mine, "1"), changed(other, "2"))) == both
    assert text_of(merge(base, changed(other, "2"), changed(mine, "1"))) == both
