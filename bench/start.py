"""How soon the site answers after a start, and how much memory its processes hold.

Run as `python bench/start.py [ARTICLES]`. It measures two libraries, the content of this repository and the evaluation
documents, each started several times with nothing to do: seconds depend on the machine and on what else it does,
processor time less; what importing the frameworks alone takes is printed beside them.
"""

import argparse
import json
import os
import random
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import memory
import pages
from servers import fetch, product, running
from wrk import GZIP

STARTS = 5
REQUESTS = 1000
SETTLED_AFTER_S = 7.0  # what workers do regularly has been done once
POLL_S = 0.01
FRAMEWORKS = "import fastapi, sqlmodel"


@dataclass(frozen=True)
class Start:
    """How one start went, in seconds."""

    answered: float  # until the first answer
    processor: float  # the time of all processes until then
    replaced: float  # from the end of a worker until another one serves in its place


def main() -> None:
    """Measure and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=None, help="how many documents (all of them)")
    options = parser.parse_args()
    print(f"`{FRAMEWORKS}` alone: {statistics.median(imported() for _ in range(STARTS)):.2f} s of processor time")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), "the content of this repository", {"OMNIRACLE_DATA_DIR": f"{folder}/var"}, ())
    data, slugs, queries = pages.library(options.articles)
    paths = [f"/questions/{slug}" for slug in slugs[:REQUESTS]] + [f"/search?q={query}" for query in queries[:REQUESTS]]
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder, "content")
        content.mkdir()
        places = {"OMNIRACLE_DATA_DIR": str(data), "OMNIRACLE_CONTENT_DIR": str(content)}
        measure(Path(folder), f"{len(slugs)} articles", places, paths)


def measure(folder: Path, name: str, places: dict[str, str], paths: Sequence[str]) -> None:
    """Measure one library and print what was found."""
    with running(folder / "log", product(), **places) as (_, site):  # prepares what later starts find done
        found = re.findall(r'href="(/[^"#]*)', fetch(f"{site}/questions", {})[1].decode())
    paths = list(dict.fromkeys([*paths, *found]))
    starts = [start(folder, places) for _ in range(STARTS)]
    print(f"{name}: first answer after {statistics.median(each.answered for each in starts):.2f} s", end=" ")
    print(f"({statistics.median(each.processor for each in starts):.2f} s of processor time),", end=" ")
    print(f"a worker replaced in {statistics.median(each.replaced for each in starts):.2f} s", flush=True)
    with running(folder / "log", product(), **places) as (pid, site):
        time.sleep(SETTLED_AFTER_S)
        report("idle", pid)
        chosen = random.Random(1)
        for path in chosen.choices(paths, k=REQUESTS):
            fetch(site + path, GZIP)
        report(f"after {REQUESTS} requests", pid)


def start(folder: Path, places: dict[str, str]) -> Start:
    """Start the site, kill a worker, and stop it."""
    begun = time.monotonic()
    with running(folder / "log", product(), **places) as (pid, site):
        answered = time.monotonic() - begun
        processor = sum(map(memory.processor_time, [pid, *memory.children(pid)]))
        before = workers(site)
        os.kill(min(before), signal.SIGKILL)
        killed = time.monotonic()
        while len(after := workers(site)) < len(before) or min(before) in after:
            time.sleep(POLL_S)
        return Start(answered, processor, time.monotonic() - killed)


def report(when: str, pid: int) -> None:
    """Print what the processes of the site hold."""
    held = [memory.held(each) for each in (pid, *memory.children(pid))]
    resident = ", ".join(f"{each.resident_mb:.0f}" for each in held[1:])
    own = ", ".join(f"{each.own_mb:.0f}" for each in held[1:])
    print(f"  {when}: workers {resident} MB resident, of these {own} MB shared with nobody;", end=" ")
    print(f"all together {sum(each.proportional_mb for each in held):.0f} MB", flush=True)


def imported() -> float:
    """Return the processor time that importing the frameworks takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", FRAMEWORKS], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def workers(site: str) -> set[int]:
    """Return the workers that serve."""
    try:
        found = json.loads(fetch(f"{site}/-/workers.json", {})[1])
    except OSError:  # asked the one that was killed
        return set()
    return {each["pid"] for each in found["workers"] if each["state"] != "not responding"}


if __name__ == "__main__":
    main()
