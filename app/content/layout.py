"""Markdown as it is written for GitHub, laid out as Python-Markdown wants it.

Python-Markdown tells blocks apart by blank lines and indents by four columns; GitHub lets most blocks follow a line of
text and indents by the width of the bullet. So blocks are found here by GitHub's rules and written again: each between
blank lines, what belongs to a list item four columns to the right. Code and HTML are kept aside as finished HTML.
"""

import re
from collections.abc import Callable, Sequence
from html import escape

from app.content import syntax
from app.content.bounds import apart
from app.content.highlighting import code_block
from app.content.live import mark_of
from app.content.raw_html import RawHtml
from app.content.words import ALERTS, Words

MAX_DEPTH = 24  # quotes and lists within one another; the library needs some stack for each
MAX_CELLS = 50_000  # of the tables of a document; a row that is short in the text has as many as all others
MAX_BACKTICKS = 200  # in a row of a table; the library needs quadratic time to pair them
TIGHT = "\x02tight\x03"  # first paragraph of an item whose list has no blank lines

_WIDE = "\u2e80-\u312f\u3190-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60\uffe0-\uffe6\U00020000-\U0003ffff"
_QUOTED = f"{_WIDE}\u2014\u2018\u2019\u201c\u201d\u2026"  # quotation marks that English shares
_WIDE_JOIN = re.compile(rf"(?<=[{_WIDE}])\n(?=[{_QUOTED}])|(?<=[{_QUOTED}])\n(?=[{_WIDE}])")
_BACKSLASH_BREAK = re.compile(r"(?<!\\)((?:\\\\)*)\\\n")
_NUMBER = re.compile(r"^(\d+)\.(?=\s|$)", re.MULTILINE)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")

Block = list[str]


class Layout:
    """Lays out one document; `keep` stores a piece of finished HTML and returns its placeholder."""

    def __init__(self, keep: Callable[[str], str], raw: RawHtml, words: Words) -> None:
        self._keep = keep
        self._raw = raw
        self._words = words
        self.cells_left = MAX_CELLS

    def lines(self, lines: Sequence[str], depth: int = 0) -> Block:
        """Return the lines of a document, or of what stands in a list item or quote, laid out."""
        return _joined(_Container(self, lines, depth).blocks())

    def code(self, lines: Sequence[str], info: str = "") -> Block:
        """Return the placeholder for code, or for a live block."""
        if mark := mark_of(info):
            return [self._keep(mark)]
        return [self._keep(code_block("\n".join([*lines, ""]), info))]

    def html(self, text: str) -> Block:
        """Return the placeholder for a block of raw HTML; nothing when nothing of it is shown."""
        tamed = self._raw.tame(text).strip()
        return [self._keep(tamed)] if tamed else []

    def plain(self, lines: Sequence[str]) -> Block:
        """Return the placeholder for text that is nested too deeply to be understood, or for too large a table."""
        text = escape("\n".join(lines), quote=False)
        return [self._keep(f'<pre class="plain">{text}</pre>')]

    def alert_title(self, line: str) -> str | None:
        """Return the first line of an alert, with its title in the article's language."""
        found = syntax.ALERT.match(line)
        if found is None or (kind := found[1].lower()) not in ALERTS:
            return None
        return f"[!{kind}] {found[2] or getattr(self._words, kind)}"


class _Container:
    """The blocks of a document, a quote, a list item or a footnote."""

    def __init__(self, layout: Layout, lines: Sequence[str], depth: int) -> None:
        self.is_loose = False  # whether a blank line stands between two blocks
        self._layout = layout
        self._lines = lines
        self._depth = depth
        self._at = 0
        self._blocks: list[Block] = []
        self._paragraph: list[str] = []
        self._unended: set[str] = set()  # endings of HTML that do not come any more

    def blocks(self) -> list[Block]:
        if self._depth > MAX_DEPTH:
            return [self._layout.plain(self._lines)]
        blank = False
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip():
                self._flush()
                self._at += 1
                blank = bool(self._blocks)
                continue
            self.is_loose |= blank
            blank = False
            self._next(line)
        self._flush()
        return [block for block in self._blocks if block]

    def _next(self, line: str) -> None:
        if not self._paragraph and syntax.indent_of(line) >= 4:
            self._take(self._indented_code())
        elif found := syntax.FENCE.match(line):
            self._take(self._fenced_code(found))
        elif self._paragraph and (found := syntax.UNDERLINE.match(line)):
            self._underlined(1 if found[1][0] == "=" else 2)
        elif block := syntax.one_line_block(line):
            self._at += 1
            self._take(block)
        elif syntax.QUOTE.match(line):
            self._take(self._quote())
        elif found := syntax.FOOTNOTE.match(line):
            self._take(self._footnote(*found.groups()))
        elif self._begins_list(line):
            self._flush()
            self._list()
        elif (end := self._end_of_html(line)) is not None:
            piece = "\n".join(self._lines[self._at : end])
            self._at = end
            self._take(self._layout.html(piece))
        elif self._begins_table(line):
            self._table()
        else:
            self._paragraph.append(line)
            self._at += 1

    def _take(self, block: Block) -> None:
        self._flush()
        self._blocks.append(block)

    def _flush(self) -> None:
        if self._paragraph:
            self._blocks += _paragraphs(self._paragraph)
            self._paragraph = []

    def _indented_code(self) -> Block:
        code: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.strip() and syntax.indent_of(line) < 4:
                break
            code.append(line[4:])
            self._at += 1
        while not code[-1].strip():
            code.pop()
            self._at -= 1
        return self._layout.code(code)

    def _fenced_code(self, found: re.Match[str]) -> Block:
        code: list[str] = []
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if syntax.is_closing(line, found[2]):
                break
            code.append(line[min(len(found[1]), syntax.indent_of(line)) :])
        return self._layout.code(code, found[3])

    def _underlined(self, level: int) -> None:
        self._at += 1
        text = " ".join(line.strip() for line in self._paragraph)
        self._paragraph = []
        self._take([f"{'#' * level} {syntax.heading_text(text)}"])

    def _quote(self) -> Block:
        inner: list[str] = []
        fence = syntax.Fence()
        while self._at < len(self._lines):
            line = self._lines[self._at]
            found = syntax.QUOTE.match(line)
            if found is None and (not line.strip() or not syntax.is_lazy(inner, fence, line)):
                break
            inner.append(line[found.end() :] if found else line)
            fence.feed(inner[-1])
            self._at += 1
        title = self._layout.alert_title(inner[0].strip())
        laid_out = self._layout.lines(inner if title is None else inner[1:], self._depth + 1)
        if title is not None:
            laid_out = [title, "", *laid_out]
        elif laid_out and syntax.ALERT.match(laid_out[0]):
            laid_out[0] = "\\" + laid_out[0]
        return [f"> {line}" if line else ">" for line in laid_out] or [">"]

    def _footnote(self, name: str, first: str) -> Block:
        laid_out = self._layout.lines(self._indented(2, first)[0], self._depth + 1) or [""]
        return [f"[^{name}]: {laid_out[0]}", *_shifted(laid_out[1:])]

    def _begins_list(self, line: str) -> bool:
        return bool(syntax.ITEM.match(line) and (not self._paragraph or syntax.interrupts(line)))

    def _list(self) -> None:
        items: list[tuple[str, list[Block]]] = []
        is_ordered = is_loose = blank = False
        while self._at < len(self._lines):
            found = syntax.ITEM.match(self._lines[self._at])
            if found is None or syntax.BREAK.match(found.string) or (items and is_ordered != bool(found[3])):
                break
            is_ordered = bool(found[3])
            is_loose |= blank
            inner, blank = self._item(found)
            container = _Container(self._layout, inner, self._depth + 1)
            items.append((f"{found[3]}." if found[3] else "-", container.blocks()))
            is_loose |= container.is_loose
        for mark, blocks in items:
            inner = _joined(blocks if is_loose else [[TIGHT], *blocks]) or [""]
            self._blocks.append([f"{mark:<3} {inner[0]}", *_shifted(inner[1:])])

    def _item(self, found: re.Match[str]) -> tuple[list[str], bool]:
        """Return the lines inside the item that begins here, and whether a blank line follows them."""
        spaces = len(found[4] or "")
        width = len(found[1]) + len(found[2]) + (spaces if 1 <= spaces <= 4 else 1)
        return self._indented(width, self._lines[self._at][width:], nested_from=len(found[1]) + 2)

    def _indented(self, width: int, first: str, nested_from: int = 99) -> tuple[list[str], bool]:
        inner = [first]
        fence = syntax.Fence()
        fence.feed(first)
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            indent = syntax.indent_of(line)
            if not line.strip():
                inner.append("")
            elif indent >= width:
                inner.append(line[width:])
            elif not fence.is_open and indent >= nested_from and syntax.ITEM.match(line):
                inner.append(line.lstrip())  # a list below `1.` that is indented by two columns
            elif syntax.is_lazy(inner, fence, line) and not syntax.ITEM.match(line):
                inner.append(line)
            else:
                break
            fence.feed(inner[-1])
            self._at += 1
        blank = not inner[-1].strip() and len(inner) > 1
        while inner and not inner[-1].strip():
            inner.pop()
        return inner, blank

    def _end_of_html(self, line: str) -> int | None:
        """Return the line before which the block of HTML that begins here ends; None when none begins here."""
        if found := syntax.WHOLE_HTML.match(line):
            name, comment, processing, cdata = found.groups()
            ending = f"</{name}" if name else "-->" if comment else "?>" if processing else "]]>" if cdata else ">"
            start = found.start() + 3 if comment else found.end()  # <!--> is a whole comment
            for number in range(self._at, 0 if ending in self._unended else len(self._lines)):
                if ending in self._lines[number].lower()[start if number == self._at else 0 :]:
                    return number + 1
            self._unended.add(ending)
            if not name:
                return None  # never closed: it is text
        elif not syntax.HTML.match(line):
            return None
        end = self._at + 1
        while end < len(self._lines) and self._lines[end].strip() and not syntax.FENCE.match(self._lines[end]):
            end += 1
        return end

    def _begins_table(self, line: str) -> bool:
        if not self._paragraph or not syntax.DELIMITERS.match(line):
            return False
        header = self._paragraph[-1]
        return "|" in header and header.count("`") <= MAX_BACKTICKS and syntax.columns(header) == syntax.columns(line)

    def _table(self) -> None:
        rows = [self._paragraph.pop()]
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip() or (len(rows) > 1 and syntax.interrupts(line)) or line.count("`") > MAX_BACKTICKS:
                break
            rows.append(line)
            self._at += 1
        cells = syntax.columns(rows[0]) * (len(rows) - 1)
        if cells > self._layout.cells_left:
            self._take(self._layout.plain(rows))
            return
        self._layout.cells_left -= cells
        # Within code in a cell GitHub reads \| as a pipe.
        self._take([_CODE_SPAN.sub(lambda span: span[0].replace("\\|", "|"), row.strip()) for row in rows])


def _paragraphs(lines: Sequence[str]) -> list[Block]:
    text = "\n".join(line.lstrip() for line in lines).rstrip()
    text = _BACKSLASH_BREAK.sub(r"\1  \n", text)
    text = _WIDE_JOIN.sub("", text)  # a soft break between two Chinese characters is no space
    return [piece.split("\n") for piece in apart(_NUMBER.sub(r"\1\\.", text))]


def _joined(blocks: Sequence[Block]) -> Block:
    lines: Block = []
    for block in blocks:
        lines += [*([""] if lines else []), *block]
    return lines


def _shifted(lines: Sequence[str]) -> Block:
    return [f"    {line}" if line else "" for line in lines]
