"""A database of every released version comes up to date with nothing lost, and its program reads on meanwhile."""

import json
from contextlib import closing
from hashlib import sha256

import pytest
from alembic import command
from sqlalchemy import inspect, text
from starlette.testclient import TestClient

from app.cli.preparing import prepare
from app.config import Settings
from app.search.index import SearchIndex
from app.services import indexing
from app.services.checking import check_all
from app.services.health import State
from app.services.second_factor import _box
from app.storage import schema
from app.storage.database import Database
from app.web.access import SESSION_COOKIE
from app.web.application import create_app

FIRST_ON_POSTGRESQL = "0014"
PREPARED_AFTER = 5  # times that a statement is sent, PostgreSQL's driver lets the server keep its plan
AT = "2026-01-02 03:04:05.000000"
SOURCE = "---\ntitle: Why does bread need salt?\nlang: en\ntags: [cooking]\n---\n\nSalt slows the yeast down.\n"
OLDER = SOURCE.replace("slows", "stops")
BODY = "Salt slows the yeast down.\n"
FIELDS = json.dumps([["title", "A draft"], ["body", "What I write."]])
SECRET = "s" * 48
SEALED = _box(SECRET.encode()).encrypt(b"JBSWY3DPEHPK3PXP").decode()
PERSON = {"account_id": 1, "created_at": AT}

# Of each table the columns that it has or once had; those are written that a version knows.
ROWS = {
    "account": [{"id": 1, "email": "ada@example.org", "name": "Ada", "role": "admin", "created_at": AT}],
    "article": [
        {"id": 3, "slug": "bread", "path": "cooking/bread.md", "lang": "en", "title": "Why does bread need salt?",
         "body": BODY, "excerpt": "Salt slows", "digest": "old", "revision": 2, "created_at": AT, "updated_at": AT},
        {"id": 5, "slug": "brot", "path": "cooking/brot.md", "lang": "de", "title": "Wozu braucht Brot Salz?",
         "body": BODY, "excerpt": "Salt slows", "digest": "old", "revision": 1, "created_at": AT, "updated_at": AT},
        {"id": 7, "slug": "gone", "path": "gone.md", "lang": "en", "title": "Gone", "body": BODY, "excerpt": "",
         "digest": "old", "revision": 1, "created_at": AT, "updated_at": AT, "deleted_at": AT},
    ],
    "revision": [
        {"id": 1, "article_id": 3, "number": 1, "title": "Bread", "source": OLDER, "author": "Ada", "message": "First",
         "origin": "sync", "created_at": AT, "author_id": 1},
        {"id": 2, "article_id": 3, "number": 2, "title": "Bread", "source": SOURCE, "author": "Ada", "message": "Then",
         "origin": "sync", "created_at": AT},
        {"id": 3, "article_id": 5, "number": 1, "title": "Brot", "source": SOURCE, "author": "", "message": "",
         "origin": "sync", "created_at": AT},
        {"id": 4, "article_id": 7, "number": 1, "title": "Gone", "source": SOURCE, "author": "", "message": "",
         "origin": "sync", "created_at": AT},
    ],
    "alias": [{"slug": "old-bread", "article_id": 3}],
    "tag": [{"id": 1, "name": "cooking"}],
    "article_tag": [{"article_id": 3, "tag_id": 1, "position": 0}, {"article_id": 5, "tag_id": 1, "position": 0}],
    "resource": [{"id": 1, "url": "https://example.org/salt", "state": "ok", "status": 200, "checked_at": AT}],
    "article_resource": [
        {"article_id": 3, "section": "resources", "position": 0, "resource_id": 1, "title": "On salt",
         "description": "All of it.", "site": "example.org", "archive": "https://archive.example.org/salt"}
    ],
    "translation": [{"article_id": 5, "original_slug": "bread"}],
    "pin": [{"article_id": 3, "position": 0, "slug": "brot"}],
    "rendering": [{"digest": "old", "html": "<p>Salt</p>", "toc": "[]", "text": "Salt slows the yeast down."}],
    "source_file": [
        {"origin": "content", "path": "cooking/bread.md", "article_id": 3, "sha256": "0" * 64, "size": 9,
         "mtime_ns": 1, "revision": 2, "source": SOURCE}
    ],
    "index_job": [{"id": 1, "article_id": 3, "created_at": AT}],
    "view_count": [{"article_id": 3, "day": "2026-01-02", "count": 12}],
    "wanted": [
        {"id": 1, "key": "rye", "query": "rye", "lang": "en", "searches": 3, "asks": 1, "first_at": AT, "last_at": AT}
    ],
    "api_token": [{"id": 1, "digest": "1" * 64, "name": "ci", "scope": "read", **PERSON}],
    "browser_session": [
        {"id": 1, "digest": sha256(b"key").hexdigest(), "agent": "x", "seen_at": "2126-01-01 00:00:00.000000",
         "account_id": 1, "created_at": "2126-01-01 00:00:00.000000"}
    ],
    "audit_entry": [
        {"id": 1, "at": AT, "account_id": 1, "actor": "ada@example.org", "action": "create", "subject": "bread",
         "detail": "revision 1"}
    ],
    "one_time_link": [{"digest": "2" * 64, "purpose": "password", "account_id": 1, "expires_at": AT}],
    "rate_count": [{"key": "sign-in:x", "period_start": 1, "count": 2}],
    "draft": [{"account_id": 1, "target": "new", "fields": FIELDS, "updated_at": AT, "window": "w"}],
    "image": [],  # `check` would miss its file
    "proposal": [
        {"id": 1, "article_id": 3, "base_revision": 2, "source": SOURCE, "title": "Why does bread need salt?",
         "lang": "en", "message": "Better", "author_id": 1, "author": "Ada", "state": "pending", "reason": "",
         "reviewer": "", "created_at": AT}
    ],
    "feedback": [
        {"id": 1, "article_id": 3, "revision": 2, "reader": "3" * 40, "kind": "helped", "reason": "",
         "created_at": AT}
    ],
    "linked_identity": [
        {"id": 1, "issuer": "https://id.example.org", "subject": "s", "email": "a@example.org", **PERSON}
    ],
    "second_factor": [{"sealed": SEALED, "last_step": 60_000_000, **PERSON}],
    "recovery_code": [{"digest": "4" * 64, "account_id": 1}],
    "experiment": [
        {"id": 1, "started_at": AT, "finished_at": AT, "mode": "new", "requests": 10, "concurrency": 2,
         "server_start": "x", "counts": '{"1": 10}', "failed": 0, "cv": 0.0, "chi_square_p": 1.0,
         "lag_agreement": 0.5, "duration_ms": 5.0, "slowest_ms": 1.0, "has_own_queues": False}
    ],
    "host": [],  # they tell of themselves
    "similar": [{"article_id": 3, "position": 0, "other_id": 3}],
}  # fmt: skip
OURS = {"alembic_version", "site", "article_change"}  # kept by migrations and triggers
# Worked out anew from the rest, or taken off once it is done.
DERIVED = {"rendering", "similar", "index_job"}
CHANGED = {"article": {"digest", "excerpt"}}  # are of the renderer


def filled(settings, version):
    """Make a database of this version, with a row or more in each of its tables."""
    settings.prepare_data_dir()
    with closing(Database(settings.resolved_database_url)) as database, database.write() as session:
        connection = session.connection()
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        known = columns(connection)
        assert known.keys() <= ROWS.keys(), "a new table needs a row here"
        for table, rows in ROWS.items():
            for row in rows if table in known else ():
                values = {name: value for name, value in row.items() if name in known[table]}
                names = ", ".join(f'"{name}"' for name in values)
                places = ", ".join(f":{name}" for name in values)
                session.execute(text(f'INSERT INTO "{table}" ({names}) VALUES ({places})'), values)
        if version < "0004":  # nothing could be deleted then
            session.execute(text("DELETE FROM revision WHERE article_id = 7"))
            session.execute(text("DELETE FROM article WHERE id = 7"))
        if not database.can_be_shared:
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []


def columns(connection):
    """Return the names of all columns of each table, by table."""
    inspector = inspect(connection)
    tables = set(inspector.get_table_names()) - OURS
    return {table: [column["name"] for column in inspector.get_columns(table)] for table in tables}


def reads_of(database):
    """Return statements that read every column that there is, each by its name, by table."""
    with database.read() as session:
        known = columns(session.connection())
    return {
        table: text("SELECT {} FROM {}".format(", ".join(f'"{name}"' for name in names), f'"{table}"'))
        for table, names in known.items()
        if table not in DERIVED
    }


def held(database, reads):
    """Return the rows that these statements read, by table."""
    with database.read() as session:
        return {table: [dict(row) for row in session.execute(read).mappings()] for table, read in reads.items()}


def is_kept(table, row, after):
    """Say whether a row is there still, with what later versions have added."""
    bare = {name: value for name, value in row.items() if name not in CHANGED.get(table, ())}
    return any(bare.items() <= other.items() for other in after)


@pytest.fixture
def settings(request, tmp_path):
    """Of an installation whose database, of the engine that the parameter names, is empty."""
    (tmp_path / "content").mkdir()
    cluster = request.getfixturevalue("database_server") if request.param == "postgresql" else None
    url = cluster.url(cluster.create()) if cluster else None
    return Settings(data_dir=tmp_path / "var", content_dir=tmp_path / "content", database_url=url, secret_key=SECRET)


@pytest.mark.parametrize(
    ("settings", "version"),
    [("sqlite", version) for version in schema._versions()]
    + [("postgresql", version) for version in schema._versions() if version >= FIRST_ON_POSTGRESQL],
    indirect=["settings"],
)
def test_a_database_of_any_version_with_data_in_it_comes_up_to_date(settings, version):
    filled(settings, version)
    with closing(Database(settings.resolved_database_url)) as old:  # of a program that serves while another migrates
        reads = reads_of(old)
        for _ in range(PREPARED_AFTER + 1):
            before = held(old, reads)
        prepare(settings)
        after = held(old, reads)
    assert [
        (table, row) for table, rows in before.items() for row in rows if not is_kept(table, row, after[table])
    ] == []
    assert {table: len(rows) for table, rows in before.items()} == {table: len(after[table]) for table in before}

    index = SearchIndex(settings.index_dir)
    with closing(Database.of(settings)) as database:
        indexing.ensure(database, index)  # which is left to the workers where other hosts answer meanwhile
        found = check_all(settings, database, index)
    assert [check for check in found if check.state == State.PROBLEM] == []
    with TestClient(create_app(settings), follow_redirects=False) as client:
        assert "Salt slows the yeast down." in client.get("/questions/bread").text
        assert client.get("/questions/old-bread").headers["Location"].endswith("/questions/bread")
        assert client.get("/api/v1/questions/bread/revisions/1").json()["source"] == OLDER
        assert [hit["slug"] for hit in client.get("/api/v1/search?q=yeast&lang=en").json()["hits"]] == ["bread"]
        for path in ("/", "/questions", "/questions/brot", "/questions/bread/history", "/tags/cooking", "/wanted"):
            assert client.get(path).status_code == 200, path
        if "browser_session" in before:
            client.headers["Cookie"] = f"{SESSION_COOKIE}=key"
            paths = ["/account", "/contribute", "/questions/bread/edit"]
            paths += ["/review", "/proposals/1", "/drafts/new"] if "proposal" in before else []
            assert [path for path in paths if client.get(path).status_code != 200] == []
