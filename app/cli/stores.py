"""What commands work on: the settings, the database and the index."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from app.config import Settings
from app.environment import load_settings
from app.errors import OperatorError

if TYPE_CHECKING:
    from app.search.index import SearchIndex
    from app.storage.database import Database


@contextmanager
def open_stores() -> "Iterator[tuple[Settings, Database, SearchIndex]]":
    """Yield settings, database and index of this installation.

    Raises OperatorError when the data folder cannot be used, SchemaMismatch when the database is not migrated.
    """
    from app.search.index import SearchIndex
    from app.storage import schema
    from app.storage.database import Database

    settings = load_settings()
    settings.prepare_data_dir()
    database = Database.of(settings)
    try:
        schema.check(database)
        yield settings, database, SearchIndex(settings.index_dir)
    finally:
        database.close()


def alone_on(settings: Settings) -> IO[str]:
    """Return a file whose lock keeps servers from this data folder; raise OperatorError when there is one."""
    held = (settings.data_dir / "server.lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise OperatorError(
            f"A server is running on the data folder {settings.data_dir}: stop it, or set OMNIRACLE_DATA_DIR."
        ) from error
    return held
