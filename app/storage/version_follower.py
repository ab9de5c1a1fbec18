"""How a worker knows the version of the content on PostgreSQL, where other hosts change it too.

A thread listens to what the database tells at each commit, and asks now and then all the same: a notification may be
lost with its connection. What it has read is good for a second; while the database does not answer for longer, nothing
is known and no kept page is shown. Of commits by its own host a worker learns sooner, from the word that the host's
processes share (see app/storage/content_version.py).
"""

import logging
import threading
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from app.storage.content_version import SharedVersion
from app.storage.engines import OF_POSTGRESQL

if TYPE_CHECKING:
    from psycopg import Connection

log = logging.getLogger(__name__)

GOOD_FOR_S = 1.0
ASK_EVERY_S = 0.4
RETRY_AFTER_S = 0.5
REMEMBERED = 50_000  # changes of articles; more at once count as one of everything
CHANNEL = "omniracle_content"  # as the migration 0014 names it

_SINCE = """
SELECT site.version, site.structure, article_change.article_id, article_change.version
FROM site LEFT JOIN article_change ON article_change.version > %s
"""


class FollowingWatch:
    """A VersionWatch with a connection and a thread of its own."""

    def __init__(self, shared: SharedVersion, engine: Engine) -> None:
        self._cell = shared.cell()
        # The address as the engine reads it: with several servers libpq has another way to write them.
        self._options = dict(engine.dialect.create_connect_args(engine.url)[1]) | OF_POSTGRESQL
        self._version = self._structure = 0
        self._changes: dict[int, int] = {}  # the version of each article's last change since the thread began
        self._good_until = 0.0
        self._lock = threading.Lock()
        self._has_to_stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="version", daemon=True)
        self._thread.start()

    def current(self) -> int | None:
        """Return the number, see VersionWatch."""
        if time.monotonic() > self._good_until:
            return None
        return max(int(self._cell[0]), self._version)

    def settled(self) -> int | None:
        """Return the number, see VersionWatch."""
        version = self._version
        return version if self.current() == version else None

    def still_holds(self, articles: Collection[int], since: int) -> int | None:
        """Return the number, see VersionWatch."""
        with self._lock:
            version, structure = self._version, self._structure
            holds = structure <= since and all(self._changes.get(each, 0) <= since for each in articles)
        return version if holds and self.current() == version else None

    def look(self) -> None:
        """Do nothing: the thread looks."""

    def close(self) -> None:
        """Let the thread end with what it is about; nobody waits for it."""
        self._has_to_stop.set()

    def _follow(self) -> None:
        import psycopg

        is_lost = False
        while not self._has_to_stop.is_set():
            try:
                with psycopg.connect(**self._options, autocommit=True) as connection:
                    connection.execute("SET statement_timeout = '1s'")
                    connection.execute(f"LISTEN {CHANNEL}")
                    while not self._has_to_stop.is_set():
                        self._ask(connection)
                        if is_lost:
                            log.warning("the database tells of changes again")
                        is_lost = False
                        for _ in connection.notifies(timeout=ASK_EVERY_S, stop_after=1):
                            pass
            except psycopg.Error as error:
                if not is_lost:
                    log.warning("the database does not tell of changes, no page is kept: %s", type(error).__name__)
                is_lost = True
                self._has_to_stop.wait(RETRY_AFTER_S)

    def _ask(self, connection: "Connection") -> None:
        asked_at = time.monotonic()
        rows = connection.execute(_SINCE, (self._version,)).fetchall()
        version, structure = rows[0][:2]
        changed = {article: at for _, _, article, at in rows if article is not None}
        with self._lock:
            if version < self._version:  # a backup was restored: whatever was kept before is good for nothing
                self._changes, structure = {}, max(self._version, int(self._cell[0])) + 1
            elif self._version == 0 or len(changed) + len(self._changes) > REMEMBERED:
                self._changes, structure = {}, version
            elif changed:
                self._changes |= changed
            self._version, self._structure = version, max(structure, self._structure)
        self._good_until = asked_at + GOOD_FOR_S
