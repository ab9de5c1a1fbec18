"""Memory and processor time of processes, and of a command while it runs."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
INTERVAL = 0.1  # seconds between two looks


@dataclass
class Run:
    """A command that has ended: how long it took, and the most memory its processes held at one moment."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Held:
    """The memory of one process."""

    resident_mb: float
    proportional_mb: float  # what it shares with others counts by its part
    own_mb: float  # shared with nobody


def held(pid: int) -> Held:
    """Return what a process holds."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kb = {name: int(value.split()[0]) for name, value in (line.split(":") for line in lines)}
    return Held(kb["Rss"] / 1024, kb["Pss"] / 1024, (kb["Private_Clean"] + kb["Private_Dirty"]) / 1024)


def processor_time(pid: int) -> float:
    """Return the seconds that a process has used, with those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that live."""
    return sorted(child for child, parent in _parents().items() if parent == pid)


def run(command: Sequence[str], environ: Mapping[str, str]) -> Run:
    """Run `command` to its end and return what it took; resident memory of the whole process tree is summed."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    peak = 0.0
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(INTERVAL):
            peak = max(peak, _resident_mb(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    stdout, stderr = process.communicate()
    ended.set()
    watcher.join()
    return Run(process.returncode, stdout, stderr, time.perf_counter() - started, peak)


def _resident_mb(root: int) -> float:
    parents = _parents()
    tree = {root}
    while grown := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= grown
    return sum(map(_resident, tree)) / 2**20


def _parents() -> dict[int, int]:
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
    return {pid: parent for pid in pids if (parent := _parent(pid))}


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0
