"""Each host keeps an index of its own, and learns from the log in the database what the others have changed."""

import sys

import pytest

from app.search.index import SearchIndex
from app.services import indexing
from app.services.following import Follower
from app.services.searching import search
from app.storage import jobs

TEA = "---\ntitle: How hot is {name}?\nlang: en\n---\n{text}\n"


@pytest.fixture
def other(library):
    """The index of another host."""
    index = SearchIndex(library.settings.data_dir / "other" / "index")
    indexing.ensure(library.database, index)
    yield index
    index.close()


def save(library, name, text="Ninety degrees."):
    library.write(f"cooking/{name}.md", TEA.format(name=name, text=text))
    library.sync()


def found(library, index, text):
    return [hit.slug for hit in search(library.database, index, text).page.items]


def is_equal(library, *indexes):
    return all(indexing.differing(library.database, index) == (set(), set()) for index in indexes)


def test_what_one_host_changes_every_other_learns(library, other):
    save(library, "oolong")
    assert not Follower(library.database, other).look()
    assert found(library, other, "oolong") == []
    assert indexing.drain(library.database, other) == 1
    assert Follower(library.database, other).look()
    assert found(library, other, "oolong") == found(library, library.index, "oolong") == ["oolong"]
    assert indexing.drain(library.database, other) == indexing.drain(library.database, library.index) == 0


def test_what_a_host_learns_ends_the_pages_that_did_not_know_it(library, other):
    save(library, "oolong")
    before = library.database.version.get()
    indexing.drain(library.database, other)
    assert library.database.version.get() > before


def test_a_host_that_was_away_for_long_compares_everything(library, other, monkeypatch):
    monkeypatch.setattr(jobs, "KEPT", 2)
    for name in ("oolong", "sencha", "assam", "matcha"):
        save(library, name)
    with library.database.read() as session:
        assert not jobs.tells_all_after(session, other.position())
    indexing.drain(library.database, other)
    assert is_equal(library, other)
    save(library, "oolong", "Eighty degrees.")
    assert indexing.drain(library.database, other) == 1


def test_a_new_host_builds_its_index(library, other):
    save(library, "oolong")
    new = SearchIndex(library.settings.data_dir / "new" / "index")
    indexing.ensure(library.database, new)
    assert found(library, new, "oolong") == ["oolong"]
    assert new.position() == library.index.position() > other.position()
    new.close()


def test_an_index_that_knows_more_than_the_database_is_put_right(library, other):
    save(library, "oolong")
    library.index.advance(1000, "")  # the database is of yesterday, and has given its numbers to other changes since
    assert not Follower(library.database, library.index).look()
    with library.database.write() as session:
        session.connection().exec_driver_sql("UPDATE article SET revision = 7 WHERE slug = 'bread'")
    assert indexing.drain(library.database, library.index) == 0  # it was built anew
    assert is_equal(library, library.index)
    assert library.index.position() < 1000


def test_who_is_interrupted_does_it_again(library, other, monkeypatch):
    save(library, "oolong")
    with monkeypatch.context() as patch:
        patch.setattr(SearchIndex, "advance", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit):
            indexing.drain(library.database, other)
    assert indexing.drain(library.database, other) == 1
    assert found(library, other, "oolong") == ["oolong"]
    assert is_equal(library, other)
