"""How the lines of GitHub's Markdown begin: the patterns by which blocks are told apart."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_BLOCK_TAGS = (
    "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|"
    "fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|"
    "menuitem|nav|noframes|ol|optgroup|option|p|param|picture|search|section|source|summary|table|tbody|td|template|"
    "tfoot|th|thead|title|tr|track|ul|video"
)

FENCE = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)$")
HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)(.*)$")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
BREAK = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
QUOTE = re.compile(r" {0,3}> ?")
ITEM = re.compile(r"( {0,3})([-+*]|(\d{1,9})[.)])(?:( +)(?=[^ ])|\s*$)")
FOOTNOTE = re.compile(r" {0,3}\[\^([^\]\s]+)\]:[ \t]*(.*)$")
ALERT = re.compile(r"\[!(\w+)\][ \t]*(.*)$")
DELIMITERS = re.compile(r" {0,3}(?=[^|]*\|)\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*+\|?[ \t]*$")
PIPE = re.compile(r"(?<!\\)(?:\\\\)*\|")
WHOLE_HTML = re.compile(
    r" {0,3}<(?:(script|pre|style|textarea)(?=[\s>]|$)|(!--)|(\?)|(!\[CDATA\[)|![A-Za-z])", re.IGNORECASE
)
HTML = re.compile(rf" {{0,3}}</?(?:{_BLOCK_TAGS})(?=\s|/?>|$)", re.IGNORECASE)


@dataclass
class Fence:
    """Follows fenced code through lines; `is_open` inside of it, `closed` on the line that ends it."""

    mark: str = ""
    closed: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the next line is code."""
        return bool(self.mark)

    def feed(self, line: str) -> None:
        """Take note of the next line."""
        self.closed = False
        if not self.mark:
            found = FENCE.match(line)
            self.mark = found[2] if found else ""
        elif is_closing(line, self.mark):
            self.mark, self.closed = "", True


def with_spaces(lines: Sequence[str]) -> list[str]:
    """Return `lines` with spaces for tabs but in fenced code, where it is not part of a list: makefiles need them."""
    expanded: list[str] = []
    fence = Fence()
    for line in lines:
        was_code = fence.is_open
        if was_code or not line.startswith((" ", "\t")):
            fence.feed(line)
        expanded.append(line if was_code and fence.is_open else line.expandtabs(4))
    return expanded


def is_closing(line: str, mark: str) -> bool:
    """Say whether `line` ends the fence that began with `mark`."""
    stripped = line.strip()
    return len(stripped) >= len(mark) and not stripped.strip(mark[0]) and indent_of(line) < 4


def indent_of(line: str) -> int:
    """Return by how many spaces `line` is indented."""
    return len(line) - len(line.lstrip(" "))


def one_line_block(line: str) -> list[str]:
    """Return the heading or break that `line` is, in the library's spelling; nothing when it is neither."""
    if found := HEADING.match(line):
        return [f"{found[1]} {heading_text(found[2])}"]
    return ["***"] if BREAK.match(line) else []


def heading_text(text: str) -> str:
    """Return what stands between the `#` before and behind a heading, so that none of it is read as closing `#`."""
    text = text.strip()
    rest = text.rstrip("#")
    if not rest or rest[-1].isspace():
        return rest.rstrip()
    return text.replace("#", "\\#") if rest != text else text


def columns(row: str) -> int:
    """Return how many cells a table's row has."""
    inner = row.strip().removeprefix("|")
    return len(PIPE.findall(inner)) + (0 if PIPE.search(inner, max(0, len(inner) - 1)) else 1)


def interrupts(line: str) -> bool:
    """Say whether `line` begins a block although a paragraph is open before it."""
    if FENCE.match(line) or HEADING.match(line) or BREAK.match(line) or QUOTE.match(line) or HTML.match(line):
        return True
    if WHOLE_HTML.match(line) or FOOTNOTE.match(line):
        return True
    item = ITEM.match(line)
    # A number that begins a line of prose seldom begins a list.
    return bool(item and item[4] and item[3] in {None, "1"})


def is_lazy(inner: Sequence[str], fence: Fence, line: str) -> bool:
    """Say whether `line` goes on with the paragraph at the end of `inner` although it lacks its indentation."""
    last = inner[-1]
    if not last.strip() or fence.is_open or fence.closed or (indent_of(last) >= 4 and len(inner) == 1):
        return False
    return not (interrupts(line) or one_line_block(last))
