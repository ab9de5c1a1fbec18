"""What each worker reports twice a second."""

import asyncio
import time

from app.workers.table import WorkerTable

INTERVAL_S = 0.5


async def beat(table: WorkerTable) -> None:
    """Report to the table for ever, with how late the event loop woke this task."""
    while True:
        due = time.monotonic() + INTERVAL_S
        await asyncio.sleep(INTERVAL_S)
        table.beat(max(0.0, time.monotonic() - due) * 1000)
