"""Who sends or reads slowly is waited for, but not for ever."""

import asyncio
import os
import re
import socket
import threading
import time
from contextlib import closing, contextmanager

import pytest
import uvicorn

from app.headers import SECURITY_HEADERS
from app.workers import protocol
from tests.waiting import eventually

PATIENCE_S = 0.5
LONG = 20_000_000  # bytes: more than all buffers on the way take


@pytest.fixture
def ended():
    """What became of each request: its path, and how its body ended."""
    return []


@pytest.fixture
def site(monkeypatch, ended):
    """A server under our protocol with less patience; its port and itself."""
    for name in ("PATIENCE_S", "STALLED_S"):
        monkeypatch.setattr(protocol, name, PATIENCE_S)
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 5)

    async def app(scope, receive, send):
        if scope["path"] == "/busy":
            await asyncio.sleep(PATIENCE_S * 2)
        message = {"more_body": True}
        while message.get("more_body"):
            message = await receive()
        ended.append((scope["path"], message["type"], dict(scope["headers"])))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        body = b"x" * (LONG if scope["path"] == "/long" else 5)
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body"})

    config = uvicorn.Config(
        app, port=0, loop="uvloop", http=protocol.WorkerProtocol, lifespan="off", log_level="error", ws="none",
        timeout_keep_alive=2,
    )  # fmt: skip
    server = uvicorn.Server(config)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=lambda: server.run([listening]))
        thread.start()
        assert eventually(lambda: server.started, pause=0.01)
        yield listening.getsockname()[1], server
        server.should_exit = True
        thread.join()


@contextmanager
def connected(site, *parts):
    with closing(socket.create_connection(("127.0.0.1", site[0]), timeout=20)) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.02)
        yield connection


def answer(connection):
    """All that comes until the server closes the connection."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def test_who_says_nothing_is_left(site):
    with connected(site) as connection:
        assert answer(connection) == b""


@pytest.mark.parametrize("begun", [b"G", b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n"])
def test_a_head_has_to_arrive(site, ended, begun):
    with connected(site, begun) as connection:
        assert answer(connection).startswith(b"HTTP/1.1 408 ")
    assert ended == []


def test_a_body_has_to_arrive(site, ended):
    with connected(site, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", b"1", b"2") as connection:
        received = answer(connection)
    assert received.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"\r\n\r\nThe request took too long to arrive: the limit is 20 s" in received
    assert [kind for _, kind, _ in ended] == ["http.disconnect"]


def test_a_byte_now_and_then_is_not_enough(site):
    with connected(site, b"GET / HTTP/1.1\r\nX: ") as connection:
        connection.settimeout(PATIENCE_S / 5)
        for _ in range(200):
            try:
                connection.sendall(b"x")
                if connection.recv(100).startswith(b"HTTP/1.1 408 "):
                    return
            except TimeoutError:
                continue
    raise AssertionError("the server goes on waiting")


def test_much_at_once_buys_no_silence(site, ended):
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
    with connected(site, head + b"x" * 500_000) as connection:
        assert answer(connection).startswith(b"HTTP/1.1 408 ")
    assert [kind for _, kind, _ in ended] == ["http.disconnect"]


@pytest.mark.parametrize("behind", [b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/9\r\n\r\n"])
@pytest.mark.parametrize("paths", [[b"/1"], [b"/1", b"/2"], [b"/busy"]])
def test_what_came_whole_is_answered_whatever_comes_behind_it(site, ended, paths, behind):
    asked = b"".join(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in paths)
    with connected(site, asked + behind, behind) as connection:
        received = answer(connection)
    assert received.count(b"HTTP/1.1 ") == received.count(b"HTTP/1.1 200 OK") == len(paths)
    assert received.endswith(b"xxxxx\r\n0\r\n\r\n")
    assert [path.encode() for path, _, _ in ended] == paths


def test_of_what_is_asked_without_waiting_for_answers_little_is_read_at_once(site, ended, monkeypatch):
    """More would take a hundred times the memory that it has bytes; all of it is answered, one after the other."""
    waiting = []
    begin = protocol.WorkerProtocol.on_headers_complete

    def spied(connection):
        begin(connection)
        waiting.append(len(connection.pipeline))

    monkeypatch.setattr(protocol.WorkerProtocol, "on_headers_complete", spied)
    last = b"POST /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    paths = [b"/busy", *(b"/%d" % number for number in range(3000))]
    asked = b"".join(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in paths) + last
    with connected(site) as connection:
        sender = threading.Thread(target=connection.sendall, args=[asked])
        sender.start()
        received = answer(connection)
        sender.join()
    assert received.count(b"HTTP/1.1 200 OK") == len(paths) + 1
    assert [path.encode() for path, _, _ in ended] == [*paths, b"/last"]
    assert 1 < max(waiting) < protocol.PIECE / 25


def test_a_long_body_does_not_count_as_part_of_the_next_head(site, ended):
    busy, body = b"GET /busy HTTP/1.1\r\nHost: a\r\n\r\n", b"x" * 100_000  # read in one piece, when that is answered
    asked = b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with connected(site, busy, asked + b"GET /2 HTTP/1.1\r\nHo", b"st: a\r\nConnection: close\r\n\r\n") as connection:
        assert answer(connection).count(b"HTTP/1.1 200 OK") == 3
    assert [known for known, _, _ in ended] == ["/busy", "/1", "/2"]


def test_what_breaks_off_within_a_request_is_not_answered_as_if_it_were_whole(site, ended):
    broken = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    with connected(site, broken) as connection:
        assert answer(connection).startswith(b"HTTP/1.1 400 ")
    with connected(site, b"GET /busy HTTP/1.1\r\nHost: a\r\n\r\n" + broken) as connection:
        assert answer(connection) == b""  # it would be taken for the answer to what came first


def test_the_next_request_has_to_arrive_too(site):
    with connected(site, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n", b"GET") as connection:
        received = answer(connection)
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert b"HTTP/1.1 408 " in received


def test_an_empty_line_does_not_hold_a_connection(site):
    with connected(site, b"\r\n") as connection:
        assert answer(connection) == b""


def test_what_arrives_steadily_is_waited_for(site, ended, monkeypatch):
    monkeypatch.setattr(protocol, "SLOWEST", 10)
    with connected(site, b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 200\r\n\r\n") as connection:
        for _ in range(20):
            connection.sendall(b"0123456789")
            time.sleep(PATIENCE_S / 10)
        assert answer(connection).startswith(b"HTTP/1.1 200 OK")


def test_a_head_has_an_end(site, ended):
    with connected(site, b"GET / HTTP/1.1\r\n") as connection, pytest.raises(OSError, match=r"reset|[Bb]roken"):
        for number in range(100_000):
            connection.sendall(b"X-%d: %s\r\n" % (number, b"x" * 1000))
    assert ended == []


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_head_has_a_bounded_number_of_lines(site, ended, end):
    with connected(site, b"GET / HTTP/1.1\r\n" + b"a:\r\n" * (protocol.MAX_LINES + 2) + end) as connection:
        assert answer(connection).startswith(b"HTTP/1.1 431 ")
    assert ended == []


@pytest.mark.parametrize("line", [b"a:\r\n", b"x" * 1000])
def test_what_stands_behind_a_body_has_an_end(site, ended, line):
    chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    with connected(site, chunked) as connection, pytest.raises(OSError, match=r"reset|[Bb]roken"):
        for _ in range(100_000):
            connection.sendall(line)
    assert eventually(lambda: [kind for _, kind, _ in ended] == ["http.disconnect"])


@pytest.mark.parametrize(
    ("sent", "status", "figures"),
    [
        (b"G", 408, ("20", "500")),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 200, 431, ("64 kB", "200")),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400, ()),
    ],
)
def test_what_is_refused_before_anybody_reads_it_is_told_in_both_languages(site, monkeypatch, sent, status, figures):
    monkeypatch.setattr(protocol, "MAX_HEAD", 100)
    with connected(site, sent) as connection:
        received = answer(connection)
    assert received.startswith(b"HTTP/1.1 %d " % status)
    check_told(received, *figures)


def check_told(received, *figures):
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"\r\ncontent-type: text/plain; charset=utf-8\r\n" in head
    assert b"\r\ncontent-length: %d\r\n" % len(body) in head
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    protecting = SECURITY_HEADERS | {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
    assert {name: lines.get(name.lower()) for name in protecting} == protecting
    assert lines["x-served-by"] == str(os.getpid())
    english, chinese = body.decode().splitlines()
    assert english.isascii()
    assert re.search("[\u4e00-\u9fff]", chinese)
    for figure in figures:
        assert figure in english
        assert figure in chinese


def test_lines_behind_the_body_are_no_headers(site, ended):
    chunked = b"POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(site, chunked, b"1\r\nx\r\n", b"0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n") as connection:
        assert answer(connection).startswith(b"HTTP/1.1 200 OK")
    assert b"x-forwarded-for" not in ended[0][2]


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"])
def test_who_does_not_take_the_answer_is_left(site, more):
    with connected(site, b"GET /long HTTP/1.1\r\nHost: a\r\n" + more + b"\r\n") as connection:
        assert eventually(lambda: not site[1].server_state.connections), "the server goes on waiting"
        assert len(answer(connection)) < LONG


def test_connections_have_a_bound(site):
    open_ = [socket.create_connection(("127.0.0.1", site[0]), timeout=20) for _ in range(6)]
    try:
        received = answer(open_[-1])
        assert received.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"\r\nretry-after: 5\r\n" in received
        check_told(received)
    finally:
        for connection in open_:
            connection.close()


def test_a_request_that_we_do_not_read_is_not_late(site):
    """While the application is busy, the rest of a long body is left on the way."""
    body = b"x" * 1_000_000
    head = b"POST /busy HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    with connected(site, head + body) as connection:
        assert answer(connection).startswith(b"HTTP/1.1 200 OK")
