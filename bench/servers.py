"""Starting the site, and the ceilings that it is compared with."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WORKERS = 2
HERE = Path(__file__).parent


def product() -> list[str]:
    """Return the command that serves the site, without its port."""
    return [sys.executable, "-m", "app", "serve", "--workers", str(WORKERS), "--port"]


def ceiling(name: str) -> list[str]:
    """Return the command that serves a ceiling under the settings of the site, without its port."""
    return [
        sys.executable, "-m", "uvicorn", f"ceilings:{name}", "--app-dir", str(HERE), "--workers", str(WORKERS),
        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--no-server-header", "--log-level", "warning",
        "--port",
    ]  # fmt: skip


@contextmanager
def serving(log: Path, command: list[str], **settings: str) -> Iterator[str]:
    """Start a server on a free port; yield its address, and stop it in the end."""
    with running(log, command, **settings) as (_, site):
        yield site


@contextmanager
def running(log: Path, command: list[str], **settings: str) -> Iterator[tuple[int, str]]:
    """Start a server on a free port; yield its process and its address when it answers; stop it in the end."""
    port = free_port()
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, str(port)], env=os.environ | settings, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process.pid, wait_for(f"http://127.0.0.1:{port}", log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def static_server(folder: Path, size: int) -> Iterator[str | None]:
    """Serve a file of `size` bytes by nginx; yield its address, None where there is no nginx."""
    if shutil.which("nginx") is None:
        yield None
        return
    port = free_port()
    (folder / "index.html").write_bytes(b"x" * size)
    (folder / "nginx.conf").write_text(
        f"worker_processes {WORKERS}; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        f"events {{ worker_connections 1024; }}\n"
        f"http {{ access_log off; keepalive_requests 10000000;\n"
        f"server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
    )
    folder.chmod(0o755)
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        yield wait_for(f"http://127.0.0.1:{port}", folder / "nginx.log")
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(30)


def fetch(url: str, headers: dict[str, str]) -> tuple[dict[str, str], bytes]:
    """Return the headers, their names in small letters, and the body of an answer."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return {name.lower(): value for name, value in answer.headers.items()}, answer.read()


def wait_for(url: str, log: Path) -> str:
    """Return `url` as soon as somebody answers there."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            fetch(url + "/", {})
        except OSError:
            time.sleep(0.01)
        else:
            return url
    sys.exit(f"nobody answers at {url}:\n{log.read_text()}")


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
