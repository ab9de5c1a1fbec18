"""With PostgreSQL as the search engine all hosts have one index, and whoever comes first brings a change into it."""

import copy
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.config import PROJECT_DIR
from app.errors import IndexUnavailable, OperatorError
from app.search.postgresql import vectors, writing
from app.services import indexing, suggesting
from app.services.asking import ask
from app.services.backup import back_up
from app.services.checking import check_all
from app.services.engines import search_engine
from app.services.following import Follower
from app.services.health import State
from app.services.relating import RelatedQuestions
from app.services.restoring import restore
from app.services.searching import search, warm
from app.services.syncing import sync
from app.storage import articles, jobs, schema
from app.storage.database import Database
from tests.conftest import ARTICLES, Site, opened
from tests.waiting import eventually

HOLDER = """
import sys
from sqlalchemy.exc import DBAPIError
from app.environment import load_settings
from app.config import PROJECT_DIR
from app.errors import IndexUnavailable
from app.search.postgresql import index, writing
from app.search.schema import Entry
from app.storage.engines import engine_of

used = index.PostgresIndex(engine_of(load_settings().resolved_database_url, 6))


def stand_still():
    print("holds it", flush=True)
    sys.stdin.readline()


def standing_still_after(work):
    def work_and_stand_still(*given):
        done = work(*given)
        stand_still()
        return done

    return work_and_stand_still


try:
    with used.write_lock():
        if "in a change" in sys.argv:
            index.tables.note_anchor = standing_still_after(index.tables.note_anchor)
        elif "while it sends an article" in sys.argv:
            writing.written = standing_still_after(writing.written)
            used.update([Entry(999, 1, "en", "Is it oolong?", (), (), "Ninety degrees.")], [])
        else:
            stand_still()
        used.advance(int(sys.argv[1]), "")
        print("has written", flush=True)
except IndexUnavailable as error:
    print(error)
except DBAPIError as error:
    print("what is left of it:", error.__context__)
"""


@pytest.fixture
def hosts(database_server, tmp_path):
    """Two hosts of one site, with data folders of their own."""
    server = copy.copy(database_server)
    server.searches = True
    name = server.create()
    with opened(Site(tmp_path / "one", name), server) as one, opened(Site(tmp_path / "two", name), server) as two:
        for host in (one, two):
            host.settings.prepare_data_dir()
            host.content.mkdir(parents=True)
        schema.migrate(one.database)
        for host in (one, two):
            indexing.ensure(host.database, host.index)
        for path, written in ARTICLES.items():
            one.write(path, written)
        one.sync()
        yield one, two
    server.drop(name)


def found(host, text, **options):
    return [hit.slug for hit in search(host.database, host.index, text, **options).page.items]


def id_of(host, slug):
    with host.database.read() as session:
        return articles.find(session, slug).id


def save(host, name, text="Ninety degrees."):
    host.write(f"cooking/{name}.md", f"---\ntitle: How hot is {name}?\nlang: en\n---\n{text}\n")
    host.sync()


def test_what_one_host_saves_the_other_finds_at_once(hosts):
    one, two = hosts
    save(one, "oolong")
    assert found(two, "oolong") == ["oolong"]
    assert Follower(two.database, two.index).look()
    assert one.index.generation() == two.index.generation()
    save(one, "oolong", "Eighty degrees.")
    assert found(two, "eighty") == ["oolong"]
    assert found(two, "ninety") == []


@pytest.fixture(params=["before a change", "in a change", "while it sends an article"])
def holder(hosts, request):
    """A process of the first host that has the right to write, and notes the position of now when it is told to."""
    settings = hosts[0].settings
    environ = os.environ | {"DATABASE_URL": settings.database_url, "OMNIRACLE_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-c", HOLDER, str(hosts[0].index.position()), request.param]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=PROJECT_DIR, env=environ, text=True, **pipes) as process:
        assert process.stdout.readline() == "holds it\n"
        yield process
        process.kill()


def test_a_host_that_stands_still_holds_nobody_up_and_undoes_nothing(hosts, holder):
    one, two = hosts
    signs = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT'"
    with one.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert eventually(lambda: connection.scalar(text(signs)))
    os.kill(holder.pid, signal.SIGSTOP)
    one.write("cooking/oolong.md", "---\ntitle: How hot is oolong?\nlang: en\n---\nNinety degrees.\n")
    before = one.index.position()
    sync(one.database, None, one.content)
    Follower(two.database, two.index).catch_up()  # which a search does before it looks
    assert found(two, "oolong") == ["oolong"]
    after = one.index.position()
    assert after > before

    os.kill(holder.pid, signal.SIGCONT)  # it goes on as if it still had the right
    said, _ = holder.communicate("\n", timeout=60)
    assert "has written" not in said
    assert "stood still" in said or "idle-in-transaction" in said
    assert one.index.position() == after
    assert one.index.is_whole(thorough=True)
    assert indexing.differing(two.database, two.index) == (set(), set())


def test_what_takes_long_to_analyse_is_brought_in(hosts, monkeypatch):
    """Nothing is worked out in a transaction, which PostgreSQL ends when nothing is heard of it."""
    one, two = hosts
    is_in_body = vectors._is_in_body
    monkeypatch.setattr(vectors, "_is_in_body", lambda places: time.sleep(0.2) or is_in_body(places))
    save(one, "oolong", " ".join(f"degrees{number}" for number in range(int(5 * writing.SILENCE_S) + 2)))
    assert found(two, "degrees7") == ["oolong"]


def test_a_new_index_that_stands_still_where_it_takes_over_is_thrown_out(hosts, monkeypatch):
    one, two = hosts
    put_in_place = writing.tables.put_in_place
    searched = []

    def stand_still(*given):
        put_in_place(*given)
        searched.append(found(two, "salt"))  # which waits for it

    monkeypatch.setattr(writing.tables, "put_in_place", stand_still)
    with pytest.raises(DBAPIError, match="idle-in-transaction"):
        indexing.rebuild(one.database, one.index)
    assert searched == [["bread"]]
    monkeypatch.undo()
    assert indexing.rebuild(one.database, one.index) == 5


def test_a_change_that_one_host_leaves_another_brings_in(hosts):
    one, two = hosts
    number = id_of(one, "bread")
    with two.index.write_lock():
        two.index.update([], [number])
        with one.database.write() as session:
            jobs.add(session, number)
        assert indexing.drain(one.database, one.index) is None
        assert found(one, "salt") == []
    assert indexing.drain(two.database, two.index) == 1
    assert found(one, "salt") == ["bread"]
    assert indexing.drain(one.database, one.index) == 0


def test_one_host_builds_anew_what_all_use(hosts):
    one, two = hosts
    before = two.index.generation()
    assert indexing.rebuild(one.database, one.index) == 5
    assert found(two, "salt") == ["bread"]
    assert two.index.generation() > before
    assert indexing.differing(two.database, two.index) == (set(), set())


def test_no_search_waits_while_a_dump_keeps_a_new_index_from_taking_over(hosts, monkeypatch):
    one, two = hosts
    meanwhile = []
    monkeypatch.setattr(writing, "LOCK_WAIT_MS", 100)
    monkeypatch.setattr(writing, "time", SimpleNamespace(sleep=lambda _: meanwhile.append(found(two, "salt"))))
    with two.database.read() as session:
        session.connection().execute(text("SET LOCAL application_name = 'pg_dump'"))
        session.connection().execute(text("LOCK TABLE omniracle_search.texts IN ACCESS SHARE MODE"))  # as it does
        # One that was left behind, when a process was killed, and is dumped too.
        with one.database.write() as other:
            other.connection().execute(text("CREATE SCHEMA omniracle_search_left"))
            other.connection().execute(text("CREATE TABLE omniracle_search_left.state ()"))
        session.connection().execute(text("LOCK TABLE omniracle_search_left.state IN ACCESS SHARE MODE"))
        with pytest.raises(OperatorError, match=r"pg_dump \(process \d+ of the database\).*-N 'omniracle_search\*'"):
            indexing.rebuild(one.database, one.index)
        assert meanwhile == [["bread"]] * (writing.ATTEMPTS - 1)
        assert found(two, "salt") == ["bread"]
    assert indexing.rebuild(one.database, one.index) == 5
    with one.database.read() as session:
        statement = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'omniracle_search')"
        assert session.connection().scalars(text(statement)).all() == ["omniracle_search"]


def test_a_lost_index_is_built_anew(hosts):
    one, two = hosts
    with one.database.write() as session:
        session.connection().execute(text("DROP SCHEMA omniracle_search CASCADE"))
    assert not two.index.is_whole()
    assert [check.state for check in check_all(one.settings, one.database, one.index)].count(State.PROBLEM) == 1
    indexing.ensure(two.database, two.index, thorough=True)
    assert found(one, "salt") == ["bread"]
    states = [check.state for check in check_all(one.settings, one.database, one.index)]
    assert State.PROBLEM not in states


@pytest.mark.parametrize("saves", [0, 1, 2])
def test_an_older_database_that_was_restored_beside_the_index_is_noticed_also_after_saves(hosts, tmp_path, saves):
    """Somebody has emptied the database by dropping its tables, and the index has a schema of its own."""
    one, two = hosts
    save(one, "oolong")
    back_up(one.settings, tmp_path / "backup.tar.gz", {})
    save(one, "oolong", "Eighty degrees.")
    assert found(two, "eighty") == ["oolong"]
    with one.database.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    restore(one.settings, tmp_path / "backup.tar.gz")
    for number in range(saves):  # with the same numbers of changes and revisions as before
        one.write("cooking/oolong.md", f"---\ntitle: How hot is oolong?\nlang: en\n---\n{number + 70} degrees.\n")
        sync(one.database, None, one.content)
    indexing.ensure(two.database, two.index)
    assert found(two, "eighty") == []
    assert found(two, str(saves + 69) if saves else "ninety") == ["oolong"]


@pytest.mark.parametrize(("version", "is_whole"), [("5.9", False), ("10.1", True)])
def test_hosts_that_are_yet_to_be_upgraded_leave_the_newer_index(hosts, version, is_whole):
    one, _ = hosts
    with one.database.write() as session:
        session.connection().execute(text("UPDATE omniracle_search.state SET version = :version"), {"version": version})
    assert one.index.is_whole() == is_whole
    with pytest.raises(IndexUnavailable):
        found(one, "salt")
    assert not indexing.ensure(one.database, one.index, may_leave=True)
    assert one.index.is_whole() == is_whole
    position = one.index.position()
    one.write("cooking/oolong.md", "---\ntitle: How hot is oolong?\nlang: en\n---\nNinety degrees.\n")
    sync(one.database, None, one.content)
    with pytest.raises(IndexUnavailable, match="another program's version"):  # terms may be others there
        indexing.drain(one.database, one.index)
    assert one.index.position() == position
    if not is_whole:
        indexing.ensure(one.database, one.index)
        assert found(one, "salt") == ["bread"]


def test_rows_that_are_missing_are_found_by_a_thorough_look(hosts):
    one, _ = hosts
    with one.database.write() as session:
        session.connection().execute(text("DELETE FROM omniracle_search.texts"))
    indexing.ensure(one.database, one.index)
    assert found(one, "salt") == []
    indexing.ensure(one.database, one.index, thorough=True)
    assert found(one, "salt") == ["bread"]


def test_a_deleted_article_is_not_found(hosts):
    one, two = hosts
    with one.index.write_lock():
        one.index.update([], [id_of(one, "bread")])
    assert found(two, "salt") == []


def test_everything_that_searches_does(hosts):
    one, _ = hosts
    warm(one.index)
    assert [each.slug for each in suggesting.suggest(one.database, one.index, "why does bre")] == ["bread"]
    assert suggesting.near_questions(one.database, one.index, "bread of the moon", 3)[0].slug == "bread"
    answer = ask(one.database, one.index, "Why does bread need salt?")
    assert "yeast" in answer.quotes[0].text
    related = RelatedQuestions(one.database, one.index)
    related.tend()
    with one.database.read() as session:
        article = articles.find(session, "workers-en")
        assert related.of(session, article, []).is_kept
    wrong = search(one.database, one.index, "bread sallt")
    assert wrong.did_you_mean == "bread salt"
    assert wrong.page.items[0].slug == "bread"


def test_the_site_is_told_when_its_account_may_make_no_schema(hosts, database_server):
    one, _ = hosts
    with one.database.write() as session:
        session.connection().execute(text("DROP SCHEMA omniracle_search CASCADE"))
        session.connection().execute(text("CREATE ROLE reader LOGIN"))
        session.connection().execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"))
    settings = one.settings.model_copy(
        update={"database_url": one.settings.resolved_database_url.replace("omniracle@", "reader@")}
    )
    database, index = Database.of(settings), search_engine(settings)
    with pytest.raises(OperatorError, match="grant it CREATE on the database"):
        indexing.ensure(database, index)
    index.close()
    database.close()
