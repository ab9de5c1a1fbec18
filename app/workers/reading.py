"""Reading the table of workers, from any process."""

import mmap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.workers import layout as at
from app.workers.layout import Layout
from app.workers.processes import start_ticks

BUSY_AFTER_S = 0.8
LOST_AFTER_S = 1.4  # heartbeats come twice a second: who stops is known to within two seconds
BUSY_LAG_MS = 100.0
READ_AGAIN = 50

State = Literal["ok", "busy", "not responding"]


@dataclass(frozen=True)
class Sample:
    """How a worker was at one moment."""

    at: float  # Unix time in seconds
    requests: int  # since its start
    in_flight: int
    loop_lag_ms: float
    rss_bytes: int


@dataclass(frozen=True)
class Worker:
    """One row of the table; times are Unix times in seconds."""

    slot: int
    pid: int
    host: str
    started_at: float
    requests: int
    in_flight: int
    bytes_out: int
    rss_bytes: int
    cpu_seconds: float
    loop_lag_ms: float
    heartbeat_age_s: float
    last_request_at: float | None
    queue: int  # from which it takes connections; the same number is the same queue, 0 is unknown
    samples: tuple[Sample, ...]  # of the last minutes, the oldest first

    @property
    def state(self) -> State:
        """How the worker is, judged by the age of its heartbeat and the lag of its event loop."""
        if self.heartbeat_age_s > LOST_AFTER_S:
            return "not responding"
        if self.heartbeat_age_s > BUSY_AFTER_S or self.loop_lag_ms > BUSY_LAG_MS:
            return "busy"
        return "ok"

    def figures(self) -> dict[str, Any]:
        """Return it as a row of /-/workers.json."""
        return {
            "slot": self.slot,
            "pid": self.pid,
            "started_at": self.started_at,
            "requests": self.requests,
            "in_flight": self.in_flight,
            "rss_bytes": self.rss_bytes,
            "cpu_seconds": round(self.cpu_seconds, 2),
            "loop_lag_ms": round(self.loop_lag_ms, 2),
            "heartbeat_age_s": round(self.heartbeat_age_s, 3),
            "state": self.state,
            "host": self.host,
            "bytes_out": self.bytes_out,
            "last_request_at": self.last_request_at and round(self.last_request_at, 3),
        }


@dataclass(frozen=True)
class RouteTotals:
    """What was answered under one route."""

    buckets: tuple[int, ...]  # how many took at most BUCKETS_S, each counted once; the last is for those that took more
    seconds: float
    statuses: tuple[int, ...]  # 1xx to 5xx


@dataclass(frozen=True)
class Totals:
    """What all workers have counted together."""

    requests: int
    bytes_out: int
    routes: tuple[RouteTotals, ...]  # in the order of the table's routes

    @classmethod
    def nothing(cls, routes: int) -> "Totals":
        """Return the totals of a table in which nobody has counted."""
        return _totals([0] * Layout(routes).row_cells)


def read_file(path: Path) -> memoryview | None:
    """Return the table as it is now, without a place in it; None when there is none, or one of another version."""
    try:
        with path.open("rb") as file:
            found = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return None
    is_whole = found.nbytes > 8 * at.HEADER_CELLS and found.nbytes == _layout(found).size
    return found if is_whole and found[: len(at.MAGIC)] == at.MAGIC else None


def rows_in(path: Path) -> list[Worker]:
    """Return the rows of all living workers, by slot; none where there is no table."""
    file = read_file(path)
    return read_rows(file) if file else []


def read_rows(file: memoryview) -> list[Worker]:
    """Return the rows of all living workers, by slot."""
    whole, parts, layout = file.cast("q"), file.cast("d"), _layout(file)
    now, clock = time.monotonic(), time.time()
    found = []
    for slot in range(at.SLOTS):
        row = layout.row(slot)
        pid = whole[row + at.PID]
        if not pid or start_ticks(pid) != whole[row + at.TICKS]:
            continue
        last = parts[row + at.LAST_REQUEST]
        name = file[8 * (row + at.HOST) : 8 * (row + at.HOST + at.HOST_CELLS)].tobytes()
        found.append(
            Worker(
                slot=slot,
                pid=pid,
                host=name.rstrip(b"\0").decode("utf-8", "replace"),
                started_at=parts[row + at.STARTED_AT],
                requests=whole[row + at.REQUESTS],
                in_flight=max(0, whole[row + at.IN_FLIGHT]),
                bytes_out=whole[row + at.BYTES_OUT],
                rss_bytes=whole[row + at.RSS],
                cpu_seconds=parts[row + at.CPU_S],
                loop_lag_ms=parts[row + at.LAG_MS],
                heartbeat_age_s=max(0.0, now - parts[row + at.HEARTBEAT]),
                last_request_at=clock - (now - last) if last else None,
                queue=whole[row + at.QUEUE],
                samples=_samples(whole, parts, row),
            )
        )
    return found


def read_totals(file: memoryview) -> Totals:
    """Return what all workers have counted since the table was made, those that are gone included."""
    whole, layout = file.cast("q"), _layout(file)
    for _ in range(READ_AGAIN):
        sequence = whole[at.SEQUENCE_CELL]
        sums = [0] * layout.row_cells
        for slot in range(at.SLOTS + 1):
            row = layout.row(slot)
            if slot == at.RETIRED or whole[row + at.PID]:
                for cell in layout.counters:
                    sums[cell] += whole[row + cell]
        if sequence % 2 == 0 and whole[at.SEQUENCE_CELL] == sequence:
            break
        time.sleep(0.001)  # a worker's counts are being moved to those of the retired
    return _totals(sums)


def _totals(cells: list[int]) -> Totals:
    routes = []
    for row in range(at.ROUTES_AT, len(cells), at.ROUTE_CELLS):
        buckets = tuple(cells[row : row + at.BUCKET_CELLS])
        statuses = tuple(cells[row + at.STATUS : row + at.STATUS + at.STATUS_CLASSES])
        routes.append(RouteTotals(buckets, cells[row + at.MICROSECONDS] / 1_000_000, statuses))
    return Totals(cells[at.REQUESTS], cells[at.BYTES_OUT], tuple(routes))


def _layout(file: memoryview) -> Layout:
    return Layout(int.from_bytes(file[8 * at.ROUTES_CELL : 8 * (at.ROUTES_CELL + 1)], "little"))


def _samples(whole: memoryview, parts: "memoryview[float]", row: int) -> tuple[Sample, ...]:
    count = whole[row + at.SAMPLE_COUNT]
    found = []
    for number in range(max(0, count - at.SAMPLES), count):
        start = row + at.SAMPLES_AT + number % at.SAMPLES * at.SAMPLE_CELLS
        lag, rss = parts[start + 3], whole[start + 4]
        found.append(Sample(parts[start], whole[start + 1], whole[start + 2], lag, rss))
    return tuple(found)
