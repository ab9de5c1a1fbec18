"""An S3 server for the tests: moto's, as a process of its own."""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from threading import Event, Thread
from urllib.parse import urlsplit

from tests.servers import free_port, put, served


@dataclass
class S3Server:
    """A server and what a client needs to know of it."""

    url: str
    _numbers: Iterator[int]

    @property
    def environ(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }

    def create(self) -> str:
        """Return the address of a new bucket."""
        name = f"images-{next(self._numbers)}"
        put(f"{self.url}/{name}").raise_for_status()
        return f"s3://{name}/of/ours"


@contextmanager
def s3_server() -> Iterator[S3Server]:
    port = free_port()
    server = S3Server(f"http://127.0.0.1:{port}", count(1))
    with served([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], server.url):
        yield server


class Line:
    """A way to a server, slow if one likes. When it is cut, all stops: nobody is told, and what was sent is kept."""

    def __init__(self, url: str) -> None:
        self._server = urlsplit(url)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._passes = Event()
        self._passes.set()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.asked = 0  # how often something was sent to the server
        self.pause_s = 0.0  # before each piece of what is sent to it

    def cut(self) -> None:
        """Let nothing through from now on."""
        self._passes.clear()
        self.asked = 0

    def mend(self) -> None:
        """Let through what was kept, and all that comes."""
        self._passes.set()

    def serve(self) -> None:
        """Take connections until the line is closed."""
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                server = socket.create_connection((self._server.hostname, self._server.port))
                Thread(target=self._pass_on, args=(client, server), daemon=True).start()
                Thread(target=self._pass_on, args=(server, client), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError), source, target:
            while content := source.recv(2**16):
                if source.getsockname() == self._listening.getsockname():
                    self.asked += 1
                    time.sleep(self.pause_s)
                self._passes.wait()
                target.sendall(content)

    def close(self) -> None:
        self.mend()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@contextmanager
def line_to(server: S3Server) -> Iterator[Line]:
    line = Line(server.url)
    Thread(target=line.serve, daemon=True).start()
    try:
        yield line
    finally:
        line.close()
