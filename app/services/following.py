"""Bringing changes into the index of this host: in the regular work, and before somebody searches.

Nobody who saves waits for the index. A search that comes before the regular work does what is left, so that it finds
what was saved before it.
"""

import logging
import time

from app.errors import IndexUnavailable
from app.models.columns import now
from app.search.engine import FEW, SearchEngine
from app.services import indexing
from app.storage import jobs, site
from app.storage.database import Database
from app.storage.engines import BUSY_TIMEOUT_S
from app.storage.failures import reason_of

log = logging.getLogger(__name__)

PATIENCE_S = 3  # that a search waits for who writes to the index, as an import may for longer
WRITE_PATIENCE_S = 1  # and for who writes to the database
REST_S = 30  # after it waited in vain, or the index could not be written, searches leave it to the regular work


class Follower:
    """Keeps one worker's search engine equal to the database; safe to use from several threads."""

    def __init__(self, database: Database, index: SearchEngine) -> None:
        self._database = database
        self._index = index
        self._known: int | None = None  # the version of the content at which the index knew everything
        self._rests_until = 0.0

    def follow(self) -> None:
        """Bring in what has changed since the last time, unless another process is doing so."""
        if not self._knows_what_was_told() and not self.look():
            self._drain(patience_s=0)

    def catch_up(self) -> None:
        """Let the index know what was committed before, a few changes; the workers do what is more, or fails now."""
        # Another host's change may be committed before this one is told of it: there the database has to be asked.
        if not self._database.can_be_shared and self._knows_what_was_told():
            return
        if not 0 < self._waiting() <= FEW or time.monotonic() < self._rests_until:
            return
        try:
            is_done = self._drain(patience_s=PATIENCE_S, write_patience_s=WRITE_PATIENCE_S)
        except Exception as error:
            is_done = False
            if reason := reason_of(error):
                log.warning("a change is not in the search index yet: %s", reason)
            else:
                log.exception("a change is not in the search index yet")
        if not is_done:
            self._rests_until = time.monotonic() + REST_S

    def look(self) -> bool:
        """Say whether the index knows all that the database tells of."""
        return self._waiting() == 0

    def lag_s(self) -> float | None:
        """Return how old the oldest change is that the index lacks, 0.0 when it lacks none; None without an index."""
        try:
            self._index.generation()
        except IndexUnavailable:
            return None
        with self._database.read() as session:
            waiting = jobs.after(session, self._index.position(), 1)
        return max(0.0, (now() - waiting[0].created_at).total_seconds()) if waiting else 0.0

    def _waiting(self) -> int:
        """Return how many changes the index does not know; less than 0 when it knows others than there were."""
        with self._database.read() as session:
            if indexing.has_other_past(session, self._index):
                return -1
            version, last_job = site.version(session), jobs.last_id(session)
        waiting = last_job - self._index.position()
        if waiting == 0:
            self._known = version  # as it was read: the number that all see is raised before a change is committed
            self._rests_until = 0.0
        return waiting

    def _knows_what_was_told(self) -> bool:
        """Say whether it knows the version of the content that all processes of this host are told of."""
        shared = self._database.version
        return shared is not None and shared.get() == self._known

    def _drain(self, *, patience_s: float, write_patience_s: float = BUSY_TIMEOUT_S) -> bool:
        """Do what is left; return False when another process writes for longer."""
        if not self._index.is_whole():
            return True  # it is built anew first, which brings in everything
        changed = indexing.drain(self._database, self._index, patience_s=patience_s, write_patience_s=write_patience_s)
        if changed is not None:
            self._rests_until = 0.0
        return changed is not None
