"""What a page says about itself, for the card of a resource."""

import codecs
import logging
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from app.content import encoding
from app.content.document import MAX_RESOURCE_TITLE
from app.content.plain import one_line
from app.errors import InvalidInput
from app.services.fetching import FetchFailed
from app.services.publishing import host_of

if TYPE_CHECKING:
    from app.services.fetcher import Fetcher

log = logging.getLogger(__name__)

MAX_DESCRIPTION = 300
MAX_HEAD = 200_000  # bytes in which a page says what it is
_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)
# What pages are written in, by Python's names: others, such as punycode, take seconds or are no encodings of texts.
_ENCODINGS = {
    *("ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"),
    *("gb2312", "gbk", "gb18030", "big5", "big5hkscs"),
    *("shift_jis", "cp932", "euc_jp", "iso2022_jp", "euc_kr", "cp949"),
    *("koi8-r", "koi8-u", "cp866", "mac-roman", "mac-cyrillic", "cp874", "tis-620"),
    *(f"iso8859-{number}" for number in range(1, 17) if number != 12),
    *(f"cp{number}" for number in range(1250, 1259)),
}


@dataclass(frozen=True)
class Description:
    """A page's address after redirects, and its own words."""

    url: str
    title: str
    description: str
    site: str


def describe(url: str, fetcher: "Fetcher") -> Description:
    """Fetch a page and return what it says about itself; raise InvalidInput when it cannot be fetched."""
    try:
        found = fetcher.fetch(url.strip())
    except FetchFailed as error:
        raise InvalidInput(_REASONS.get(error.kind, _REASONS["connection"])) from error
    if found.status >= 400:
        raise InvalidInput("That page responds with status %(status)s.", status=found.status)
    kind = found.headers.get("content-type", "")
    page = _Page()
    head = found.body[:MAX_HEAD].partition(b"</head>")[0]
    if head.strip() and ("html" in kind or not kind):
        try:
            page.feed(_decoded(head, kind))
        except (AssertionError, InvalidInput) as error:  # no page at all, or one that the parser cannot take
            log.debug("%s is not read to its end: %r", found.url, error)
    title = page.first("og:title", "twitter:title", "title")
    description = page.first("og:description", "description", "twitter:description")
    return Description(
        url=found.url,
        title=title[:MAX_RESOURCE_TITLE],
        description=_shortened(description),
        site=page.first("og:site_name")[:200] or host_of(found.url),
    )


class _Page(HTMLParser):
    """Collects the words of a page's head."""

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, str] = {}
        self._title: list[str] | None = None

    def first(self, *names: str) -> str:
        """Return the first of these that the page has, on one line."""
        return next((value for name in names if (value := self._found.get(name, ""))), "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what a meta element says, and note where the title begins."""
        values = dict(attrs)
        if tag == "meta":
            name = (values.get("property") or values.get("name") or "").lower()
            self._keep(name, values.get("content") or "")
        elif tag == "title" and "title" not in self._found:
            self._title = []

    def handle_endtag(self, tag: str) -> None:
        """Note where the title ends."""
        if tag == "title" and self._title is not None:
            self._keep("title", "".join(self._title))
            self._title = None

    def handle_data(self, data: str) -> None:
        """Take the words of the title."""
        if self._title is not None:
            self._title.append(data)

    def _keep(self, name: str, text: str) -> None:
        words = one_line(text)
        if words:
            self._found.setdefault(name, words)


def _decoded(body: bytes, content_type: str) -> str:
    named = re.search(r"charset=[\"']?([\w-]+)", content_type)
    inside = _CHARSET.search(body[:2048])
    for charset in (named[1] if named else None, inside[1].decode("ascii") if inside else None):
        if charset:
            try:
                if codecs.lookup(charset).name in _ENCODINGS:
                    return body.decode(charset, "replace")
            except (LookupError, ValueError):
                continue
    return encoding.decode(body)[0]


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1].rstrip()}…"


_REASONS = {
    "refused": "Only public pages can be fetched, over http or https.",
    "no host": "There is no site with this name.",
    "timeout": "That page did not respond in time.",
    "redirects": "That page redirects too many times.",
    "connection": "That page cannot be reached.",
}
