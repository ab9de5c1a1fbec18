import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

import app.models  # noqa: F401
from app.errors import SchemaMismatch
from app.storage import schema
from app.storage.database import Database


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/test.db")
    yield database
    database.close()


def test_an_empty_database_is_refused_with_what_to_do(database):
    with pytest.raises(SchemaMismatch, match="omniracle migrate"):
        schema.check(database)


def test_migrating_twice_changes_nothing(database):
    before, head = schema.migrate(database)
    assert before is None
    assert schema.migrate(database) == (head, head)
    schema.check(database)


def test_a_newer_schema_is_refused(database):
    schema.migrate(database)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match="newer"):
        schema.check(database)
    with pytest.raises(SchemaMismatch, match="newer"):
        schema.migrate(database)


def test_the_migrations_make_exactly_the_tables_of_the_models(database):
    schema.migrate(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_sqlite_is_set_up_for_many_processes(database):
    with database.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 10_000}


def test_a_failed_write_leaves_nothing(database):
    schema.migrate(database)
    with pytest.raises(RuntimeError), database.write() as session:
        session.execute(text("INSERT INTO tag (name) VALUES ('half')"))
        raise RuntimeError
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM tag")).scalar() == 0
