"""The schema's version: migrating it, and refusing to work with another one."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from app.errors import OperatorError, SchemaMismatch
from app.storage.database import Database

MIGRATIONS_DIR = Path(__file__).parent / "migrations"


def migrate(database: Database) -> tuple[str | None, str]:
    """Bring the schema to this program's version; return the version before (None: empty database) and after.

    Raises SchemaMismatch when the database was made by a newer program.
    """
    before = _current(database)
    head = _head()
    if before != head:
        refuse_newer(before)
        # One transaction with the write lock taken first: two starts at once migrate one after the other.
        with database.write() as session:
            config = _config()
            config.attributes["connection"] = session.connection()
            command.upgrade(config, "head")
    return before, head


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the schema is exactly the one that this program knows."""
    current = _current(database)
    if current == _head():
        return
    refuse_newer(current)
    raise SchemaMismatch(
        f"The database has schema {current or 'none'}, this program needs {_head()}: run `omniracle migrate`."
    )


def refuse_newer(version: str | None) -> None:
    """Raise SchemaMismatch for the version of a schema that this program does not know; None stands for no schema."""
    known = {script.revision for script in _scripts().walk_revisions()}
    if version is not None and version not in known:
        raise SchemaMismatch(
            f"The database has schema {version}, which is newer than this program: install the newer Omniracle."
        )


def _current(database: Database) -> str | None:
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise OperatorError(
            f"The database cannot be opened ({error.orig}): check DATABASE_URL, and that its file may be written to."
        ) from error


def _head() -> str:
    head = _scripts().get_current_head()
    assert head is not None
    return head


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    return config
