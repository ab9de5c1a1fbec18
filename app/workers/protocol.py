"""HTTP as a worker speaks it: while it leaves, and for answers that are ready to be sent."""

import weakref
from functools import partial

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

LINGER_S = 0.5  # how long a connection that was accepted a moment ago may still send its request

# The ASGI extension by which the application sends a whole answer in one piece: `send` takes the status, the header
# lines, each with its end of line, and the body, and says whether it was sent; otherwise messages have to do. Of an
# answer of 15 headers uvicorn would look through each, for the hundredth time, and write head and body apart.
WHOLE_ANSWER = "omniracle.whole_answer"

NO_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 30\r\n"
    b"x-content-type-options: nosniff\r\ncontent-security-policy: default-src 'none'; frame-ancestors 'none'\r\n"
    b"connection: close\r\n\r\nInvalid HTTP request received."
)


class WorkerProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, but a connection on which nothing was asked yet is not closed at once when the worker leaves.

    It was accepted a moment ago, and its request is on the way: closing it would lose that.
    """

    is_leaving = False

    def shutdown(self) -> None:
        """Leave: answer what was asked, and what is asked within a moment, then close."""
        self.is_leaving = True
        if self.cycle is None:
            self.loop.call_later(LINGER_S, self._close_if_silent)
        else:
            super().shutdown()

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        super().on_headers_complete()
        if self.cycle is not None:
            # Weak: the scope would lead back to the cycle, and keep both until the collector comes by.
            self.cycle.scope["extensions"] = {WHOLE_ANSWER: {"send": partial(_answer, weakref.ref(self.cycle))}}
            if self.is_leaving:
                self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  uvicorn has one for all
        """Answer what is no HTTP; the application never hears of it."""
        self.transport.write(NO_HTTP)
        self.transport.close()

    def _close_if_silent(self) -> None:
        if self.cycle is None:
            self.transport.close()


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
