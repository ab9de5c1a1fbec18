"""What each worker reports twice a second, and what happens when it cannot."""

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import time

from app.workers.table import WorkerTable

log = logging.getLogger(__name__)

INTERVAL_S = 0.5
BLOCKED_STATUS = 70  # the exit status of a worker whose event loop was blocked for too long


class Heart:
    """Beats in the event loop. With a limit, a thread watches it, and ends the process when it stands still."""

    def __init__(self, table: WorkerTable, limit_s: float) -> None:
        self._table = table
        self._limit_s = limit_s
        self._last = time.monotonic()
        self._has_stopped = threading.Event()

    async def beat(self) -> None:
        """Report to the table for ever, with how late the event loop woke this task."""
        if self._limit_s:
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        try:
            while True:
                due = time.monotonic() + INTERVAL_S
                await asyncio.sleep(INTERVAL_S)
                self._last = time.monotonic()
                try:
                    self._table.beat(max(0.0, self._last - due) * 1000)
                except OSError as error:  # no file may be opened just now; the heart must not stop for that
                    log.warning("a report could not be written whole: %s", error)
        finally:
            self._has_stopped.set()

    def _watch(self) -> None:
        """End the process once the loop has stood still for too long; its supervisor starts another one.

        Time in which this thread did not run either does not count: the process was stopped, not blocked.
        """
        blocked_s = 0.0
        seen, before = self._last, time.monotonic()
        while not self._has_stopped.wait(INTERVAL_S):
            now = time.monotonic()
            blocked_s = 0.0 if self._last != seen else blocked_s + min(now - before, 2 * INTERVAL_S)
            seen, before = self._last, now
            if blocked_s > self._limit_s:
                log.critical("the event loop has stood still for %.0f s: this worker ends; what it did:", blocked_s)
                faulthandler.dump_traceback(sys.stderr, all_threads=True)
                os._exit(BLOCKED_STATUS)
