"""HTTP as a worker speaks it: with clients that take their time, while it leaves, and for answers that are ready."""

import asyncio
import os
import weakref
from functools import partial
from http import HTTPStatus

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.headers import SECURITY_HEADERS

# A request has to arrive within PATIENCE_S, and a second more for each SLOWEST bytes of it: enough for the slowest
# phone. Many bytes at once buy no long silence: after each, the next has to come within PATIENCE_S. Without this,
# uvicorn waits for ever for the rest of a request, and keeps as long a head as anybody sends.
PATIENCE_S = 20.0
SLOWEST = 500  # bytes a second
MAX_HEAD = 64 * 1024  # bytes; and of what stands behind a body that comes in pieces
MAX_LINES = 200  # of either; the shortest take thirty times as much memory as they have bytes
PIECE = 4096  # bytes that are read at once; while requests in them wait for answers to earlier ones, no more are
STALLED_S = 60.0  # how long the last 64 kB of an answer may wait for a client that does not take them
MAX_CONNECTIONS = 5000  # of one worker; each takes a file descriptor and a few kB

LINGER_S = 0.5  # how long a connection that was accepted a moment ago may still send its request

# The ASGI extension by which the application sends a whole answer in one piece: `send` takes the status, the header
# lines, each with its end of line, and the body, and says whether it was sent; otherwise messages have to do. Of an
# answer of 15 headers uvicorn would look through each, for the hundredth time, and write head and body apart.
WHOLE_ANSWER = "omniracle.whole_answer"

# What is said where nobody knows the reader's language yet, in all of them.
NO_HTTP = "Invalid HTTP request received.\n收到的不是有效的 HTTP 请求。\n"
TOO_SLOW = (
    f"The request took too long to arrive: the limit is {PATIENCE_S:.0f} s, and 1 s more for each {SLOWEST} bytes.\n"
    f"请求到达得太慢：最多 {PATIENCE_S:.0f} 秒，每 {SLOWEST} 字节可多 1 秒。\n"
)
TOO_LONG = (
    f"The address and the header lines are too long: the limit is {MAX_HEAD // 1024} kB and {MAX_LINES} lines.\n"
    f"网址和请求头太长：上限为 {MAX_HEAD // 1024} kB，{MAX_LINES} 行。\n"
)
TOO_MANY = "Too many connections. Please try again in a moment.\n连接太多，请稍后再试。\n"
RETRY_AFTER_S = 5

# As every answer has them, but it is text alone; whether it goes by HTTPS nobody knows yet.
_PROTECTING = b"".join(
    f"{name.lower()}: {value}\r\n".encode()
    for name, value in {
        **SECURITY_HEADERS,
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    }.items()
)


class _Refused(Exception):
    """Ends the reading of a connection, as what is no HTTP does."""


class _Flow(FlowControl):
    """Takes no more from a client of which there is something yet to be read, whoever asks for it."""

    unread = memoryview(b"")

    def resume_reading(self) -> None:
        """Go on, if that may be."""
        if not self.unread:
            super().resume_reading()


class WorkerProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, but nobody holds a connection for ever by sending or reading slowly.

    And a connection on which nothing was asked yet is not closed at once when the worker leaves: it was accepted a
    moment ago, and its request is on the way. Closing it would lose that.
    """

    flow: _Flow
    is_leaving = False
    _is_over = False  # nothing is read any more
    _is_head = _is_body = False  # what of a request has begun to arrive, and not ended
    _has_ended = False  # a head, a part of a body, or a request, with what came last
    _pending = 0  # bytes that came since one of them ended
    _refusal = 400, NO_HTTP  # of what cannot be read on
    _deadline = 0.0
    _arrival: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request."""
        super().connection_made(transport)
        self.flow = _Flow(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(503, TOO_MANY)
        else:
            self._watch_arrival()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self._unwatch_arrival()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Read a part of a request, most often all of it."""
        if len(data) <= PIECE and not (self.pipeline or self.flow.unread):
            self._read(data)
        else:
            self.flow.unread = memoryview(bytes(self.flow.unread) + data)
            self._read_on()

    def _read_on(self) -> None:
        """Read what has come, as far as nothing in it has to wait for the answers to earlier requests."""
        while self.flow.unread and not self.pipeline:
            if self._is_over or self.transport.is_closing():
                self.flow.unread = memoryview(b"")
                return
            piece, self.flow.unread = self.flow.unread[:PIECE], self.flow.unread[PIECE:]
            self._read(bytes(piece))
        if self.flow.unread:
            self.flow.pause_reading()

    def _read(self, data: bytes) -> None:
        self._has_ended = False
        super().data_received(data)
        self._pending = 0 if self._has_ended else self._pending + len(data)
        if self._is_head or self._is_body or self._is_idle():
            if self._arrival is None:
                self._watch_arrival()
            self._deadline = min(self._deadline + len(data) / SLOWEST, self.loop.time() + PATIENCE_S)
            if self._pending > MAX_HEAD or len(self.headers or ()) > MAX_LINES:
                self._refuse(431, TOO_LONG)
        elif self._arrival is not None:
            self._unwatch_arrival()

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        super().on_message_begin()
        self._is_head = True

    def on_body(self, body: bytes) -> None:
        """Read a part of a body."""
        super().on_body(body)
        self._has_ended = True

    def on_message_complete(self) -> None:
        """End a request."""
        super().on_message_complete()
        self._is_body, self._has_ended = False, True

    def pause_writing(self) -> None:
        """Wait for a client that has not taken what was sent, but not for ever."""
        super().pause_writing()
        self._stall = self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on sending."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def on_response_complete(self) -> None:
        """End an answer; what of it waits to be sent does not keep a closed connection for ever."""
        super().on_response_complete()
        if self.flow.unread:
            self._read_on()
            self.flow.resume_reading()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(STALLED_S, _end_if_closing, self.transport)

    def shutdown(self) -> None:
        """Leave: answer what was asked, and what is asked within a moment, then close."""
        self.is_leaving = True
        if self.cycle is None:
            self.loop.call_later(LINGER_S, self._close_if_silent)
        else:
            super().shutdown()

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        if len(self.headers) > MAX_LINES:
            self._refusal = 431, TOO_LONG
            raise _Refused
        self._is_head, self._is_body, self._has_ended = False, True, True
        super().on_headers_complete()
        self.headers = []  # what comes behind a chunked body is not among the headers that the proxies have checked
        if self.cycle is not None:
            # Weak: the scope would lead back to the cycle, and keep both until the collector comes by.
            self.cycle.scope["extensions"] = {WHOLE_ANSWER: {"send": partial(_answer, weakref.ref(self.cycle))}}
            if self.is_leaving:
                self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  uvicorn has one for all
        """Answer what the application never hears of, such as what is no HTTP; what came whole is answered first."""
        if self._is_idle() or self._is_body:
            self._refuse(*self._refusal)
        else:
            self._is_over = True
            self._is_head = self.cycle.keep_alive = False

    def _close_if_silent(self) -> None:
        if self.cycle is None:
            self.transport.close()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _watch_arrival(self) -> None:
        self._deadline = self.loop.time() + PATIENCE_S
        self._arrival = self.loop.call_at(self._deadline, self._look_at_arrival)

    def _unwatch_arrival(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _look_at_arrival(self) -> None:
        now = self.loop.time()
        if self.flow.read_paused:  # it is we who take our time
            self._deadline = max(self._deadline, now + PATIENCE_S)
        if self._deadline > now:
            self._arrival = self.loop.call_at(self._deadline, self._look_at_arrival)
        elif self._is_head or self._is_body:
            self._refuse(408, TOO_SLOW)
        else:
            self.transport.close()

    def _refuse(self, status: int, message: str) -> None:
        """End the connection, with an answer unless another one has begun."""
        self._unwatch_arrival()
        if self._is_idle() or not (self._is_head or self.pipeline or self.cycle.response_started):
            self.transport.write(_plain(status, message))
        if not self._is_idle():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def _plain(status: int, text: str) -> bytes:
    """Return an answer of text alone, after which the connection ends."""
    body = text.encode()
    later = b"retry-after: %d\r\n" % RETRY_AFTER_S if status == HTTPStatus.SERVICE_UNAVAILABLE else b""
    return b"".join((
        STATUS_LINE[status],
        b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % len(body),
        b"x-served-by: %d\r\n" % os.getpid(),
        _PROTECTING,
        later,
        b"connection: close\r\n\r\n",
        body,
    ))  # fmt: skip


def _end_if_closing(transport: asyncio.Transport) -> None:
    if transport.is_closing():
        transport.abort()


def _answer(asked: "weakref.ref[RequestResponseCycle]", status: int, head: bytes, body: bytes) -> bool:
    """Send an answer as `cycle.send` would do with its two messages; return False where it could not do so now."""
    cycle = asked()
    if cycle is None or cycle.flow.write_paused or cycle.disconnected or cycle.response_started:
        return False
    own = [name + b": " + value + b"\r\n" for name, value in cycle.default_headers]
    if not cycle.keep_alive:
        own.append(b"connection: close\r\n")
    cycle.transport.write(b"".join((STATUS_LINE[status], *own, head, b"\r\n", body)))
    cycle.waiting_for_100_continue = False
    cycle.response_started = cycle.response_complete = True
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True
