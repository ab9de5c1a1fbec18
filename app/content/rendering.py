"""Markdown to clean HTML, a table of contents and plain text."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape, unescape
from typing import Any

from app.content.cleaning import clean, text_of
from app.content.raw_html import carried
from app.content.words import Words, words_for

RENDERER_VERSION = 10  # raise it when the output changes: kept renderings are then made anew
MAX_LENGTH = 400_000  # characters; a longer body is shown as it was written
MAX_LINES = 12_000  # more take the library over a second
MAX_FOOTNOTES = 1_000  # marks of footnotes; the library needs quadratic time for them
MAX_CARRIED = 5_000_000  # characters that a parser would add to the HTML
MAX_AMPERSANDS = 20_000  # and no-break spaces; the cleaner needs quadratic time for those of one text

log = logging.getLogger(__name__)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")


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


def render(markdown: str, lang: str = "en") -> Rendered:
    """Return the clean rendering of `markdown`, with the few words of our own in the language `lang`.

    Every text has a rendering, and any number of threads may render at once. What is too large for the Markdown
    library, or makes it fail, is shown as it was written.
    """
    source = _CONTROL.sub("", markdown.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    if too_much := excess(source):
        log.warning("a body of %d characters is shown as plain text: it has %s", len(source), too_much)
        return _plain(source)
    try:
        return _converted(source, words_for(lang))
    except Exception as error:  # noqa: BLE001  whatever the library raises, readers get the text
        log.warning("a body of %d characters is shown as plain text: %s", len(source), type(error).__name__)
        return _plain(source)


def excess(source: str) -> str | None:
    """Return what a body has too much of to be rendered in a moment; None for most."""
    counted = (
        (len(source), MAX_LENGTH, "characters"),
        (source.count("\n"), MAX_LINES, "lines"),
        (source.count("[^"), MAX_FOOTNOTES, "footnote marks"),
        (source.count("&") + source.count("\xa0"), MAX_AMPERSANDS, "ampersands and no-break spaces"),
    )
    return next((f"more than {most:,} {what}" for number, most, what in counted if number > most), None)


def _converted(source: str, words: Words) -> Rendered:
    # Most workers never render: what only this needs is no part of each start.
    from app.content.converting import convert

    html, ids, tokens = convert(source, words)
    if carried(html) > MAX_CARRIED:
        log.warning("a body of %d characters is shown as plain text: its HTML leaves too much open", len(source))
        return _plain(source)
    html = clean(html, ids).strip()
    return Rendered(html, tuple(_headings(tokens)), text_of(html))


def _headings(tokens: list[Mapping[str, Any]]) -> Iterator[Heading]:
    for token in tokens:
        yield Heading(token["level"], token["id"], unescape(token["name"]))
        yield from _headings(token["children"])


def _plain(source: str) -> Rendered:
    return Rendered(f'<pre class="plain" tabindex="0">{escape(source, quote=False)}</pre>', (), source.strip("\n"))
