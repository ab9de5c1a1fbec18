"""Bounds on what a request may bring, looked at while it comes: before anybody is known, and before it is in memory."""

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import Busy
from app.web.access import ApiContributor
from app.web.errors import RETRY_AFTER_S, too_large

JSON = "application/json"
MOST_HELD = 128 * 2**20  # bytes that all requests together have brought to a worker and that are not answered yet
SMALL = 2**20  # bytes that a request may bring even then: nearly all answers and their forms are smaller


async def json_only(request: Request, _key: ApiContributor) -> None:
    """Ask a program that may write for JSON; raise 415 for anything else, also for what does not say what it is."""
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != JSON and not (said.startswith("application/") and said.endswith("+json")):
        raise HTTPException(415, headers={"Accept": JSON})


class BodyLimit:
    """Answers 413 to a body that says it is too large; one that does not say it is cut off.

    Requests that wait for their turn have brought what they ask for: when that is too much for one worker's memory,
    further large ones get 503.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit
        self._held = 0  # bytes, of all requests that are not answered yet

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

        async def receive_bounded() -> Message:
            nonlocal taken
            message = await receive()
            size = len(message.get("body", b""))
            taken += size
            self._held += size
            if taken > self.limit:
                raise HTTPException(413)
            if taken > SMALL and self._held > MOST_HELD:
                raise HTTPException(503, Busy().message, headers={"Retry-After": str(RETRY_AFTER_S)})
            return message

        try:
            await self.app(scope, receive_bounded, send)
        finally:
            self._held -= taken
