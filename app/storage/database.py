"""Connections and transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlmodel import Session

from app.config import Settings
from app.errors import OperatorError
from app.storage import site
from app.storage.content_version import SharedVersion, VersionWatch

BUSY_TIMEOUT_S = 10
POOL_SIZE = 12  # the web layer runs this many threads

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # an acknowledged save survives a power failure
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
)


class Database:
    """One engine; `read()` and `write()` open the transactions."""

    def __init__(self, url: str, version: SharedVersion | None = None) -> None:
        """Prepare connections to `url`; `version` is told of every change of the content before it is committed."""
        self.engine = _create_engine(url)
        self.version = version
        self._write_engine = self.engine.execution_options(omniracle_write=True)

    @classmethod
    def of(cls, settings: Settings) -> "Database":
        """Return the database of an installation."""
        return cls(settings.resolved_database_url, SharedVersion(settings.version_file))

    def watch(self) -> VersionWatch | None:
        """Return a watch on the content's version; None where there are no triggers that raise it."""
        if self.version is None or not _is_sqlite(self.engine.url):
            return None
        return VersionWatch(self.version, str(self.engine.url.database))

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session whose statements all see one state of the database."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self, patience_s: float = BUSY_TIMEOUT_S) -> Iterator[Session]:
        """Open a write transaction: committed at the end of the block, rolled back by an exception.

        Raises sqlalchemy.exc.OperationalError when another writer does not end within `patience_s`.
        """
        engine = self._write_engine.execution_options(omniracle_patience_s=patience_s)
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
                site.raise_version(session, self.version.get())

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def file_of(settings: Settings) -> Path | None:
    """Return the file of an installation's SQLite database; None for another kind."""
    url = make_url(settings.resolved_database_url)
    return Path(str(url.database)) if _is_sqlite(url) else None


def _create_engine(url: str) -> Engine:
    if not _is_sqlite(make_url(url)):
        try:
            return create_engine(url, pool_size=POOL_SIZE, pool_pre_ping=True, hide_parameters=True)
        except ImportError as error:
            raise OperatorError(
                "This database needs a driver: run `.venv/bin/pip install 'psycopg[binary]'`."
            ) from error
    engine = create_engine(url, pool_size=POOL_SIZE, connect_args={"timeout": BUSY_TIMEOUT_S}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling begins too late; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: a transaction that reads first and writes later could not wait for it.
    options = connection.get_execution_options()
    if not options.get("omniracle_write", False):
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(options['omniracle_patience_s'] * 1000)}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
