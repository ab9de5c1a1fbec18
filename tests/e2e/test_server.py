"""What only shows with the real server and several workers."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.e2e.conftest import PROJECT, WORKERS, run, start, stop
from tests.servers import free_port
from tests.waiting import eventually

pytestmark = pytest.mark.e2e


def test_all_workers_serve_and_each_names_itself(server):
    assert len(server.pids()) == WORKERS
    seen = set()
    for _ in range(300):
        response = server.get("/-/worker")
        assert response.headers["X-Served-By"] == str(response.json()["pid"])
        seen.add(response.json()["pid"])
        if len(seen) > 1:
            break
    assert seen <= server.pids()
    assert len(seen) > 1


def test_a_kept_connection_stays_with_its_worker(server):
    with httpx.Client(base_url=server.url, verify=False) as client:
        assert len({client.get("/livez").headers["X-Served-By"] for _ in range(30)}) == 1


def test_kept_connections_are_answered_without_delay(server):
    # On asyncio's own loop every answer on a kept connection takes 44 ms: ratio to a new connection above 5.
    def middle(get):
        took = []
        for _ in range(15):
            started = time.perf_counter()
            get()
            took.append(time.perf_counter() - started)
        return sorted(took)[7]

    with httpx.Client(base_url=server.url, verify=False) as client:
        kept = middle(lambda: client.get("/livez"))
        fresh = middle(lambda: server.get("/livez"))
    assert kept < fresh * 5


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ("fastapi workers 策略", {"fastapi-workers-celue"}),
        ("任务分配", {"fastapi-workers-celue"}),
        ("任務分配", {"fastapi-workers-celue"}),
        ("how are requests distributed to workers", {"how-requests-reach-fastapi-workers"}),
    ],
)
def test_the_seed_question_is_the_first_hit(server, query, slugs):
    hits = server.get("/api/v1/search", params={"q": query}).json()["hits"]
    assert hits[0]["slug"] in slugs
    html = server.get("/search", params={"q": query}).text
    assert html.index(f'href="/questions/{hits[0]["slug"]}"') > 0


def test_a_killed_worker_is_replaced(data):
    server = start(data, workers=2)
    try:
        before = server.pids()
        victim = next(iter(before))
        os.kill(victim, signal.SIGKILL)
        assert eventually(lambda: victim not in server.pids() and len(server.pids()) == 2)
        assert server.get("/").status_code == 200
    finally:
        assert stop(server) == 0


def test_what_sync_brings_is_found_on_every_worker(data, tmp_path):
    server = start(data, workers=2)
    try:
        (tmp_path / "extra").mkdir()
        text = "---\ntitle: What is a quokka?\nlang: en\n---\nA small marsupial.\n"
        (tmp_path / "extra" / "quokka.md").write_text(text)
        assert run("import", str(tmp_path / "extra"), data=server.data).returncode == 0
        answered = set()
        for _ in range(60):
            response = server.get("/api/v1/search", params={"q": "quokka"})
            assert [hit["slug"] for hit in response.json()["hits"]] == ["quokka"]
            answered.add(response.headers["X-Served-By"])
        assert len(answered) == 2
    finally:
        assert stop(server) == 0


def test_starting_again_changes_nothing(tmp_path, monkeypatch):
    data = tmp_path / "var"
    # Without an administrator each start makes a new link to become one.
    monkeypatch.setenv("OMNIRACLE_ADMIN_EMAIL", "op@example.org")
    monkeypatch.setenv("OMNIRACLE_ADMIN_PASSWORD", "long enough words")
    stop(start(data, workers=2))
    database = (data / "omniracle.db").read_bytes()
    server = start(data, workers=2)
    assert stop(server) == 0
    assert (data / "omniracle.db").read_bytes() == database


def test_a_port_in_use_is_one_clear_line(server, tmp_path):
    port = server.url.rsplit(":", 1)[1]
    done = run("serve", "--port", port, data=tmp_path / "var")
    assert done.returncode == 1
    assert "--port" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_is_taken_before_the_site_is_prepared(tmp_path):
    port = free_port()
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", port))
    taken.listen()
    try:
        done = run("serve", "--port", str(port), data=tmp_path / "var")
    finally:
        taken.close()
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "var" / "omniracle.db").exists()


def test_a_start_whose_preparation_is_killed_says_so_in_one_line(tmp_path):
    environ = os.environ | {"OMNIRACLE_DATA_DIR": str(tmp_path / "var")}
    command = [sys.executable, "-m", "app", "serve", "--port", str(free_port())]
    with subprocess.Popen(command, cwd=PROJECT, env=environ, stderr=subprocess.PIPE, text=True) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (pids := children.read_text().split()):
            assert process.poll() is None
        os.kill(int(pids[0]), signal.SIGKILL)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "start the site again" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "commands"),
    [
        ("sqlite:////nonexistent/folder/x.db", [["serve"]]),
        ("sqlite:///{folder}/garbage.db", [["serve"]]),
        ("postgresql+psycopg://127.0.0.1:1/x", [["migrate"], ["search", "x"], ["serve"]]),
    ],
)
def test_a_database_that_cannot_be_used_is_one_clear_line(tmp_path, url, commands):
    (tmp_path / "garbage.db").write_bytes(b"no database at all" * 100)
    settings = {"DATABASE_URL": url.format(folder=tmp_path), "OMNIRACLE_PORT": str(free_port())}
    for command in commands:
        done = run(*command, data=tmp_path / "var", **settings)
        assert done.returncode == 1
        assert "DATABASE_URL" in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr


def test_workers_report_while_one_of_them_indexes(data, tmp_path):
    server = start(data, workers=2)
    try:
        folder = tmp_path / "many"
        folder.mkdir()
        for number in range(150):
            (folder / f"n{number}.md").write_text(f"---\ntitle: Number {number}\nlang: en\n---\n{'word ' * 800}\n")
        assert run("import", str(folder), data=server.data).returncode == 0
        for path in (server.data / "index").rglob("*.pst"):
            path.unlink()
        ages = []
        for _ in range(60):
            ages += [row["heartbeat_age_s"] for row in server.get("/-/workers.json").json()["workers"]]
            time.sleep(0.1)
        assert max(ages) < 2
        assert eventually(lambda: server.get("/api/v1/search?q=number").json()["total"] >= 150)
    finally:
        assert stop(server) == 0


def test_a_missing_content_folder_is_one_clear_line(tmp_path):
    done = run("serve", data=tmp_path / "var", OMNIRACLE_CONTENT_DIR=str(tmp_path / "none"), OMNIRACLE_PORT="0")
    assert done.returncode == 1
    done = run("sync", data=tmp_path / "var", OMNIRACLE_CONTENT_DIR=str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_an_administrator_who_cannot_be_made_is_told_clearly(tmp_path):
    settings = {"OMNIRACLE_ADMIN_EMAIL": "op@example.org", "OMNIRACLE_ADMIN_PASSWORD": "short"}
    done = run("serve", "--port", str(free_port()), data=tmp_path / "var", **settings)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "OMNIRACLE_ADMIN_PASSWORD" in last
    assert "Use at least 10 characters." in last
    assert "Traceback" not in done.stderr


def test_a_data_folder_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    done = run("migrate", data=tmp_path / "file" / "var")
    assert done.returncode == 1
    assert "OMNIRACLE_DATA_DIR" in done.stderr
    assert done.stderr.count("\n") == 1


def test_workers_refuse_a_database_that_is_not_migrated(tmp_path):
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", "0"]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=os.environ | {"OMNIRACLE_DATA_DIR": str(tmp_path / "var")},
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "omniracle migrate" in done.stderr
    assert "Traceback" not in done.stderr
