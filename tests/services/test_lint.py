"""Remarks on documents, and the command that prints them."""

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.content.document import parse_document
from app.content.linting import findings

GOOD = (
    """---
title: Good
lang: en
tags: [x]
resources:
  - url: https://example.org/
    title: Example
---
"""
    + "This is a paragraph that is long enough to explain something to somebody. " * 3
)


def remarks(text):
    return [found.message % found.params for found in findings(parse_document(text, default_slug="x"))]


def test_a_good_answer_gets_none():
    assert remarks(GOOD) == []


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (lambda text: text.replace("tags: [x]\n", ""), "no topic"),
        (lambda text: text + "\n\n# Loud\n", "level 1 heading"),
        (lambda text: text + "\n\n## Two\n\n#### Four\n", "level 4 heading follows a level 2 one"),
        (lambda text: text + "\n\n```\ncode\n```\n", "does not name its language"),
        (lambda text: text + "\n\n![](x.png)\n", "no description"),
        (lambda text: text + "\n\n[a](http://example.org/x)\n", "http://example.org/x"),
        (
            lambda text: text.replace("---\nThis", "more:\n  - url: https://example.org/\n    title: E\n---\nThis"),
            "twice",
        ),
        (lambda text: text.partition("This is")[0] + "Short.", "very short"),
    ],
)
def test_each_fault_is_named(change, remark):
    assert any(remark in found for found in remarks(change(GOOD)))


def test_code_is_no_heading():
    assert remarks(GOOD + "\n\n```sh\n# a comment\n```\n") == []


def test_the_command(tmp_path):
    (tmp_path / "a.md").write_text(GOOD)
    assert CliRunner().invoke(app, ["lint", str(tmp_path)]).exit_code == 0
    (tmp_path / "b.md").write_text("no front matter")
    result = CliRunner().invoke(app, ["lint", str(tmp_path)])
    assert result.exit_code == 1
    assert "b.md: " in result.output
