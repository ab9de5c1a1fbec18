"""A way to PostgreSQL of one host's own: it can be cut with a word, and without one."""

import asyncio
import ctypes
import socket
import struct
import threading
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from tests.databases import USER, Cluster

# Linux's own numbers, which Python does not name: a filter decides which packets a socket gets.
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
_NONE_PASSES = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
_FILTER = struct.pack("HP", 1, ctypes.addressof(_NONE_PASSES))


class Wire:
    """A port of this machine that leads to the database's socket."""

    def __init__(self, cluster: Cluster) -> None:
        self._inner = str(cluster.folder / ".s.PGSQL.5432")
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._does(self._listen())

    def url(self, name: str) -> str:
        """Return the address of a database behind it."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self._server.sockets[0].getsockname()[1]}/{name}"

    def cut(self) -> None:
        """End all connections, and take no new ones."""
        self._does(self._cut())

    def hush(self) -> None:
        """Lose whatever is sent from now on, in both directions and without a word, as when a cable is pulled."""
        self._does(self._hush())

    def mend(self) -> None:
        """Let everything through again, and take new connections."""
        self._does(self._mend())

    def _does(self, work: Awaitable[None]) -> None:
        async def does() -> None:
            await work

        asyncio.run_coroutine_threadsafe(does(), self._loop).result()

    async def _listen(self) -> None:
        self._flows = asyncio.Event()
        self._flows.set()
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)

    async def _cut(self) -> None:
        self._is_cut = True
        for writer in list(self._open):
            writer.close()

    async def _hush(self) -> None:
        self._flows.clear()
        for each in self._sockets():
            each.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, _FILTER)

    async def _mend(self) -> None:
        self._is_cut = False
        for each in self._sockets():
            with suppress(OSError):  # it had none
                each.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        self._flows.set()

    def _sockets(self) -> list[Any]:
        return [*self._server.sockets, *(writer.get_extra_info("socket") for writer in self._open)]

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever has gone while nothing came through is found gone soon afterwards, as PostgreSQL would find it.
        outer = writer.get_extra_info("socket")
        outer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
            outer.setsockopt(socket.IPPROTO_TCP, option, 2)
        with suppress(OSError):
            if not self._is_cut:
                inner, to_inner = await asyncio.open_unix_connection(self._inner)
                self._open.add(writer)
                await asyncio.gather(self._copy(reader, to_inner), self._copy(inner, writer))
        self._open.discard(writer)
        writer.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await reader.read(65536):
                await self._flows.wait()
                writer.write(part)
                await writer.drain()
        writer.close()
