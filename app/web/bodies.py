"""Bounds on what a request may bring, looked at while it comes: before anybody is known, and before it is in memory."""

from collections import Counter

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import Busy
from app.web.access import ApiContributor, address_of
from app.web.errors import RETRY_AFTER_S, too_large

JSON = "application/json"
# Bytes that requests which are not answered yet have brought to a worker:
MOST_HELD = 128 * 2**20  # those of all addresses
MOST_OF_ONE = 32 * 2**20  # those of one address
SMALL = 2**20  # those of one address, whatever all others hold: nearly all answers and their forms are smaller


async def json_only(request: Request, _key: ApiContributor) -> None:
    """Ask a program that may write for JSON; raise 415 for anything else, also for what does not say what it is."""
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != JSON and not (said.startswith("application/") and said.endswith("+json")):
        raise HTTPException(415, headers={"Accept": JSON})


class BodyLimit:
    """Answers 413 to a body that says it is too large; one that does not say it is cut off.

    Requests that wait for their turn have brought what they ask for. When that is too much for one worker's memory, who
    brings more gets 503: an address that holds too much by itself, and where all together do, each that holds more than
    a little. So no address shuts out another one. What was refused is held no longer, and those beside it may go on.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit
        self._held = 0
        self._held_of: Counter[str] = Counter()  # by address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if not said.isdigit() or int(said) > self.limit:
            response = await run_in_threadpool(too_large, Request(scope))
            await response(scope, receive, send)
            return
        taken = 0
        address = address_of(Request(scope))
        refusal: HTTPException | None = None

        def let_go() -> None:
            nonlocal taken
            self._held -= taken
            self._held_of[address] -= taken
            if not self._held_of[address]:
                del self._held_of[address]
            taken = 0

        async def receive_bounded() -> Message:
            nonlocal taken, refusal
            if refusal is not None:  # nobody reads on and takes the rest for a whole
                raise refusal
            message = await receive()
            size = len(message.get("body", b""))
            taken += size
            self._held += size
            self._held_of[address] += size
            refusal = self._refusal(address, taken)
            if refusal is not None:
                let_go()
                raise refusal
            return message

        try:
            await self.app(scope, receive_bounded, send)
        finally:
            let_go()

    def _refusal(self, address: str, taken: int) -> HTTPException | None:
        if taken > self.limit:
            return HTTPException(413)
        if self._is_too_much(address, taken):
            return HTTPException(503, Busy().message, headers={"Retry-After": str(RETRY_AFTER_S)})
        return None

    def _is_too_much(self, address: str, taken: int) -> bool:
        """Say whether an address may bring no more with a request that has brought `taken`; alone, each may come."""
        own = self._held_of[address]
        if own > MOST_OF_ONE:
            return own > taken
        return self._held > MOST_HELD and own > SMALL and self._held > taken
