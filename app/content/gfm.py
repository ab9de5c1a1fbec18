"""GitHub-flavoured Markdown's block structure, line by line, after CommonMark's parsing strategy.

python-markdown reads blocks by rules of its own, under which much of what people write for GitHub falls apart (lists
after a paragraph, lists nested by two spaces, fences in lists). So its block parser is not used: this one is.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

from app.content import gfm_syntax as syntax

MAX_DEPTH = 64  # containers within each other (a list and its item are two); deeper markers are text

_STARTS = frozenset("#`~<>*-_+=|:[0123456789")  # what a block other than a paragraph can begin with

Kind = Literal[
    "document", "quote", "list", "item", "footnote", "paragraph", "heading", "code", "html", "table", "rule"
]  # fmt: skip
References = dict[str, tuple[str, str | None]]


@dataclass(slots=True)
class Block:
    """A node of the tree; which fields count depends on `kind`."""

    kind: Kind
    children: list["Block"] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  # of a leaf
    level: int = 0  # of a heading
    info: str = ""  # of a fenced code block; the label of a footnote; the kind of an alert
    start: int | None = None  # of an ordered list
    marker: str = ""  # of a list: - + * . )
    offset: int = 0  # of an item: the columns of its marker
    tight: bool = True  # of a list
    checked: bool | None = None  # of an item with a task box
    alignments: list[str] = field(default_factory=list)  # of a table
    rows: list[list[str]] = field(default_factory=list)  # of a table, the header first

    @property
    def text(self) -> str:
        """The leaf's lines in one string."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The tree, and what was defined anywhere in it."""

    root: Block
    references: References
    footnotes: dict[str, Block]


def parse(text: str) -> Parsed:
    """Return the block structure of `text`, whose lines end in LF; every text has one."""
    parser = _Parser()
    for line in text.split("\n"):
        parser.feed(line)
    return parser.finish()


class _Parser:
    def __init__(self) -> None:
        self.stack = [Block("document")]  # the open containers
        self.matched = 1  # how many of them go on in the current line
        self.leaf: Block | None = None  # the open leaf of the last container
        self.fence = ""  # that closes the open code block; empty for an indented one
        self.fence_indent = 0
        self.html_end: re.Pattern[str] | None = None
        self.after_blank = False
        self.references: References = {}
        self.footnotes: dict[str, Block] = {}

    def feed(self, line: str) -> None:
        """Take the next line."""
        rest, column = self._match_containers(line)
        if self._continues_verbatim(rest, column):
            self.after_blank = False
            return
        while True:
            indent = syntax.indent_of(rest, column)
            content = rest.lstrip(" \t")
            if not content:
                self._take_blank()
                return
            if indent >= 4 and not self._in_paragraph():
                self._add_leaf(Block("code", lines=[syntax.without_columns(rest, column, 4)]))
                break
            if indent >= 4 or content[0] not in _STARTS:
                self._take_text(content)
                break
            inner = self._open_container(content, column + indent, indent)
            if inner is not None:
                rest, column = inner
                continue
            if not self._open_leaf(content, indent):
                self._take_text(content)
            break
        self.after_blank = False

    def finish(self) -> Parsed:
        """Close everything and return the tree."""
        self.matched = 1
        self._settle()
        return Parsed(self.stack[0], self.references, self.footnotes)

    def _match_containers(self, line: str) -> tuple[str, int]:
        """Return what the line holds inside the containers that go on, and the column where that begins."""
        rest, column, self.matched = line, 0, 1
        for container in self.stack[1:]:
            if container.kind == "quote":
                indent = syntax.indent_of(rest, column)
                if indent > 3 or not rest.lstrip(" \t").startswith(">"):
                    break
                rest, column = _after_quote_marker(rest, column + indent)
            elif container.kind != "list":
                if not rest or rest.isspace():
                    if not container.children and self.leaf is None:
                        break  # an item may begin with one blank line, not with two
                    rest = ""
                elif syntax.indent_of(rest, column) >= container.offset:
                    rest = syntax.without_columns(rest, column, container.offset)
                    column += container.offset
                else:
                    break
            self.matched += 1
        return rest, column

    def _continues_verbatim(self, rest: str, column: int) -> bool:
        """Give the line to the open code or HTML block; return whether it is used up."""
        leaf = self.leaf
        if leaf is None or leaf.kind not in {"code", "html"} or self.matched < len(self.stack):
            return False
        blank = not rest or rest.isspace()
        if leaf.kind == "html":
            if self.html_end is None and blank:
                return False
            leaf.lines.append(rest)
            if self.html_end is not None and self.html_end.search(rest):
                self._close_leaf()
            return True
        indent = syntax.indent_of(rest, column)
        if self.fence:
            stripped = rest.strip(" \t")
            if indent < 4 and stripped.startswith(self.fence) and not stripped.strip(self.fence[0]):
                self._close_leaf()
            else:
                leaf.lines.append(syntax.without_columns(rest, column, min(indent, self.fence_indent)))
            return True
        if indent >= 4:
            leaf.lines.append(syntax.without_columns(rest, column, 4))
            return not blank
        if blank:
            leaf.lines.append("")
        return False

    def _take_blank(self) -> None:
        leaf = self.leaf
        if self.matched < len(self.stack):
            self._settle()
        elif leaf is not None and (leaf.kind != "code" or self.fence):
            self._close_leaf()
        self.after_blank = self.stack[-1].kind != "quote"

    def _take_text(self, content: str) -> None:
        leaf = self.leaf
        if leaf is not None and leaf.kind == "paragraph":  # even where the marks of its containers are missing
            leaf.lines.append(content)
        elif leaf is not None and leaf.kind == "table" and self.matched == len(self.stack):
            leaf.rows.append(syntax.split_row(content))
        else:
            self._add_leaf(Block("paragraph", lines=[content]))

    def _open_container(self, content: str, column: int, indent: int) -> tuple[str, int] | None:
        """Open the quote, item or footnote that begins here; return what it holds on this line, and its column."""
        if len(self.stack) >= MAX_DEPTH:
            return None
        if content[0] == ">":
            self._add_container(Block("quote"))
            return _after_quote_marker(content, column)
        if content[0] == "[" and (footnote := syntax.FOOTNOTE.match(content)):
            block = Block("footnote", info=footnote[1], offset=4)
            self._add_container(block)
            self.footnotes.setdefault(syntax.normalised_label(footnote[1]), block)
            return content[footnote.end() :], column + footnote.end()
        marker = syntax.MARKER.match(content)
        if marker is None or syntax.RULE.match(content) or (content[0] == "-" and self._is_setext(content)):
            return None
        after = content[marker.end() :]
        column += marker.end()
        blank = not after.strip(" \t")
        if self._in_paragraph() and self.matched == len(self.stack) and (blank or marker[2] not in {None, "1"}):
            return None  # a number at the beginning of a line of prose
        padding = syntax.indent_of(after, column)
        if blank or padding > 4:
            padding = 1
        self._add_item(marker[3] or marker[1], marker[2], Block("item", offset=indent + marker.end() + padding))
        return syntax.without_columns(after, column, padding), column + padding

    def _open_leaf(self, content: str, indent: int) -> bool:
        """Open the heading, code, HTML, rule or table that begins here; return whether there is one."""
        here = self.matched == len(self.stack)
        if heading := syntax.ATX.match(content):
            text = syntax.ATX_CLOSING.sub("", content[heading.end() :].rstrip(" \t"))
            self._add_leaf(Block("heading", level=len(heading[1]), lines=[text]))
        elif fence := syntax.FENCE.match(content):
            self._add_leaf(Block("code", info=(fence[2] or fence[4] or "").strip()))
            self.fence, self.fence_indent = fence[1] or fence[3], indent
            return True
        elif content[0] == "<":
            return self._open_html(content, indent)
        elif self._is_setext(content):
            return self._make_heading(level=1 if content[0] == "=" else 2)
        elif syntax.RULE.match(content):
            self._add_leaf(Block("rule"))
        elif here and self._in_paragraph() and (alignments := syntax.read_alignments(content)):
            return self._make_table(alignments)
        else:
            return False
        self._close_leaf()
        return True

    def _open_html(self, content: str, indent: int) -> bool:
        for start, end, interrupts in syntax.HTML_BLOCKS:
            if start.match(content):
                if not interrupts and self._in_paragraph() and self.matched == len(self.stack):
                    return False
                self._add_leaf(Block("html", lines=[" " * indent + content]))
                self.html_end = end
                if end is not None and end.search(content):
                    self._close_leaf()
                return True
        return False

    def _is_setext(self, content: str) -> bool:
        return self._in_paragraph() and self.matched == len(self.stack) and bool(syntax.SETEXT.match(content))

    def _make_heading(self, level: int) -> bool:
        """Turn the open paragraph into a heading; return False when it holds nothing but definitions."""
        leaf = self.leaf
        assert leaf is not None
        text = syntax.take_references(leaf.text, self.references).strip()
        leaf.lines = [text] if text else []
        if text:
            leaf.kind, leaf.level = "heading", level
        self._close_leaf()
        return bool(text)

    def _make_table(self, alignments: list[str]) -> bool:
        """Turn the last line of the open paragraph into a table; return False when its columns are other ones."""
        leaf = self.leaf
        assert leaf is not None
        header = syntax.split_row(leaf.lines[-1])
        if len(header) != len(alignments):
            return False
        leaf.lines.pop()
        self._add_leaf(Block("table", alignments=alignments, rows=[header]))
        return True

    def _in_paragraph(self) -> bool:
        return self.leaf is not None and self.leaf.kind == "paragraph"

    def _add_item(self, marker: str, number: str | None, item: Block) -> None:
        self._settle(marker)
        if self.stack[-1].kind != "list":
            self._add_container(Block("list", marker=marker, start=int(number) if number else None))
        elif self.after_blank:
            self.stack[-1].tight = False
        self._push(item)

    def _add_container(self, block: Block) -> None:
        self._settle()
        self._push(block)

    def _add_leaf(self, block: Block) -> None:
        self._settle()
        self._append(block)
        self.leaf = block
        self.fence = ""

    def _push(self, block: Block) -> None:
        self._append(block)
        self.stack.append(block)
        self.matched = len(self.stack)

    def _append(self, block: Block) -> None:
        parent = self.stack[-1]
        if parent.kind == "item" and parent.children and self.after_blank:
            self.stack[-2].tight = False
        parent.children.append(block)

    def _settle(self, marker: str = "") -> None:
        """Close what does not go on in this line; a list goes on when an item with its `marker` follows."""
        self._close_leaf()
        while len(self.stack) > self.matched:
            _complete(self.stack.pop())
        if self.stack[-1].kind == "list" and self.stack[-1].marker != marker:
            self.stack.pop()
        self.matched = len(self.stack)

    def _close_leaf(self) -> None:
        leaf, self.leaf = self.leaf, None
        if leaf is None:
            return
        if leaf.kind == "paragraph":
            text = leaf.text
            if text.startswith("["):
                text = syntax.take_references(text, self.references)
                leaf.lines = text.split("\n")
            if not text.strip():
                self.stack[-1].children.remove(leaf)
        elif leaf.kind == "code" and not self.fence:
            while leaf.lines and not leaf.lines[-1].strip():
                leaf.lines.pop()


def _after_quote_marker(rest: str, column: int) -> tuple[str, int]:
    rest, column = rest.lstrip(" \t")[1:], column + 1
    if rest[:1] in {" ", "\t"}:
        return syntax.without_columns(rest, column, 1), column + 1
    return rest, column


def _complete(block: Block) -> None:
    """Read a finished container's task box or alert mark off its first paragraph."""
    first = block.children[0] if block.children else None
    if first is None or first.kind != "paragraph":
        return
    if block.kind == "item" and (task := syntax.TASK.match(first.lines[0])):
        block.checked = task[1] != " "
        first.lines[0] = first.lines[0][task.end() :].lstrip()
    elif block.kind == "quote" and (alert := syntax.ALERT.match(first.lines[0])):
        block.info = alert[1].lower()
        del first.lines[0]
        if not first.lines:
            del block.children[0]
