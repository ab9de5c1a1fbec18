"""No text takes long to render, and none is refused; none takes long to compare, to merge, or to search for."""

import sys

import pytest

from app.content.comparing import compare
from app.content.merging import merge
from app.content.rendering import render
from app.search.query import MAX_LENGTH, parse
from app.services.contributing import MAX_SOURCE

PATHOLOGICAL = {
    "quotes": ">" * 10_000,
    "brackets": "[" * 10_000,
    "links": "[a](" * 20_000,
    "paragraphs of brackets": ("[" * 700 + "x" * 700 + "\n\n") * 100,
    "stars": "*a " * 50_000,
    "backticks": "`" * 50_000,
    "table": "|a|b|\n|-|-|\n" + "| x | **y** |\n" * 5_000,
    "plain": "hello world\n\n" * 400_000,
    "items in a line": "- " * 20_000,
    "items": "".join(" " * (2 * (n % 20)) + "- x\n" for n in range(16_000)),
    "less than": "<" * 50_000,
    "open tags": "<div>" * 50_000,
    "open lines": "<div>\n\n" * 20_000,
    "formatting": "".join(f"<b title={n}>\n\n" for n in range(10_000)),
    "comments": "<!-- a\n" * 30_000,
    "quotes left open": "<a href='" * 30_000,
    "spaces": "# " + " " * 100_000 + "x",
    "headings": "# a\n" * 10_000,
    "definitions on two lines": "x\n\n" + "[a]: \n" * 11_000,
    "definitions between lines": "[a]: b\nx\n" * 6_000,
    "headings with HTML": "# </b>\n" * 9_000,
    "footnotes": "[^1]: x\n\n" + "[^1] " * 900,
    "code": "```js\n" + "a(b[c{`" * 5_000,
    "addresses without an end": "a." * 100_000 + "@",
    "addresses": "a@b." * 50_000,
    "escapes": "\\" * 100_000,
    "ampersands": "&#" * 200_000,
    "no-break spaces": "\xa0a" * 200_000,
    "columns": "|a" * 90_000 + "|\n" + "|-" * 90_000 + "|\n",
}


@pytest.mark.timeout(15)
@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_no_text_takes_long(name):
    # No clock is read here: what is quadratic takes minutes, and the time limit ends it.
    assert render(PATHOLOGICAL[name]).html


REPEATED = {
    "an address": "[a]: http://b/" + "x" * 20_000 + "\n\n" + ("[a] " * 300 + "\n\n") * 30,
    "a title": "[a]: http://b/ '" + "x" * 20_000 + "'\n\n" + ("![a] " * 300 + "\n\n") * 30,
    "an element left open": f"<b title='{'x' * 20_000}'>" + "<p>a" * 1_000,
    "elements left open": "".join(f"<b title='{'x' * 90}{n}'>" for n in range(8)) + "<p>a" * 20_000,
    "cells that are not there": "|a" * 300 + "|\n" + "|-" * 300 + "|\n" + "|b|\n" * 300,
    "cells of many tables": ("|a" * 300 + "|\n" + "|-" * 300 + "|\n" + "|b|\n" * 30 + "\n") * 20,
}


@pytest.mark.parametrize("name", REPEATED)
def test_no_text_becomes_much_longer(name):
    source = REPEATED[name]
    assert len(render(source).html) < 2_000_000 + 10 * len(source)


def test_what_is_used_often_is_still_a_link():
    rendered = render("[a]: http://b/" + "x" * 1_000 + "\n\n" + "[a] " * 500)
    assert rendered.html.count('href="http://b/') == 500


def test_a_table_that_is_too_large_is_shown_as_it_was_written():
    table = "|a" * 300 + "|\n" + "|-" * 300 + "|\n" + "|b|\n" * 300
    rendered = render(f"Before\n\n{table}\nAfter\n\n|a|\n|-|\n|**b**|\n")
    assert '<pre class="plain">|a|a' in rendered.html
    assert "<p>After</p>" in rendered.html
    assert "<td><strong>b</strong></td>" in rendered.html


def test_what_the_library_cannot_do_is_shown_as_it_is(monkeypatch, caplog):
    monkeypatch.setattr("markdown.Markdown.convert", lambda *_: 1 / 0)
    rendered = render("a <b>\n")
    assert rendered.html == '<pre class="plain" tabindex="0">a &lt;b&gt;\n</pre>'
    assert rendered.text == "a <b>"
    assert "ZeroDivisionError" in caplog.text


def test_a_failure_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr("markdown.blockprocessors.ParagraphProcessor.run", lambda *_: 1 / 0)
    assert render("- a\n- b").html.startswith("<pre")
    monkeypatch.undo()
    assert render("a\n\n- b").html == "<p>a</p>\n<ul>\n<li>b</li>\n</ul>"


def lines(number, line):
    """Return so many lines of a list, each as `line` says."""
    return "".join(f"- {line(n)}\n" for n in range(number))[:MAX_SOURCE]


LINES = lines(19_000, str)
# Each as it was, as one has made it, and as another has. Up to 20,000 blocks are compared one by one.
VERSIONS = {
    "lines that are all alike": ("- a\n" * 250_000, "- a\n" * 200_000 + "- b\n" * 50_000, "- b\n" * 250_000),
    "lines that all differ": tuple(lines(140_000, lambda n, who=who: f"{who}{n}") for who in "abc"),
    "lines that all differ, one by one": tuple(lines(19_000, lambda n, who=who: f"{who}{n}") for who in "abc"),
    "every other line": (LINES, lines(19_000, lambda n: n % 4 * n), lines(19_000, lambda n: n % 3 * n)),
    "everything, and every other line": (LINES, lines(19_000, lambda n: f"x{n}"), lines(19_000, lambda n: n % 2 * n)),
    "a line after each": tuple(lines(13_000, lambda n, more=more: f"{n}{more}") for more in ("", "\n- a", "\n- b")),
    "one line of words": ("word " * 200_000, "w0rd " * 200_000, "word w0rd " * 100_000),
    "one line of letters": tuple(letter * MAX_SOURCE for letter in "abc"),
    "one line of Chinese": tuple(letter * MAX_SOURCE for letter in "字学文"),
    "paragraphs that are as long as words are compared": tuple(
        "".join(f"{words * 2_400}{n}\n\nsame {n}\n\n" for n in range(100)) for words in ("a b ", "b a ", "a a ")
    ),
    "one paragraph": tuple(f"{letter}\n" * 500_000 for letter in "abc"),
    "quotes": (">" * MAX_SOURCE, ">" * (MAX_SOURCE - 1) + "x", "> " * 500_000),
    "items in items": tuple("".join("  " * (n % 40) + f"- {who}\n" for n in range(20_000)) for who in "abc"),
    "fences": ("```\n" * 250_000, "~~~\n" * 250_000, "````\n```\n" * 100_000),
    "keys": tuple("---\n" + "".join(f"k{n}: {who}\n" for n in range(90_000)) + "---\n" for who in "abc"),
    "one key of many lines": tuple("---\na:\n" + f"  {who}\n" * 240_000 + "---\n" for who in "abc"),
    "empty lines": ("\n" * MAX_SOURCE, " \n" * 500_000, "\t\n" * 500_000),
}  # fmt: skip


@pytest.mark.timeout(15)
@pytest.mark.parametrize("name", VERSIONS)
def test_no_texts_take_long_to_compare_and_to_merge(name):
    base, ours, theirs = VERSIONS[name]
    assert compare(ours, theirs)
    assert merge(base, ours, theirs)


GROWING = {
    "everything, and every other line": (str, lambda n: f"x{n}", lambda n: n % 2 * n),
    "a line after each": (str, lambda n: f"{n}\n- a", lambda n: f"{n}\n- b"),
}


@pytest.mark.parametrize("name", GROWING)
def test_merging_does_as_much_more_as_there_is_more(name):
    few, many = (calls(merge, *(lines(number, version) for version in GROWING[name])) for number in (500, 2_000))
    assert many < 5 * few  # where it is quadratic, sixteen times


def calls(function, *arguments):
    """Return how many functions are called, and generators resumed, while one works: that is the same each time."""
    number, former = 0, sys.getprofile()

    def count(*_):
        nonlocal number
        number += 1

    sys.setprofile(count)
    try:
        function(*arguments)
    finally:
        sys.setprofile(former)
    return number


QUERIES = {
    "open quotes": '"a ', "quoted": '"a" ', "quotes": '"', "quotes in quotes": '“"”', "minus": "-", "minuses": "-a ",
    "phrases left out": '-"a b" ', "topics": "tag:a ", "topics left out": "-tag:a ", "languages": "lang:zh ",
    "names of fields": "tag:", "parts of a language": "lang:zh-", "colons": ":", "one word": "a", "two signs": "_a",
    "numbers": "1 ", "one Chinese word": "字", "Chinese and not": "a字", "one sound": "zhongguo", "sounds": "zhi ",
    "accents": "\u0301", "what is folded to much": "\ufdfa", "emoji": "👩\u200d", "parentheses": "(a ", "stars": "a* ",
}  # fmt: skip


@pytest.mark.timeout(15)
@pytest.mark.parametrize("name", QUERIES)
def test_no_query_takes_long_to_read(name):
    repeated = QUERIES[name] * MAX_LENGTH
    for start in ("", "a", "tag:", '"', "-"):
        assert parse((start + repeated)[:MAX_LENGTH])
