"""Copies of a SQLite database as files: taking one while others write, looking into one, putting one in its place."""

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from app.errors import OperatorError

PATIENCE_S = 30
BESIDE = ("-wal", "-shm")  # what SQLite keeps beside a database


@dataclass(frozen=True)
class Snapshot:
    """What a database file says of itself."""

    schema: str
    identity: str
    images: tuple[str, ...]


def take(database: Path, target: Path) -> None:
    """Write one state of `database` to the new file `target`, for its owner's eyes alone; nobody has to stop writing.

    What was deleted is not in it any more. Raises OperatorError when the database cannot be read, or the file not be
    written.
    """
    target.touch(0o600, exist_ok=False)
    try:
        with closing(sqlite3.connect(database, isolation_level=None, timeout=PATIENCE_S)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise OperatorError(
            f"The database could not be copied ({error}): run `omniracle check`, and see that there is space for "
            f"twice its size in {target.parent.parent}."
        ) from error


def examine(file: Path) -> Snapshot:
    """Return what a whole and sound copy says of itself; raise ValueError for any other file."""
    try:
        # Nothing is written beside it, as nobody else uses it.
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                raise ValueError(said)
            (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            (identity,) = connection.execute("SELECT identity FROM site").fetchone()
            has_images = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'image'")
            named = connection.execute("SELECT name FROM image ORDER BY name") if has_images.fetchone() else ()
            return Snapshot(str(schema), str(identity), tuple(name for (name,) in named))
    except (sqlite3.Error, TypeError) as error:  # no such table, or an empty one
        raise ValueError(str(error)) from error


def put(file: Path, database: Path, kept: Path) -> bool:
    """Make the copy `file`, on the same disk, the database; what was there gets the name `kept`. Say whether it was.

    There is a database at every moment, and nobody may use it meanwhile. Raises OSError.
    """
    was_there = database.exists()
    if was_there:
        with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:  # it may be what is damaged
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.link(database, kept)
    for ending in BESIDE:  # they are of the old database, and would spoil the new one
        with suppress(FileNotFoundError):
            database.with_name(database.name + ending).replace(kept.with_name(kept.name + ending))
    file.replace(database)
    return was_there
