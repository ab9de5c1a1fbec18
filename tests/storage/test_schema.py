from typing import get_args

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text
from sqlmodel import SQLModel

import app.models  # noqa: F401
from app.errors import SchemaMismatch
from app.models import Section
from app.storage import articles, resources, revisions, schema, source_files, tags
from app.storage.database import Database


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/test.db")
    yield database
    database.close()


def test_an_empty_database_is_refused_with_what_to_do(database):
    with pytest.raises(SchemaMismatch, match="omniracle migrate"):
        schema.check(database)


def test_the_names_of_the_migrations_are_their_versions():
    scripts = ScriptDirectory.from_config(schema._config())
    assert schema._versions() == [script.revision for script in scripts.walk_revisions()][::-1]


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


def test_who_has_little_patience_does_not_leave_it_to_the_next(database):
    schema.migrate(database)
    for patience, left in (({"patience_s": 0}, 0), ({}, 10_000), ({"patience_s": 0.5}, 500)):
        with database.write(**patience) as session:
            assert session.execute(text("PRAGMA busy_timeout")).scalar() == left
    with database.read() as session:
        assert session.execute(text("PRAGMA busy_timeout")).scalar() == 10_000


def test_a_failed_write_leaves_nothing(database):
    schema.migrate(database)
    with pytest.raises(RuntimeError), database.write() as session:
        session.execute(text("INSERT INTO tag (name) VALUES ('half')"))
        raise RuntimeError
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM tag")).scalar() == 0


def test_data_survive_every_step_from_the_first_schema(database):
    with database.write() as session:
        config = schema._config()
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0002")
        moment = "2026-11-24 12:00:00"
        session.execute(
            text(
                "INSERT INTO article (id, slug, path, lang, title, body, excerpt, digest, revision, created_at,"
                " updated_at) VALUES (1, 'a', 'x/a.md', 'en', 'A', 'Text', 'Text', 'd', 1, :at, :at)"
            ),
            {"at": moment},
        )
        session.execute(
            text(
                "INSERT INTO revision (id, article_id, number, title, source, author, message, origin, created_at)"
                " VALUES (1, 1, 1, 'A', 'the whole source', 'Ann', 'why', 'sync', :at)"
            ),
            {"at": moment},
        )
        session.execute(text("INSERT INTO resource (id, url) VALUES (1, 'https://example.org/')"))
        session.execute(
            text(
                "INSERT INTO article_resource (article_id, section, position, resource_id, title, description, site)"
                " VALUES (1, 'resources', 0, 1, 'E', '', 'example.org')"
            )
        )
        session.execute(
            text(
                "INSERT INTO source_file (origin, path, article_id, sha256, size, mtime_ns, revision)"
                " VALUES ('content', 'x/a.md', 1, 's', 1, 1, 1)"
            )
        )
    schema.migrate(database)
    schema.check(database)
    with database.read() as session:
        article = articles.by_slug(session, "a")
        revision = revisions.get(session, 1, 1)
        (card,) = resources.of_article(session, 1)[Section.RESOURCES]
        known = source_files.get(session, "content", "x/a.md")
        broken = session.execute(text("PRAGMA foreign_key_check")).all()
    assert (article.title, article.deleted_at) == ("A", None)
    assert (revision.source, revision.author, revision.author_id) == ("the whole source", "Ann", None)
    assert (card.url, card.archive, card.state) == ("https://example.org/", "", None)
    assert (known.revision, known.source) == (1, None)
    assert broken == []


def test_lists_and_counts_read_indexes_and_no_rows(database):
    """A row is long, and its last column stands behind the whole answer: to read each takes a hundred times as long."""
    schema.migrate(database)
    read: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def explained(connection, cursor, statement, parameters, *_):
        if "FROM article" in statement:
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            read.extend(step for *_, step in plan if step.startswith("SCAN article"))

    with database.read() as session:
        articles.count(session)
        articles.languages(session)
        for sort in get_args(articles.Sort):
            for tag, lang in ((None, None), (None, "zh"), ("fastapi", None), ("fastapi", "en")):
                articles.list_page(session, number=1, size=20, sort=sort, tag=tag, lang=lang)
        tags.counted(session, 10)
        tags.counted(session, lang="en")
        tags.count_of(session, "fastapi")
    assert len(read) > 20
    assert [step for step in read if "USING INDEX ix_article_live" not in step] == []


def test_every_change_of_what_pages_show_has_its_trigger_after_all_migrations(database):
    """A later migration that makes a table anew would lose those of this table without a word."""
    schema.migrate(database)
    with database.engine.connect() as connection:
        found = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars())
    tables = {"alias", "article", "article_resource", "article_tag", "pin", "tag", "translation", "feedback"}
    assert {
        f"{table}_{change}_raises_version" for table in tables for change in ("insert", "update", "delete")
    } <= found
    assert {"index_job_delete_raises_version", "resource_update_raises_version"} <= found


def test_the_newest_migrations_can_be_taken_back(database):
    _, head = schema.migrate(database)
    for _ in range(2):
        with database.write() as session:
            config = schema._config()
            config.attributes["connection"] = session.connection()
            command.downgrade(config, "0011")
        assert schema.migrate(database) == ("0011", head)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, SQLModel.metadata) == []
