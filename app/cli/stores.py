"""What commands work on: the settings, the database and the index."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from app.config import Settings
from app.environment import load_settings
from app.errors import OperatorError
from app.workers.reading import rows_in

if TYPE_CHECKING:
    from app.search.engine import SearchEngine
    from app.storage.database import Database


@contextmanager
def open_stores() -> "Iterator[tuple[Settings, Database, SearchEngine]]":
    """Yield settings, database and index of this installation.

    Raises OperatorError when the data folder cannot be used, SchemaMismatch when the database is not migrated.
    """
    from app.services.engines import search_engine
    from app.storage import schema
    from app.storage.database import Database

    settings = load_settings()
    settings.prepare_data_dir()
    with using(settings):
        database, index = Database.of(settings), search_engine(settings)
        try:
            schema.check(database)
            yield settings, database, index
        finally:
            index.close()
            database.close()


@contextmanager
def nobody_else_on(settings: Settings) -> Iterator[None]:
    """Keep servers and commands from this data folder; raise OperatorError when one is at work.

    Servers that are started in another way than by `serve` know nothing of its lock: their workers are seen.
    """
    with alone_on(settings), unused(settings):
        refuse_workers(settings)
        yield


def refuse_workers(settings: Settings) -> None:
    """Raise OperatorError when workers are running on this data folder, whatever started them."""
    if rows_in(settings.workers_file):
        raise OperatorError(f"Workers are running on the data folder {settings.data_dir}: stop them first.")


def alone_on(settings: Settings) -> IO[str]:
    """Return a file whose lock keeps servers from this data folder; raise OperatorError when there is one."""
    refusal = f"A server is running on the data folder {settings.data_dir}: stop it, or set OMNIRACLE_DATA_DIR."
    return _locked(settings.data_dir / "server.lock", fcntl.LOCK_EX, refusal)


def using(settings: Settings) -> IO[str]:
    """Return a file whose lock keeps `restore` and `move` from the data folder; raise OperatorError while one works."""
    refusal = f"A backup is being restored into {settings.data_dir}, or its site moved: try again when that is done."
    return _locked(settings.data_dir / "restore.lock", fcntl.LOCK_SH, refusal)


def unused(settings: Settings) -> IO[str]:
    """Return a file whose lock keeps commands from the data folder; raise OperatorError when one is at work."""
    refusal = f"Another command, `omniracle sync` for example, is at work on {settings.data_dir}: let it end first."
    return _locked(settings.data_dir / "restore.lock", fcntl.LOCK_EX, refusal)


def _locked(file: Path, kind: int, refusal: str) -> IO[str]:
    held = file.open("w")
    try:
        fcntl.flock(held, kind | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise OperatorError(refusal) from error
    return held
