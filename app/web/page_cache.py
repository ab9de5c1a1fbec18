"""Pages for anonymous readers, kept as the bytes that are sent.

No kept page is older than the last committed change: see app/storage/content_version.py. All that a page depends on
beside the content is in its key; what is not in PAGES, or was not marked by its route with `share`, is never kept.
"""

import asyncio
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web import language, notices
from app.web.access import SESSION_COOKIE
from app.web.conditional import KEPT_HEADERS, names_tag
from app.web.parameters import prefers_markdown
from app.web.templating import THEME_COOKIE, THEMES

# Only for these one request waits for another that makes the same page.
PAGES = re.compile(r"/(?:about|feed\.atom|search|(?:questions|tags)(?:/[^/]+(?:/(?:feed|history)\.atom)?)?)?")
MAX_BYTES = 32 * 2**20  # of one worker
OVERHEAD = 2000  # bytes of a page beside its body, roughly
MAX_ADDRESS = 2000  # bytes of a path with its query
MAX_READERS = 5000  # combinations of headers whose meaning is remembered
LIFE_S = 60  # for what changes with time alone, such as the order by views
# Last-Modified counts seconds: it is sent when the second in which an older page could have been sent is over.
DATABLE_AFTER_S = 1.1

GZIP = b"\x1f\x8b"
OF_304 = {*KEPT_HEADERS, "x-served-by"}

Headers = list[tuple[bytes, bytes]]


def share(request: Request, *, viewed: int | None = None) -> None:
    """Let the answer to this request be kept for all anonymous readers; `viewed` is the article that it shows."""
    request.state.shared = viewed or 0


@dataclass(slots=True)
class _Page:
    headers: Headers
    headers_of_304: Headers
    body: bytes
    etag: bytes
    route: int  # as the table counts it
    viewed: int
    made_at: float
    modified: bytes | None = None

    def date(self) -> None:
        """From now on it says since when it is as it is."""
        self.modified = formatdate(time.time(), usegmt=True).encode()
        for headers in (self.headers, self.headers_of_304):
            headers.append((b"last-modified", self.modified))

    async def send(self, headers: dict[bytes, bytes], send: Send, *, is_head: bool = False) -> tuple[int, int]:
        """Answer a request with these headers; return the status and how many bytes of the body were sent."""
        if self.is_known(headers):
            await send({"type": "http.response.start", "status": 304, "headers": self.headers_of_304})
            await send({"type": "http.response.body", "body": b""})
            return 304, 0
        body = b"" if is_head else self.body
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        await send({"type": "http.response.body", "body": body})
        return 200, len(body)

    def is_known(self, headers: dict[bytes, bytes]) -> bool:
        """Say whether the client has it already (RFC 9110, 13.2.2)."""
        known = headers.get(b"if-none-match")
        if known is not None:
            return known == self.etag or names_tag(known.decode("latin-1"), self.etag.decode())
        return self.modified is not None and headers.get(b"if-modified-since") == self.modified


class PageCache:
    """Answers from memory where it can, and counts those answers; all others are the inner application's."""

    def __init__(self, app: ASGIApp, holder: Any, routes: Sequence[str]) -> None:
        self.app = app
        self._holder = holder  # the application's state, filled when the worker starts
        self._routes = {path: number for number, path in enumerate(routes)}
        self._pages: OrderedDict[tuple[object, ...], _Page] = OrderedDict()
        self._bytes = 0
        self._version = -1  # of the content, for all pages
        self._filling: dict[tuple[object, ...], asyncio.Event] = {}
        self._readers: dict[tuple[bytes | None, ...], tuple[object, ...] | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or not PAGES.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        key = self._key(scope, headers)
        if key is None:
            await self.app(scope, receive, send)
            return
        page = self._kept(key)
        if page is None and key in self._filling:
            await self._filling[key].wait()  # the page is being made for somebody else
            page = self._kept(key)
        if page is not None:
            await self._answer(page, scope, headers, send)
        elif scope["method"] == "HEAD" or key in self._filling:
            await self.app(scope, receive, send)
        else:
            self._filling[key] = asyncio.Event()
            try:
                await self._fill(key, scope, headers, receive, send)
            finally:
                self._filling.pop(key).set()

    def _key(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[object, ...] | None:
        """Return all that the page depends on beside the content; None where it is for this request alone."""
        if self._holder.omniracle.watch is None or len(headers) != len(scope["headers"]) or b"authorization" in headers:
            return None
        said = (headers.get(b"cookie"), headers.get(b"accept-language"), headers.get(b"accept"))
        try:
            reader = self._readers[said]
        except KeyError:
            if len(self._readers) >= MAX_READERS:
                self._readers.clear()
            reader = self._readers[said] = _reader(*(value.decode("latin-1") if value else "" for value in said))
        path, query = scope["path"], scope["query_string"]
        if reader is None or len(path) + len(query) > MAX_ADDRESS:
            return None
        # Addresses on the page begin as the request's where no setting says otherwise.
        host = None if self._holder.omniracle.settings.base_url else (scope["scheme"], headers.get(b"host"))
        return path, query, host, headers.get(b"accept-encoding"), reader

    def _kept(self, key: tuple[object, ...]) -> _Page | None:
        current = self._holder.omniracle.watch.current()
        if current != self._version:
            self._pages.clear()
            self._bytes, self._version = 0, current
            return None
        page = self._pages.get(key)
        if page is None or time.monotonic() - page.made_at > LIFE_S:
            return None
        self._pages.move_to_end(key)
        return page

    async def _answer(self, page: _Page, scope: Scope, headers: dict[bytes, bytes], send: Send) -> None:
        state = self._holder.omniracle
        table, started = state.table, time.monotonic()
        if page.modified is None and started - page.made_at > DATABLE_AFTER_S:
            page.date()
        if page.viewed:
            state.views.count(page.viewed)
        table.request_started(started)
        status, sent = 500, 0
        try:
            status, sent = await page.send(headers, send, is_head=scope["method"] == "HEAD")
        finally:
            table.request_ended(page.route, status, time.monotonic() - started, sent)

    async def _fill(
        self, key: tuple[object, ...], scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        """Let the application answer, and keep the answer if its route shares it."""
        watch = self._holder.omniracle.watch
        version = watch.settled()  # before anything is read
        state = scope.setdefault("state", {})
        start: Message | None = None
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] == 200 and "shared" in state:
                start = message
            elif start is None:
                await send(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    page = self._page(start["headers"], b"".join(parts), scope, state["shared"])
                    if version is not None and version == watch.current():
                        self._keep(key, page, version)
                    await page.send(headers, send)

        await self.app(scope, receive, collect)

    def _page(self, headers: Headers, body: bytes, scope: Scope, viewed: int) -> _Page:
        if body.startswith(GZIP):  # the same page has the same bytes, whenever it was compressed
            body = body[:4] + bytes(4) + body[8:]
        etag = next((value for name, value in headers if name == b"etag"), None)
        if etag is None:  # of the bytes that are sent: the encoding and the worker's number are part of them
            etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'.encode()
            headers = [*headers, (b"etag", etag)]
        return _Page(
            headers=list(headers),
            headers_of_304=[(name, value) for name, value in headers if name.decode() in OF_304],
            body=body,
            etag=etag,
            route=self._routes.get(getattr(scope.get("route"), "path", ""), len(self._routes)),
            viewed=viewed,
            made_at=time.monotonic(),
        )

    def _keep(self, key: tuple[object, ...], page: _Page, version: int) -> None:
        if version != self._version or len(page.body) > MAX_BYTES // 10:
            return
        old = self._pages.pop(key, None)
        self._bytes += len(page.body) + OVERHEAD - (len(old.body) + OVERHEAD if old else 0)
        self._pages[key] = page
        while self._bytes > MAX_BYTES:
            _, dropped = self._pages.popitem(last=False)
            self._bytes -= len(dropped.body) + OVERHEAD


def _reader(cookie: str, accept_language: str, accept: str) -> tuple[object, ...] | None:
    """Return what pages depend on of a reader: two with the same get the same page. None for who is signed in."""
    cookies = cookie_parser(cookie)
    if SESSION_COOKIE in cookies or notices.COOKIE in cookies:
        return None
    theme = cookies.get(THEME_COOKIE)
    return (
        language.negotiate(cookies.get(language.COOKIE), accept_language),
        bool(accept_language) or language.COOKIE in cookies,  # the home page asks whether anything was said
        language.preferred_script(cookies.get(language.SCRIPT_COOKIE), accept_language),
        theme if theme in THEMES else None,
        prefers_markdown(accept),
    )
