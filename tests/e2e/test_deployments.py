"""The site under other servers, and behind nginx and Caddy as docs/deploy says."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from configparser import RawConfigParser
from contextlib import contextmanager

import httpx2 as httpx
import pytest

from tests import servers
from tests.e2e.conftest import PROJECT, run, start, stop
from tests.servers import DEPLOY, documented, free_port
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

SERVERS = {
    "uvicorn": ["-m", "uvicorn", "app.main:app", "--workers", "3", "--port", "{port}", "--log-level", "warning"],
    "gunicorn": ["-m", "gunicorn", "app.main:app", "-w", "3", "-k", "uvicorn_worker.UvicornWorker", "-b",
                 "127.0.0.1:{port}", "--log-level", "warning"],
    "gunicorn --reuse-port": ["-m", "gunicorn", "app.main:app", "-w", "3", "-k", "uvicorn_worker.UvicornWorker", "-b",
                              "127.0.0.1:{port}", "--log-level", "warning", "--reuse-port"],
    "granian": ["-m", "granian", "--interface", "asgi", "--workers", "3", "--port", "{port}", "--log-level", "warning",
                "app.main:app"],
}  # fmt: skip
HASHED = ("gunicorn --reuse-port", "granian")


@contextmanager
def serving(arguments, data):
    port = free_port()
    command = [sys.executable, "-W", "ignore", *(part.format(port=port) for part in arguments)]
    environ = os.environ | {"OMNIRACLE_DATA_DIR": str(data)}
    with (data.parent / "other.log").open("w") as log:
        process = subprocess.Popen(command, cwd=PROJECT, env=environ, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"

    def is_up():
        try:
            return len(servers.get(f"{url}/-/workers.json", timeout=5).json()["workers"]) == 3
        except httpx.HTTPError:
            return False

    try:
        assert eventually(is_up, 60), (data.parent / "other.log").read_text()
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.mark.parametrize("name", SERVERS)
def test_badge_table_and_experiments_are_right_under_each_server(data, name):
    with serving(SERVERS[name], data) as url:
        pids = {row["pid"] for row in servers.get(f"{url}/-/workers.json").json()["workers"]}
        page = servers.get(f"{url}/questions/how-requests-reach-fastapi-workers")
        served_by = page.headers["X-Served-By"]
        assert int(served_by) in pids
        assert f"<b>PID {served_by}</b>" in page.text
        says_hash = "a hash of the addresses chooses" in servers.get(f"{url}/-/workers").text
        assert eventually(lambda: ("a hash of" in servers.get(f"{url}/-/workers").text) == (name in HASHED)), says_hash
        answer = servers.post(f"{url}/-/experiments", json={"mode": "new", "requests": 60}, timeout=30).json()
        assert sum(answer["counts"].values()) == 60
        assert set(map(int, answer["counts"])) == pids
        assert ("A hash of the addresses" in answer["conclusion"]) == (name in HASHED)


def nginx(folder, port, upstream):
    return servers.documented_nginx(folder, port, [upstream])


def caddy(folder, port, upstream):
    binary = shutil.which("caddy")
    if binary is None:
        pytest.skip("Caddy is not installed: on Debian, apt install caddy")
    text = documented("Caddyfile", {"\nanswers.example.org {": f"\nhttp://127.0.0.1:{port} {{",
                                    "reverse_proxy 127.0.0.1:8000": f"reverse_proxy 127.0.0.1:{upstream}"})  # fmt: skip
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tdefault_bind 127.0.0.1\n}}\n{text}")
    return [binary, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@contextmanager
def behind(proxy, folder, upstream):
    port = free_port()
    with servers.proxying(proxy(folder, port, upstream), port, folder):
        yield port


def asked_from(address, port, path):
    """Ask as a client with another address of this machine does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(address, 0))
    connection.request("GET", path, headers={"X-Forwarded-For": "203.0.113.9", "Connection": "close"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_behind_a_proxy_workers_and_addresses_are_right(data, tmp_path, proxy):
    server = start(data, workers=2, OMNIRACLE_API_READS="10")
    try:
        with behind(proxy, tmp_path, server.url.rsplit(":", 1)[1]) as port:
            url = f"http://127.0.0.1:{port}"
            page = servers.get(f"{url}/about")
            assert int(page.headers["X-Served-By"]) in server.pids()
            assert f"<b>PID {page.headers['X-Served-By']}</b>" in page.text
            assert "This site is behind a proxy" in servers.get(f"{url}/-/workers/badge").text
            assert "behind a proxy" not in server.get("/-/workers/badge").text
            # Each client is known by its own address, and nobody hides behind one that they made up.
            if time.time() % 60 > 50:
                time.sleep(10)
            first = [asked_from("127.0.0.1", port, "/api/v1/suggest?q=fastapi") for _ in range(30)]
            assert first.count(429) >= 10
            assert asked_from("127.0.0.5", port, "/api/v1/suggest?q=fastapi") == 200
            # The experiment asks the workers themselves, not the proxy.
            answer = servers.post(f"{url}/-/experiments", json={"mode": "new", "requests": 50}, timeout=30)
            assert set(map(int, answer.json()["counts"])) == server.pids()
            # A worker that is killed is not noticed by who reads.
            os.kill(min(server.pids()), signal.SIGKILL)
            assert {servers.get(f"{url}/questions").status_code for _ in range(40)} == {200}
    finally:
        assert stop(server) == 0


def test_the_unit_of_systemd_starts_and_reloads_what_there_is():
    unit = RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(DEPLOY / "omniracle.service")
    for key, command in (("ExecStart", "serve"), ("ExecReload", "reload")):
        assert unit["Service"][key] == f"/opt/omniracle/.venv/bin/omniracle {command}"
        assert run(command, "--help", data="unused").returncode == 0
    assert re.fullmatch(r"\d+", unit["Service"]["TimeoutStopSec"])
    command = (DEPLOY / "omniracle").read_text()
    assert f"cd {unit['Service']['WorkingDirectory']} " in command
    assert f" -f {unit['Service']['EnvironmentFile']} " in command
    assert f" runuser -u {unit['Service']['User']} -- .venv/bin/omniracle " in command
    home = f"/var/lib/{unit['Service']['StateDirectory']}"  # others are hidden from it (ProtectHome)
    made = f"\nuseradd --system --home-dir {home} {unit['Service']['User']}\n"
    assert made in (DEPLOY.parent / "deploying.md").read_text()
    analyze = shutil.which("systemd-analyze")
    if analyze:
        done = subprocess.run([analyze, "verify", str(DEPLOY / "omniracle.service")], capture_output=True, text=True)
        assert not [
            line for line in done.stderr.splitlines() if "is not executable" not in line and "omniracle" in line
        ]


def test_the_command_beside_the_unit_has_its_settings_wherever_it_is_called(tmp_path):
    (tmp_path / "here").mkdir()
    settings = documented("omniracle.env", {"/var/lib/omniracle": str(tmp_path / "var")})
    (tmp_path / "env").write_text(f"{settings}OMNIRACLE_SITE_NAME='Questions & answers; $5 each #1'\n")
    changes = {"/opt/omniracle": str(PROJECT), "/etc/omniracle.env": str(tmp_path / "env"),
               "runuser -u omniracle --": "env"}  # fmt: skip
    script = documented("omniracle", changes).replace(".venv/bin", sys.prefix + "/bin")

    def told(*arguments, **environ):
        command = ["sh", "-c", script, "omniracle", *arguments]
        environ = os.environ | {"PYTHONPATH": str(PROJECT)} | environ
        return subprocess.run(command, cwd=tmp_path / "here", env=environ, capture_output=True, text=True, check=True)

    told("migrate")
    assert (tmp_path / "var" / "omniracle.db").exists()
    assert list((tmp_path / "here").iterdir()) == []
    assert "environment  Questions & answers; $5 each #1\n" in told("settings").stdout
    assert "environment  Mine\n" in told("settings", OMNIRACLE_SITE_NAME="Mine").stdout

    # A trial of a backup touches nothing of the site, whatever that is set to.
    shared = "DATABASE_URL=postgresql+psycopg://x@y/z\nOMNIRACLE_SEARCH_ENGINE=postgresql\nOMNIRACLE_IMAGES=s3://x\n"
    (tmp_path / "env").write_text(settings + shared)
    line = re.search(r"^(.*) omniracle restore FILE$", (DEPLOY.parent / "deploying.md").read_text(), re.MULTILINE)
    shown = told("settings", **dict(each.split("=") for each in line[1].split())).stdout
    assert "/tmp/trial/omniracle.db" in shown
    assert "s3://x" not in shown
