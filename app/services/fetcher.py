"""Fetching pages of other sites.

Addresses are looked at after the name was resolved and used as they were resolved, on every redirect anew; bounded in
redirects, bytes and time.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urljoin

import httpcore2

from app import __version__
from app.services.fetching import Fetched, FetchFailed, checked, is_public

MAX_REDIRECTS = 5
MAX_BYTES = 1_000_000
TOTAL_S = 10.0
STEP_S = 5.0  # for connecting, and for each read
USER_AGENT = f"Omniracle/{__version__} (link check)"
_REDIRECTS = (301, 302, 303, 307, 308)
_PERMANENT = (301, 308)


@dataclass(frozen=True)
class Fetcher:
    """Fetches; `may_be_private` is for tests with a site on this machine."""

    may_be_private: bool = False
    max_bytes: int = MAX_BYTES
    total_s: float = TOTAL_S

    def fetch(self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Fetched:
        """Return the answer at the end of the redirects; raise FetchFailed when there is none."""
        deadline = time.monotonic() + self.total_s
        backend = _GuardedBackend(may_be_private=self.may_be_private)
        # What is sent byte by byte keeps every single read short of its own limit: this ends it.
        watch = threading.Timer(self.total_s, backend.abort)
        watch.daemon = True
        watch.start()
        try:
            return self._follow(backend, url, method, headers or {}, deadline)
        finally:
            watch.cancel()

    def _follow(
        self, backend: "_GuardedBackend", url: str, method: str, headers: Mapping[str, str], deadline: float
    ) -> Fetched:
        kinds: list[int] = []
        with httpcore2.ConnectionPool(ssl_context=_tls(), network_backend=backend) as pool:
            for _ in range(MAX_REDIRECTS + 1):
                answer = self._one(pool, checked(url), method, headers, deadline)
                target = answer.headers.get("location")
                if answer.status not in _REDIRECTS or not target:
                    is_for_good = bool(kinds) and all(kind in _PERMANENT for kind in kinds)
                    return Fetched(url, answer.status, answer.headers, answer.body, is_for_good)
                kinds.append(answer.status)
                try:
                    url = urljoin(url, target)
                except ValueError as error:
                    raise FetchFailed("refused", target) from error
        raise FetchFailed("redirects", "too many")

    def _one(
        self, pool: httpcore2.ConnectionPool, url: str, method: str, headers: Mapping[str, str], deadline: float
    ) -> Fetched:
        own = {"User-Agent": USER_AGENT, "Accept": "text/html, */*;q=0.5", "Accept-Encoding": "identity"}
        sent: list[tuple[bytes | str, bytes | str]] = [*own.items(), *headers.items()]
        left = max(0.1, deadline - time.monotonic())
        step = min(STEP_S, left)
        timeouts = {"connect": step, "read": step, "write": step, "pool": step}
        try:
            with pool.stream(method, url, headers=sent, extensions={"timeout": timeouts}) as response:
                names = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                body = self._read(response.iter_stream(), deadline) if method == "GET" else b""
                return Fetched(url, response.status, names, body, moved_for_good=False)
        except httpcore2.TimeoutException as error:
            raise FetchFailed("timeout") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol, OSError) as error:
            raise FetchFailed("timeout" if time.monotonic() > deadline else "connection", str(error)) from error

    def _read(self, stream: Iterable[bytes], deadline: float) -> bytes:
        read = bytearray()
        for chunk in stream:
            read += chunk
            if len(read) >= self.max_bytes:
                break
            if time.monotonic() > deadline:
                raise FetchFailed("timeout")
        if time.monotonic() > deadline:  # the watch has ended it
            raise FetchFailed("timeout")
        return bytes(read[: self.max_bytes])


class _GuardedBackend(httpcore2.SyncBackend):
    """Connects to the address that was looked at, and to no other that the name may have a moment later."""

    def __init__(self, *, may_be_private: bool) -> None:
        self._may_be_private = may_be_private
        self._opened: list[httpcore2.NetworkStream] = []
        self._is_aborted = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Open a connection; raise FetchFailed for an address that is not public."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise FetchFailed("no host", host) from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self._may_be_private and not all(map(is_public, addresses)):
            raise FetchFailed("refused", host)
        if self._is_aborted:
            raise FetchFailed("timeout", host)
        stream = super().connect_tcp(addresses[0], port, timeout, local_address, socket_options)
        self._opened.append(stream)
        return stream

    def abort(self) -> None:
        """End all connections, from another thread."""
        self._is_aborted = True
        for stream in self._opened:
            opened = stream.get_extra_info("socket")
            with contextlib.suppress(OSError):  # closed already
                opened.shutdown(socket.SHUT_RDWR)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
