"""No text takes long to render, and none is refused."""

import pytest

from app.content.rendering import render

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
