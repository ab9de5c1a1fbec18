"""Where everything stands in the file of the table of workers: rows of cells of eight bytes, all alike.

A cell is written by one store of the processor, so that a reader in another process sees the old value or the new one.
"""

from dataclasses import dataclass

SLOTS = 128  # during a rolling restart there are more workers than usual
RETIRED = SLOTS  # one more row: what workers that are gone have counted
MAGIC = b"OMNIWRK2"
HEADER_CELLS = 16  # magic, how many routes, their digest, the sequence number of changes of owners
ROUTES_CELL, DIGEST_CELL, SEQUENCE_CELL = 1, 2, 3

# A row begins with who the worker is and how it is.
PID, TICKS, STARTED_AT, HEARTBEAT, LAG_MS, RSS, CPU_S, QUEUE = range(8)
# What it has counted; these go to the retired row when the worker is gone.
REQUESTS, BYTES_OUT = 8, 9
IN_FLIGHT, LAST_REQUEST = 10, 11
HOST, HOST_CELLS = 12, 4
# A ring of samples, one every SAMPLE_EVERY_S seconds.
SAMPLE_COUNT = 16
SAMPLES, SAMPLE_CELLS = 120, 5  # time, requests, in flight, lag, memory
SAMPLE_EVERY_S = 5.0
SAMPLES_AT = 17
ROUTES_AT = SAMPLES_AT + SAMPLES * SAMPLE_CELLS
# For each route: how many answers took at most so long, how long all took together, and how many of each class.
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
BUCKET_CELLS = len(BUCKETS_S) + 1
MICROSECONDS = BUCKET_CELLS
STATUS = MICROSECONDS + 1  # 1xx to 5xx follow each other
BEFORE_STATUS = STATUS - 1
STATUS_CLASSES = 5
ROUTE_CELLS = STATUS + STATUS_CLASSES


@dataclass(frozen=True)
class Layout:
    """The layout of a table for so many routes."""

    routes: int

    @property
    def row_cells(self) -> int:
        """How many cells a row has."""
        return ROUTES_AT + self.routes * ROUTE_CELLS

    @property
    def size(self) -> int:
        """How many bytes the file has."""
        return 8 * (HEADER_CELLS + (SLOTS + 1) * self.row_cells)

    def row(self, slot: int) -> int:
        """Return the cell at which the row of a slot begins."""
        return HEADER_CELLS + slot * self.row_cells

    @property
    def counters(self) -> tuple[int, ...]:
        """The cells of a row that only ever grow."""
        return (REQUESTS, BYTES_OUT, *range(ROUTES_AT, self.row_cells))
