"""An S3 server for the tests: moto's, as a process of its own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

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
