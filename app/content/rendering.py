"""Markdown to clean HTML, a table of contents and plain text."""

import re
import threading
from dataclasses import dataclass
from html import unescape

import markdown as python_markdown
import nh3

RENDERER_VERSION = 1


@dataclass(frozen=True)
class Heading:
    """A heading of the body, to link to."""

    level: int
    id: str
    text: str


@dataclass(frozen=True)
class Rendered:
    """What is shown, listed and searched of a body."""

    html: str
    toc: tuple[Heading, ...]
    text: str


_local = threading.local()


def render(markdown: str, lang: str = "en") -> Rendered:
    """Return the clean rendering of `markdown`, with the few words of our own in the language `lang`."""
    if not hasattr(_local, "converter"):
        _local.converter = python_markdown.Markdown(
            extensions=["tables", "footnotes", "toc", "pymdownx.superfences", "pymdownx.tasklist", "pymdownx.tilde"]
        )
    converter = _local.converter
    converter.reset()
    html = nh3.clean(converter.convert(markdown))
    toc = tuple(Heading(token["level"], token["id"], unescape(token["name"])) for token in _flat(converter.toc_tokens))
    text = unescape(re.sub(r"<[^>]+>", "", html))
    return Rendered(html, toc, text)


def _flat(tokens):  # type: ignore[no-untyped-def]
    for token in tokens:
        yield token
        yield from _flat(token["children"])
