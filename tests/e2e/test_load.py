"""Slow, idle and greedy clients at once: the site goes on answering, and is as before when they are gone."""

import asyncio
import contextlib
import random
from pathlib import Path

import pytest

from tests.loops import run
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

SLOW, IDLE, GREEDY, READS = 60, 300, 16, 12
PATIENCE_S = 60  # of the reader; a wait is measured by bench/load.py, not here


def files(server):
    return {pid: len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in server.pids()}


async def wear_out(port):
    """Read a few pages beside everybody else; return the status lines."""

    async def get(path):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.closing(writer):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return (await reader.read(-1)).partition(b"\r\n")[0]

    async def stay(start, pause_s):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.closing(writer), contextlib.suppress(OSError):
            while True:
                writer.write(start)
                start = b"x"
                await asyncio.sleep(pause_s)

    async def search():
        while True:
            await get(f"/search?q=workers%20{random.randrange(10**9)}")

    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 999\r\n\r\n"
    others = [
        asyncio.create_task(each)
        for each in (
            *(stay(b"GET / HTTP/1.1\r\nX: ", 0.2) for _ in range(SLOW // 2)),
            *(stay(b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\n" + form, 0.2) for _ in range(SLOW // 2)),
            *(stay(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 3600) for _ in range(IDLE)),
            *(search() for _ in range(GREEDY)),
        )
    ]
    statuses = [
        await asyncio.wait_for(get(path), PATIENCE_S)
        for _ in range(READS // 3)
        for path in ("/", f"/questions?{random.random()}", f"/search?q=uvicorn&{random.random()}")
    ]
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    return statuses


def test_the_site_goes_on_answering(server):
    pids = server.pids()
    run(wear_out(int(server.url.rpartition(":")[2])))
    before = files(server)  # what a worker opens for its first searches stays open
    statuses = run(wear_out(int(server.url.rpartition(":")[2])))
    assert statuses == [b"HTTP/1.1 200 OK"] * READS
    assert server.pids() == pids

    def are_closed():
        after = files(server)
        return all(after[pid] <= before[pid] + 20 for pid in pids)

    assert eventually(are_closed), (before, files(server))


def test_as_many_connections_as_the_system_lets(server):
    for pid in server.pids():
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        (line,) = [line.split() for line in limits if line.startswith("Max open files")]
        assert line[3] == line[4]
