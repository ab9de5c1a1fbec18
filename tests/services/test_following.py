"""Bringing changes into the index: in the regular work, and before somebody searches."""

import logging
from contextlib import closing

import pytest

from app.models import Role
from app.services import accounts, following, removing
from app.services.contributing import Contribution, contribute
from app.services.following import Follower
from app.services.searching import search
from app.storage import jobs, site
from app.storage.database import Database

TEXT = "---\ntitle: How hot is water for oolong?\nlang: en\ntags: [cooking]\n---\n\nNinety degrees.\n"
SAID = "a change is not in the search index yet"

pytestmark = pytest.mark.searches


@pytest.fixture
def rob(library):
    with library.database.write() as session:
        return accounts.add(session, email="rob@example.org", name="Rob", password_hash=None, role=Role.ADMIN)


@pytest.fixture
def follower(library):
    made = Follower(library.database, library.index)
    assert made.look()
    return made


def found(library, text="oolong"):
    return [hit.slug for hit in search(library.database, library.index, text).page.items]


def test_who_searches_finds_what_was_saved_before(library, follower, rob):
    contribute(library.database, rob, Contribution(TEXT, "new"))
    assert found(library) == []  # nobody has searched yet
    follower.catch_up()
    assert found(library) == ["how-hot-is-water-for-oolong"]
    removing.delete(library.database, rob, "how-hot-is-water-for-oolong", "no longer true")
    follower.catch_up()
    assert library.index.position() == last_job(library)


def test_the_regular_work_brings_in_what_nobody_searches_for(library, follower, rob):
    contribute(library.database, rob, Contribution(TEXT, "new"))
    follower.follow()
    assert found(library) == ["how-hot-is-water-for-oolong"]


def test_a_change_is_not_taken_for_known_before_it_is_committed(library, follower, rob):
    with library.database.write() as session:
        article = session.connection().exec_driver_sql("SELECT id FROM article WHERE slug = 'bread'").scalar_one()
        session.connection().exec_driver_sql("UPDATE article SET title = 'About oolong', revision = 9 WHERE id > 0")
        jobs.add(session, article)
        library.database.version.raise_to(10**6)  # what the end of the block does just before it commits
        follower.catch_up()
    follower.catch_up()
    assert found(library) == ["bread"]


def test_who_searches_does_not_wait_for_a_long_work_again_and_again(library, follower, rob, monkeypatch):
    monkeypatch.setattr(following, "PATIENCE_S", 0.02)
    asked = []
    write_lock = type(library.index).write_lock
    monkeypatch.setattr(
        type(library.index), "write_lock", lambda self, **said: asked.append(said) or write_lock(self, **said)
    )
    contribute(library.database, rob, Contribution(TEXT, "new"))
    with write_lock(library.index):
        follower.catch_up()
        follower.catch_up()
        assert asked == [{"patience_s": 0.02}]
    follower.follow()
    assert found(library) == ["how-hot-is-water-for-oolong"]
    asked.clear()
    removing.delete(library.database, rob, "how-hot-is-water-for-oolong", "no longer true")
    follower.catch_up()  # what the regular work could do, it tries again
    assert asked == [{"patience_s": 0.02}]


def test_an_index_that_cannot_be_written_is_told_once(library, follower, rob, monkeypatch, caplog):
    def fails(*_):
        raise OSError(28, "No space left on device")

    contribute(library.database, rob, Contribution(TEXT, "new"))
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(type(library.index), "update", fails)
        follower.catch_up()
        follower.catch_up()
        assert [record.message.partition(":")[0] for record in caplog.records] == [SAID]
    follower.follow()
    assert found(library) == ["how-hot-is-water-for-oolong"]


def test_who_searches_does_no_more_than_a_few_changes(library, follower, rob, monkeypatch):
    monkeypatch.setattr(following, "FEW", 1)
    for title in ("oolong", "sencha"):
        contribute(library.database, rob, Contribution(TEXT.replace("oolong", title), "new"))
    follower.catch_up()
    assert found(library) == []
    follower.follow()
    assert found(library) == ["how-hot-is-water-for-oolong"]


def test_who_searches_hardly_waits_for_a_database_that_is_locked(library, follower, rob, monkeypatch):
    monkeypatch.setattr(following, "WRITE_PATIENCE_S", 0.02)
    contribute(library.database, rob, Contribution(TEXT, "new"))
    generation = library.index.generation()
    with closing(Database.of(library.settings)) as other, other.write() as session:
        site.version(session)  # and so has the lock
        follower.catch_up()
        assert found(library) == ["how-hot-is-water-for-oolong"]
        follower.catch_up()  # is left to the regular work now
    assert library.index.generation() - generation <= 1


def test_searches_go_on_when_another_worker_has_done_what_was_left(library, follower, rob, monkeypatch):
    monkeypatch.setattr(following, "PATIENCE_S", 0.02)
    contribute(library.database, rob, Contribution(TEXT, "new"))
    with library.index.write_lock():
        follower.catch_up()
    Follower(library.database, library.index).follow()
    assert follower.look()
    removing.delete(library.database, rob, "how-hot-is-water-for-oolong", "no longer true")
    follower.catch_up()
    assert library.index.position() == last_job(library)


def last_job(library):
    with library.database.read() as session:
        return jobs.last_id(session)
