"""The application factory."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio.to_thread
from fastapi import Depends, FastAPI
from starlette.types import Receive, Scope, Send

from app import __version__
from app.config import Settings
from app.storage.content_version import VersionWatch
from app.storage.engines import POOL_SIZE
from app.storage.failures import reason_of
from app.web import errors
from app.web.bodies import BodyLimit
from app.web.compression import Compression
from app.web.forms import form_limits
from app.web.middleware import ReaderLanguage, WorkerHeaders
from app.web.openapi import describe
from app.web.origin import refuse_cross_origin
from app.web.page_cache import PageCache
from app.web.routes import ROUTE_PATHS, ROUTERS, ROUTES
from app.web.state import State
from app.web.stepping_aside import StepsAside
from app.web.templating import environment
from app.workers.heartbeat import Heart
from app.workers.processes import limit_heaps

log = logging.getLogger(__name__)

LAST_WORK_S = 5.0
TEND_EVERY_S = 5
FOLLOW_EVERY_S = 0.5
TELL_EVERY_S = 2
SHARE_EVERY_S = 1
LOG_EVERY_S = 1
HEAPS = 2
TELL_PAGES_EVERY_S = 1
CHECK_LINKS_EVERY_S = 30
WATCH_EVERY_S = 0.05


class Site(FastAPI):
    """The application, behind the cache of pages: one from memory needs none of the framework's layers."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pages = PageCache(super().__call__, ROUTE_PATHS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.pages(scope, receive, send)


def create_app(settings: Settings) -> FastAPI:
    """Return the application; nothing is opened before it starts."""

    @asynccontextmanager
    async def lifespan(app: Site) -> AsyncIterator[None]:
        try:
            limit_heaps(HEAPS)
            settings.prepare_data_dir()
            state = State(settings, ROUTE_PATHS)
            await anyio.to_thread.run_sync(state.open)
        except Exception as error:
            if reason := reason_of(error):
                log.critical("%s", reason)
                sys.tracebacklimit = 0  # the server prints what ended the start; one line says it all
            raise
        app.state.omniracle = app.pages.state = state
        app.state.pid = os.getpid()
        environment()
        # One thread per database connection: no request ever waits for a connection that another one holds.
        anyio.to_thread.current_default_thread_limiter().total_tokens = POOL_SIZE
        tasks = [
            asyncio.create_task(Heart(state.table, settings.watchdog_s).beat()),
            asyncio.create_task(_every(TEND_EVERY_S, state.tend)),
            asyncio.create_task(_every(FOLLOW_EVERY_S, state.following.follow)),
            asyncio.create_task(_every(TELL_EVERY_S, state.tell)),
            asyncio.create_task(_every(SHARE_EVERY_S, state.limits.share)),
        ]
        state.watch = state.database.watch()
        if state.watch is not None:
            tasks.append(asyncio.create_task(_look(state.watch)))
            state.shared_pages.open()
            tasks.append(asyncio.create_task(_every(TELL_PAGES_EVERY_S, app.pages.tell)))
        if settings.access_log:
            tasks.append(asyncio.create_task(_every(LOG_EVERY_S, state.access_log.flush)))
        if settings.link_checks == "on":
            tasks.append(asyncio.create_task(_every(CHECK_LINKS_EVERY_S, state.check_links)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await state.mcp.close()
            app.pages.state = None
            if state.watch is not None:
                state.watch.close()
            state.shared_pages.close()
            await anyio.to_thread.run_sync(state.close)

    app = Site(
        title=settings.site_name,
        version=__version__,
        lifespan=lifespan,
        dependencies=[Depends(refuse_cross_origin)],
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        form_limits=form_limits(settings),
    )
    for router in ROUTERS:
        app.include_router(router)
    describe(app)
    errors.install(app, ROUTES)
    app.add_middleware(StepsAside)
    app.add_middleware(BodyLimit, limit=settings.request_mb * 2**20)
    app.add_middleware(ReaderLanguage)
    app.add_middleware(Compression)
    app.add_middleware(WorkerHeaders, holder=app.state, routes=ROUTE_PATHS)
    return app


async def _look(watch: VersionWatch) -> None:
    while True:
        watch.look()
        await asyncio.sleep(WATCH_EVERY_S)


async def _every(seconds: float, work: Callable[[], None]) -> None:
    # Apart from the heartbeat: indexing may take minutes, and this worker goes on answering meanwhile.
    told: str | None = None
    while True:
        await asyncio.sleep(seconds)
        running = asyncio.ensure_future(anyio.to_thread.run_sync(work))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:  # the stores are closed next: whoever uses them has some time to come to an end
            await asyncio.wait([running], timeout=LAST_WORK_S)
            raise
        except Exception as error:
            if reason := reason_of(error):
                if reason != told:  # what lasts is said once
                    log.warning("regular work failed and is tried again: %s", reason)
                told = reason
            else:
                log.exception("regular work failed; it is tried again")
        else:
            told = None
