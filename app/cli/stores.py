"""What commands work on: the settings, the database and the index."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.config import Settings
from app.environment import load_settings

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
