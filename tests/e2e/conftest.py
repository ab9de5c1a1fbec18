"""The real server, started by the real command, and a real browser."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import servers
from tests.servers import START_TIMEOUT_S, free_port
from tests.waiting import eventually

PROJECT = Path(__file__).parent.parent.parent
WORKERS = 4
PATIENCE_MS = 30_000  # of a browser, for a machine that does much else


@dataclass
class Server:
    url: str
    process: subprocess.Popen[str]
    data: Path

    def get(self, path: str, **options) -> httpx.Response:
        return servers.get(self.url + path, **options)

    def post(self, path: str, **options) -> httpx.Response:
        return servers.post(self.url + path, **options)

    def pids(self) -> set[int]:
        told = self.get("/-/workers.json").json()
        return {row["pid"] for row in told["workers"] if row["host"] == told["host"]}


def start(
    data: Path, *, port: int | None = None, workers: int = WORKERS, program: Path = PROJECT, **settings: str
) -> Server:
    """Start the site, which loads the starter content; returns when all workers answer."""
    port = port or free_port()
    environ = os.environ | {"OMNIRACLE_DATA_DIR": str(data)} | settings
    command = [sys.executable, "-m", "app", "serve", "--port", str(port), "--workers", str(workers)]
    log = (data.parent / f"server-{port}.log").open("w")
    process = subprocess.Popen(command, cwd=program, env=environ, text=True, stdout=log, stderr=log)
    log.close()
    server = Server(f"http://127.0.0.1:{port}", process, data)

    def is_up():
        assert process.poll() is None, (data.parent / f"server-{port}.log").read_text()
        try:
            return len(server.pids()) == workers
        except httpx.HTTPError:
            return False

    if not eventually(is_up, START_TIMEOUT_S):
        stop(server)
        raise AssertionError("the server did not start")
    return server


def stop(server: Server) -> int:
    """Stop the server as an operator would; returns its exit status."""
    server.process.send_signal(signal.SIGTERM)
    try:
        return server.process.wait(30)
    except subprocess.TimeoutExpired:
        server.process.kill()
        raise


def run(*arguments, data, cwd=PROJECT, typed=None, **environ):
    """Run a command of ours to its end, with what is typed into it."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=cwd,
        env=os.environ | {"OMNIRACLE_DATA_DIR": str(data), "PYTHONPATH": str(PROJECT)} | environ,
        input=typed,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )


def told(*arguments, **options) -> str:
    """Run a command of ours that has to go well, as `run` does, and return what it says."""
    done = run(*arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, worker_id) -> Path:
    """A data folder that is migrated and filled: made once in a run, also when the run has several processes."""
    base = tmp_path_factory.getbasetemp()
    data = (base if worker_id == "master" else base.parent) / "prepared" / "var"
    data.parent.mkdir(exist_ok=True)
    with (data.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not data.exists():
            told("migrate", data=data.parent / "made")
            told("sync", data=data.parent / "made")
            (data.parent / "made").rename(data)
    return data


@pytest.fixture
def data(prepared, tmp_path) -> Path:
    """A copy for one test: to start from it takes half of what a first start takes."""
    return shutil.copytree(prepared, tmp_path / "var")


@pytest.fixture(scope="session")
def server(prepared, tmp_path_factory) -> Iterator[Server]:
    server = start(shutil.copytree(prepared, tmp_path_factory.mktemp("site") / "var"))
    yield server
    assert stop(server) == 0


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = (shutil.which(name) for name in ("chromium-headless-shell", "chromium", "chromium-browser"))
    chromium = next(filter(None, found), None)
    if chromium is None:
        pytest.skip("Chromium is not installed: on Debian, apt install chromium")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page that fails the test for anything that it writes to the console as an error or loads from elsewhere."""
    context = browser.new_context(base_url=server.url, locale="en-US", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    troubles: list[str] = []
    page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: request.url.startswith(server.url) or troubles.append(request.url))
    yield page
    context.close()
    assert troubles == []
