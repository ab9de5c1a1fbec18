"""The line patterns of GitHub-flavoured Markdown's blocks, and what is read off one line or one paragraph."""

import re

ATX = re.compile(r"(#{1,6})(?:[ \t]+|$)")
ATX_CLOSING = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
SETEXT = re.compile(r"(=+|-+)[ \t]*$")
RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
MARKER = re.compile(r"([-+*]|(\d{1,9})([.)]))(?=[ \t]|$)")
FOOTNOTE = re.compile(r"\[\^([^\]\s]+)\]:[ \t]*")
ALERT = re.compile(r"[ \t]*\[!(note|tip|important|warning|caution)\][ \t]*$", re.IGNORECASE)
TASK = re.compile(r"\[([ xX])\](?=[ \t]+\S)")
HEADING_ID = re.compile(r"[ \t]*\{[ \t]*#([^\s{}#]+)[ \t]*\}[ \t]*$")

_DELIMITER_ROW = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_CELL_END = re.compile(r"(?<!\\)\|")

_BLOCK_TAGS = (
    "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|"
    "fieldset|figcaption|figure|footer|form|frame|frameset|h1|h2|h3|h4|h5|h6|head|header|hr|html|iframe|legend|li|link|"
    "main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|"
    "title|tr|track|ul"
)
_ATTRIBUTE = r"""\s++[a-zA-Z_:][\w.:-]*+(?:\s*+=\s*+(?:[^\s"'=<>`]++|'[^']*+'|"[^"]*+"))?+"""
# How an HTML block begins, how it ends (None: before a blank line), and whether it may interrupt a paragraph.
HTML_BLOCKS = (
    (re.compile(r"<(?:script|pre|style|textarea)(?:\s|>|$)", re.IGNORECASE),
     re.compile(r"</(?:script|pre|style|textarea)>", re.IGNORECASE), True),
    (re.compile(r"<!--"), re.compile(r"-->"), True),
    (re.compile(r"<\?"), re.compile(r"\?>"), True),
    (re.compile(r"<![A-Za-z]"), re.compile(r">"), True),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>"), True),
    (re.compile(rf"</?(?:{_BLOCK_TAGS})(?:\s|/?>|$)", re.IGNORECASE), None, True),
    (re.compile(rf"(?:<[a-zA-Z][\w-]*+(?:{_ATTRIBUTE})*+\s*+/?>|</[a-zA-Z][\w-]*+\s*+>)\s*$"), None, False),
)  # fmt: skip

_LABEL = re.compile(r"\[(?!\^)((?:[^\[\]\\]|\\.)+)\]:[ \t]*\n?[ \t]*", re.DOTALL)
_TARGET = re.compile(r"<([^<>\n]*)>|([^\s<]\S*)")
_TITLE = re.compile(r"""[ \t]*(?:[ \t]|\n)[ \t]*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\))[ \t]*(?:\n|$)""")
_LINE_END = re.compile(r"[ \t]*(?:\n|$)")
_MAX_LABEL = 999


def indent_of(line: str, column: int) -> int:
    """Return how many columns of white space `line` begins with, when its first character stands at `column`."""
    width = 0
    for character in line:
        if character == " ":
            width += 1
        elif character == "\t":
            width += 4 - (column + width) % 4
        else:
            break
    return width


def without_columns(line: str, column: int, count: int) -> str:
    """Return `line` without its first `count` columns of white space; what is left of a tab becomes spaces."""
    position = width = 0
    while width < count and position < len(line) and line[position] in " \t":
        width += 1 if line[position] == " " else 4 - (column + width) % 4
        position += 1
    return " " * (width - count) + line[position:]


def split_row(line: str) -> list[str]:
    """Return the cells of a table row."""
    row = line.strip()
    row = row.removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    return [cell.strip().replace("\\|", "|") for cell in _CELL_END.split(row)]


def read_alignments(line: str) -> list[str] | None:
    """Return the alignment of each column ("" for none), or None when `line` is no delimiter row."""
    if "-" not in line or not _DELIMITER_ROW.match(line):
        return None
    return [
        {(True, True): "center", (True, False): "left", (False, True): "right"}.get(
            (cell.startswith(":"), cell.endswith(":")), ""
        )
        for cell in split_row(line)
    ]


def take_references(text: str, references: dict[str, tuple[str, str | None]]) -> str:
    """Move the link reference definitions that `text` begins with to `references`, and return what remains."""
    position = 0
    while label := _LABEL.match(text, position):
        target = _TARGET.match(text, label.end())
        name = normalised_label(label[1])
        if target is None or not name or len(label[1]) > _MAX_LABEL:
            break
        title = _TITLE.match(text, target.end())
        end = title or _LINE_END.match(text, target.end())
        if end is None:
            break
        url = target[2] if target[1] is None else target[1]
        references.setdefault(name, (url, title[1][1:-1] if title else None))
        position = end.end()
    return text[position:]


def normalised_label(label: str) -> str:
    """Return the form of a link label in which two labels are compared."""
    return " ".join(label.split()).lower()
