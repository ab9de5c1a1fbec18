"""Language models' way in: MCP over HTTP by the official SDK.

The SDK takes 30 MB and more than a second, so that a worker loads it when the first such request comes.
"""

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio.to_thread
from starlette.types import Receive, Scope, Send

from app.addresses import LOOPBACK
from app.config import Settings

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp.server.transport_security import TransportSecuritySettings

MAX_BODY_BYTES = 2**18  # the longest question, however it is escaped, and much room


class McpEndpoint:
    """The MCP server of one worker. It keeps nothing between requests, so that any worker may answer each."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._starting = asyncio.Lock()
        self._manager: StreamableHTTPSessionManager
        self._running: asyncio.Task[None] | None = None

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the first one waits until the SDK is there."""
        async with self._starting:
            if self._running is None or self._running.done():
                self._manager = await anyio.to_thread.run_sync(_load, self._settings)
                ready = asyncio.get_running_loop().create_future()
                self._running = asyncio.create_task(_run(self._manager, ready))
                await asyncio.wait((self._running, ready), return_when=asyncio.FIRST_COMPLETED)
        await self._manager.handle_request(scope, receive, send)

    async def close(self) -> None:
        """End what `answer` has begun."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait((self._running,))


async def _run(manager: "StreamableHTTPSessionManager", ready: asyncio.Future[None]) -> None:
    """Keep the SDK's tasks until this one is cancelled: they have to be entered and left by the same one."""
    async with manager.run():
        ready.set_result(None)
        await asyncio.Event().wait()


def _load(settings: Settings) -> "StreamableHTTPSessionManager":
    from app.web.mcp_tools import new_server

    server = new_server(settings)
    server.streamable_http_app(
        json_response=True,
        stateless_http=True,
        max_request_body_size=MAX_BODY_BYTES,
        transport_security=_security(settings.base_url),
    )
    return server.session_manager


def _security(base_url: str | None) -> "TransportSecuritySettings":
    """Return which hosts and origins a request may name, so that no page can reach this site under a name of its own.

    Without a public address any name may be this site's; requests that name another origin than their host are refused
    before they come here.
    """
    from mcp.server.transport_security import TransportSecuritySettings

    if base_url is None:
        return TransportSecuritySettings(enable_dns_rebinding_protection=False)
    parts = urlsplit(base_url.lower())
    names = [f"[{name}]" if ":" in name else name for name in (parts.hostname or "", *LOOPBACK)]
    return TransportSecuritySettings(
        allowed_hosts=[*names, *(f"{name}:*" for name in names)],
        allowed_origins=[f"{parts.scheme}://{names[0]}", f"{parts.scheme}://{names[0]}:*"],
    )
