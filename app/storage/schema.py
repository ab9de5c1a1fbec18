"""The schema's version: migrating it, and refusing to work with another one."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from app.errors import OperatorError, SchemaMismatch
from app.storage.database import Database
from app.storage.failures import READ_ONLY_ADVICE, said_by

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS_DIR = Path(__file__).parent / "migrations"


def migrate(database: Database) -> tuple[str | None, str]:
    """Bring the schema to this program's version; return the version before (None: empty database) and after.

    Raises SchemaMismatch when the database was made by a newer program, OperatorError when it cannot be used or takes
    no changes, be there any to make or not: nothing can be served on it.
    """
    before = _current(database)
    if not takes_changes(database):
        raise OperatorError(f"The database takes no changes: {READ_ONLY_ADVICE}")
    head = _versions()[-1]
    if before != head:
        from alembic import command  # takes 10 MB, and few starts need it

        refuse_newer(before)
        # One transaction with the write lock taken first: two starts at once migrate one after the other.
        with database.write() as session:
            if database.can_be_shared:
                session.execute(text("SET LOCAL statement_timeout = 0"))  # a large table takes its time
            config = _config()
            config.attributes["connection"] = session.connection()
            command.upgrade(config, "head")
    return before, head


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the schema is exactly the one that this program knows."""
    current = _current(database)
    needed = _versions()[-1]
    if current == needed:
        return
    refuse_newer(current)
    raise SchemaMismatch(
        f"The database has schema {current or 'none'}, this program needs {needed}: run `omniracle migrate`."
    )


def is_there(database: Database) -> bool:
    """Say whether the database has a schema of ours, whichever."""
    return _current(database) is not None


def takes_changes(database: Database) -> bool:
    """Say whether PostgreSQL lets itself be changed, as a replica does not; where a file is, is told by the disk."""
    if not database.can_be_shared:
        return True
    with database.engine.connect() as connection:
        return bool(connection.scalar(text("SHOW transaction_read_only")) == "off")


def refuse_newer(version: str | None) -> None:
    """Raise SchemaMismatch for the version of a schema that this program does not know; None stands for no schema."""
    if version is not None and version not in _versions():
        raise SchemaMismatch(
            f"The database has schema {version}, which is newer than this program: install the newer Omniracle."
        )


def _current(database: Database) -> str | None:
    try:
        with database.engine.connect() as connection:
            _refuse_encoding(connection)
            if not inspect(connection).has_table("alembic_version"):
                return None
            version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return version
    except DBAPIError as error:
        raise OperatorError(
            f"The database cannot be opened ({said_by(error)}): check DATABASE_URL and the rights of its file."
        ) from error


def _refuse_encoding(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise OperatorError(
            f"The database is in {encoding}, which cannot hold all texts: make one by "
            "`CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`."
        )


def _versions() -> list[str]:
    """Return all versions in order; the file of each migration begins with its own."""
    return sorted(path.name.split("_")[0] for path in (MIGRATIONS_DIR / "versions").glob("[0-9]*_*.py"))


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    return config
