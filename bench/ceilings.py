"""What a page is compared with: the least that the same server can do with a body of the same size."""

import os

from fastapi import FastAPI
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

BODY = b"x" * int(os.environ.get("BODY_BYTES", "10000"))
HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-length", str(len(BODY)).encode()),
    (b"x-served-by", str(os.getpid()).encode()),
]


async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer every request with the same bytes."""
    if scope["type"] == "lifespan":
        for done in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{done}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


framework = FastAPI()


@framework.get("/")
async def constant() -> HTMLResponse:
    """Answer with the same bytes from a route."""
    return HTMLResponse(BODY)
