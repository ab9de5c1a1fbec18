"""Connections and transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlmodel import Session

from app.config import Settings
from app.storage import site
from app.storage.content_version import SharedVersion, SqliteWatch, VersionWatch
from app.storage.engines import BUSY_TIMEOUT_S, engine_of, is_sqlite, options_of_reads
from app.storage.version_follower import FollowingWatch


class Database:
    """One engine; `read()` and `write()` open the transactions."""

    def __init__(self, url: str, version: SharedVersion | None = None) -> None:
        """Prepare connections to `url`; `version` is told of every change of the content before it is committed."""
        self.engine = engine_of(url)
        self.version = version
        self._read_engine = self.engine.execution_options(**options_of_reads(self.engine))

    @classmethod
    def of(cls, settings: Settings) -> "Database":
        """Return the database of an installation."""
        return cls(settings.resolved_database_url, SharedVersion(settings.version_file))

    @property
    def can_be_shared(self) -> bool:
        """Say whether several hosts can use it."""
        return self.engine.dialect.name != "sqlite"

    def watch(self) -> VersionWatch | None:
        """Return a watch on the content's version; None for a database that is used without the shared number."""
        if self.version is None:
            return None
        if self.can_be_shared:
            return FollowingWatch(self.version, self.engine)
        return SqliteWatch(self.version, str(self.engine.url.database))

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session whose statements all see one state of the database."""
        with Session(self._read_engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self, patience_s: float = BUSY_TIMEOUT_S) -> Iterator[Session]:
        """Open a write transaction: committed at the end of the block, rolled back by an exception.

        Raises sqlalchemy.exc.OperationalError when another writer does not end within `patience_s`.
        """
        engine = self.engine.execution_options(omniracle_patience_s=patience_s)
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session
            if self.version is not None:
                self.version.raise_to(site.version(session))

    def catch_up(self) -> None:
        """Raise the content's version to the number that the processes know of, where it is behind.

        A crash before a commit leaves it behind, and so does a restored backup; until then no page is kept.
        """
        if self.version is None:
            return
        with self.read() as session:
            is_behind = site.version(session) < self.version.get()
        if is_behind:
            with self.write() as session:
                site.raise_version(session, self.version.get() + 1)  # one under which no page was ever kept

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def file_of(settings: Settings) -> Path | None:
    """Return the file of an installation's SQLite database; None for another kind."""
    url = settings.resolved_database_url
    return Path(str(make_url(url).database)) if is_sqlite(url) else None
