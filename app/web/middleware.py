"""What happens around every request; plain ASGI, so that no body is copied."""

from collections.abc import Sequence
from time import monotonic
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.headers import HSTS, SECURITY_HEADERS
from app.web import language
from app.web.access import is_https
from app.workers.probing import PROBED_PATHS


class WorkerHeaders:
    """Names the process on every response, adds the security headers, counts the request, and answers HEAD as GET.

    Where the site is reached by HTTPS, its cookies never travel without.
    """

    def __init__(self, app: ASGIApp, holder: Any, routes: Sequence[str]) -> None:
        self.app = app
        self.holder = holder  # the application's state, filled when the worker starts
        self.routes = {path: number for number, path in enumerate(routes)}  # as the table counts them

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = self.holder.omniracle
        served_by = str(self.holder.pid)
        is_head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET"} if is_head else scope
        is_secure = is_https(state.settings, scope["scheme"])
        status, sent = 500, 0

        async def send_named(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Served-By"] = served_by
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if is_secure:
                    headers.setdefault(*HSTS)
                    message["headers"] = [
                        (name, value + b"; Secure" if name == b"set-cookie" else value) for name, value in headers.raw
                    ]
            elif message["type"] == "http.response.body":
                if is_head:
                    message = {**message, "body": b""}
                sent += len(message.get("body", b""))
            await send(message)

        if scope["path"] in PROBED_PATHS and state.probes.is_genuine(scope["headers"]):
            await self.app(inner, receive, send_named)  # an experiment's: it would count itself
            return
        table, started = state.table, monotonic()
        table.request_started(started)
        try:
            await self.app(inner, receive, send_named)
        finally:
            path, seconds = getattr(inner.get("route"), "path", ""), monotonic() - started
            table.request_ended(self.routes.get(path, len(self.routes)), status, seconds, sent)
            state.access_log.add(scope, path, status, seconds, sent)


class ReaderLanguage:
    """Chooses the language of the interface, for pages and error messages alike."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request in the reader's language."""
        if scope["type"] == "http":
            request = Request(scope)
            accepted = request.headers.get("accept-language", "")
            language.current.set(language.negotiate(request.cookies.get(language.COOKIE), accepted))
        await self.app(scope, receive, send)
