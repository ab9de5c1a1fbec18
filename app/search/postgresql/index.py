"""The index in the database: opening it, writing to it in turns, building it anew.

All hosts share it, and with it the place in the log of changes up to which it has come.
"""

import logging
import math
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.errors import IndexUnavailable
from app.search.engine import NO_INDEX
from app.search.postgresql import tables
from app.search.postgresql.reading import PostgresReader
from app.search.postgresql.tables import NAMESPACE, VERSION, State
from app.search.postgresql.writing import (
    SILENCE_S,
    PostgresBuild,
    drop_unread,
    end_when_silent,
    in_portions,
    write_changes,
)
from app.search.schema import Entry

log = logging.getLogger(__name__)

WRITE_LOCK = 0x6F6D6E6A  # beside the lock of the site's own writers, see app/storage/engines.py
BUILD_LOCK = 0x6F6D6E6B
LOCK_POLL_S = 0.02
# Who holds a lock gives signs of life by its session. A host that stands still, or was cut off, gives none: PostgreSQL
# ends the session then, and with it the lock: a writer's after SILENCE_S. Searches wait for a second longer than that,
# to find what was saved before them; whoever was only slow does it again. For a build nobody waits.
BUILDER_LOST_AFTER_S = 20.0
SIGNS = 8  # in that time

NOT_OURS = "The search index is of another program's version: the hosts that run that one bring changes in."
LOST = "The right to write to the search index was lost: this process stood still, or was cut off from the database."

_HOLDS = text(
    "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = :pid AND classid = 0"
    " AND objid = :number AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class PostgresIndex:
    """One process's view of the index; each method does what app/search/engine.py says of it."""

    def __init__(self, engine: Engine) -> None:
        """Use connections of an engine that is no other's: who searches must not wait for those who wait for it."""
        self._engine = engine
        self._reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._writer: int | None = None  # the session that holds the right to write, while we hold it

    def is_usable(self, identity: str, *, thorough: bool = False) -> bool:
        """Say whether there is a whole index of this version for the database with this identity."""
        with self._reading.connect() as connection:
            state = _state(connection)
        if state is None or (state.version, state.identity) != (VERSION, identity):
            return False
        return self.is_whole(thorough=thorough)

    def is_whole(self, *, thorough: bool = False) -> bool:
        """Say whether there is an index; a `thorough` look counts its rows. For the rest PostgreSQL itself cares.

        One of a newer program is left to it: hosts that are yet to be upgraded do not undo what the others have built.
        """
        with self._reading.connect() as connection:
            state = _state(connection)
            if state is None or _number(state.version) < _number(VERSION):
                return False
            if not thorough:
                return True
            counts = [
                connection.scalar(text(f"SELECT count(*) FROM {NAMESPACE}.{table}")) for table in ("texts", "titles")
            ]
        return counts == [state.articles, state.articles]

    @contextmanager
    def reading(self) -> Iterator[PostgresReader]:
        """Yield the newest state, all of it in one transaction."""
        with self._reading.connect() as connection:
            state = _state(connection)
            if state is None or state.version != VERSION:
                raise IndexUnavailable(NO_INDEX)
            yield PostgresReader(connection, state)

    def generation(self) -> int:
        """Return the number of the newest state."""
        with self.reading() as reader:
            return reader.generation

    def write_lock(self, *, patience_s: float = math.inf) -> AbstractContextManager[bool]:
        """Hold the right to write to the index, across all hosts; `update` and `advance` refuse when it was lost."""
        return self._locked(WRITE_LOCK, patience_s, SILENCE_S)

    def build_lock(self, *, patience_s: float = math.inf) -> AbstractContextManager[bool]:
        """Hold the right to build a new index beside the live one, across all hosts."""
        return self._locked(BUILD_LOCK, patience_s, BUILDER_LOST_AFTER_S)

    def update(self, entries: list[Entry], removed: list[int]) -> None:
        """Put `entries` in place of what the index knows of them and forget `removed`."""
        for changes in in_portions(entries, removed):
            with self._changing() as connection:
                write_changes(connection, NAMESPACE, changes)

    def position(self) -> int:
        """Return the number of the last change that the index knows."""
        with self._reading.connect() as connection:
            state = _state(connection)
        return state.position if state else 0

    def anchor(self) -> tuple[int, str]:
        """Return its position and the stamp there: a dump may be without the index, and be restored beside it."""
        try:
            with self._reading.connect() as connection:
                return tables.anchor_of(connection)
        except ProgrammingError as error:
            if not _is_missing(error):
                raise
            return self.position(), ""

    def advance(self, position: int, stamp: str) -> None:
        """Note that the index knows all changes up to this one."""
        with self._changing() as connection:
            tables.note_anchor(connection, NAMESPACE, position, stamp)

    def scattered(self) -> list[int]:
        """Return nothing: PostgreSQL puts its tables in order by itself."""
        return []

    def discard(self) -> None:
        """Do nothing: an index of another version answers nothing, and none is of another database."""

    @contextmanager
    def building(self, identity: str) -> Iterator[PostgresBuild]:
        """Yield a new, empty index beside the live one; it is thrown away unless it takes over."""
        with self._engine.begin() as connection:
            left_behind = tables.left_behind(connection)
        for name in left_behind:
            drop_unread(self._engine, name)
        build = PostgresBuild(self._engine, identity)
        try:
            yield build
        finally:
            if not build.is_live:
                build.drop()

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                end_when_silent(connection, SILENCE_S)
                if connection.scalar(text(f"SELECT version FROM {NAMESPACE}.state")) != VERSION:
                    raise IndexUnavailable(NOT_OURS)
                yield connection
                # The row of the index's state is ours by now: whoever has the lock instead of us waits for it, and
                # has read, or will read, all that has changed since the position that is in it.
                if not connection.scalar(_HOLDS, {"pid": self._writer, "number": WRITE_LOCK}):
                    raise IndexUnavailable(LOST)
        except ProgrammingError as error:
            if not _is_missing(error):
                raise
            raise IndexUnavailable(NO_INDEX) from error

    @contextmanager
    def _locked(self, number: int, patience_s: float, lost_after_s: float) -> Iterator[bool]:
        """Hold a lock of a transaction. Whoever waits for it holds no connection: others need them to end."""
        deadline = time.monotonic() + patience_s
        while True:
            with self._engine.connect() as connection:
                if connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({number})")):
                    with _signs_of_life(connection, lost_after_s) as session:
                        if number == WRITE_LOCK:
                            self._writer = session
                        yield True
                    return
            if time.monotonic() >= deadline:
                yield False
                return
            time.sleep(LOCK_POLL_S)


@contextmanager
def _signs_of_life(connection: Connection, lost_after_s: float) -> Iterator[int]:
    """Keep the transaction of a connection that is used for nothing else; yield the number of its session."""
    end_when_silent(connection, lost_after_s)
    session: int = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    is_over = threading.Event()

    def live() -> None:
        try:
            while not is_over.wait(lost_after_s / SIGNS):
                connection.execute(text("SELECT"))
        except DBAPIError as error:
            log.warning("the right to write to the search index was lost: %s", type(error).__name__)

    thread = threading.Thread(target=live, name="index lock", daemon=True)
    thread.start()
    try:
        yield session
    finally:
        is_over.set()
        thread.join()


def _state(connection: Connection) -> State | None:
    """Return the state of the live index; None when there is none."""
    try:
        return tables.state_of(connection)
    except ProgrammingError as error:
        if not _is_missing(error):
            raise
        connection.rollback()
        return None


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _is_missing(error: ProgrammingError) -> bool:
    return tables.sqlstate_of(error) in ("42P01", "3F000", "42703")  # a table, a schema, a column
