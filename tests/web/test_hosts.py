"""What hosts of one site tell each other, and balancers; they do nothing by themselves that a test does not ask for."""

import copy
import shutil
import time
from contextlib import ExitStack
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import select
from starlette.testclient import TestClient

from app.cli.preparing import prepare
from app.errors import OperatorError
from app.models import Host
from app.models.columns import now
from app.services import hosts, indexing, questions
from app.services.checking import check_all
from app.services.hosts import BEHIND_AFTER_S, Hosts
from app.services.syncing import sync
from app.storage import schema, version_follower
from app.storage.content_version import SharedVersion
from app.storage.database import Database
from app.web import application
from app.web.application import create_app
from tests.conftest import ARTICLES, Site, opened
from tests.waiting import eventually
from tests.web.conftest import wait_for_version

LONG_S = 600  # longer than a test takes
STALE_FOR_S = 1.0


@pytest.fixture
def told_alone(monkeypatch):
    """Nobody asks the database for changes, and what is known is good for long: who is not told shows old pages."""
    monkeypatch.setattr(version_follower, "ASK_EVERY_S", LONG_S)
    monkeypatch.setattr(version_follower, "GOOD_FOR_S", LONG_S)


@pytest.fixture
def told_nothing(monkeypatch):
    """What the database tells of changes is lost."""
    monkeypatch.setattr(version_follower, "CHANNEL", "nobody_tells")


@pytest.fixture
def site(database_server, tmp_path, monkeypatch):
    """Three hosts: the library and the client of each, and whoever else is asked for."""
    for name in ("TEND_EVERY_S", "FOLLOW_EVERY_S", "TELL_EVERY_S"):
        monkeypatch.setattr(application, name, LONG_S)
    name = database_server.create()
    with ExitStack() as stack:
        made = []
        for number in range(3):
            library = stack.enter_context(opened(Site(tmp_path / str(number), name), copy.copy(database_server)))
            library.settings.prepare_data_dir()
            if number == 0:
                schema.migrate(library.database)
                for path, written in ARTICLES.items():
                    library.write(path, written)
                library.sync()
            indexing.ensure(library.database, library.index)
            settings = library.settings.model_copy(update={"secret_key": "s" * 48})
            client = stack.enter_context(TestClient(create_app(settings), follow_redirects=False))
            wait_for_version(client.app)
            made.append((library, client))
        yield made
    database_server.drop(name)


def save(library, name, text="Ninety degrees."):
    """Save what all hosts, this one too, have yet to bring in."""
    library.write(f"cooking/{name}.md", f"---\ntitle: How hot is {name}?\nlang: en\n---\n{text}\n")
    sync(library.database, None, library.content)


def is_ready(site):
    """Let all hosts tell how they are, then return which of them are ready."""
    for _, client in site:
        client.app.state.omniracle.tell()
    return [client.get("/readyz").status_code == 200 for _, client in site]


def follow(*hosts):
    for _, client in hosts:
        client.app.state.omniracle.following.follow()


def let_time_pass(library):
    """Let all changes be older than any host should need."""
    with library.database.write() as session:
        session.execute(
            text("UPDATE index_job SET created_at = created_at - :time"), {"time": timedelta(seconds=BEHIND_AFTER_S)}
        )


def test_a_host_that_is_behind_the_others_is_left_out_until_it_has_caught_up(site):
    library = site[0][0]
    save(library, "oolong")
    assert is_ready(site) == [True, True, True]  # what has just come is no matter
    follow(*site[:2])
    let_time_pass(library)
    assert is_ready(site) == [True, True, False]
    answer = site[2][1].get("/readyz")
    assert "behind" in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert site[2][1].get("/questions/bread").status_code == 200
    settings = site[0][1].app.state.omniracle.settings
    told = [check.message for check in check_all(settings, library.database, library.index)]
    assert sum("is missing or behind" in message for message in told) == 1
    follow(site[2])
    assert is_ready(site) == [True, True, True]


def test_no_more_than_half_of_the_hosts_are_left_out(site):
    library = site[0][0]
    save(library, "oolong")
    let_time_pass(library)
    assert is_ready(site) == [True, True, True]
    follow(site[0])
    assert is_ready(site) == [True, True, True]  # one host does not bear it all
    follow(site[1])
    assert is_ready(site) == [True, True, False]
    with library.database.write() as session:  # the others have not been heard of since
        session.execute(text("UPDATE host SET seen_at = seen_at - interval '7 seconds'"))
    assert site[2][1].get("/readyz").status_code == 200


def test_hosts_that_are_called_alike_are_two(site, tmp_path):
    library, client = site[0]
    folder = tmp_path / "data"  # in each of two containers, whose names are equal too
    settings = library.settings.model_copy(update={"data_dir": folder, "port": 8123})
    workers = client.app.state.omniracle.table.rows()
    for container in ("one", "two"):
        folder.mkdir()
        for _ in range(2):  # processes of it
            Hosts(settings, library.database).tell(workers, 0.0)
        folder.rename(tmp_path / container)
    names = {row["host"] for row in client.get("/-/workers.json").json()["workers"] if ":8123" in row["host"]}
    assert len(names) == 2
    page = client.get("/-/workers").text
    assert all(name in page for name in names)


def test_a_host_that_comes_back_empty_takes_the_place_of_its_former_self(site, tmp_path):
    database = site[0][0].database

    def tell(name, port=8123, silent_s=0):
        settings = site[0][0].settings.model_copy(update={"data_dir": tmp_path / name, "port": port})
        settings.prepare_data_dir()
        host = Hosts(settings, database)
        host.tell(site[0][1].app.state.omniracle.table.rows(), 0.0)
        with database.write() as session:
            shift = {"time": timedelta(seconds=silent_s), "id": host._id}
            session.execute(text("UPDATE host SET seen_at = seen_at - :time WHERE id = :id"), shift)
        return settings, host._id

    settings, former = tell("gone", silent_s=7)
    others = {tell("twin", silent_s=-LONG_S)[1], tell("another", 8124, silent_s=7)[1]}  # the first in another container
    shutil.rmtree(settings.data_dir)
    settings.prepare_data_dir()
    prepare(settings)
    with database.read() as session:
        known = set(session.exec(select(Host.id)))
    assert others <= known
    assert former not in known


@pytest.mark.parametrize("ahead_s", [-600, 600])
def test_a_wrong_clock_is_told_and_hides_nobody(site, monkeypatch, ahead_s):
    library, client = site[0]
    with monkeypatch.context() as patch:
        patch.setattr(hosts, "now", lambda: now() + timedelta(seconds=ahead_s))
        site[1][1].app.state.omniracle.tell()
    with pytest.raises(OperatorError, match="0 seconds ago"):  # a move would lose what that host saves meanwhile
        client.app.state.omniracle.hosts.refuse_others()
    rows = client.get("/-/workers.json").json()["workers"]
    assert [row["state"] for row in rows if "not responding" in row["state"]] == []
    assert len(rows) == 2

    def told():
        found = check_all(client.app.state.omniracle.settings, library.database, library.index)
        return [check.message % check.params for check in found if "clock" in check.message]

    assert [each for each in told() if "by 600 seconds" in each] == told() != []
    monkeypatch.setattr(hosts, "now", lambda: now() + timedelta(seconds=ahead_s))
    assert len(told()) == 2  # its own too


def test_an_address_of_several_servers_is_as_good(database_server, tmp_path):
    name = database_server.create()
    address = f"{database_server.url(name)}&host=/nowhere&target_session_attrs=read-write"
    database = Database(address, SharedVersion(tmp_path / "version"))
    schema.migrate(database)
    watch = database.watch()
    assert eventually(lambda: watch.current() is not None)
    watch.close()
    database.close()
    database_server.drop(name)


def test_the_database_tells_every_host_of_a_change(told_alone, site):
    library, page = site[0][0], "/questions/oolong"

    def is_shown_everywhere(text):
        return eventually(lambda: all(text in client.get(page).text for _, client in site))

    save(library, "oolong")
    assert is_shown_everywhere("Ninety")
    save(library, "oolong", "Eighty degrees.")
    assert is_shown_everywhere("Eighty")
    with library.database.engine.connect() as connection:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
    save(library, "oolong", "Seventy degrees.")
    assert is_shown_everywhere("Seventy")  # told, or asked for by who came back
    save(library, "oolong", "Sixty degrees.")
    assert is_shown_everywhere("Sixty")


def test_hosts_that_are_not_told_show_a_kept_page_for_a_second_at_most(told_nothing, site, monkeypatch):
    (library, _), *others = site  # nothing else lets these learn of a change: they do no regular work
    page, made, find = "/questions/oolong", [], questions.articles.find
    monkeypatch.setattr(questions.articles, "find", lambda *asked: made.append(asked) or find(*asked))

    def is_kept(client):
        already = len(made)
        return client.get(page).status_code == 200 and len(made) == already

    for degrees in range(4):
        save(library, "oolong", f"It is {degrees}0 degrees.")
        time.sleep(STALE_FOR_S)
        assert all(f"It is {degrees}0" in client.get(page).text for _, client in others)
        assert all(eventually(lambda client=client: is_kept(client), pause=0.01) for _, client in others)
