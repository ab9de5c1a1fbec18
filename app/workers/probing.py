"""Asking the site many times, from a short process of its own: from inside a worker the result would be biased.

Run as `python -m app.workers.probing`, it reads a `Plan` as JSON and writes an `Outcome`. Only loopback-light: it asks
one fixed path, says nothing but GET, and has bounds in number, concurrency and time.
"""

import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from app.config import PROJECT_DIR
from app.errors import ProbeFailed

PROBED_PATH = "/livez"
PAUSE_PATH = "/-/pause"
KEY_HEADER = b"x-omniracle-probe"
KEY_LIFETIME_S = 60
MAX_REQUESTS = 400
MAX_CONCURRENCY = 16
TIMEOUT_S = 20.0
PROBED_PATHS = (PROBED_PATH, PAUSE_PATH)
PAUSE_S = 2.0
PAUSE_HEAD_START_S = 0.1  # until the worker that was asked to stand still does


@dataclass(frozen=True)
class Plan:
    """What to ask, and how."""

    host: str
    port: int
    is_kept: bool  # whether a connection is used again
    requests: int
    concurrency: int
    is_blocked: bool  # whether one worker stands still meanwhile
    key: str


@dataclass(frozen=True)
class Outcome:
    """Which process answered, in the order of the answers, and what went wrong."""

    pids: list[int]
    failed: int
    duration_ms: float
    slowest_ms: float
    blocked_pid: int | None = None


class ProbeKeys:
    """Tells an experiment's requests from all others: by a key that only who knows the site's secret can make."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def make(self) -> str:
        """Return a key for the next minute."""
        return self._of(int(time.time()) // KEY_LIFETIME_S)

    def is_genuine(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Say whether headers carry a key of this minute or the one before."""
        for name, value in headers:
            if name == KEY_HEADER:
                minute = int(time.time()) // KEY_LIFETIME_S
                known = (self._of(minute), self._of(minute - 1))
                return any(hmac.compare_digest(each.encode(), value) for each in known)
        return False

    def _of(self, minute: int) -> str:
        return hmac.new(self._secret, f"probe {minute}".encode(), hashlib.sha256).hexdigest()


def probe(plan: Plan) -> Outcome:
    """Carry a plan out in a process of its own; raise ProbeFailed when it could not be."""
    command = [sys.executable, "-m", "app.workers.probing"]
    try:
        done = subprocess.run(  # noqa: S603  our own module; the plan goes in as JSON
            command,
            cwd=PROJECT_DIR,
            input=json.dumps(asdict(plan)),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
        return Outcome(**json.loads(done.stdout))
    except subprocess.CalledProcessError as error:
        raise ProbeFailed(error.stderr.strip().rpartition("\n")[2][:300]) from error
    except (OSError, ValueError, TypeError, subprocess.TimeoutExpired) as error:
        raise ProbeFailed(type(error).__name__) from error


async def _carry_out(plan: Plan) -> Outcome:
    blocked_pid, pause = None, None
    if plan.is_blocked:
        pause = asyncio.create_task(_ask_once(plan, "POST", PAUSE_PATH))
        await asyncio.sleep(PAUSE_HEAD_START_S)
    pids: list[int] = []
    failed = 0
    slowest = 0.0
    left = iter(range(plan.requests))

    async def client() -> None:
        nonlocal failed, slowest
        connection: _Connection | None = None
        for _ in left:
            if pause is not None and pause.done():  # what comes now meets nobody who stands still
                return
            began = time.perf_counter()
            try:
                connection = connection or await _Connection.open(plan)
                pids.append(await connection.ask(plan, "GET", PROBED_PATH, is_kept=plan.is_kept))
            except (OSError, ValueError, EOFError):
                failed += 1
                connection = None
            slowest = max(slowest, time.perf_counter() - began)
            if connection and not plan.is_kept:
                connection.close()
                connection = None
        if connection:
            connection.close()

    started = time.perf_counter()
    async with asyncio.timeout(TIMEOUT_S - 2):
        await asyncio.gather(*(client() for _ in range(plan.concurrency)))
        duration = time.perf_counter() - started
        if pause:
            blocked_pid = await pause
    return Outcome(pids, failed, duration * 1000, slowest * 1000, blocked_pid)


class _Connection:
    """One connection to the site."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, plan: Plan) -> "_Connection":
        return cls(*await asyncio.open_connection(plan.host, plan.port))

    async def ask(self, plan: Plan, method: str, path: str, *, is_kept: bool) -> int:
        """Return the process that has answered, as it names itself."""
        lines = (
            f"{method} {path} HTTP/1.1",
            f"Host: {plan.host}:{plan.port}",
            f"{KEY_HEADER.decode()}: {plan.key}",
            f"Connection: {'keep-alive' if is_kept else 'close'}",
            "Content-Length: 0",
        )
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(line.partition(": ")[::2] for line in head.split("\r\n")[1:])
        await self._reader.readexactly(int(fields.get("content-length", "0")))
        if " 200 " not in head.partition("\r\n")[0]:
            raise ValueError(head.partition("\r\n")[0])
        return int(fields["x-served-by"])

    def close(self) -> None:
        self._writer.close()


async def _ask_once(plan: Plan, method: str, path: str) -> int:
    connection = await _Connection.open(plan)
    try:
        return await connection.ask(plan, method, path, is_kept=False)
    finally:
        connection.close()


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_carry_out(Plan(**json.load(sys.stdin)))))))  # noqa: T201
