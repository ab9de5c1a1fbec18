"""Markdown as other programs extend it, turned into GitHub's: admonitions to alerts, shortcodes to fences.

What has no counterpart stays as text. MkDocs, Docusaurus, VuePress, docfx, Hugo, Jekyll and MDX are understood.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from app.content.syntax import Fence

MAX_DEPTH = 8
MAX_LINE = 1_000  # characters; a longer line is prose

_ALERTS = {
    kind: alert
    for alert, kinds in {
        "NOTE": "note info abstract summary seealso example quote todo question faq details",
        "TIP": "tip hint success check done recommend",
        "IMPORTANT": "important",
        "WARNING": "warning warn attention deprecated version",
        "CAUTION": "caution danger error bug failure fail",
    }.items()
    for kind in kinds.split()
}
_INDENTED = re.compile(r"( *)(?:!!!|\?\?\?)\+? +([\w-]+)[^\"\n]*(?:\"(.*)\")?\s*$")
_COLONS = re.compile(r"( *):{3,} ?([\w-]+)(.*)$")
_COLONS_END = re.compile(r" *:{3,}\s*$")
_DOCFX = re.compile(r" *::: *(?:[\w-]+-end|(?:moniker|zone|row|column)\b.*?)(?: *:::)?\s*$")
_SLASHES = re.compile(r"( *)(/{3,}) ([\w-]+)(?: *\| *(.*))?$")
_HUGO = re.compile(r"( *)\{\{[<%] *(note|tip|warning|caution|important|alert|admonition|notice)\b(.*?)[>%]\}\}\s*$")
_HUGO_END = re.compile(r" *\{\{[<%] */ *(?:note|tip|warning|caution|important|alert|admonition|notice) *[>%]\}\}\s*$")
_CODE = re.compile(
    r"( *)(?:\{\{[<%] *(?:highlight +([\w+#-]+)|code-toggle\b).*?[>%]\}\}|\{% *highlight +([\w+#-]+).*?%\})\s*$"
)
_CODE_END = re.compile(r" *(?:\{\{[<%] */ *(?:highlight|code-toggle) *[>%]\}\}|\{% *endhighlight *%\})\s*$")
_IMAGE = re.compile(r":::image\b(?=[^\n]*?\bsource=\"([^\"\n]*)\")(?:(?=[^\n]*?\balt-text=\"([^\"\n]*)\"))?[^\n]*?:::")
_DROPPED = re.compile(r" *\{% *(?:end)?raw *%\}\s*$| *\{%-? *comment\b.*endcomment *-?%\}\s*$")
_MDX = re.compile(r"(?:import|export)\s+(?:[\w{*].*\bfrom\s+['\"]|['\"]|default\b|const\b|function\b|let\b).*$")
_MDX_COMMENT = re.compile(r" *\{/\*.*?\*/\} *")
_MDX_HEADING = re.compile(r"(#{1,6} .*?) *\{/\* *([\w-]+) *\*/\}\s*$")
_CLOSE_HEADING = re.compile(r"(#{2,6}) *([^\s#!].*?)\s*#*\s*$")  # ##Like this##, which GitHub takes for text
_COMPONENT = re.compile(r"\s*</?[A-Z][\w.]*(?:\s[^<>]*)?/?>\s*$")


@dataclass
class _Box:
    """An admonition that is open: its content is quoted until the line that ends it."""

    is_end: Callable[[str], object]
    prefix: str
    indent: int = 0


@dataclass
class _Translation:
    """One text on its way; `changes` says what was done."""

    mdx: bool
    changes: set[str] = field(default_factory=set)


def translate(text: str, *, mdx: bool = False) -> tuple[str, list[str]]:
    """Return `text` as GitHub's Markdown, and notes about what was removed or rewritten; code stays as it is."""
    translation = _Translation(mdx)
    lines = _translated(text.split("\n"), translation, 0)
    return "\n".join(lines), sorted(translation.changes)


def _translated(lines: list[str], translation: _Translation, depth: int) -> list[str]:
    out: list[str] = []
    boxes: list[_Box] = []
    fence = Fence()
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        fence.feed(line.lstrip())
        if fence.is_open or fence.closed or len(line) > MAX_LINE:
            out.append(_quoted(line, boxes))
            continue
        if translation.mdx and line.lstrip().startswith("{/*") and "*/}" not in line:
            _, at = _until(lines, at, re.compile(r".*\*/\}"))
            translation.changes.add("comments were removed")
        elif boxes and boxes[-1].is_end(line):
            boxes.pop()
            out.append(_quoted("", boxes))
        elif (found := _INDENTED.match(line)) and depth < MAX_DEPTH:
            inner, at = _indented(lines, at, len(found[1]) + 4)
            translation.changes.add("admonitions became alerts")
            content = _translated(inner, translation, depth + 1)
            head = _alert(found[2], found[3] or "")
            out += [_quoted(f"{found[1]}> {each}".rstrip(), boxes) for each in (head, *content)] + [_quoted("", boxes)]
        elif (box := _opened(line)) and len(boxes) < MAX_DEPTH:
            translation.changes.add("admonitions became alerts")
            boxes.append(box[0])
            out += [_quoted(each, boxes) for each in box[1]]
        elif found := _CODE.match(line):
            translation.changes.add("highlight tags became fences")
            code, at = _until(lines, at, _CODE_END)
            out += [
                _quoted(each, boxes) for each in (f"{found[1]}```{found[2] or found[3] or ''}", *code, f"{found[1]}```")
            ]
        else:
            out += [_quoted(each, boxes) for each in _single(line, translation)]
    return out


def _opened(line: str) -> tuple[_Box, list[str]] | None:
    """Return the box that `line` opens and the lines it begins with."""
    if (found := _COLONS.match(line)) and not _DOCFX.match(line) and not line.rstrip().endswith(":::"):
        indent, kind, title = found.groups()
        title = title.strip().strip("[]{} :")
        is_alert = kind.lower() in _ALERTS
        shown = title if re.fullmatch(r"[^={}:\"]*", title) else ""
        is_end: Callable[[str], object] = _COLONS_END.match
    elif found := _SLASHES.match(line):
        indent, slashes, kind, title = found.groups()
        is_alert = kind.lower() in _ALERTS
        shown = (title or "").strip()
        is_end = re.compile(rf" *{slashes}\s*$").match
    elif found := _HUGO.match(line):
        indent, kind, rest = found.groups()
        named = re.search(r"\b(note|tip|warning|caution|important|info|danger)\b", rest)
        titled = re.search(r"title\s*=\s*\"([^\"]*)\"", rest)
        kind = named[1] if named and kind not in _ALERTS else kind
        is_alert, shown, is_end = True, titled[1] if titled else "", _HUGO_END.match
    else:
        return None
    if is_alert:
        return _Box(is_end, "> ", len(indent)), [_alert(kind, shown)]
    return _Box(is_end, "", len(indent)), [f"**{shown}**", ""] if shown else []


def _single(line: str, translation: _Translation) -> list[str]:
    is_module = bool(translation.mdx and _MDX.match(line))
    for is_meant, note in (
        (_DROPPED.match(line) or _COLONS_END.match(line) or _DOCFX.match(line), "template tags were removed"),
        (_COMPONENT.match(line), "components were removed"),
        (is_module, "imports and exports were removed"),
    ):
        if is_meant:
            translation.changes.add(note)
            return [""]
    if found := _MDX_HEADING.match(line):
        return [f"{found[1]} {{#{found[2]}}}"]
    if (found := _CLOSE_HEADING.match(line)) and (line[len(found[1])] != " " or line.rstrip().endswith("##")):
        translation.changes.add("headings got their spaces")
        line = f"{found[1]} {found[2]}"
    if translation.mdx and "{/*" in line:
        translation.changes.add("comments were removed")
        line = _MDX_COMMENT.sub(" ", line).rstrip()
    if ":::image" in line:
        translation.changes.add("image tags became images")
        line = _IMAGE.sub(lambda found: f"![{found[2] or ''}]({found[1]})", line)
    return [line]


def _alert(kind: str, title: str) -> str:
    return f"[!{_ALERTS.get(kind.lower(), 'NOTE')}] {title}".rstrip()


def _quoted(line: str, boxes: list[_Box]) -> str:
    for box in reversed(boxes):
        if box.prefix:
            indent = min(box.indent, len(line) - len(line.lstrip(" "))) if line.strip() else box.indent
            line = f"{' ' * box.indent}{box.prefix}{line[indent:]}".rstrip()
    return line


def _indented(lines: list[str], at: int, width: int) -> tuple[list[str], int]:
    inner: list[str] = []
    while at < len(lines) and (not lines[at].strip() or lines[at].startswith(" " * width)):
        inner.append(lines[at][width:])
        at += 1
    while inner and not inner[-1].strip():
        inner.pop()
        at -= 1
    return inner, at


def _until(lines: list[str], at: int, end: re.Pattern[str]) -> tuple[list[str], int]:
    for number in range(at, len(lines)):
        if end.match(lines[number]):
            return lines[at:number], number + 1
    return lines[at:], len(lines)
