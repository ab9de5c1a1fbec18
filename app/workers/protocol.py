"""HTTP as a worker speaks it while it leaves."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINGER_S = 0.5  # how long a connection that was accepted a moment ago may still send its request


class LingeringProtocol(HttpToolsProtocol):
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
        if self.is_leaving and self.cycle is not None:
            self.cycle.keep_alive = False

    def _close_if_silent(self) -> None:
        if self.cycle is None:
            self.transport.close()
