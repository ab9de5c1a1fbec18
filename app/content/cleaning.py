"""The last word on the HTML of an article: what may stay, and what of it is text."""

import re
from collections.abc import Set as AbstractSet
from html import unescape
from urllib.parse import unquote

import nh3

from app.content.highlighting import CLASSES
from app.content.words import ALERTS

_TAGS = (
    "a abbr b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em "
    "figcaption figure h2 h3 h4 h5 h6 hr i img input ins kbd li mark ol p picture pre q rp rt ruby s samp section "
    "small source span strike strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr"
)
TAGS = frozenset(_TAGS.split())
MOST_PASSES = 4
USER_PREFIX = "user-content-"  # of ids in raw HTML, so that they cannot pose as the page's own

_ATTRIBUTES = {
    "*": {"title", "lang", "dir", "id"},
    "a": {"href", "aria-label", "name"},
    "img": {"src", "alt", "width", "height", "srcset", "loading", "decoding"},
    "source": {"srcset", "media", "type"},
    "input": {"checked", "disabled", "aria-label"},
    "ol": {"start", "reversed"},
    "details": {"open"},
    "div": {"data-lang", "aria-label"},
    "th": {"colspan", "rowspan", "scope"},
    "td": {"colspan", "rowspan"},
    "col": {"span"},
    "time": {"datetime"},
}
_ALIGN = {"left", "center", "right"}
_VALUES = {
    "div": {"role": {"region", "doc-endnotes"}, "tabindex": {"0"}, "align": _ALIGN},
    "input": {"type": {"checkbox"}},
    "pre": {"tabindex": {"0"}},
    "th": {"align": _ALIGN},
    "td": {"align": _ALIGN},
    "li": {"value": {str(number) for number in range(100)}},
    "span": {"translate": {"no"}},  # a name, which also stays in its own script
} | {tag: {"align": _ALIGN} for tag in ("p", "h2", "h3", "h4", "h5", "h6")}
_CLASSES: dict[str, set[str]] = {
    "a": {"headerlink", "footnote-ref", "footnote-backref"},
    "div": {"heading", "highlight", "table-scroll", "admonition", "footnote", "live-workers", *ALERTS},
    "p": {"admonition-title"},
    "pre": {"plain"},
    "ul": {"task-list"},
    "ol": {"task-list"},
    "li": {"task-list-item"},
    "span": set(CLASSES),
}

_EXTERNAL = re.compile(r'<a (?=[^>]*?href="(?:[a-zA-Z]+:)?//)')
_INTERNAL = re.compile(r'(<a [^>]*?href="#)([^"]+)')
_NOT_TEXT = re.compile(
    r'<a [^>]*class="(?:headerlink|footnote-backref)"[^>]*>[^<]*</a>|<sup id="fnref[^>]*>.*?</sup>', re.DOTALL
)
_BLOCK = re.compile(
    r"</?(?:blockquote|br|caption|dd|details|div|dl|dt|figcaption|figure|h[2-6]|hr|li|ol|p|pre|section|summary|table|"
    r"tbody|td|tfoot|th|thead|tr|ul)\b[^>]*>"
)
_ANY = re.compile(r"<[^>]*>")


def clean(html: str, user_ids: AbstractSet[str]) -> str:
    """Return `html` with nothing in it that could run, restyle the page or pose as a part of it.

    Links to one of `user_ids`, which authors gave in raw HTML, get the prefix that these ids have.
    """
    cleaned = _cleaned(html)
    for _ in range(MOST_PASSES):  # what stood in an element that is gone may be read in another way without it
        if (again := _cleaned(cleaned)) == cleaned:
            break
        cleaned = again
    # In what nh3 writes, < and > stand nowhere but around tags, and quotes nowhere but around values. There is no
    # target attribute: rel is for readers who open a link in a new window by themselves.
    cleaned = _EXTERNAL.sub('<a rel="noopener" ', cleaned.replace(' class=""', ""))
    if not user_ids:
        return cleaned
    return _INTERNAL.sub(
        lambda link: f"{link[1]}{USER_PREFIX if unquote(unescape(link[2])) in user_ids else ''}{link[2]}", cleaned
    )


def _cleaned(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(TAGS),
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        tag_attribute_values=_VALUES,
        allowed_classes=_CLASSES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )


def text_of(html: str) -> str:
    """Return the text of cleaned HTML, each block on lines of its own."""
    text = _ANY.sub("", _BLOCK.sub("\n", _NOT_TEXT.sub("", html)))
    lines = (line.rstrip() for line in unescape(text).split("\n"))
    return "\n".join(line for line in lines if line)
