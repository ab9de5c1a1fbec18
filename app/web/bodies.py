"""Bounds on what a request may bring, looked at while it comes: before anybody is known, and before it is in memory."""

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.access import ApiContributor
from app.web.errors import too_large

JSON = "application/json"


async def json_only(request: Request, _key: ApiContributor) -> None:
    """Ask a program that may write for JSON; raise 415 for anything else, also for what does not say what it is."""
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != JSON and not (said.startswith("application/") and said.endswith("+json")):
        raise HTTPException(415, headers={"Accept": JSON})


class BodyLimit:
    """Answers 413 to a body that says it is too large; one that does not say it is cut off."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

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
            taken += len(message.get("body", b""))
            if taken > self.limit:
                raise HTTPException(413)
            return message

        await self.app(scope, receive_bounded, send)
