"""What a reader notices while others wear the site out, and what is left of it afterwards.

Run as `python bench/load.py [ARTICLES] [--seconds N] [--addresses N] [--searches]`. Against two workers at once: slow
clients that send one byte a second, half of them of the head and half of the body of a request; idle connections that
have asked once; connections that ask for distinct searches without a pause; a crawler that follows every link.
Meanwhile a reader with a new connection each time asks for a page that is kept, one that is made anew, and a search.
All others come from other addresses of this machine than the reader, the searches from as many as `--addresses` says;
`--searches` leaves out everybody else. What memory each worker holds is looked at each minute.
"""

import argparse
import asyncio
import random
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import memory
import pages
from servers import product, running

QUIET_S = 15
SLOW, IDLE, FLOOD = 200, 2000, 64
READER_PAUSE_S, STARTING_S = 0.2, 20.0
MEMORY_EVERY_S = 60
READER, OTHERS = "127.0.0.1", "127.0.0.2"
LINK = re.compile(rb'href="(/[^"#]*)')


@dataclass
class Seen:
    """What happened, counted over the whole run."""

    port: int
    waits: dict[str, list[float]] = field(default_factory=dict)  # of the reader, seconds
    answers: Counter[str] = field(default_factory=Counter)  # by who asked and the status
    crawled: set[str] = field(default_factory=set)

    def print_waits(self) -> None:
        """Print how long the reader has waited."""
        for kind, waits in self.waits.items():
            p50, p95 = statistics.median(waits), sorted(waits)[int(len(waits) * 0.95)]
            print(f"  {kind:15} {len(waits):5} times  p50 {p50 * 1000:6.0f} ms  p95 {p95 * 1000:6.0f} ms  "
                  f"longest {max(waits) * 1000:6.0f} ms")  # fmt: skip


async def get(seen: Seen, who: str, path: str, source: str = READER) -> bytes:
    """Ask on a new connection; return the answer, and count its status."""
    reader, writer = await connected(seen, source)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = await asyncio.wait_for(reader.read(-1), 60)
    finally:
        writer.close()
    seen.answers[f"{who} {answer[9:12].decode() or 'nothing'}"] += 1
    return answer


async def connected(seen: Seen, source: str = OTHERS) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a new connection from an address of this machine."""
    return await asyncio.open_connection("127.0.0.1", seen.port, local_addr=(source, 0))


async def read(seen: Seen, slugs: list[str], queries: list[str]) -> None:
    """Read as a person does, only faster, and remember each wait."""
    chosen = random.Random(2)
    while True:
        for kind, path in (
            ("kept page", "/"),
            ("page made anew", f"/questions/{chosen.choice(slugs)}?{chosen.random()}"),
            ("search", f"/search?q={chosen.choice(queries)}&page=1&{chosen.random()}"),
        ):
            started = time.perf_counter()
            await get(seen, "reader", path)
            seen.waits.setdefault(kind, []).append(time.perf_counter() - started)
            await asyncio.sleep(READER_PAUSE_S)


async def send_slowly(seen: Seen, start: bytes) -> None:
    """Send `start`, then a byte a second, until the server has had enough; then again."""
    while True:
        reader, writer = await connected(seen)
        writer.write(start)
        answer = asyncio.create_task(reader.read(100))
        try:
            while not answer.done():
                writer.write(b"x")
                await asyncio.wait([answer], timeout=1)
            seen.answers[f"slow {(await answer)[9:12].decode() or 'closed'}"] += 1
        except OSError:
            seen.answers["slow closed"] += 1
        finally:
            answer.cancel()
            writer.close()


async def stay(seen: Seen) -> None:
    """Ask once, and keep the connection until the server ends it; then keep silent ones in the same way."""
    await asyncio.sleep(random.random() * STARTING_S)
    question = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    while True:
        reader, writer = await connected(seen)
        try:
            writer.write(question)
            answer = await reader.read(-1)
            seen.answers["idle " + (answer[9:12].decode() or "closed")] += 1
        except OSError:
            seen.answers["idle reset"] += 1
        finally:
            writer.close()
        question = b""


async def flood(seen: Seen, queries: list[str], source: str) -> None:
    """Search for something else each time, without a pause."""
    chosen = random.Random()
    while True:
        await get(seen, "flood", f"/search?q={chosen.choice(queries)}%20{chosen.randrange(10**9)}", source)


async def crawl(seen: Seen) -> None:
    """Follow every link once."""
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        for link in LINK.findall(await get(seen, "crawler", path, OTHERS)):
            found = link.decode().replace("&amp;", "&")
            if found not in seen.crawled and len(seen.crawled) < 100_000:
                seen.crawled.add(found)
                waiting.append(found)


def used(pid: int) -> tuple[int, float]:
    """Return how many files a process has open, and its resident memory in MB."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir())), memory.held(pid).resident_mb


async def watch(pid: int, held: list[dict[int, memory.Held]]) -> None:
    """Look what memory each worker holds, now and each minute."""
    while True:
        held.append({worker: memory.held(worker) for worker in memory.children(pid)})
        await asyncio.sleep(MEMORY_EVERY_S)


def wear_out(port: int, queries: list[str], options: argparse.Namespace) -> Seen:
    """Let everybody but the reader loose for a while; a process of its own does so, for the reader's waits count."""
    seen = Seen(port)
    head = b"GET / HTTP/1.1\r\nX: "
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9999\r\n\r\n"
    body = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\n" + form
    sources = [f"127.0.1.{1 + number % options.addresses}" for number in range(FLOOD)]
    everybody = [flood(seen, queries, source) for source in sources]
    if not options.searches:
        everybody += [send_slowly(seen, start) for start in (head, body) for _ in range(SLOW // 2)]
        everybody += [*(stay(seen) for _ in range(IDLE)), crawl(seen)]
    asyncio.run(together(everybody, options.seconds))
    return seen


async def together(work: Iterable[Coroutine[None, None, None]], seconds: float) -> None:
    """Do all at once for a while."""
    tasks = [asyncio.create_task(each) for each in work]
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    waiting = set(tasks)
    while waiting:  # once is not enough: asyncio.wait_for loses what cancels it when it ends in the same moment
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=1)
    for task in done:
        if not task.cancelled():
            task.result()


def main() -> None:
    """Wear the site out and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=2000, help="how many documents")
    parser.add_argument("--seconds", type=float, default=60, help="how long")
    parser.add_argument("--addresses", type=int, default=1, help="from how many the searches come, at most 64")
    parser.add_argument("--searches", action="store_true", help="nobody but those who search")
    options = parser.parse_args()
    data, slugs, queries = pages.library(options.articles)
    with tempfile.TemporaryDirectory() as folder:
        places = {"OMNIRACLE_DATA_DIR": str(data), "OMNIRACLE_CONTENT_DIR": folder}
        with running(Path(folder, "log"), product(), **places) as (pid, site):
            seen = Seen(urlsplit(site).port or 0)
            workers = memory.children(pid)
            asyncio.run(together([read(seen, slugs, queries)], QUIET_S))
            print("A reader alone:")
            seen.print_waits()
            seen.waits.clear()
            before = {worker: used(worker) for worker in workers}
            held: list[dict[int, memory.Held]] = []
            with ProcessPoolExecutor(1) as apart:
                others = apart.submit(wear_out, seen.port, queries, options)
                asyncio.run(together([read(seen, slugs, queries), watch(pid, held)], options.seconds))
                seen.answers.update(others.result().answers)
            worn = {worker: used(worker) for worker in workers}
            time.sleep(30)  # longer than the server waits for anybody
            after = {worker: used(worker) for worker in workers}
            held.append({worker: memory.held(worker) for worker in memory.children(pid)})
            report(seen, before, worn, after)
            print_memory(held)
            if memory.children(pid) != workers:
                print("  A WORKER WAS REPLACED")


def report(seen: Seen, *used_: dict[int, tuple[int, float]]) -> None:
    """Print the waits, the answers, and what each worker used before, during and after it all."""
    print("A reader beside everybody:")
    seen.print_waits()
    print("  answers:", ", ".join(f"{who} {number}" for who, number in sorted(seen.answers.items())))
    for worker in used_[0]:
        files, megabytes = zip(*(each[worker] for each in used_), strict=True)
        print(f"  worker {worker}: files {' -> '.join(map(str, files))}, "
              f"{' -> '.join(f'{each:.0f}' for each in megabytes)} MB (before, at the end, 30 s later)")  # fmt: skip


def print_memory(held: list[dict[int, memory.Held]]) -> None:
    """Print a table of what each worker held at each look, the last of them half a minute after it all."""
    workers = sorted({worker for each in held for worker in each})
    print("  memory in MB, resident / with its part of what is shared:")
    print("  minute " + "".join(f"{f'worker {worker}':>18}" for worker in workers))
    for number, each in enumerate(held):
        minute = f"{number * MEMORY_EVERY_S / 60:.0f}" if each is not held[-1] else "after"
        found = (each.get(worker) for worker in workers)
        cells = (f"{one.resident_mb:.0f} / {one.proportional_mb:.0f}" if one else "-" for one in found)
        print(f"  {minute:>6} " + "".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    main()
