"""A body cut into passages that can be quoted: its sections, and whole blocks of those that are long.

Each passage is a part of the body as it stands there, character for character.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import accumulate

from app.content import syntax
from app.content.rendering import Heading

MOST_CHARACTERS = 2_500  # of a passage

_MARKUP = re.compile(r"!?\[([^\]]*)\](?:\([^()]*\)|\[[^\]]*\])|<[^<>]*>")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")  # not splitlines(): it takes characters for line ends that Markdown does not


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a body that belongs together."""

    headings: tuple[Heading, ...]  # that it stands under, the outermost first; none in the introduction
    text: str
    is_whole: bool  # False: its section has more than this


def passages(body: str, toc: Sequence[Heading]) -> Iterator[Passage]:
    """Yield the passages of `body` in order; `toc` are the headings of its rendering.

    A heading that the rendering has otherwise, or not at all, begins no section.
    """
    under: list[Heading] = []
    for heading, text in _sections(body, toc):
        if heading is not None:
            under = [*(outer for outer in under if outer.level < heading.level), heading]
        parts = [part for part in map(_trimmed, _parts(text)) if part]
        for part in parts:
            yield Passage(tuple(under), part, len(parts) == 1)


def _sections(body: str, toc: Sequence[Heading]) -> Iterator[tuple[Heading | None, str]]:
    """Yield each section's heading (None: the introduction) and what stands below it."""
    lines = _LINE.findall(body)
    starts = [0, *accumulate(map(len, lines))]
    fence = syntax.Fence()
    heading, section, known = None, 0, 0
    for number, line in enumerate(lines):
        fence.feed(line)
        if fence.is_open or fence.closed:
            continue
        if found := syntax.HEADING.match(line):
            first, text = number, found[2]
        elif number > section and syntax.UNDERLINE.match(line):
            first, text = number - 1, lines[number - 1]
        else:
            continue
        place = _place(toc, known, text)
        if place is not None:
            yield heading, body[starts[section] : starts[first]]
            heading, section, known = toc[place], number + 1, place + 1
    yield heading, body[starts[section] :]


def _place(toc: Sequence[Heading], first: int, markdown: str) -> int | None:
    """Return where the heading that is written so stands in `toc`, from the place `first` on."""
    written = {_letters(unescape(markdown)), _letters(unescape(_MARKUP.sub(r"\1", markdown)))}
    return next((at for at in range(first, len(toc)) if _letters(toc[at].text) in written), None)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def _parts(text: str) -> Iterator[str]:
    """Yield `text`, or as many of its blocks at a time as a passage may have."""
    part = ""
    for block in _blocks(text) if len(text) > MOST_CHARACTERS else [text]:
        if part and len(part) + len(block) > MOST_CHARACTERS:
            yield part
            part = ""
        part += block
    yield part


def _blocks(text: str) -> Iterator[str]:
    """Yield what stands between empty lines, code as one; lines, or parts of one, of a block that is too long."""
    fence = syntax.Fence()
    block: list[str] = []
    for line in _LINE.findall(text):
        fence.feed(line)
        block += [line[at : at + MOST_CHARACTERS] for at in range(0, len(line), MOST_CHARACTERS)]
        if not fence.is_open and not line.strip():
            yield from _bounded(block)
            block = []
    yield from _bounded(block)


def _bounded(lines: list[str]) -> list[str]:
    block = "".join(lines)
    return [block] if len(block) <= MOST_CHARACTERS else lines


def _trimmed(text: str) -> str:
    """Return `text` without the empty lines around it; the first line stays indented."""
    return re.sub(r"\A(?:[ \t]*\n)+", "", text.rstrip())
