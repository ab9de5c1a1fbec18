"""Sending answers compressed, so that caches and clients know which bytes they have (RFC 9110, 8.8.3.3 and 12.5.3)."""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette_compress import CompressMiddleware

MIN_BYTES = 1000
CODINGS = ("br", "gzip")  # the best first
_END = re.compile(r'-(?:br|gzip)"')  # of the ETag of what was compressed: other bytes than those that were not


class Compression:
    """Compresses for who accepts it, and gives what was compressed an ETag of its own, which the routes never see."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = CompressMiddleware(app, minimum_size=MIN_BYTES, zstd=False, brotli_quality=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = MutableHeaders(raw=list(scope["headers"]))
        known = asked.get("if-none-match", "")
        if _END.search(known):
            asked["if-none-match"] = _END.sub('"', known)
            scope["headers"] = asked.raw  # in the same scope: there the router leaves what the counters look for

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "Accept-Encoding" not in headers.get("vary", ""):
                    headers.add_vary_header("Accept-Encoding")
                if "etag" in headers:
                    plain = headers["etag"].removesuffix('"')
                    coding = headers.get("content-encoding")
                    marked = [f'{plain}-{each}"' for each in ([coding] if coding else CODINGS)]
                    headers["etag"] = next(
                        (each for each in marked if coding or (message["status"] == 304 and each in known)),
                        headers["etag"],
                    )
            await send(message)

        await self.app(scope, receive, send_marked)


def coding_of(accept_encoding: str) -> str:
    """Return the same for all values of Accept-Encoding that are certain to get the same bytes."""
    if ";" in accept_encoding or "*" in accept_encoding:
        return accept_encoding
    accepted = {each.strip().lower() for each in accept_encoding.split(",")}
    return next((coding for coding in CODINGS if coding in accepted), "")
