"""A source cut into the blocks that people change: front-matter keys, paragraphs, list items, code, table rows."""

import re
from collections.abc import Iterator

from app.content import front_matter

_KEY = re.compile(r"[^\s#\-][^:]*:|#")
_ITEM_OF_LIST = re.compile(r"\s*- ")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s")
_HEADING = re.compile(r" {0,3}#{1,6}\s")


def blocks(source: str) -> list[str]:
    """Return the blocks of a source, in order; together they are the source, character for character."""
    _, body, kind = front_matter.split(source)
    head = source[: len(source) - len(body)] if kind else ""
    return [*_head_blocks(head), *_body_blocks(source[len(head) :])]


def _head_blocks(head: str) -> Iterator[str]:
    block = ""
    for line in _lines(head):
        if block and _starts_in_head(line):
            yield block
            block = ""
        block += line
    if block:
        yield block


def _starts_in_head(line: str) -> bool:
    return bool(_KEY.match(line) or _ITEM_OF_LIST.match(line) or line.rstrip() in ("---", "+++", "..."))


def _body_blocks(body: str) -> Iterator[str]:
    lines = _lines(body)
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence:
            end = _end_of_fence(lines, at, fence[1])
            yield "".join(lines[at:end])
            at = end
            continue
        end = at + 1
        while end < len(lines) and not _FENCE.match(lines[end]) and not _starts_in_body(lines[end - 1], lines[end]):
            end += 1
        yield "".join(lines[at:end])
        at = end


def _starts_in_body(before: str, line: str) -> bool:
    if not line.strip() or not before.strip():
        return bool(line.strip()) != bool(before.strip())  # empty lines in a row are one block
    is_row = line.lstrip().startswith("|") or before.lstrip().startswith("|")
    return bool(is_row or _ITEM.match(line) or _HEADING.match(line) or _HEADING.match(before))


def _end_of_fence(lines: list[str], start: int, fence: str) -> int:
    closing = re.compile(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}\s*$")
    for at in range(start + 1, len(lines)):
        if closing.match(lines[at]):
            return at + 1
    return len(lines)


def _lines(text: str) -> list[str]:
    # Not splitlines(): it takes characters for line ends that Markdown does not.
    return re.findall(r"[^\n]*\n|[^\n]+", text)
