"""The Model Context Protocol: the library for language models. docs/mcp.md tells how to use it."""

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from app.web.access import PUBLIC, count_read
from app.web.errors import too_large
from app.web.mcp import MAX_BODY_BYTES
from app.web.state import Here, State

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

FOR_PEOPLE = "This address is for language models: add it to an MCP client, as streamable HTTP. It takes POST only.\n"


@router.post("/mcp", dependencies=[Depends(count_read)])
async def answer(request: Request, here: Here) -> Response:
    """Let the SDK answer."""
    return _FromSdk(request, here)


@router.api_route("/mcp", methods=["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def explain() -> Response:
    """Tell who opens the address with a browser what it is, and clients that there are no streams and no sessions."""
    return PlainTextResponse(FOR_PEOPLE, 405, headers={"Allow": "POST"})


class _FromSdk(Response):
    """The SDK's answer, sent as it comes; but what it says of too much is ours."""

    def __init__(self, request: Request, state: State) -> None:
        super().__init__()
        self._request = request
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_refused = False

        async def send_typed(message: Message) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start":  # the SDK does not say of what kind its refusals are
                MutableHeaders(scope=message).setdefault("Content-Type", "text/plain; charset=utf-8")
                is_refused = message["status"] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                if is_refused:
                    await too_large(self._request, f"{MAX_BODY_BYTES // 1024} kB")(scope, receive, send)
            if not is_refused:
                await send(message)

        await self._state.mcp.answer(scope, receive, send_typed)
