"""The index in files: that it heals, and that it can be replaced while it is read."""

import random
import shutil

import pytest

from app.errors import IndexUnavailable
from app.search import scorer
from app.search.index import SearchIndex
from app.search.query import parse
from app.services import indexing
from app.services.searching import search


def slugs(library, text):
    return [hit.slug for hit in search(library.database, library.index, text).page.items]


def test_no_segment_is_written_over_another_however_chance_is_set(library):
    state = random.getstate()
    try:
        for drink in ("oolong", "sencha", "assam"):
            random.seed(0)  # as hypothesis does before each example
            library.write(f"cooking/{drink}.md", f"---\ntitle: How hot is {drink}?\nlang: en\n---\nNinety.\n")
            library.sync()
    finally:
        random.setstate(state)
    other = SearchIndex(library.settings.index_dir)
    for drink in ("oolong", "sencha", "assam"):
        assert [hit.slug for hit in search(library.database, other, drink).page.items] == [drink]
    other.close()


def test_a_deleted_index_is_rebuilt(library):
    assert slugs(library, "salt") == ["bread"]
    shutil.rmtree(library.settings.index_dir)
    assert slugs(library, "salt") == ["bread"]  # from what is open
    with pytest.raises(IndexUnavailable):
        search(library.database, SearchIndex(library.settings.index_dir), "salt")
    indexing.ensure(library.database, library.index)
    assert slugs(library, "salt") == ["bread"]


# Whoosh leaves the damaged file that it gives up on to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_damaged_index_is_rebuilt(library):
    library.index.close()
    for file in library.settings.index_dir.rglob("*.trm"):
        file.write_bytes(file.read_bytes()[:100])
    for file in library.settings.index_dir.rglob("_MAIN*"):
        file.write_bytes(b"")
    indexing.ensure(library.database, library.index)
    assert slugs(library, "salt") == ["bread"]


def test_rebuilding_leaves_an_open_searcher_alone(library):
    reader = SearchIndex(library.settings.index_dir)
    before = reader.snapshot()
    assert indexing.rebuild(library.database, library.index) == 5
    assert len(scorer.search(before, parse("bread salt")).page(0, 10)) == 1
    assert search(library.database, reader, "salt").page.total == 1
    reader.close()
