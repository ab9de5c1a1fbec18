"""Runs a command and watches the memory of all its processes."""

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
    parents = {
        pid: parent
        for pid in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
        if (parent := _parent(pid))
    }
    tree = {root}
    while grown := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= grown
    return sum(map(_resident, tree)) / 2**20


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
