"""What one worker holds open, and how routes get at it."""

import logging
import os
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError

from app.config import Settings
from app.search.engine import SearchEngine
from app.services import indexing, link_checking, searching
from app.services.engines import search_engine
from app.services.following import Follower
from app.services.hosts import Hosts
from app.services.image_store import RETRY_FOR_READERS_S, image_store
from app.services.limits import API_READ, CONTRIBUTION, LINK_CHECK, SIGN_UP, WANTED_CHECK, Limit, RateLimits
from app.services.openid import OpenIdProvider
from app.services.relating import RelatedQuestions
from app.services.wanting import WantedRecorder, close_answered
from app.storage import schema, views
from app.storage.content_version import VersionWatch
from app.storage.database import Database
from app.storage.failures import reason_of
from app.storage.shared_pages import SharedPages
from app.web.access_log import AccessLog
from app.web.fair_turns import FairTurns
from app.web.mcp import McpEndpoint
from app.web.program import program
from app.web.security_log import SecurityLog
from app.workers.probing import ProbeKeys
from app.workers.reading import Worker
from app.workers.table import WorkerTable

if TYPE_CHECKING:
    from app.services.fetcher import Fetcher

log = logging.getLogger(__name__)

FORGET_EVERY_S = 3600
LINKS_A_MINUTE = 20
FETCHES = 4  # pages of other sites at once: slow ones must not take all threads
SEARCHES = 2  # at once; more would only share the interpreter, and keep it from everybody else
RENDERINGS = 1  # at once, and merges, of what somebody has sent: for the same reason
DECODINGS = 1  # of images at once; each may take 300 MB
IMAGE_READS = 4  # at once: a bucket or a shared folder that is slow must not take all threads
IMAGE_ROOM = 10  # times as many wait: a page may have a hundred images, and a school asks for it from one address


class State:
    """The stores of one worker; opened when it starts, closed when it stops."""

    def __init__(self, settings: Settings, routes: Sequence[str]) -> None:
        self.settings = settings
        self.database = Database.of(settings)
        self.index = search_engine(settings)
        self.following = Follower(self.database, self.index)
        self.pid = os.getpid()
        self.watch: VersionWatch | None = None  # the event loop's, opened and closed by its thread
        self.shared_pages = SharedPages(settings.pages_dir, program(), repr(settings))  # as the watch
        self.table = WorkerTable(settings.workers_file, routes)
        self.hosts = Hosts(settings, self.database)
        self.related = RelatedQuestions(self.database, self.index)
        self.access_log = AccessLog(settings.access_log, routes)
        self.security_log = SecurityLog(self.database)
        self.views = ViewCounter(self.database)
        self.wanted = WantedRecorder(self.database)
        self.secret = settings.signing_key()
        self.limits = RateLimits(self.database, self.secret, own_limits(settings))
        self.provider = _provider(settings)
        self.probes = ProbeKeys(self.secret)
        self.mcp = McpEndpoint(settings)
        self._forgot_at = time.monotonic()
        self._checked_generation = -1
        self.fetches = BoundedSemaphore(FETCHES)
        self.images = image_store(settings, retry_for_s=RETRY_FOR_READERS_S)
        self.drawing = CapacityLimiter(1)  # of pictures of links
        self.searches = FairTurns(SEARCHES)
        self.renderings = FairTurns(RENDERINGS)
        self.decodings = FairTurns(DECODINGS)
        self.image_reads = FairTurns(IMAGE_READS, IMAGE_ROOM)
        self._wanted_checked: int | None = None  # the last entry that was looked at for this generation

    @cached_property
    def fetcher(self) -> "Fetcher":
        """What fetches pages of other sites; only the worker that does so loads it."""
        from app.services.fetcher import Fetcher

        return Fetcher()

    def open(self) -> None:
        """Check the schema and the index, and take a slot; raise OperatorError when this worker cannot serve."""
        schema.check(self.database)
        try:
            if indexing.ensure(self.database, self.index, may_leave=True):
                searching.warm(self.index)  # the first reader does not wait for it
            else:
                log.warning("the search index is built while the site serves")
        except Exception as error:
            if (reason := reason_of(error)) is None:
                raise
            log.warning("%s", reason)  # `tend` builds it anew; everything but the search works meanwhile
        self.table.claim()

    def close(self) -> None:
        """Write down what is only in memory and let go."""
        self.views.flush()
        self.wanted.flush(everything=True)
        self.access_log.flush()
        self.table.release()
        self.index.close()
        self.database.close()

    def tend(self) -> None:
        """Do the regular work: write down what is in memory, index what is queued, rebuild a deleted index."""
        self.views.flush()
        self.wanted.flush()
        if time.monotonic() - self._forgot_at > FORGET_EVERY_S:
            self._forgot_at = time.monotonic()
            self.limits.forget()
        try:
            if not self.index.is_whole():
                indexing.ensure(self.database, self.index, patience_s=0)
            elif not self.following.look():
                indexing.drain(self.database, self.index)
            else:
                indexing.tidy(self.database, self.index)
                self.related.tend()
            generation = self.index.generation()
            if generation != self._checked_generation:
                self._checked_generation = generation
                self._wanted_checked = 0 if self._has_to_look_for_answers(generation) else None
            if self._wanted_checked is not None:
                self._wanted_checked = close_answered(self.database, self.index, self._wanted_checked)
        except Exception as error:
            if (reason := reason_of(error)) is None:
                raise
            log.warning("the index could not be brought up to date: %s", reason)
        self.database.catch_up()

    def current_index(self) -> SearchEngine:
        """Return the index for who searches: it knows what was saved before, as far as it can be written now."""
        self.following.catch_up()
        return self.index

    def tell(self) -> None:
        """Tell other hosts how the workers and the index of this one are; one worker does it for all."""
        if not self.database.can_be_shared:
            return
        workers = self.table.rows()
        if self._is_first_of(workers):
            self.hosts.tell(workers, self.following.lag_s())

    def _is_first_of(self, workers: Sequence[Worker]) -> bool:
        return self.table.slot == min((each.slot for each in workers if each.state != "not responding"), default=-1)

    def _has_to_look_for_answers(self, generation: int) -> bool:
        """Say whether this is the worker that looks whether the index now answers what was asked for in vain."""
        if not self._is_first_of(self.table.rows()):
            return False
        has_all_hosts = self.settings.search_engine == "postgresql"
        return not has_all_hosts or self.limits.is_first(WANTED_CHECK, str(generation))

    def check_links(self) -> None:
        """Look at a few linked pages, once a minute over all workers; apart from `tend`, for it takes its time."""
        try:
            if self.limits.is_first(LINK_CHECK, "site"):
                link_checking.check(self.database, self.fetcher, limit=LINKS_A_MINUTE)
        except SQLAlchemyError as error:
            log.warning("links could not be checked: %s", type(error).__name__)


def own_limits(settings: Settings) -> dict[Limit, int]:
    """Return those limits that are settings."""
    return {API_READ: settings.api_reads, CONTRIBUTION: settings.contributions, SIGN_UP: settings.sign_ups}


def _provider(settings: Settings) -> OpenIdProvider | None:
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    return OpenIdProvider(
        settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, settings.oidc_name
    )


class ViewCounter:
    """Counts reads in memory and adds them to the database now and then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._counts: Counter[int] = Counter()

    def count(self, article_id: int) -> None:
        """Count one read."""
        with self._lock:
            self._counts[article_id] += 1

    def flush(self) -> None:
        """Add the counts to the database; on failure they are kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            with self._database.write() as session:
                views.add(session, datetime.now(UTC).date(), counts)
        except SQLAlchemyError as error:
            log.warning("views could not be written down yet: %s", type(error).__name__)
            with self._lock:
                self._counts.update(counts)


async def get_state(request: Request) -> State:
    """Return the state of the worker that answers."""
    state: State = request.app.state.omniracle
    return state


Here = Annotated[State, Depends(get_state)]
