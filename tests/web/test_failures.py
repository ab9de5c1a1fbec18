"""The disk or the database fails: who saves is told plainly that nothing was saved, who reads goes on reading."""

import asyncio
import errno
import itertools
import os
import sqlite3
from contextlib import closing, suppress
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from app.models import BrowserSession, Role, Scope
from app.models.columns import now
from app.services import accounts
from app.storage.content_version import SharedVersion
from app.storage.database import file_of
from app.web.application import _every
from app.workers.table import WorkerTable
from tests import loops

QUESTION = {"title": "Is it full?", "body_markdown": "words " * 20_000}
FORM = {"title": "Is it full?", "lang": "en", "body": "words " * 20_000}


# What PostgreSQL says about its disk; nothing in a database can really fill or damage it.
SAYING = "CREATE FUNCTION said() RETURNS {} LANGUAGE plpgsql AS $$BEGIN RAISE 'said' USING ERRCODE = '{}'; END$$"


@pytest.fixture(params=["full", "read-only"])
def full(client, library, postgresql, request):
    """The database's disk takes no more, or the database may only be read, as a copy of another one."""
    engine = client.app.state.omniracle.database.engine
    if postgresql and request.param == "full":
        with library.database.engine.begin() as connection:
            connection.exec_driver_sql(SAYING.format("trigger", "disk_full"))
            connection.exec_driver_sql("CREATE TRIGGER said BEFORE INSERT ON article EXECUTE FUNCTION said()")
    elif postgresql:
        event.listen(engine, "checkout", _say_read_only)
    else:
        pragma = "max_page_count = 1" if request.param == "full" else "query_only = 1"
        event.listen(engine, "checkout", lambda connection, *_: connection.execute(f"PRAGMA {pragma}"))


def _say_read_only(connection, *_):
    connection.execute("SET default_transaction_read_only = on")
    connection.commit()


@pytest.fixture
def token(library, people):
    return accounts.create_token(library.database, people[Role.REVIEWER], "tests", Scope.WRITE, people[Role.REVIEWER])


def test_a_full_disk_is_a_problem_document_and_nothing_is_half_saved(client, library, token, full, caplog):
    answer = client.post("/api/v1/questions", json=QUESTION, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "60"
    assert "the disk of this site is full" in answer.json()["detail"]
    assert "Traceback" not in caplog.text
    assert client.get("/api/v1/questions/is-it-full").status_code == 404
    assert client.get("/questions/bread").status_code == 200


@pytest.mark.parametrize(("lang", "said"), [("en", "is full or may not be written to"), ("zh-CN", "磁盘已满")])
def test_a_full_disk_is_a_page_in_the_readers_language_with_what_was_typed(signed_in, full, lang, said):
    answer = signed_in(Role.REVIEWER).post("/contribute", data=FORM, headers={"Accept-Language": lang})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert said in answer.text
    assert "words words" in answer.text
    assert "sqlite" not in answer.text
    assert "psycopg" not in answer.text


def test_an_image_that_has_no_space_is_refused_plainly_and_leaves_nothing(signed_in, library, little_space, caplog):
    written = BytesIO()
    Image.frombytes("RGB", (90, 60), os.urandom(90 * 60 * 3)).save(written, "PNG")
    client = signed_in(Role.CONTRIBUTOR)
    little_space(10_000)
    answer = client.post("/images/new", files={"image": ("x.png", written.getvalue())})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "Traceback" not in caplog.text
    assert str(library.settings.data_dir) not in answer.text
    assert [path for path in library.settings.images_dir.rglob("*") if path.is_file()] == []


def test_a_database_that_is_damaged_is_said_to_be_under_repair(client, library, postgresql, caplog):
    damage = (
        SAYING.format("boolean", "data_corrupted"),
        "ALTER TABLE article RENAME TO damaged",
        "CREATE VIEW article AS SELECT * FROM damaged WHERE said()",
    ) if postgresql else (
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET rootpage = 2 WHERE name = 'ix_article_live_updated'",
    )  # fmt: skip
    with library.database.write() as session:
        for statement in damage:
            session.execute(text(statement))
    if not postgresql:
        with library.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    client.app.state.omniracle.database.engine.dispose()
    answer = client.get("/questions?sort=updated")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "under repair" in answer.text
    assert "Traceback" not in caplog.text


def test_a_mistake_of_ours_is_one(client, monkeypatch):
    def broken(*_, **__):
        raise FileExistsError(17, "File exists")

    monkeypatch.setattr("app.web.routes.tags.tags.counted", broken)
    assert client.get("/tags").status_code == 500


@pytest.mark.sqlite
def test_who_reads_does_not_wait_for_a_database_that_cannot_be_written_to(client, library, signed_in, token):
    reader = signed_in(Role.READER)
    with library.database.write() as session:
        session.execute(update(BrowserSession).values(seen_at=now() - timedelta(days=1)))
    with closing(sqlite3.connect(file_of(library.settings), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert reader.get("/questions/bread").status_code == 200
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/v1/questions/bread", headers=headers).status_code == 200
        other.execute("ROLLBACK")
    seen = select(func.count()).where(col(BrowserSession.seen_at) > now() - timedelta(hours=1))
    is_noted = False
    while not is_noted:  # the regular work may have the lock just then: the next request notes it
        assert reader.get("/account").status_code == 200
        with library.database.read() as session:
            is_noted = session.execute(seen).scalar_one() == 1


@pytest.mark.parametrize("make", [lambda path: SharedVersion(path).raise_to(1), lambda path: WorkerTable(path).claim()])
def test_what_is_mapped_has_its_place_on_the_disk(tmp_path, make):
    """To write to a mapped page that has none on a full disk would end the process."""
    make(tmp_path / "mapped")
    state = (tmp_path / "mapped").stat()
    assert state.st_blocks * 512 >= state.st_size


def test_regular_work_that_cannot_be_done_says_so_once_and_goes_on(caplog):
    """The log may be on the same full disk."""

    async def run():
        done = asyncio.Event()
        times = itertools.count()

        def work():
            if next(times) == 3:
                done.set()
            raise OSError(errno.ENOSPC, "No space left on device")

        task = asyncio.create_task(_every(0, work))
        await done.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    loops.run(run())
    assert caplog.text.count("regular work failed") == 1
    assert "Traceback" not in caplog.text


@pytest.fixture
def away(client):
    """The database has gone away: no connection is to be had."""

    def refuse(*_):
        raise OperationalError("", {}, ConnectionError("connection refused"))

    engine = client.app.state.omniracle.database.engine
    event.listen(engine, "checkout", refuse)
    yield
    event.remove(engine, "checkout", refuse)


@pytest.mark.timeout(20)  # else it waits for ever for a form that has come already
@pytest.mark.parametrize("path", ["/sign-out", "/sign-in", "/questions/bread/feedback", "/contribute"])
def test_a_form_of_who_is_signed_in_is_answered_while_the_database_is_away(signed_in, away, caplog, path):
    typed = {"email": "ann@example.org", "password": "four words make one", "kind": "helped", "title": "Is it kept?"}
    answer = signed_in(Role.CONTRIBUTOR).post(path, data=typed)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Is it kept?" in answer.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nonexistent", 404), ("GET", "/sign-out", 405), ("POST", "/questions", 405)]
)
def test_error_pages_need_no_database(signed_in, away, caplog, method, path, status):
    answer = signed_in(Role.CONTRIBUTOR).request(method, path, data={"title": "x"} if method == "POST" else None)
    assert answer.status_code == status
    assert "Ann" not in answer.text
    assert "connection refused" in caplog.text
    assert "Traceback" not in caplog.text
