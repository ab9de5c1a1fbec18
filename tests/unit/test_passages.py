from pathlib import Path

import pytest

from app.content.document import parse_document
from app.content.passages import MOST_CHARACTERS, passages
from app.content.rendering import render

PROJECT = Path(__file__).parent.parent.parent
BODIES = [
    parse_document(path.read_text(), default_slug=path.stem).body
    for path in sorted((PROJECT / "content").rglob("*.md"))
]


def cut(body):
    return list(passages(body, render(body).toc))


def places(body):
    return [("/".join(heading.id for heading in each.headings), each.text) for each in cut(body)]


def test_sections_stand_under_their_headings():
    body = "Intro.\n\n## One\n\nFirst.\n\n### Inner\n\nSecond.\n\n## Two\n\n## Three\n\nThird.\n"
    assert places(body) == [("", "Intro."), ("one", "First."), ("one/inner", "Second."), ("three", "Third.")]


def test_headings_are_known_however_they_are_written():
    body = "## The `--workers` *option*, [linked](https://x.org/a) & 1 < 2 ##\nA.\n\nUnderlined\n----------\nB.\n"
    assert [text for _, text in places(body)] == ["A.", "B."]
    assert [each.headings[-1].text for each in cut(body)] == ["The --workers option, linked & 1 < 2", "Underlined"]


@pytest.mark.parametrize(
    "body",
    [
        "```bash\n# no heading\n```\n",
        "~~~\n```\n# no heading\n~~~\n",
        "    # no heading\n",
        "| a |\n| --- |\n| # |\n",
        "Text.\n\n---\n\nMore text.\n",
        "#hashtag\n",
    ],
)
def test_what_only_looks_like_a_heading_begins_no_section(body):
    assert places(body) == [("", body.rstrip())]


def test_equal_headings_have_their_own_anchors():
    assert places("## A\n\n1\n\n## A\n\n2\n") == [("a", "1"), ("a-1", "2")]


def test_a_long_section_is_cut_between_its_blocks():
    code = "```python\n" + "x = 1\n\n" * 100 + "```"
    paragraphs = ["word " * 200 + str(number) for number in range(6)]
    found = cut("## Long\n\n" + "\n\n".join([*paragraphs, code]) + "\n")
    assert len(found) > 1
    assert not any(each.is_whole for each in found)
    assert {heading.id for each in found for heading in each.headings} == {"long"}
    assert "\n\n".join(each.text for each in found) == "\n\n".join([*paragraphs, code])
    assert all(len(each.text) <= MOST_CHARACTERS for each in found)
    assert any(code in each.text for each in found)


def test_a_block_that_is_too_long_is_cut_at_its_lines():
    row = f"| {'x' * 90} |\n"
    assert all(each.text.endswith("x |") for each in cut("| a |\n| --- |\n" + row * 100)[1:])


def test_a_line_that_is_too_long_is_cut_anywhere():
    assert "".join(each.text for each in cut("字" * 3 * MOST_CHARACTERS)) == "字" * 3 * MOST_CHARACTERS


def test_nothing_has_no_passages():
    assert cut("") == []
    assert cut("\n \n## Only a heading\n") == []


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_the_starter_answers_are_cut_at_every_heading_and_nothing_is_lost(body):
    found = cut(body)
    toc = render(body).toc
    assert {heading.id for each in found for heading in each.headings} == {heading.id for heading in toc}
    rest = body
    for each in found:
        assert each.text in rest  # word for word, and in order
        between, _, rest = rest.partition(each.text)
        assert all(line.startswith("#") for line in between.split("\n") if line.strip())
    assert not rest.strip()
