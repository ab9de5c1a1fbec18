"""Made pages that the workers of a host share, in a file beside the memory of each; it may be deleted at any time.

The file is of one program with one set of settings, and outlives its runs. Pages are good for as long as those in
memory are: the file says nothing about that. A page of another run may be of a database that was replaced meanwhile.
"""

import hashlib
import logging
import os
import secrets
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import NamedTuple

log = logging.getLogger(__name__)

# Workers that are forked from one parent have the run in common; here it tells new interpreters which one is theirs.
RUN_VARIABLE = "_OMNIRACLE_RUN"
RUN = os.environ.get(RUN_VARIABLE) or secrets.token_hex(16)

MAX_BYTES = 256 * 2**20  # of the file, beside its log of a few MB
DROPPED = 8  # the oldest one in so many goes when it is full

_MAKE = """
CREATE TABLE IF NOT EXISTS page (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, version INTEGER NOT NULL, good_until REAL NOT NULL,
    run TEXT NOT NULL, about TEXT NOT NULL, head BLOB NOT NULL, tail BLOB NOT NULL, seal BLOB NOT NULL
)
"""
_PUT = """
INSERT OR REPLACE INTO page (key, version, good_until, run, about, head, tail, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_GET = "SELECT version, good_until, run, about, head, tail, seal FROM page WHERE key = ?"
_DROP = "DELETE FROM page WHERE id <= (SELECT min(id) + (max(id) - min(id)) / ? FROM page)"


class SharedPage(NamedTuple):
    """A page as it is kept for other workers."""

    key: bytes
    version: int  # of the content, in which it is good
    good_until: float  # by the host's clock that only goes forward
    run: str  # in which it was made
    about: str  # what the web layer needs to send it
    head: bytes
    tail: bytes


class SharedPages:
    """The pages of one program. What goes wrong with the file is told once, and costs only speed."""

    def __init__(self, folder: Path, program: str, settings: str) -> None:
        """Prepare for the file in `folder` of a `program` with these `settings`; nothing is opened."""
        name = hashlib.blake2b(settings.encode(), key=program.encode(), digest_size=16).hexdigest()
        self._file = folder / f"{name}.db"
        self._reading: sqlite3.Connection | None = None
        self._writing: sqlite3.Connection | None = None
        self._lock = Lock()  # of who writes
        self._has_failed = False

    def open(self) -> None:
        """Open the file, for `get` in this thread and `put` in any one, and remove those of others."""
        try:
            self._file.parent.mkdir(0o700, exist_ok=True)
            for other in self._file.parent.iterdir():
                if not other.name.startswith(self._file.name):
                    other.unlink(missing_ok=True)
            # Nothing is lost with the file: it need not reach the disk.
            self._writing = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
            self._writing.execute("PRAGMA journal_mode = WAL")
            self._writing.execute("PRAGMA synchronous = OFF")
            self._writing.execute(_MAKE)
            self._reading = sqlite3.connect(self._file, isolation_level=None, timeout=0)  # never waits
            for connection in (self._reading, self._writing):
                connection.execute("PRAGMA cache_size = -256")  # kB: the system has the file in memory, once for all
        except (OSError, sqlite3.Error) as error:
            self._note(error)

    def get(self, key: bytes) -> SharedPage | None:
        """Return the page kept under `key`, else None; it takes some microseconds."""
        if self._reading is None:
            return None
        try:
            row = self._reading.execute(_GET, (key,)).fetchone()
        except sqlite3.Error as error:
            self._note(error)
            return None
        if row is None:
            return None
        page = SharedPage(key, *row[:-1])
        if row[-1] != _seal(page):
            self._note(ValueError("the file is damaged"))
            return None
        return page

    def put(self, pages: Sequence[SharedPage]) -> None:
        """Keep pages, in place of those under the same keys; the oldest ones go when the file is full."""
        if self._writing is None:
            return
        try:
            with self._lock, self._writing as transaction:
                transaction.execute("BEGIN IMMEDIATE")
                transaction.executemany(_PUT, [(*page, _seal(page)) for page in pages])
                if _bytes(transaction) > MAX_BYTES:
                    transaction.execute(_DROP, (DROPPED,))
        except sqlite3.Error as error:
            self._note(error)

    def close(self) -> None:
        """Let go of the file, in the thread that opened it."""
        for connection in (self._reading, self._writing):
            if connection is not None:
                connection.close()
        self._reading = self._writing = None

    def _note(self, error: Exception) -> None:
        if not self._has_failed:
            log.warning("pages are not shared between workers: %s", error)
        self._has_failed = True


def _seal(page: SharedPage) -> bytes:
    """Return what shows that a page is as it was kept, and under its key: a database has no checksums of its own."""
    *rest, head, tail = page
    return hashlib.blake2b(b"".join((repr((*rest, len(head))).encode(), head, tail)), digest_size=16).digest()


def _bytes(connection: sqlite3.Connection) -> int:
    """Return how much of the file is in use."""
    names = ("page_count", "freelist_count", "page_size")
    pages, unused, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return int((pages - unused) * size)
