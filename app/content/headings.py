"""The title of a text that names it nowhere but in its first heading or its file's name."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from app.content import syntax
from app.content.rendering import render

MAX_SEARCHED = 2_000  # lines; a heading further down is no title

_HTML_H1 = re.compile(
    r"\s*(?:<(?:div|p|center|header|a)\b[^<>]*>\s*)*<h1\b[^<>]*>(.*?)</h1\s*>", re.IGNORECASE | re.DOTALL
)
_CUSTOM_ID = re.compile(r"\s*\{:?\s*[#.][^{}]*\}\s*$")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^()]*\)|<img\b[^<>]*?\balt=[\"']([^\"']*)[\"'][^<>]*>")
_NUMBERED = re.compile(r"^(?:\d{4}-?\d{2}-?\d{2}|\d{1,4})[-_. ]+(?=\D)")
_FOLDER_FILES = {"readme", "index", "_index"}


def without_title(body: str, given: str) -> tuple[str, str]:
    """Return the title and the body without the heading that shows it: `given`, or else the first H1.

    An H1 that says something else than `given` stays.
    """
    lines = body.split("\n")
    found = _first_h1(lines[:MAX_SEARCHED])
    if found is None:
        return given, body
    start, end, heading = found
    title = _text(heading)
    if not title or (given and _folded(given) != _folded(title)):
        return given, body
    return given or title, "\n".join([*lines[:start], *lines[end:]]).strip("\n")


def title_from_path(path: PurePosixPath) -> str:
    """Return a file's name as people would write it; README and index files are named after their folder."""
    stem = path.parent.name if path.stem.casefold() in _FOLDER_FILES and path.parent.name else path.stem
    words = " ".join(re.sub(r"[-_+]+", " ", _NUMBERED.sub("", unquote(stem))).split()) or stem
    return words[:1].upper() + words[1:]


def _first_h1(lines: Sequence[str]) -> tuple[int, int, str] | None:
    """Return the lines from and to of the first heading of level one, and its Markdown or HTML."""
    fence = syntax.Fence()
    for number, line in enumerate(lines):
        fence.feed(line)
        if fence.is_open or fence.closed:
            continue
        if (found := syntax.HEADING.match(line)) and len(found[1]) == 1:
            return number, number + 1, syntax.heading_text(found[2])
        after = lines[number + 1] if number + 1 < len(lines) else ""
        if line.strip() and re.match(r" {0,3}=+\s*$", after) and not line.startswith(("    ", ">", "- ", "|")):
            return number, number + 2, line
        if "<h1" in line.lower():
            block = "\n".join(lines[number : number + 20])
            if (html := _HTML_H1.match(block)) and not block[html.end() :].partition("\n")[0].strip(" "):
                return number, number + html[0].count("\n") + 1, html[1]
    return None


def _text(heading: str) -> str:
    with_names = _IMAGE.sub(lambda image: image[1] or image[2] or "", _CUSTOM_ID.sub("", heading[:2_000]))
    return " ".join(render(" ".join(with_names.split())).text.split())


def _folded(title: str) -> str:
    return re.sub(r"[\W_]+", "", title).casefold()
