"""What each worker does twice a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from app.workers.table import WorkerTable

INTERVAL_S = 0.5

EveryTick = Callable[[], Awaitable[None]]


async def beat(table: WorkerTable, every_tick: EveryTick) -> None:
    """Report to the table for ever, with how late the event loop woke this task; run `every_tick` after each beat."""
    while True:
        due = time.monotonic() + INTERVAL_S
        await asyncio.sleep(INTERVAL_S)
        table.beat(max(0.0, time.monotonic() - due) * 1000)
        await every_tick()
