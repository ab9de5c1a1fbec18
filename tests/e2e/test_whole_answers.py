"""Pages from memory are written to the connection in one piece: byte for byte what messages would have sent."""

import re
import socket

import pytest

pytestmark = pytest.mark.e2e

PAGE = "/questions?sort=updated"
HEAD_END = b"\r\n\r\n"


class Connection:
    """A connection by which one speaks HTTP word for word."""

    def __init__(self, server):
        self.host = server.url.removeprefix("http://")
        self.socket = socket.create_connection(self.host.split(":"), timeout=20)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def ask(self, *, method="GET", path=PAGE, version="1.1", times=1, headers=""):
        request = f"{method} {path} HTTP/{version}\r\nHost: {self.host}\r\n{headers}\r\n"
        self.socket.sendall(request.encode() * times)

    def answer(self, *, has_body=True):
        """Return status, headers and body of the next answer."""
        lines = []
        while (line := self.file.readline()) != b"\r\n":
            assert line.endswith(b"\r\n"), line
            lines.append(line[:-2].decode())
        headers = dict(re.split(": ", line, maxsplit=1) for line in lines[1:])
        assert len(headers) == len(lines) - 1
        return lines[0], headers, self.file.read(int(headers["content-length"])) if has_body else b""

    def is_at_the_end(self):
        return self.file.read() == b""


def test_it_is_what_messages_send(server):
    with Connection(server) as connection:
        connection.ask(path="/questions?sort=popular")  # made now, and so sent by messages
        status, headers, body = connection.answer()
        for _ in range(3):
            connection.ask(path="/questions?sort=popular")
            again = connection.answer()
            assert again[0] == status == "HTTP/1.1 200 OK"
            assert again[1] | {"date": "", "last-modified": ""} == headers | {"date": "", "last-modified": ""}
            assert again[2] == body


def test_answers_to_requests_sent_at_once_come_in_their_order(server):
    with Connection(server) as connection:
        connection.ask()
        _, _, body = connection.answer()
        for path in (PAGE, "/livez", PAGE, PAGE, "/questions?sort=zzz", PAGE):
            connection.ask(path=path)
        found = [connection.answer() for _ in range(6)]
        assert [status.split()[1] for status, _, _ in found] == ["200", "200", "200", "200", "404", "200"]
        assert [each == body for _, _, each in found] == [True, False, True, True, False, True]


def test_who_reads_slowly_gets_everything(server):
    with Connection(server) as connection:
        connection.ask()
        _, _, body = connection.answer()
        connection.ask(times=400)  # several megabytes that nobody takes yet
        assert all(connection.answer()[2] == body for _ in range(400))


def test_a_connection_ends_when_it_is_to_end(server):
    for options in ({"version": "1.0"}, {"headers": "Connection: close\r\n"}):
        with Connection(server) as connection:
            connection.ask()
            connection.answer()
            connection.ask(**options)
            _, headers, _ = connection.answer()
            assert headers["connection"] == "close"
            assert connection.is_at_the_end()


def test_a_head_has_no_body_and_a_known_page_neither(server):
    with Connection(server) as connection:
        connection.ask()
        _, headers, body = connection.answer()
        connection.ask(method="HEAD")
        status, head, _ = connection.answer(has_body=False)
        assert status == "HTTP/1.1 200 OK"
        assert int(head["content-length"]) == len(body)
        connection.ask(headers=f"If-None-Match: {headers['etag']}\r\n")
        status, head, _ = connection.answer(has_body=False)
        assert status == "HTTP/1.1 304 Not Modified"
        assert head["x-served-by"] == headers["x-served-by"]
        connection.ask()
        assert connection.answer()[2] == body
