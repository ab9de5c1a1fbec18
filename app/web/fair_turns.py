"""A few at a time, and of those who wait a client's next one after one of every other client's.

So who asks once waits for one request of everybody else, however many of them somebody else has sent.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from anyio.from_thread import run_sync

from app.errors import Busy, TooManyRequests

MOST_WAITING = 100  # the last of them waits a few seconds
MOST_OF_ONE = 80  # client; an office or a school may share an address
RETRY_AFTER_S = 5

Waiter = asyncio.Future[None]


class FairTurns:
    """Turns of one event loop, `at_once` at the same time; where they are short, `room` times as many may wait."""

    def __init__(self, at_once: int, room: int = 1) -> None:
        self._free = at_once
        self._room = room
        self._waiting: OrderedDict[str, deque[Waiter]] = OrderedDict()  # by client; whose turn is next comes first

    @property
    def is_free(self) -> bool:
        """Whether nobody would have to wait."""
        return self._free > 0

    @contextmanager
    def at_once(self) -> Iterator[bool]:
        """Have a turn, from a thread that the event loop has started, if one is free now; say whether it was."""
        has_turn: bool = run_sync(self._take)
        try:
            yield has_turn
        finally:
            if has_turn:
                run_sync(self._pass_on)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def of(self, client: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it.

        Raises TooManyRequests for a client of which too many wait, and Busy where too many wait of all: then who has
        the most gives way to who has fewer.
        """
        if not self._take():
            await self._wait(client)
        try:
            yield
        finally:
            self._pass_on()

    def _take(self) -> bool:
        is_free = self.is_free
        self._free -= is_free
        return is_free

    async def _wait(self, client: str) -> None:
        own = len(self._waiting.get(client, ()))
        if own >= MOST_OF_ONE * self._room:
            raise TooManyRequests(RETRY_AFTER_S)
        if self.waiting >= MOST_WAITING * self._room:
            self._make_room(own)
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._forget(client, waiter)
            elif waiter.exception() is None:
                self._pass_on()  # the turn came in the very moment in which nobody wanted it any more
            raise

    def _make_room(self, own: int) -> None:
        client, longest = max(self._waiting.items(), key=lambda item: len(item[1]))
        if len(longest) <= own + 1:
            raise Busy
        last = longest[-1]
        self._forget(client, last)
        last.set_exception(Busy())

    def _forget(self, client: str, waiter: Waiter) -> None:
        queue = self._waiting.get(client, deque())
        if waiter in queue:
            queue.remove(waiter)
            if not queue:
                del self._waiting[client]

    def _pass_on(self) -> None:
        while self._waiting:
            client, queue = next(iter(self._waiting.items()))
            waiter = queue.popleft()
            if queue:
                self._waiting.move_to_end(client)
            else:
                del self._waiting[client]
            if not waiter.done():  # else it was given up, and has not heard of it yet
                waiter.set_result(None)
                return
        self._free += 1
