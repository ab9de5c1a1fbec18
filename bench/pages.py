"""How fast pages are sent, beside the ceilings of the same server in the same run.

Run as `python bench/pages.py [ARTICLES]`; it needs wrk (and takes nginx along where there is one): Debian's packages.
Every figure is a ratio to a raw ASGI application that sends as many bytes, measured in turns with it: requests a
second depend on the machine and on what else it does, ratios much less. Two workers, sixteen connections.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import evaluation

from app.storage import articles

WORKERS = 2
CONNECTIONS = 16
ROUNDS = 5
SECONDS = 3
HERE = Path(__file__).parent
GZIP = {"Accept-Encoding": "gzip"}
DISTINCT_QUERIES = 300


@dataclass(frozen=True)
class Load:
    """What wrk asks for: one address, or paths in turns from a random start; with headers."""

    name: str
    url: str
    paths: Sequence[str] = ()
    headers: tuple[tuple[str, str], ...] = tuple(GZIP.items())


@dataclass(frozen=True)
class Measured:
    """What wrk says of one run; latencies in milliseconds."""

    per_second: float
    p50: float
    p99: float
    failed: int


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=None, help="how many documents (all of them)")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: on Debian, apt install wrk")
    data, slugs, queries = library(options.articles)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        places = {"OMNIRACLE_DATA_DIR": str(data), "OMNIRACLE_CONTENT_DIR": str(folder)}
        site = stack.enter_context(serving(folder / "site", product(), **places))
        hot = f"/questions/{slugs[0]}"
        size = len(fetch(site + hot, GZIP)[1])
        raw = stack.enter_context(serving(folder / "raw", ceiling("raw"), BODY_BYTES=str(size)))
        route = stack.enter_context(serving(folder / "route", ceiling("framework"), BODY_BYTES=str(size)))
        ceilings = [Load("FastAPI route with constant bytes", route + "/")]
        nginx = stack.enter_context(static_server(folder, size))
        if nginx:
            ceilings.append(Load("nginx with a file of the same size", nginx + "/"))
        # Each worker has its own, for its number is on the page; a browser asks the one that its page came from.
        etags = ", ".join(sorted({fetch(site + hot, GZIP)[0]["etag"] for _ in range(100)}))
        loads = [
            *ceilings,
            Load("question, hot", site + hot),
            Load("question, hot, 304", site + hot, headers=(*GZIP.items(), ("If-None-Match", etags))),
            Load("home", site + "/"),
            Load("list of questions, page 50", site + "/questions?page=50"),
            Load("search, repeated", site + f"/search?q={queries[0]}"),
            Load("search, distinct queries", site, [f"/search?q={query}" for query in queries[:DISTINCT_QUERIES]]),
            Load("suggestions", site, [f"/api/v1/suggest?q={query}" for query in queries[:DISTINCT_QUERIES]]),
            Load("question, cold, in random order", site, [f"/questions/{slug}" for slug in slugs]),
        ]
        print(f"{len(slugs)} articles, a question page of {size} bytes compressed, raw ASGI application = 1.00")
        for load in loads:
            report(folder, Load("raw", raw + "/"), load)
        print("Latencies of the hot question page, ms (p50, p99), and of the raw application")
        for connections in (1, 16, 64):
            ours, base = (run(folder, each, connections) for each in (loads[len(ceilings)], Load("raw", raw + "/")))
            print(
                f"  {connections:3} connections: {ours.p50:7.2f} {ours.p99:7.2f}      {base.p50:7.2f} {base.p99:7.2f}",
                flush=True,
            )


def report(folder: Path, raw: Load, load: Load) -> None:
    """Measure one load in turns with the raw application, and print the median of the ratios."""
    ratios, runs = [], []
    for _ in range(ROUNDS):
        base, ours = run(folder, raw), run(folder, load)
        ratios.append(ours.per_second / base.per_second)
        runs.append(ours)
    middle = sorted(runs, key=lambda each: each.per_second)[ROUNDS // 2]
    failed = sum(each.failed for each in runs)
    print(
        f"  {load.name:36} {statistics.median(ratios):6.3f}  [{min(ratios):.3f} to {max(ratios):.3f}]"
        f"  {middle.per_second:8.0f}/s  p50 {middle.p50:7.2f} ms  p99 {middle.p99:7.2f} ms"
        + (f"  FAILED {failed}" if failed else ""),
        flush=True,
    )


def run(folder: Path, load: Load, connections: int = CONNECTIONS) -> Measured:
    """Let wrk ask for some seconds."""
    command = ["wrk", f"-t{min(2, connections)}", f"-c{connections}", f"-d{SECONDS}", "--latency"]
    for name, value in load.headers:
        command += ["-H", f"{name}: {value}"]
    if load.paths:
        shuffled = random.sample(list(load.paths), len(load.paths))
        script = folder / "paths.lua"
        listed = ",\n".join(json.dumps(path, ensure_ascii=True) for path in shuffled)
        script.write_text(
            f"local paths = {{\n{listed}\n}}\nlocal at = 0\n"
            "function init(args) math.randomseed(os.time()) at = math.random(#paths) end\n"
            "request = function() at = at % #paths + 1 return wrk.format(nil, paths[at]) end\n"
        )
        command += ["-s", str(script)]
    said = subprocess.run([*command, load.url], capture_output=True, text=True, check=True).stdout
    failed = sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
    failed += sum(int(number) for number in re.findall(r"(?:connect|read|write|timeout) (\d+)", said))
    per_second = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert per_second is not None, said
    return Measured(float(per_second[1]), _latency(said, 50), _latency(said, 99), failed)


def _latency(said: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", said)
    assert found is not None, said
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def library(size: int | None) -> tuple[Path, list[str], list[str]]:
    """Return the data folder of a library of this size, its slugs and what people have asked of it."""
    database, index = evaluation.library(size)
    with database.read() as session:
        slugs = [address.slug for address in articles.addresses(session, offset=0, limit=1_000_000)]
    database.close()
    index.close()
    queries = [urllib.parse.quote(asked.text) for asked in evaluation.queries()]
    chosen = random.Random(1)
    return Path(index.folder).parent, chosen.sample(slugs, len(slugs)), chosen.sample(queries, len(queries))


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
    port = free_port()
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, str(port)], env=os.environ | settings, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield wait_for(f"http://127.0.0.1:{port}", log)
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
            time.sleep(0.2)
        else:
            return url
    sys.exit(f"nobody answers at {url}:\n{log.read_text()}")


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
