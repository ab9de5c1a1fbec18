"""The table of workers: one file, mapped into every worker, one slot per worker.

A slot is claimed under a file lock and then written by its owner alone, so that no counter is ever lost. A row is
believed only while the process that wrote it lives: process ids are used again, so the process's start time is
compared too.
"""

import fcntl
import mmap
import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.errors import OperatorError

SLOTS = 128  # during a rolling restart there are more workers than usual
MAGIC = b"OMNIWRK1"
_HEADER = 64
_ROW = struct.Struct("<QQdQqQddd")  # pid, start ticks, started at, requests, in flight, rss, cpu, lag, heartbeat
_ROW_SIZE = 128
_COUNTERS = struct.Struct("<Qq")
_COUNTERS_AT = 24
_VITALS = struct.Struct("<Qddd")
_VITALS_AT = 40
_SIZE = _HEADER + SLOTS * _ROW_SIZE

BUSY_AFTER_S = 0.8
LOST_AFTER_S = 2.0
BUSY_LAG_MS = 100.0

State = Literal["ok", "busy", "not responding"]


@dataclass(frozen=True)
class Worker:
    """One row of the table; `started_at` is a Unix time in seconds."""

    slot: int
    pid: int
    started_at: float
    requests: int
    in_flight: int
    rss_bytes: int
    cpu_seconds: float
    loop_lag_ms: float
    heartbeat_age_s: float

    @property
    def state(self) -> State:
        """How the worker is, judged by the age of its heartbeat and the lag of its event loop."""
        if self.heartbeat_age_s > LOST_AFTER_S:
            return "not responding"
        if self.heartbeat_age_s > BUSY_AFTER_S or self.loop_lag_ms > BUSY_LAG_MS:
            return "busy"
        return "ok"


class WorkerTable:
    """The mapped table; `claim` makes this process the owner of one slot."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._map = _open(path)
        self.slot = -1
        self.requests = 0
        self.in_flight = 0

    def claim(self) -> int:
        """Take a free slot for this process and return its number; raise OperatorError when none is free."""
        pid, ticks = os.getpid(), _start_ticks(os.getpid())
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for slot in range(SLOTS):
                owner, owner_ticks = struct.unpack_from("<QQ", self._map, _offset(slot))
                if owner and owner != pid and _start_ticks(owner) == owner_ticks:
                    continue
                row = (pid, ticks, time.time(), 0, 0, 0, 0.0, 0.0, time.monotonic())
                _ROW.pack_into(self._map, _offset(slot), *row)
                self.slot = slot
                self.beat(0.0)
                return slot
        raise OperatorError(f"All {SLOTS} places for workers are taken: start fewer.")

    def request_started(self) -> None:
        """Count a request that this worker has begun to answer."""
        self.requests += 1
        self.in_flight += 1
        _COUNTERS.pack_into(self._map, _offset(self.slot) + _COUNTERS_AT, self.requests, self.in_flight)

    def request_ended(self) -> None:
        """Count a request that this worker has answered."""
        self.in_flight -= 1
        _COUNTERS.pack_into(self._map, _offset(self.slot) + _COUNTERS_AT, self.requests, self.in_flight)

    def beat(self, loop_lag_ms: float) -> None:
        """Write a heartbeat with this process's memory and processor time."""
        times = os.times()
        vitals = (_rss_bytes(), times.user + times.system, loop_lag_ms, time.monotonic())
        _VITALS.pack_into(self._map, _offset(self.slot) + _VITALS_AT, *vitals)

    def release(self) -> None:
        """Give the slot back."""
        if self.slot >= 0:
            _ROW.pack_into(self._map, _offset(self.slot), *([0] * 9))
            self.slot = -1

    def rows(self) -> list[Worker]:
        """Return the rows of all living workers of this host, by slot."""
        now = time.monotonic()
        found = []
        for slot in range(SLOTS):
            row = _ROW.unpack_from(self._map, _offset(slot))
            pid, ticks, started_at, requests, in_flight, rss, cpu, lag, heartbeat = row
            if pid and _start_ticks(pid) == ticks:
                age = max(0.0, now - heartbeat)
                found.append(Worker(slot, pid, started_at, requests, max(0, in_flight), rss, cpu, lag, age))
        return found


def _open(path: Path) -> mmap.mmap:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_sound(path):
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(MAGIC.ljust(_SIZE, b"\0"))
            fresh.replace(path)
        with path.open("r+b") as file:
            return mmap.mmap(file.fileno(), _SIZE)


def _is_sound(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC and path.stat().st_size == _SIZE
    except FileNotFoundError:
        return False


def _offset(slot: int) -> int:
    return _HEADER + slot * _ROW_SIZE


def _start_ticks(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    fields = stat[stat.rindex(b")") + 2 :].split()
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


def _rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_bytes().split()[1]) * mmap.PAGESIZE
