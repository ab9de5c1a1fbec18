"""HTML that people write into their Markdown, tamed before it joins the page.

This is not what makes a page safe (nh3 cleans the whole of it afterwards), but what keeps the rest of the page whole:
no comment, no script and no half a tag is left open, and nothing is nested so deeply that cleaning takes seconds.
"""

import re
from collections import Counter
from html import escape

from app.content.cleaning import TAGS, USER_PREFIX

MAX_OPEN = 40  # elements left open at once; html5 parsers need quadratic time for deep trees
MAX_OPEN_FORMATTING = 8  # an open <b> is opened again in every following paragraph

_FORMATTING = frozenset({"a", "b", "big", "code", "em", "i", "s", "small", "strike", "strong", "u"})
_VOID = frozenset({"br", "col", "hr", "img", "source", "wbr"})
_CLOSED_BY_THE_NEXT = frozenset(
    {"p", "li", "dd", "dt", "td", "th", "tr", "thead", "tbody", "tfoot", "colgroup", "rt", "rp"}
)
# Known to browsers, but not for us: the tags go, what stands between them stays.
_OTHERS = (
    "address applet area article aside audio base basefont body button canvas data datalist dialog dir embed fieldset "
    "font footer form frame frameset head header hgroup html iframe input keygen label legend link main map marquee "
    "math menu meta meter nav nobr noembed noframes noscript object optgroup option output param plaintext progress "
    "script search select slot style summary svg template textarea title track video xmp path g rect circle"
)
_OTHER_HTML = frozenset(_OTHERS.split())

_UNSEEN = [
    (re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (
        (r"<!(?=--)", r"--!?>"),
        (r"<\?", r"\?>"),
        (r"<!\[CDATA\[", r"\]\]>"),
        (r"<![a-z]", r">"),
        (r"<script\b[^<>]*>", r"</script\s*>"),
        (r"<style\b[^<>]*>", r"</style\s*>"),
    )
]
_TAG = re.compile(
    r"""<(?P<slash>/?)(?P<name>[a-zA-Z][^\s"'=<>/]*+)"""
    r"""(?P<attributes>(?:[\s/]*+[^\s"'=<>/]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'=<>]++))?+)*+)[\s/]*+>|<"""
)
_ID = re.compile(
    r"""(?<=[\s"'/])(id|name)\s*=\s*(?:"\s*([^"\s]+)\s*"|'\s*([^'\s]+)\s*'|([^\s"'=<>]+))""", re.IGNORECASE
)
_SOURCE = re.compile(r"""\ssrc\s*=\s*["']?(https?://[^"'\s<>]+)""", re.IGNORECASE)


def carried(html: str) -> int:
    """Return about how many characters a parser adds to `html`: it opens <b> again in every block that follows it."""
    open_: dict[str, list[int]] = {name: [] for name in _FORMATTING}
    lengths = total = 0
    for found in _TAG.finditer(html):
        name = (found["name"] or "").lower()
        if name not in _FORMATTING:
            total += lengths
        elif not found["slash"]:
            open_[name].append(len(found[0]))
            lengths += len(found[0])
        elif open_[name]:
            lengths -= open_[name].pop()
    return total


class RawHtml:
    """The HTML pieces of one document: `tame` each, in order; `ids` are then the ids that their authors gave."""

    def __init__(self, table_label: str) -> None:
        self.ids: set[str] = set()
        self._open: Counter[str] = Counter()
        self._table = f'<div class="table-scroll" tabindex="0" role="region" aria-label="{escape(table_label)}">'

    def tame(self, html: str) -> str:
        """Return `html` so that whatever it leaves open ends with it; names unknown to HTML become text."""
        for opening, closing in _UNSEEN:
            html = _without(html, opening, closing)
        return _TAG.sub(self._tag, html)

    def _tag(self, found: re.Match[str]) -> str:
        if found["name"] is None:
            return "&lt;"
        name = found["name"].lower()
        if name == "iframe" and (source := _SOURCE.search(found[0])):
            return f'<a href="{source[1]}">{source[1]}</a>'
        name = {"h1": "h2", "font": "span", "tt": "code"}.get(name, name)
        if name not in TAGS or name == "input":
            return "" if name in _OTHER_HTML else escape(found[0], quote=False)
        if found["slash"]:
            return self._closing(name)
        return self._opening(name, _ID.sub(self._own_id, found["attributes"]))

    def _opening(self, name: str, attributes: str) -> str:
        if name not in _VOID | _CLOSED_BY_THE_NEXT:
            formatting = sum(self._open[each] for each in _FORMATTING) if name in _FORMATTING else 0
            if self._open.total() >= MAX_OPEN or formatting >= MAX_OPEN_FORMATTING:
                return ""
            self._open[name] += 1
        if name == "img":
            return f'<img loading="lazy" decoding="async"{attributes}>'
        return f"{self._table if name == 'table' else ''}<{name}{attributes}>"

    def _closing(self, name: str) -> str:
        if name in _CLOSED_BY_THE_NEXT:
            return f"</{name}>"
        if not self._open[name]:
            return ""
        self._open[name] -= 1
        return f"</{name}></div>" if name == "table" else f"</{name}>"

    def _own_id(self, found: re.Match[str]) -> str:
        value = found[2] or found[3] or found[4]
        self.ids.add(value)
        return f'{found[1]}="{USER_PREFIX}{escape(value.removeprefix(USER_PREFIX))}"'


def _without(html: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    kept, at = [], 0
    while start := opening.search(html, at):
        end = closing.search(html, start.end())
        if end is None:
            break
        kept.append(html[at : start.start()])
        at = end.end()
    return "".join([*kept, html[at:]])
