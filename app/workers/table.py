"""The table of workers: one file, mapped into every worker, one slot per worker.

A slot is claimed under a file lock and then written by its owner alone, so that no counter is ever lost. A row is
believed only while the process that wrote it lives: process ids are used again, so the process's start time is
compared too. What a worker has counted outlives it, in the row of the retired.
"""

import fcntl
import hashlib
import logging
import mmap
import os
import platform
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.workers import layout as at
from app.workers.layout import BEFORE_STATUS, BUCKETS_S, MICROSECONDS, ROUTE_CELLS, Layout
from app.workers.processes import cpu_seconds, listening_queue, rss_bytes, start_ticks
from app.workers.reading import Totals, Worker, read_rows, read_totals

log = logging.getLogger(__name__)


class WorkerTable:
    """The mapped table; `claim` makes this process the owner of one slot.

    Before, and where all slots are taken, it counts for itself alone. `routes` are the names under which answers are
    counted; all others count together as the last one.
    """

    def __init__(self, path: Path, routes: Sequence[str] = ()) -> None:
        self._path = path
        self.routes = (*routes, "other")
        self._layout = Layout(len(self.routes))
        digest = hashlib.sha256("\n".join(self.routes).encode()).digest()[:8]
        self._header = at.MAGIC + len(self.routes).to_bytes(8, "little") + digest
        self.slot = -1
        self._shared: memoryview | None = None
        self._use(self._private_row(), 0)
        self._next_sample = 0.0

    def claim(self) -> None:
        """Take a free slot for this process; with none free it goes on without being seen by others."""
        self._map(fresh_row=True)
        self.beat(0.0)

    def request_started(self, moment: float) -> None:
        """Count a request that this worker begins to answer at `moment`, in seconds of the monotonic clock."""
        whole = self._whole
        whole[self._requests] += 1
        whole[self._in_flight] += 1
        self._parts[self._last_request] = moment

    def request_ended(self, route: int, status: int, seconds: float, sent: int) -> None:
        """Count an answer: its route, its HTTP status, how long it took and its bytes."""
        self._whole[self._in_flight] -= 1
        self._count(route, status, seconds, sent)

    def request_answered(self, route: int, status: int, started: float, seconds: float, sent: int) -> None:
        """Count a request with its answer that was there at once."""
        self._whole[self._requests] += 1
        self._parts[self._last_request] = started
        self._count(route, status, seconds, sent)

    def beat(self, loop_lag_ms: float) -> None:
        """Write a heartbeat with this process's memory and processor time; now and then also a sample of all."""
        row, now = self._row, time.monotonic()
        self._parts[row + at.HEARTBEAT] = now  # first: what follows may fail when no file can be opened
        self._parts[row + at.LAG_MS] = loop_lag_ms
        self._parts[row + at.CPU_S] = cpu_seconds()
        self._whole[row + at.RSS] = rss_bytes()
        if now >= self._next_sample:
            self._next_sample = now + at.SAMPLE_EVERY_S
            self._whole[row + at.QUEUE] = self._whole[row + at.QUEUE] or listening_queue()
            self._sample(loop_lag_ms)
            if self.slot >= 0 and not self._is_in_place():
                log.warning("the table of workers was taken away or replaced; this worker enters itself again")
                self._map(fresh_row=False)

    def release(self) -> None:
        """Give the slot back; what was counted stays."""
        if self.slot < 0:
            return
        with self._locked():
            _retire(self._file, self._layout, self.slot)
        self.slot = -1
        self._use(self._private_row(), 0)

    def rows(self) -> list[Worker]:
        """Return the rows of all living workers of this host, by slot."""
        return read_rows(self._shared) if self._shared else []

    def totals(self) -> Totals:
        """Return what all workers have counted since the table was made, those that are gone included."""
        return read_totals(self._shared) if self._shared else Totals.nothing(len(self.routes))

    def _count(self, route: int, status: int, seconds: float, sent: int) -> None:
        whole = self._whole
        whole[self._bytes_out] += sent
        cell = self._first_route + route * ROUTE_CELLS
        whole[cell + bisect_left(BUCKETS_S, seconds)] += 1
        whole[cell + MICROSECONDS] += int(seconds * 1_000_000)
        whole[cell + BEFORE_STATUS + status // 100] += 1

    def _map(self, *, fresh_row: bool) -> None:
        """Map the file, made anew when it is not there, damaged or of another layout, and take a slot in it."""
        row = self._file[8 * self._row : 8 * (self._row + self._layout.row_cells)].tobytes()
        with self._locked():
            if not self._is_sound():
                self._make()
            with self._path.open("r+b") as file:
                self._shared = memoryview(mmap.mmap(file.fileno(), self._layout.size))
            self._use(self._shared, 0)
            self.slot = self._take(row, fresh_row=fresh_row)
        if self.slot < 0:
            log.warning("all %s places for workers are taken: this one is not in the table", at.SLOTS)
            self._use(memoryview(bytearray(row)), 0)

    def _take(self, row: bytes, *, fresh_row: bool) -> int:
        pid = os.getpid()
        for slot in range(at.SLOTS):
            start = self._layout.row(slot)
            owner = self._whole[start + at.PID]
            if owner and owner != pid and start_ticks(owner) == self._whole[start + at.TICKS]:
                continue
            if owner:
                _retire(self._file, self._layout, slot)
            self._use(self._file, start)
            if not fresh_row:
                self._file[8 * start : 8 * (start + self._layout.row_cells)] = row
            host = platform.node().encode()[: 8 * at.HOST_CELLS].ljust(8 * at.HOST_CELLS, b"\0")
            self._file[8 * (start + at.HOST) : 8 * (start + at.HOST + at.HOST_CELLS)] = host
            self._whole[start + at.TICKS] = start_ticks(pid)
            self._parts[start + at.STARTED_AT] = self._parts[start + at.STARTED_AT] or time.time()
            self._parts[start + at.HEARTBEAT] = time.monotonic()
            self._whole[start + at.PID] = pid  # last: who reads meanwhile finds no owner
            return slot
        return -1

    def _private_row(self) -> memoryview:
        return memoryview(bytearray(8 * self._layout.row_cells))

    def _use(self, file: memoryview, row: int) -> None:
        self._file = file
        self._whole = file.cast("q")
        self._parts = file.cast("d")
        self._row = row
        # Found once: what follows is done for every request, and each addition counts.
        self._requests, self._bytes_out = row + at.REQUESTS, row + at.BYTES_OUT
        self._in_flight, self._last_request = row + at.IN_FLIGHT, row + at.LAST_REQUEST
        self._first_route = row + at.ROUTES_AT

    def _sample(self, loop_lag_ms: float) -> None:
        row, whole, parts = self._row, self._whole, self._parts
        number = whole[row + at.SAMPLE_COUNT]
        start = row + at.SAMPLES_AT + number % at.SAMPLES * at.SAMPLE_CELLS
        parts[start] = time.time()
        whole[start + 1] = whole[row + at.REQUESTS]
        whole[start + 2] = whole[row + at.IN_FLIGHT]
        parts[start + 3] = loop_lag_ms
        whole[start + 4] = whole[row + at.RSS]
        whole[row + at.SAMPLE_COUNT] = number + 1

    def _is_in_place(self) -> bool:
        pid = int.from_bytes(self._first_bytes(8 * (self._row + at.PID), 8), "little")
        return self._is_sound() and pid == os.getpid()

    def _is_sound(self) -> bool:
        try:
            is_of_size = self._path.stat().st_size == self._layout.size
            return is_of_size and self._first_bytes(0, len(self._header)) == self._header
        except OSError:
            return False

    def _first_bytes(self, start: int, length: int) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                return file.read(length)
        except OSError:
            return b""

    def _make(self) -> None:
        fresh = self._path.with_suffix(f".{os.getpid()}")
        try:
            with fresh.open("wb") as file:
                file.write(self._header)
                file.flush()
                # Its place is taken now: to write to a mapped page that has none on a full disk ends the process.
                os.posix_fallocate(file.fileno(), 0, self._layout.size)
            fresh.replace(self._path)
        finally:
            fresh.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _retire(file: memoryview, layout: Layout, slot: int) -> None:
    """Add what a slot has counted to the row of the retired, and empty it; called under the lock.

    Readers see by the sequence number, odd meanwhile, that they have to read again.
    """
    whole = file.cast("q")
    start, retired = layout.row(slot), layout.row(at.RETIRED)
    whole[at.SEQUENCE_CELL] |= 1
    for cell in layout.counters:
        count = whole[start + cell]
        if count:
            whole[start + cell] = 0
            whole[retired + cell] += count
    file[8 * start : 8 * (start + layout.row_cells)] = bytes(8 * layout.row_cells)
    whole[at.SEQUENCE_CELL] += 1
