"""Changes are made a few at a time, and while one is, the event loop steps aside for the thread that makes it."""

import asyncio
import time

from anyio.to_thread import current_default_thread_limiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.storage.engines import POOL_SIZE
from app.web.origin import SAFE_METHODS
from app.web.turns import takes_turns

STEP_S = 0.002
AT_ONCE = POOL_SIZE // 2  # the other threads are for readers, also while all who write wait for the database
LOOK_S = 0.001  # until it is looked again whether the loop is busy
BUSY = 0.5  # of the time
# An experiment measures how fast the loop takes up connections, and language models only read.
APART = ("/-/", "/mcp")


class StepsAside:
    """Lets changes get on beside busy readers, who wait some milliseconds longer meanwhile.

    The interpreter runs one thread at a time. A change lets go of it hundreds of times, for the disk for example, and
    each time a loop that always has a reader to answer would take it for milliseconds: a tenth of a second of work
    would take seconds.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._changes = 0  # that are being made
        self._places = asyncio.Semaphore(AT_ONCE)
        self._is_stepping = False
        self._noted = 0.0, 0.0  # when it was last looked, and how long the loop's thread had worked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS or scope["path"].startswith(APART):
            await self.app(scope, receive, send)
            return
        is_made = has_place = False

        async def receive_whole() -> Message:
            nonlocal is_made, has_place
            message = await receive()
            if not is_made and message["type"] == "http.request" and not message.get("more_body", False):
                # Who waits for a turn does so without a thread, and would keep a place meanwhile.
                if not takes_turns(scope.get("route")):
                    await self._places.acquire()
                    has_place = True
                is_made = True
                self._begin()
            return message

        async def send_made(message: Message) -> None:
            end()
            await send(message)

        def end() -> None:
            nonlocal is_made, has_place
            if has_place:
                has_place = False
                self._places.release()
            if is_made:
                is_made = False
                self._changes -= 1

        try:
            await self.app(scope, receive_whole, send_made)
        finally:
            end()

    def _begin(self) -> None:
        self._changes += 1
        if not self._is_stepping:
            self._is_stepping = True
            self._note()
            asyncio.get_running_loop().call_soon(self._step_aside)

    def _step_aside(self) -> None:
        """Wait in each turn of the loop, until nobody makes a change any more."""
        if not self._changes:
            self._is_stepping = False
            return
        loop = asyncio.get_running_loop()
        # A loop that has little to do leaves the interpreter to others by itself, and no thread has use of it while
        # the request is still on its way to one.
        if self._is_busy() and current_default_thread_limiter().borrowed_tokens:
            time.sleep(STEP_S)
            loop.call_soon(self._step_aside)
        else:
            loop.call_later(LOOK_S, self._step_aside)
        self._note()

    def _note(self) -> None:
        self._noted = time.monotonic(), time.thread_time()

    def _is_busy(self) -> bool:
        moment, worked = self._noted
        return time.thread_time() - worked > BUSY * (time.monotonic() - moment)
