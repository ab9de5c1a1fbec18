"""The access log: a line of JSON for each request, however it was answered, and nothing that is nobody's business."""

import json
import os
import threading

import pytest
from fastapi.testclient import TestClient

from app.web.access_log import AccessLog
from app.web.application import create_app


@pytest.fixture
def logged(library, tmp_path):
    """A client of a site that writes its log, and what gives the lines so far."""
    path = tmp_path / "access.log"
    settings = library.settings.model_copy(update={"access_log": path})
    with TestClient(create_app(settings), follow_redirects=False) as client:

        def lines():
            client.app.state.omniracle.access_log.flush()
            return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

        yield client, lines, path


def test_every_answer_has_a_line(logged):
    client, lines, _ = logged
    client.get("/questions/bread")
    page = client.get("/questions/bread")  # from memory
    client.head("/questions/bread")
    client.get("/questions/none")
    client.post("/-/preferences", data={"theme": "dark"})
    found = [(line["method"], line["path"], line["route"], line["status"]) for line in lines()]
    assert found == [
        ("GET", "/questions/bread", "/questions/{slug}", 200),
        ("GET", "/questions/bread", "/questions/{slug}", 200),
        ("HEAD", "/questions/bread", "/questions/{slug}", 200),
        ("GET", "/questions/none", "/questions/{slug}", 404),
        ("POST", "/-/preferences", "/-/preferences", 303),
    ]
    kept = lines()[1]
    assert kept["bytes"] == int(page.headers["Content-Length"])
    assert kept["pid"] == os.getpid()
    assert kept["client"] == "testclient"
    assert kept["ms"] >= 0
    assert lines()[2]["bytes"] == 0


def test_neither_words_nor_keys_are_written(logged):
    client, lines, path = logged
    client.get("/search?q=a-private-thought")
    client.get("/first-admin/a-secret-key")
    client.get("/first-admin/a-secret-key/")  # leads to the right address
    client.get("/first-admin/a-secret-key/more")  # has no route
    client.post("/first-admin/a-secret-key", headers={"Content-Length": "x"})  # is refused before there is a route
    assert [line["path"] for line in lines()] == ["/search", *["/first-admin/{key}"] * 4]
    assert "private" not in path.read_text()
    assert "secret" not in path.read_text()


def test_a_line_is_a_line_whatever_is_asked_for(logged):
    client, lines, _ = logged
    client.get('/questions/"%0A{%22status%22:200}')
    assert [line["status"] for line in lines()] == [404]


def test_the_file_may_be_moved_away(logged):
    client, lines, path = logged
    client.get("/livez")
    assert len(lines()) == 1
    path.rename(path.with_suffix(".1"))
    client.get("/livez")
    assert len(lines()) == 1


def test_a_file_that_cannot_be_written_is_told_of(logged, caplog):
    client, _, path = logged
    path.mkdir()
    assert client.get("/livez").status_code == 200
    client.app.state.omniracle.access_log.flush()
    assert "1 requests are missing in the access log: Is a directory" in caplog.text


def test_lines_of_many_writers_do_not_mix(tmp_path):
    path = tmp_path / "access.log"
    scope = {"method": "GET", "path": "/" + "x" * 500, "client": ("127.0.0.1", 1)}

    def write():
        own = AccessLog(path)
        for _ in range(50):
            for _ in range(20):
                own.add(scope, "/", 200, 0.001, 10)
            own.flush()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [json.loads(line)["status"] for line in path.read_text().splitlines()] == [200] * 4000


def test_without_a_file_nothing_is_gathered(client):
    client.get("/livez")
    assert client.app.state.omniracle.access_log._lines == []
