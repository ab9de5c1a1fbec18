"""What readers lose when workers are killed, stopped and replaced: a real server under 16 clients that never rest.

Run as `python bench/workers.py`; it starts the site on a port and with a data folder of its own, takes about three
minutes, and prints one line for each part. But for the seconds, nothing depends on how fast the machine is.
"""

import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.workers.reading import read_file, read_rows, read_totals

WORKERS = 4
CLIENTS = 16
SECONDS = 30.0
RELOADS = 5
EXACT = 10_000
PATH = "/questions/how-requests-reach-fastapi-workers"


@dataclass
class Tally:
    """What the clients have seen."""

    answered: int = 0
    lost: int = 0  # without an answer
    lost_twice: int = 0  # and none to the second question either
    failed: int = 0  # answered with 5xx
    pids: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0


class Site:
    """A server that runs."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "var"
        self.port = 8990
        environ = os.environ | {"OMNIRACLE_DATA_DIR": str(self.data)}
        command = [sys.executable, "-m", "app", "serve", "--port", str(self.port), "--workers", str(WORKERS)]
        log = (folder / "log").open("w")
        self.environ = environ
        self.process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        self.wait(lambda: len(self.pids()) == WORKERS)

    def pids(self) -> set[int]:
        """Return the processes of all workers that report."""
        table = read_file(self.data / "workers.table")
        return {row.pid for row in read_rows(table) if row.state != "not responding"} if table else set()

    def wait(self, condition: Callable[[], bool], limit_s: float = 60) -> float:
        """Wait until something is so, and return how long it took, in seconds."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > limit_s:
                sys.exit("the site did not come to be as it should")
            time.sleep(0.02)
        return time.monotonic() - began

    def ask(self, path: str = PATH) -> tuple[int, str] | None:
        """Ask over a new connection; return status and worker, or None without an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers.get("X-Served-By", "")
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def under_load(site: Site, seconds: float, meanwhile: Callable[[], None]) -> Tally:
    """Let the clients ask without rest, and do something meanwhile."""
    tally, lock, end = Tally(), threading.Lock(), threading.Event()

    def client() -> None:
        while not end.is_set():
            began = time.monotonic()
            answer = site.ask()
            is_lost = answer is None
            again = site.ask() if is_lost else answer
            with lock:
                tally.lost += is_lost
                tally.lost_twice += again is None
                tally.slowest_s = max(tally.slowest_s, time.monotonic() - began)
                if again is not None:
                    tally.answered += 1
                    tally.failed += again[0] >= 500
                    tally.pids[again[1]] += 1

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    started = time.monotonic()
    for each in clients:
        each.start()
    time.sleep(2)
    meanwhile()
    time.sleep(max(0.0, seconds - (time.monotonic() - started)))
    end.set()
    for each in clients:
        each.join()
    return tally


def report(name: str, tally: Tally, more: str = "") -> None:
    """Print one line."""
    print(
        f"{name:32} {tally.answered:6} answered, {tally.lost} lost, {tally.lost_twice} lost also at the second try, "
        f"{tally.failed} with 5xx, slowest {tally.slowest_s:.2f} s{more}",
        flush=True,
    )


def kill(site: Site) -> None:
    """Kill one worker under load."""
    took = [0.0]

    def meanwhile() -> None:
        before = site.pids()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        took[0] = site.wait(lambda: victim not in site.pids() and len(site.pids()) == WORKERS)

    tally = under_load(site, SECONDS, meanwhile)
    report("kill -9 of one worker", tally, f"; a new one served after {took[0]:.1f} s (limits: 16 lost, 5 s)")


def replace(site: Site) -> None:
    """Replace all workers five times under load."""
    receipts = []

    def meanwhile() -> None:
        for _ in range(RELOADS):
            command = [sys.executable, "-m", "app", "reload"]
            done = subprocess.run(command, env=site.environ, capture_output=True, text=True, check=False)
            receipts.append(done.returncode)

    tally = under_load(site, SECONDS, meanwhile)
    report(f"{RELOADS} reloads", tally, f"; receipts {receipts} (limits: 3 lost, none at the second try)")


def stop(site: Site) -> None:
    """Stop one worker for ten seconds under load: new connections go elsewhere."""
    victims: list[int] = []

    def meanwhile() -> None:
        victims.append(min(site.pids()))
        os.kill(victims[0], signal.SIGSTOP)
        time.sleep(4)  # less than what the supervisor allows
        os.kill(victims[0], signal.SIGCONT)

    tally = under_load(site, SECONDS / 2, meanwhile)
    report("SIGSTOP of one worker for 4 s", tally, "; what it held waited, the others went on")


def add_up(site: Site) -> None:
    """Ask ten thousand times and compare the sums."""

    def totals() -> int:
        table = read_file(site.data / "workers.table")
        return read_totals(table).requests if table else 0

    def metric() -> int:
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
        connection.request("GET", "/metrics", headers={"Connection": "close"})
        text = connection.getresponse().read().decode()
        found = re.search(r'^omniracle_responses_total{route="/livez",status="2xx"} (\S+)$', text, re.MULTILINE)
        return int(float(found[1])) if found else 0

    before, metric_before = totals(), metric()
    left = iter(range(EXACT))
    lock = threading.Lock()

    def client() -> None:
        while True:
            with lock:
                if next(left, None) is None:
                    return
            site.ask("/livez")

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    table, shown = totals() - before - 1, metric() - metric_before  # but for the question for the metric itself
    print(f"{EXACT} requests                  table {table}, /metrics {shown}", flush=True)


def main() -> None:
    """Do all of it."""
    with tempfile.TemporaryDirectory(prefix="omniracle-bench-") as folder:
        site = Site(Path(folder))
        try:
            for part in (add_up, kill, stop, replace, add_up):
                part(site)
        finally:
            site.process.terminate()
            site.process.wait(60)


if __name__ == "__main__":
    main()
