"""A damaged index is noticed, goes on answering what it can, and is built anew; saves go on meanwhile."""

import random
import resource
import shutil
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from whoosh.index import TOC

from app.errors import IndexUnavailable
from app.search.building import open_index
from app.search.index import SearchIndex
from app.search.schema import Entry
from app.services import indexing
from app.services.searching import search
from app.storage import site, snapshots
from app.storage.database import file_of


def files(library, ending):
    build = (library.index.folder / "CURRENT").read_text()
    return sorted(path for path in (library.index.folder / build).iterdir() if path.name.endswith(ending))


def identity(library):
    with library.database.read() as session:
        return site.identity(session)


def found(library, text="salt"):
    return [hit.slug for hit in search(library.database, SearchIndex(library.index.folder), text).page.items]


# Whoosh leaves a file open that it cannot read.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("ending", [".pst", ".trm", ".article.col", "_body_len.col", "words.txt", ".toc", "facts.json"])
def test_a_truncated_file_is_noticed_and_mended(library, ending):
    for path in files(library, ending):
        path.write_bytes(path.read_bytes()[:3])
    other = SearchIndex(library.index.folder)
    assert not other.is_usable(identity(library))
    indexing.ensure(library.database, other)
    assert other.is_usable(identity(library), thorough=True)
    assert found(library) == ["bread"]
    assert found(library, "brread") == ["bread"]


def test_a_missing_file_is_noticed(library):
    for path in files(library, ".pst"):
        path.unlink()
    assert not SearchIndex(library.index.folder).is_whole()


def test_other_bytes_are_noticed_by_a_thorough_look(library):
    rng = random.Random(1)
    for path in files(library, ".pst"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2 :] = rng.randbytes(len(content) - len(content) // 2)
        path.write_bytes(content)
    other = SearchIndex(library.index.folder)
    assert other.is_whole()
    assert not other.is_usable(identity(library), thorough=True)


def test_an_error_from_damaged_files_condemns_the_index(library):
    for path in files(library, ".pst"):
        path.write_bytes(b"\xff" * path.stat().st_size)
    other = SearchIndex(library.index.folder)
    with pytest.raises(IndexUnavailable):
        search(library.database, other, "salt")
    assert not other.is_whole()
    indexing.ensure(library.database, other)
    assert found(library) == ["bread"]


def test_an_index_that_is_taken_away_while_it_is_written_to_is_told_as_one(library, monkeypatch):
    def gone(*_):
        shutil.rmtree(library.index.folder)
        raise FileNotFoundError(library.index.folder)

    monkeypatch.setattr("app.search.index.write_changes", gone)
    with pytest.raises(IndexUnavailable):
        library.index.update([], [1])


@pytest.mark.sqlite
@pytest.mark.parametrize("most_bytes", [256, 300_000])  # of one file: too few for an article, and for all its words
def test_a_write_that_fails_leaves_no_file_open(library, most_bytes):
    """What is closed later, in passing, fails again then, where only a traceback in the log can tell of it."""
    before = open_files()
    least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    long = Entry(999, 1, "en", "Long", (), (), " ".join(f"word{number}" for number in range(20_000)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most))
    try:
        with pytest.raises(OSError, match="too large") as told:
            library.index.update([long], [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))
    assert told  # holds the writer: nothing was closed by being forgotten
    assert open_files() <= before


def open_files():
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder itself, while it is read
            found.add(link.readlink())
    return found


def test_an_error_of_our_own_condemns_nothing(library):
    with pytest.raises(ZeroDivisionError), library.index.reading():
        raise ZeroDivisionError
    assert library.index.is_whole()


def test_a_change_during_a_rebuild_is_found_at_once_and_not_lost(library, monkeypatch):
    library.write("x/old.md", "---\ntitle: Old\nlang: en\n---\nAbout gnus.\n")
    library.sync()
    is_building, may_end = threading.Event(), threading.Event()
    entries = indexing._entries

    def slowly(database, ids):
        found = entries(database, ids)
        if threading.current_thread() is builder:
            is_building.set()
            may_end.wait(20)
        return found

    monkeypatch.setattr(indexing, "_entries", slowly)
    builder = threading.Thread(target=indexing.rebuild, args=(library.database, SearchIndex(library.index.folder)))
    builder.start()
    assert is_building.wait(20)
    library.write("x/old.md", "---\ntitle: Old\nlang: en\n---\nAbout kudus.\n")
    library.write("x/new.md", "---\ntitle: New\nlang: en\n---\nAbout okapis.\n")
    library.sync()
    assert (found(library, "kudus"), found(library, "okapis")) == (["old"], ["new"])
    may_end.set()
    builder.join(20)
    assert (found(library, "kudus"), found(library, "okapis"), found(library, "gnus")) == (["old"], ["new"], [])
    assert library.index.is_usable(identity(library), thorough=True)


@pytest.mark.sqlite
def test_a_database_of_another_day_than_the_index_is_noticed_and_the_index_follows(library, tmp_path):
    """Somebody has copied yesterday's database over that of today."""
    yesterday = tmp_path / "yesterday.db"
    snapshots.take(file_of(library.settings), yesterday)
    library.write("cooking/bread.md", "---\ntitle: Why does bread need salt?\nlang: en\n---\nAbout gnus.\n")
    library.write("x/new.md", "---\ntitle: New\nlang: en\n---\nAbout okapis.\n")
    library.sync()
    library.database.close()
    snapshots.put(yesterday, file_of(library.settings), tmp_path / "today.db")
    assert (found(library, "salt"), found(library, "gnus")) == (["bread"], ["bread"])
    assert [len(ids) for ids in indexing.differing(library.database, library.index)] == [1, 1]
    indexing.ensure(library.database, library.index, thorough=True)
    assert indexing.differing(library.database, library.index) == (set(), set())
    assert (found(library, "yeast"), found(library, "gnus"), found(library, "okapis")) == (["bread"], [], [])


@pytest.mark.sqlite
@pytest.mark.parametrize("saves", [1, 2, 3])
def test_so_it_is_when_others_have_saved_before_anybody_looked(library, tmp_path, saves):
    """The numbers of jobs and revisions are given once more, and tell nothing."""

    def bread(about):
        library.write("cooking/bread.md", f"---\ntitle: Why does bread need salt?\nlang: en\n---\nAbout {about}.\n")
        library.sync()

    yesterday = tmp_path / "yesterday.db"
    snapshots.take(file_of(library.settings), yesterday)
    bread("gnus")
    library.write("x/new.md", "---\ntitle: New\nlang: en\n---\nAbout okapis.\n")
    library.sync()
    library.database.close()
    snapshots.put(yesterday, file_of(library.settings), tmp_path / "today.db")
    for number in range(saves):
        bread(f"tapirs {number}")
    assert found(library, f"tapirs {saves - 1}") == ["bread"]
    assert (found(library, "gnus"), found(library, "okapis")) == ([], ["new"])  # its file is still there


def test_an_index_that_another_process_writes_to_at_this_moment_is_whole(library, monkeypatch):
    newest, written = TOC._latest_generation, []

    def then_written(*place):
        number = newest(*place)
        if not written:
            written.append(number)
            library.index.update([], [1])  # the table of contents with that number is no more
        return number

    monkeypatch.setattr(TOC, "_latest_generation", then_written)
    assert SearchIndex(library.index.folder).is_whole()
    assert written


@pytest.mark.parametrize("left", [0, 1, 11])
def test_a_pointer_that_ends_early_is_told_as_a_missing_index(library, left):
    pointer = library.index.folder / "CURRENT"
    pointer.write_text(pointer.read_text()[:left])
    with pytest.raises(IndexUnavailable):
        library.index.advance(7, "")
    with pytest.raises(IndexUnavailable):
        library.index.update([], [1])
    assert library.index.position() == 0
    assert not library.index.is_usable(identity(library))
    assert not (library.index.folder / "position").exists()
    indexing.ensure(library.database, library.index)
    assert found(library) == ["bread"]


def test_an_index_that_is_taken_away_while_it_is_looked_at_is_not_whole(library, monkeypatch):
    def opened(path):
        found = open_index(path)
        shutil.rmtree(path)
        return found

    monkeypatch.setattr("app.search.index.open_index", opened)
    assert not SearchIndex(library.index.folder).is_whole()
