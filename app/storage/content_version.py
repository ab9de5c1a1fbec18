"""The version of the content: a number that every change of what readers see raises, and how a worker knows it.

Triggers in the database raise `site.version` within the transaction that changes something. The writer stores the new
number in a word that all processes of the host map, while it still holds the database's write lock and before it
commits: whoever finds the word unchanged has seen no newer commit, and nothing is left to be done after the commit
that a crash could prevent. A page may be kept under the number that was in the word before the page was read from a
database that had reached it.
"""

import json
import mmap
import sqlite3
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Protocol

CELL = 8  # bytes; aligned, so that it is written and read by one instruction of the processor

_STILL_HOLDS = """
SELECT version, structure <= :since AND NOT EXISTS (
    SELECT 1 FROM article_change
    WHERE article_id IN (SELECT value FROM json_each(:articles)) AND article_change.version > :since
) FROM site
"""


class SharedVersion:
    """The word, in a file of its own; mapped when it is first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cell: memoryview | None = None

    def get(self) -> int:
        """Return the number; raise OSError when the file can be neither opened nor made."""
        return int(self.cell()[0])

    def raise_to(self, version: int) -> None:
        """Store a higher number; to be called by the one process that holds the database's write lock."""
        cell = self.cell()
        cell[0] = max(cell[0], version)

    def cell(self) -> memoryview:
        """Return the word itself, for who looks at it for every request; raise OSError."""
        if self._cell is None:
            self._path.parent.mkdir(0o700, parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                # Written, not just made longer: to write to a mapped page that has no place on a full disk is deadly.
                file.write(bytes(max(0, CELL - file.tell())))
            with self._path.open("r+b") as file:
                self._cell = memoryview(mmap.mmap(file.fileno(), CELL)).cast("q")
        return self._cell


class VersionWatch(Protocol):
    """What one worker knows of the version; its methods wait for nobody."""

    def current(self) -> int | None:
        """Return the number under which a page must have been kept to be shown now; None while it is not known."""

    def settled(self) -> int | None:
        """Return the number under which a page may be kept that is read from now on; None while somebody commits."""

    def still_holds(self, articles: Collection[int], since: int) -> int | None:
        """Return a current number under which holds what was read of some articles under the number `since`.

        `articles` are the ids of all that it depends on. Returns None when it may not hold any more, and while somebody
        commits.
        """

    def look(self) -> None:
        """Find what this worker was not told of; to be called several times a second."""

    def close(self) -> None:
        """Let go of the database."""


class SqliteWatch:
    """A VersionWatch that looks into the file; for the thread of its event loop alone.

    Who changes the database without telling the word, the `sqlite3` command for example, is found out by `look`.
    """

    def __init__(self, shared: SharedVersion, database: str) -> None:
        self._cell = shared.cell()
        self._floor = 0  # the highest number seen in the database
        # Its transactions last for one statement: PRAGMA data_version stands still while one is open. It never waits.
        self._connection = sqlite3.connect(database, isolation_level=None, timeout=0)
        self._seen = -1

    def current(self) -> int:
        """Return the number; it is always known."""
        word: int = self._cell[0]
        return max(word, self._floor)

    def settled(self) -> int | None:
        """Return the number, see VersionWatch."""
        word = self.current()
        stored = self._stored()
        if stored is None or stored < word:
            return None
        self._floor = stored
        return stored if self.current() == stored else None

    def still_holds(self, articles: Collection[int], since: int) -> int | None:
        """Return the number, see VersionWatch."""
        word = self.current()
        with suppress(sqlite3.Error):
            given = {"since": since, "articles": json.dumps(list(articles))}
            version, holds = self._connection.execute(_STILL_HOLDS, given).fetchone()
            if holds and version >= word:
                self._floor = max(self._floor, version)
                return int(version)
        return None

    def look(self) -> None:
        """Find changes that the word was not told of."""
        try:
            (seen,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            seen = -1  # not known: look at the number itself, now or as soon as it can be read
        if seen != self._seen or seen == -1:
            stored = self._stored()
            self._seen = seen if stored is not None else -1
            self._floor = max(self._floor, stored or 0)

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def _stored(self) -> int | None:
        with suppress(sqlite3.Error):
            (version,) = self._connection.execute("SELECT version FROM site").fetchone()
            return int(version)
        return None
