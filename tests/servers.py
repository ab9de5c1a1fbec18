"""Other people's servers that tests start: processes of their own."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.waiting import eventually

START_TIMEOUT_S = 60
DEPLOY = Path(__file__).parent.parent / "docs" / "deploy"

# A request over a connection of its own. None of our servers has a certificate, and to read those of all
# authorities takes ten times as long as the rest.
get, post, put, request = (
    partial(asked, verify=False, timeout=20) for asked in (httpx.get, httpx.post, httpx.put, httpx.request)
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(command: list[str], url: str) -> Iterator[None]:
    """Run a server from when `url` answers with success."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_up():
        assert process.poll() is None
        try:
            return get(url).is_success
        except httpx.HTTPError:
            return False

    try:
        assert eventually(is_up, START_TIMEOUT_S)
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def proxying(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """Run a proxy from when it takes connections at a port; what it says goes into `folder`."""
    log = folder / "proxy.log"
    environ = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)

    def is_up():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        assert eventually(is_up), log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(30)


def nginx(folder: Path, sites: str) -> list[str]:
    """Return the command that runs nginx for some sites, all that it writes in `folder`; skip where it is not."""
    binary = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if binary is None:
        pytest.skip("nginx is not installed: on Debian, apt install nginx-light")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;"
        f"events {{}} http {{ access_log off; {places} {sites} }}"
    )
    return [binary, "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def documented(name: str, changes: Mapping[str, str]) -> str:
    """Return a file of docs/deploy with other addresses in it; each of the old ones stands there once."""
    text = (DEPLOY / name).read_text()
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def documented_nginx(folder: Path, port: int, hosts: list[int]) -> list[str]:
    """Return the command that runs nginx at a port as docs/deploy says, before the site at one port or at three."""
    changes = {"listen 80;": f"listen 127.0.0.1:{port};"}
    if len(hosts) == 1:
        changes["server 127.0.0.1:8000;"] = f"server 127.0.0.1:{hosts[0]};"
    else:
        changes["    server 127.0.0.1:8000;\n"] = ""
        for number, host in enumerate(hosts, 1):
            for rest in (";", " backup max_fails=0;"):
                changes[f"# server 10.0.0.{number}:8000{rest}"] = f"server 127.0.0.1:{host}{rest}"
    text = documented("nginx.conf", changes)
    assert not re.search(r"^ +server 10\.", text, re.MULTILINE)
    return nginx(folder, text)
