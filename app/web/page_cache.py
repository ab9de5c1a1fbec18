"""Pages for anonymous readers, kept as the bytes that are sent.

No kept page is older than the last committed change: see app/storage/content_version.py. A change ends all pages but
those that say what they are made of: these are looked at when they are asked for next, and go on when that is the same.
All that a page depends on beside the content is in its key; what has none, or was not marked by its route with
`share`, is never kept.
"""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import replace

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.services import questions
from app.storage.content_version import VersionWatch
from app.storage.shared_pages import RUN
from app.web.conditional import etag_of
from app.web.kept_page import Headers, KeptPage, Shared
from app.web.page_key import Asked, Key, key_of
from app.web.shared_page import digest_of, for_worker, without_worker
from app.web.state import State
from app.workers.protocol import WHOLE_ANSWER

MAX_BYTES = 32 * 2**20  # of one worker
MAX_UNTOLD = 500
MAX_ASKED_BYTES = 8 * 2**20  # of the ways of asking whose page is remembered
LONGEST_ASKED = 4000  # bytes of one; browsers send some hundred
ASKED_OVERHEAD = 400  # bytes of one beside its texts, roughly
# Last-Modified counts seconds: it is sent when the second in which an older page could have been sent is over.
DATABLE_AFTER_S = 1.1
GZIP = b"\x1f\x8b"


class PageCache:
    """Answers from memory where it can, and counts those answers; all others are the inner application's."""

    def __init__(self, app: ASGIApp, routes: Sequence[str]) -> None:
        self.app = app
        self.state: State | None = None  # of the worker, while it serves
        self._routes = {path: number for number, path in enumerate(routes)}
        self._pages: OrderedDict[Key, KeptPage] = OrderedDict()
        self._asked: dict[Asked, KeptPage] = {}  # the shortest way to them: what was asked, as it was asked
        self._asked_bytes = 0
        self._bytes = 0
        self._version = -1  # of the content, for all pages
        self._filling: dict[Key, asyncio.Event] = {}
        self._made: deque[tuple[Key, KeptPage]] = deque(maxlen=MAX_UNTOLD)  # what other workers do not have yet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        state = self.state
        if scope["type"] != "http" or state is None or state.watch is None:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        get = headers.get
        asked = (
            scope["method"], scope["path"], scope["query_string"], scope["scheme"], get(b"host"), get(b"cookie"),
            get(b"accept-language"), get(b"accept"), get(b"accept-encoding"), get(b"authorization"),
        )  # fmt: skip
        page = self._asked.get(asked)
        if page is not None and self._is_good(state, page) and len(headers) == len(scope["headers"]):
            await self._answer(state, page, scope, headers, send)
            return
        key = key_of(asked, state.settings) if len(headers) == len(scope["headers"]) else None
        if key is None:
            await self.app(scope, receive, send)
            return
        page = self._kept(state, key)
        if page is None and key in self._filling:
            await self._filling[key].wait()  # the page is being made for somebody else
            page = self._kept(state, key)
        if page is not None:
            self._remember(asked, page)
            await self._answer(state, page, scope, headers, send)
        elif key in self._filling:
            await self.app(scope, receive, send)
        else:
            self._filling[key] = asyncio.Event()
            try:
                page = await self._found(state, key)
                if page is not None:
                    self._filling[key].set()
                    self._remember(asked, page)
                    await self._answer(state, page, scope, headers, send)
                elif scope["method"] == "HEAD":
                    await self.app(scope, receive, send)
                else:
                    await self._fill(state, key, scope, headers, receive, send)
            finally:
                self._filling.pop(key).set()

    def _remember(self, asked: Asked, page: KeptPage) -> None:
        size = ASKED_OVERHEAD + sum(len(part) for part in asked if part)
        if size > LONGEST_ASKED:
            return
        if asked not in self._asked:
            if self._asked_bytes + size > MAX_ASKED_BYTES:
                self._forget_asked()
            self._asked_bytes += size
        self._asked[asked] = page

    def _forget_asked(self) -> None:
        self._asked.clear()
        self._asked_bytes = 0

    def _is_good(self, state: State, page: KeptPage) -> bool:
        """Say whether a page may be shown now; after a change, forget first what it may concern."""
        assert state.watch is not None
        current = state.watch.current()
        if current is None:
            return False
        if current != self._version:
            self._go_on_to(current)
        is_young = time.monotonic() < page.good_until
        return is_young and (page.version == current or self._is_good_still(state.watch, page))

    def _is_good_still(self, watch: VersionWatch, page: KeptPage) -> bool:
        made_of = page.shared.made_of
        version = made_of and watch.still_holds(made_of.articles, page.version)
        if version is None:
            return False
        page.version = version
        return True

    def _go_on_to(self, version: int) -> None:
        """Forget the pages that any change may concern; each of the others is looked at when it is asked for."""
        self._version = version
        self._forget_asked()
        for key, page in list(self._pages.items()):
            if page.shared.made_of is None:
                self._drop(key, page)

    def _kept(self, state: State, key: Key) -> KeptPage | None:
        page = self._pages.get(key)
        return page if page is not None and self._is_good(state, page) else None

    async def _found(self, state: State, key: Key) -> KeptPage | None:
        """Return the page, made before by this worker or another one, if it would be made the same now."""
        kept = self._pages.get(key)
        if kept is not None and await self._is_same(state, kept):
            return kept
        shared = state.shared_pages.get(digest_of(key))
        if shared is None:
            return None
        page = for_worker(shared, state.pid)
        is_of_this_run = shared.run == RUN  # only then is the version of the same database
        if (is_of_this_run and self._is_good(state, page)) or await self._is_same(state, page):
            self._keep(key, page)
            return page
        return None

    async def _is_same(self, state: State, page: KeptPage) -> bool:
        """Say whether what a page shows is still so, after a change that may concern it."""
        assert state.watch is not None
        made_of, version = page.shared.made_of, state.watch.settled()  # before anything is read
        if made_of is None or version is None or time.monotonic() >= page.good_until:
            return False
        digest = await to_thread.run_sync(_digest_now, state, page.shared.viewed)
        # Meanwhile the content may have changed once more, and the page may have been dropped from memory.
        if digest != made_of.digest or version != state.watch.current() or time.monotonic() >= page.good_until:
            return False
        page.version = version
        return True

    def tell(self) -> None:
        """Give other workers the pages that were made since the last time; to be called by a thread."""
        state = self.state
        made, self._made = self._made, deque(maxlen=MAX_UNTOLD)
        if made and state is not None:
            pages = [without_worker(digest_of(key), page, state.pid) for key, page in made]
            state.shared_pages.put([page for page in pages if page is not None])

    async def _answer(
        self, state: State, page: KeptPage, scope: Scope, headers: dict[bytes, bytes], send: Send
    ) -> None:
        started = time.monotonic()
        if page.modified is None and started - page.made_at > DATABLE_AFTER_S:
            page.date()
        page.was_used = True
        if page.shared.viewed:
            state.views.count(page.shared.viewed)
        status = 304 if page.is_known(headers) else 200
        body = b"" if status == 304 or scope["method"] == "HEAD" else page.body
        whole = scope["extensions"].get(WHOLE_ANSWER) if "extensions" in scope else None
        if whole is None or not whole["send"](status, page.head_of_304 if status == 304 else page.head, body):
            await _send(page, status, body, send)
        seconds = time.monotonic() - started
        route = self._routes.get(page.route, len(self._routes))
        state.table.request_answered(route, status, started, seconds, len(body))
        state.access_log.add(scope, page.route, status, seconds, len(body))

    async def _fill(
        self, state: State, key: Key, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        """Let the application answer, and keep the answer if its route shares it."""
        assert state.watch is not None
        watch = state.watch
        version = watch.settled()  # before anything is read
        marks = scope.setdefault("state", {})
        start: Message | None = None
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] == 200 and "shared" in marks:
                start = message
            elif start is None:
                await send(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    page = self._page(start["headers"], b"".join(parts), scope, marks["shared"], version or 0)
                    # Whoever waits for the page does not wait until the one who asked first has taken it.
                    if version is not None and version == watch.current():
                        self._keep(key, page)
                        if page.shared.made_of:  # others do not last for long
                            self._made.append((key, replace(page)))
                    self._filling[key].set()
                    # At first by messages: the server looks at the headers, and an error is not kept.
                    status = 304 if page.is_known(headers) else 200
                    try:
                        await _send(page, status, b"" if status == 304 else page.body, send)
                    except BaseException:
                        if self._pages.get(key) is page:
                            self._drop(key, page)
                        raise

        await self.app(scope, receive, collect)

    def _page(self, headers: Headers, body: bytes, scope: Scope, shared: Shared, version: int) -> KeptPage:
        if body.startswith(GZIP):  # the same page has the same bytes, whenever it was compressed
            body = body[:4] + bytes(4) + body[8:]
        etag = next((value for name, value in headers if name == b"etag"), None)
        if etag is None:  # of the bytes that are sent: the encoding and the worker's number are part of them
            etag = etag_of(body).encode()
            headers = [*headers, (b"etag", etag)]
        return KeptPage(
            headers=list(headers),
            body=body,
            etag=etag,
            route=getattr(scope.get("route"), "path", ""),
            shared=shared,
            version=version,
            made_at=time.monotonic(),
            good_until=time.monotonic() + shared.life_s(),
        )

    def _keep(self, key: Key, page: KeptPage) -> None:
        if page.version != self._version:
            self._go_on_to(page.version)
        if page.size > MAX_BYTES // 10:
            return
        if key in self._pages:
            self._drop(key, self._pages[key])
        self._bytes += page.size
        self._pages[key] = page
        page.was_used = True  # and so is not the one that is dropped now: it has yet to be sent
        while self._bytes > MAX_BYTES:
            self._drop_one()

    def _drop_one(self) -> None:
        """Drop the oldest page that nobody has asked for since it was last passed over (the algorithm CLOCK)."""
        key, page = next(iter(self._pages.items()))
        if page.was_used:
            page.was_used = False
            self._pages.move_to_end(key)
        else:
            self._drop(key, page)

    def _drop(self, key: Key, page: KeptPage) -> None:
        del self._pages[key]
        self._bytes -= page.size
        # For who still finds it by what was asked: it is no good any more, and takes no memory.
        page.good_until, page.body, page.headers, page.headers_of_304 = -math.inf, b"", [], []
        page.head = page.head_of_304 = b""


def _digest_now(state: State, article_id: int) -> str | None:
    try:
        with state.database.read() as session:
            return questions.digest_now(session, article_id, state.related)
    except SQLAlchemyError:  # the page is asked of the application, which tells what is wrong
        return None


async def _send(page: KeptPage, status: int, body: bytes, send: Send) -> None:
    headers = page.headers_of_304 if status == 304 else page.headers
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
