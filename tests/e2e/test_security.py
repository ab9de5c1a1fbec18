"""What only the real server and a real browser can show."""

import socket

import pytest

from tests.e2e.conftest import start, stop

MADE_UP = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-For": "203.0.113.9",
    "Forwarded": "host=evil.example;proto=https",
    "X-Original-URL": "/about",
}


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/9.9<script>\r\n\r\n", b"<script>\r\n\r\n"]
)
def test_what_is_no_http_gets_an_answer_that_no_browser_runs(server, junk):
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=10) as connection:
        connection.sendall(junk)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"x-content-type-options: nosniff" in head
    assert b"text/plain" in head
    assert f"content-length: {len(body)}".encode() in head
    assert b"script" not in body


def test_what_proxies_say_is_believed_of_those_that_are_named(server, tmp_path):
    told = server.get("/feed.atom", headers=MADE_UP)
    assert "Strict-Transport-Security" in told.headers
    assert server.url.replace("http:", "https:") in told.text
    assert "evil.example" not in told.text
    assert "Strict-Transport-Security" not in server.get("/feed.atom").headers
    other = start(tmp_path / "var", workers=1, FORWARDED_ALLOW_IPS="203.0.113.1")
    try:
        told = other.get("/feed.atom", headers=MADE_UP)
        assert "Strict-Transport-Security" not in told.headers
        assert f"{other.url}/feed.atom" in told.text
        assert "https://127" not in told.text
    finally:
        assert stop(other) == 0
