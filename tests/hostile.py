"""What people write who want a script to run in somebody else's browser, and how to tell that none would.

The collection is that of BRS-KB 4.0 (tests/vendor/brs-kb, MIT), which is maintained: payloads of up to 300 characters
for HTML, attributes, addresses, Markdown, SVG, MathML and CSS, those left out that differ in what they would run alone.
"""

import json
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

from app.content.cleaning import TAGS

COLLECTION = Path(__file__).parent / "vendor" / "brs-kb" / "payloads.jsonl"
# What templates have beside the elements that an answer may have.
_OURS = (
    "html head title meta link script body header nav main footer article aside form label button textarea select "
    "option fieldset legend svg use path circle rect line h1 output progress search template dialog polyline g "
    "text desc"
)
OURS = TAGS | set(_OURS.split())
ADDRESSES = {"href", "src", "action", "formaction", "poster", "data", "background", "cite", "ping", "xlink:href"}
NEVER = {"style", "srcdoc", "http-equiv", "ping", "background", "manifest", "nonce", "is", "slot"}
# As browsers read addresses: signs before them and line ends within count for nothing.
_BEFORE = "".join(map(chr, range(33)))
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_NAME = re.compile(r"[a-z][a-z0-9:-]*")
SCHEMES = ("http", "https", "mailto", "tel")


def payloads() -> list[str]:
    """Return the collection."""
    return [json.loads(line) for line in COLLECTION.read_text(encoding="utf-8").splitlines()]


def dangers(html: str) -> list[str]:
    """Return everything in a page, or a part of one, that could run something or pose as what it is not."""
    return look(html).dangers


def look(html: str) -> "Look":
    """Return what a page, or a part of one, is to a browser."""
    looked = Look()
    looked.feed(html)
    looked.close()
    return looked


class Look(HTMLParser):
    """The `dangers` of a page; the `kinds` of its elements, each with its attributes and the schemes of addresses."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.dangers: list[str] = []
        self.kinds: set[str] = set()
        self._text: list[str] = []
        self._values: list[str] = []

    def missing(self, texts: Iterable[str]) -> list[str]:
        """Return those of `texts` that neither the page's text nor an attribute has; spaces are all alike."""
        whole = {_spaced(piece) for piece in (*self._text, *self._values)}
        others = [text for text in map(_spaced, texts) if text not in whole]
        said = _spaced("\n".join(["".join(self._text), *self._values])) if others else ""
        return [text for text in others if text not in said]

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._values += values.values()
        self.kinds.add(" ".join([tag, *sorted(f"{name}={_beginning(name, value)}" for name, value in values.items())]))
        is_ours = values.get("src", "").startswith("/static/") or values.get("type") == "application/ld+json"
        is_style = values.get("rel") in ("stylesheet", "modulepreload") and not values["href"].startswith("/static/")
        if tag not in OURS or (tag == "script" and not is_ours) or is_style:
            self.dangers.append(self.get_starttag_text() or tag)
        for name, value in values.items():
            is_strange = _beginning(name, value) not in ("", *SCHEMES)
            if name.startswith("on") or name in NEVER or is_strange or not _NAME.fullmatch(name):
                self.dangers.append(f"{name}={value!r} in {self.get_starttag_text()}")

    handle_startendtag = handle_starttag


def _beginning(name: str, value: str) -> str:
    """Return the scheme of an address; nothing for what has none or is no address."""
    scheme = _SCHEME.match(re.sub(r"[\t\r\n]", "", value.lstrip(_BEFORE))) if name in ADDRESSES else None
    return scheme[1].lower() if scheme else ""


def _spaced(text: str) -> str:
    return " ".join(text.split())
