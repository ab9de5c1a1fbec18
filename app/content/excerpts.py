"""The beginning of an answer, for cards and for other sites: whole sentences of its first paragraphs."""

import re
from collections.abc import Iterator

from app.content.breaking import is_wide, parts_of
from app.content.cleaning import text_of

WIDTH = 200  # in Latin characters; a Chinese one is as wide as two
LEAST = 0.5  # of the width: a sentence that ends before is no good end

_TAG = re.compile(r"<(/?)(\w+)[^>]*>")
_VOID = frozenset(("br", "col", "hr", "img", "input", "source", "wbr"))
_END = re.compile(r"[。！？；][”’」』）]*|[.!?][\"”’)]*(?=\s+[^\sa-z])")
_OPEN = " ,;:，、；：—–-(（《「『“‘"  # noqa: RUF001  what no excerpt may end with


def excerpt_of(html: str) -> str:
    """Return the beginning of a cleaned rendering in one line, up to `WIDTH` wide.

    It is taken from the first paragraphs that stand together: headings, lists and code make no sentences. An answer
    without a paragraph begins with whatever it has.
    """
    lead = list(_lead(html))
    line = " ".join((" ".join(lead) if lead else text_of(html)[: 3 * WIDTH]).split())
    fitting = _fitting(line)
    if fitting == len(line) and not line.endswith((":", "：")):
        return line
    ends = [found.end() for found in _END.finditer(line) if found.end() <= fitting]
    if ends and (ends[-1] >= LEAST * fitting or fitting == len(line)):
        return _closed(line[: ends[-1]])
    if fitting == len(line):  # it leads up to what is left out
        return f"{line.rstrip(_OPEN)}…"
    *whole, _ = parts_of(line[: fitting + 1])
    cut = "".join(part.space + part.text for part in whole)
    return f"{(cut if len(cut) >= LEAST * fitting else line[: fitting - 1]).rstrip(_OPEN)}…"


def _lead(html: str) -> Iterator[str]:
    """Yield the texts of the first paragraphs that stand together and say something."""
    depth = start = width = 0
    for tag in _TAG.finditer(html):
        if tag[2] in _VOID:
            continue
        if tag[1]:
            depth -= 1
            text = text_of(html[start : tag.end()]) if depth == 0 and tag[2] == "p" else ""
            if text:
                yield text
            width += len(text)
        else:
            if depth == 0:
                if width and (tag[2] != "p" or width > WIDTH):
                    return
                start = tag.start()
            depth += 1


def _fitting(line: str) -> int:
    """Return how many characters of `line` there is room for."""
    width = 0
    for place, character in enumerate(line):
        width += 2 if is_wide(character) else 1
        if width > WIDTH:
            return place
    return len(line)


def _closed(sentences: str) -> str:
    return f"{sentences[:-1]}…" if sentences.endswith("；") else sentences
