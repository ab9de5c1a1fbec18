"""What people write who want a script to run in somebody else's browser, and how to tell that none would.

The collection is that of BRS-KB 4.0 (tests/vendor/brs-kb, MIT), which is maintained: payloads of up to 300 characters
for HTML, attributes, addresses, Markdown, SVG, MathML and CSS, those left out that differ in what they would run alone.
"""

import json
import re
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
    looker = _Looker()
    looker.feed(html)
    looker.close()
    return looker.found


class _Looker(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        is_ours = values.get("src", "").startswith("/static/") or values.get("type") == "application/ld+json"
        is_style = values.get("rel") in ("stylesheet", "modulepreload") and not values["href"].startswith("/static/")
        if tag not in OURS or (tag == "script" and not is_ours) or is_style:
            self.found.append(self.get_starttag_text() or tag)
        for name, value in values.items():
            scheme = _SCHEME.match(re.sub(r"[\t\r\n]", "", value.lstrip(_BEFORE))) if name in ADDRESSES else None
            is_strange = scheme is not None and scheme[1].lower() not in SCHEMES
            if name.startswith("on") or name in NEVER or is_strange or not _NAME.fullmatch(name):
                self.found.append(f"{name}={value!r} in {self.get_starttag_text()}")

    handle_startendtag = handle_starttag
