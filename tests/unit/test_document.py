"""The site's own format: what it holds, and what it says about a file that does not keep to it."""

import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.content.document import Document, DocumentError, Resource, normalised_tag, parse_document

HEAD = "title: T\nlang: en\n"


def parse(head: str, body: str = "") -> Document:
    return parse_document(f"---\n{head}---\n{body}", default_slug="own")


def test_a_whole_document():
    document = parse(
        HEAD + "slug: a-b\ntags: [Fast API, x]\naliases: [old, a-b]\ntranslation_of: other\ndate: 2026-01-02\n"
        "verified: 2026-01-03 10:00:00\nreview_after: '2027-01-01'\nrelated: [r]\nx-y: {z: 1}\n"
        "resources:\n  - url: https://a.org/\n    title: A\n    description: |\n      two\n      lines\n"
        "more:\n  - {url: https://b.org, title: B, site: S}\n",
        "\n\nbody\r\nmore\n",
    )
    assert document == Document(
        title="T",
        lang="en",
        body="body\nmore\n",
        tags=("fast-api", "x"),
        slug="a-b",
        aliases=("old",),
        translation_of="other",
        date=dt.date(2026, 1, 2),
        verified=dt.date(2026, 1, 3),
        review_after=dt.date(2027, 1, 1),
        resources=(Resource("https://a.org/", "A", "two lines"),),
        more=(Resource("https://b.org", "B", site="S"),),
        related=("r",),
        extra={"x-y": {"z": 1}},
    )


def test_the_language_is_found_where_it_is_missing():
    assert parse("title: 什么是内核\n", "内核管理进程与内存。").lang == "zh"
    assert parse("title: T\nlang: zh_cn\n").lang == "zh-CN"


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("lang: en\n", "title: is missing"),
        ("title: [a]\n", "title: "),
        ("title: |\n  a\n  b\n", "title: must be a single line"),
        (f"title: {'x' * 301}\n", "title: has 301 characters"),
        ("title: T\nlang: klingon\n", "lang: "),
        ("title: T\nlang: 1\n", "lang: "),
        (HEAD + "tags: a\n", "tags: must be a list"),
        (HEAD + "tags: ['']\n", "tags: holds an empty tag"),
        (HEAD + "tags: [a/b]\n", "slash"),
        (HEAD + f"tags: [{'x' * 61}]\n", "longer than 60"),
        (HEAD + "slug: Not A Slug\n", "slug: "),
        (HEAD + "date: yesterday\n", "date: 'yesterday' is no date"),
        (HEAD + "resources: [x]\n", "resources[1]: must hold"),
        (HEAD + "resources: [{url: x, title: y}]\n", "resources[1].url: 'x' is no web address"),
        (HEAD + "resources: [{url: 'javascript:alert(1)', title: y}]\n", "is no web address"),
        (HEAD + "resources: [{url: https://a.org}]\n", "resources[1].title: is missing"),
        (HEAD + "more: [{url: https://a.org, title: x, colour: red}]\n", "more[1].colour: is not known"),
    ],
)
def test_a_problem_names_its_key(head, message):
    with pytest.raises(DocumentError) as caught:
        parse(head)
    assert message in str(caught.value)


def test_no_front_matter_and_control_characters():
    with pytest.raises(DocumentError, match="front matter: is missing"):
        parse_document("text", default_slug="x")
    with pytest.raises(DocumentError, match=r"line 5: .*U\+0000"):
        parse(HEAD, "\0")


def test_tags_are_folded():
    assert normalised_tag(" Ｆast_API  x ") == "fast-api-x"


WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=30)


@settings(max_examples=150, deadline=None)
@given(WORDS, WORDS, st.lists(WORDS, max_size=3), st.text(max_size=50))
def test_what_is_written_is_read_again(title, value, tags, body):
    head = f"title: {json.dumps(title)}\nlang: en\nx: {json.dumps(value)}\ntags: {json.dumps(tags)}\n"
    try:
        document = parse(head, body)
    except DocumentError:
        return
    assert document.title == title.strip()
    assert document.extra == {"x": value}
    assert document.body == body.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
    assert document.tags == tuple(dict.fromkeys(map(normalised_tag, tags)))


@pytest.mark.parametrize("tag", [".", "..", "a/b", "a,b", ""])
def test_a_tag_that_cannot_be_an_address_is_refused(tag):
    with pytest.raises(DocumentError, match="tags"):
        parse_document(f"---\ntitle: T\nlang: en\ntags: ['{tag}']\n---\n", default_slug="t")
