"""A backup holds the whole site, and brings it back."""

import fcntl
import os
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from sqlalchemy import text

from app.environment import given_settings
from app.errors import OperatorError
from app.models import Role
from app.services import accounts, backup, files, indexing, restoring
from app.services.backup import back_up
from app.services.backup_file import DATABASE, MANIFEST, SECRET, SETTINGS
from app.services.exporting import export
from app.services.restoring import restore
from app.services.searching import search
from app.storage import schema
from app.storage.database import Database, file_of
from app.storage.shared_pages import SharedPage, SharedPages
from tests.conftest import opened
from tests.services.backups import GIVEN, SECRET_VALUE, add_image, contents, made, members

pytestmark = pytest.mark.sqlite


def put_shared_page(library):
    pages = SharedPages(library.settings.pages_dir, "program", repr(library.settings))
    pages.open()
    pages.put([SharedPage(b"key", 1, 1e9, "run", "{}", b"head", b"tail")])
    pages.close()


def test_what_was_backed_up_comes_back_on_another_machine(library, tmp_path):
    name = add_image(library)
    accounts.sign_up(library.database, email="a@example.org", name="A", password=None, role=Role.ADMIN)
    export(library.database, tmp_path / "before")
    done, file = made(library, tmp_path)
    assert (done.images, done.missing) == (1, ())
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]
    with opened(tmp_path / "other") as other:
        restored = restore(other.settings, file)
        assert restored.kept is None
        schema.check(other.database)
        export(other.database, tmp_path / "after")
        indexing.ensure(other.database, other.index)
        assert search(other.database, other.index, "salt").page.items
        assert (other.settings.images_dir / name[:2] / name).read_bytes() == b"pretended"
        assert (other.settings.data_dir / DATABASE).stat().st_mode & 0o777 == 0o600
        assert not list(other.settings.data_dir.glob(".restore*"))
    assert contents(tmp_path / "before") == contents(tmp_path / "after") != {}


def test_a_site_goes_back_to_what_it_was_and_its_newer_database_is_kept(library, tmp_path):
    before = file_of(library.settings)
    _, file = made(library, tmp_path)
    put_shared_page(library)
    with library.database.write() as session:
        session.execute(text("UPDATE article SET title = 'Changed' WHERE slug = 'bread'"))
    known = library.database.version.get()
    library.database.close()
    library.index.close()
    with pytest.raises(OperatorError, match="--force"):
        restore(library.settings, file)
    restored = restore(library.settings, file, force=True)
    titles = {}
    for each in (before, restored.kept):
        with closing(sqlite3.connect(each)) as connection:
            (titles[each],) = connection.execute("SELECT title FROM article WHERE slug = 'bread'").fetchone()
    assert titles == {before: "Why does bread need salt?", restored.kept: "Changed"}
    assert not library.settings.index_dir.exists()
    assert not library.settings.pages_dir.exists()
    # No page made of the newer text may be shown by whoever still has one.
    assert Database.of(library.settings).version.get() > known


def test_changes_that_only_the_log_of_the_database_holds_are_kept_too(library, tmp_path):
    _, file = made(library, tmp_path)
    place = file_of(library.settings)
    with closing(sqlite3.connect(place, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE article SET title = 'In the log' WHERE slug = 'bread'")
        assert place.with_name(f"{place.name}-wal").stat().st_size
        restored = restore(library.settings, file, force=True)
    with closing(sqlite3.connect(restored.kept)) as kept:
        assert kept.execute("SELECT title FROM article WHERE slug = 'bread'").fetchone() == ("In the log",)
    with closing(sqlite3.connect(place)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_backup_is_one_state_while_others_write(library, tmp_path):
    """Each transaction changes two rows alike; no backup may hold one without the other."""
    stop = threading.Event()
    written = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            with library.database.write() as session:
                for slug in ("bread", "background-tasks"):
                    session.execute(text("UPDATE article SET title = :n WHERE slug = :s"), {"n": number, "s": slug})
            written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        written.wait(30)
        for _ in range(5):
            _, file = made(library, tmp_path, force=True)
            (tmp_path / "copy.db").write_bytes(members(file)[DATABASE])
            with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
                query = "SELECT count(DISTINCT title) FROM article WHERE slug IN ('bread', 'background-tasks')"
                assert copy.execute(query).fetchone() == (1,)
    finally:
        stop.set()
        writer.join()


def test_secrets_are_in_it_only_when_asked_for(library, tmp_path):
    key = library.settings.signing_key()
    held = members(made(library, tmp_path)[1])
    assert held.keys() == {MANIFEST, DATABASE, SETTINGS}
    assert not any(secret in content for content in held.values() for secret in (key, SECRET_VALUE.encode()))
    _, file = made(library, tmp_path, with_secrets=True, force=True)
    assert members(file)[SECRET] == key
    assert SECRET_VALUE.encode() in members(file)[SETTINGS]
    with opened(tmp_path / "other") as other:
        done = restore(other.settings, file)
        assert other.settings.signing_key() == key
        assert done.settings.stat().st_mode & 0o777 == 0o600


def test_the_settings_can_be_read_again(library, tmp_path):
    (tmp_path / "given").write_bytes(members(made(library, tmp_path)[1])[SETTINGS])
    assert {n: each.value for n, each in given_settings({}, tmp_path / "given").items()} == {
        "OMNIRACLE_SITE_NAME": "It's \\ ours"
    }


def test_derived_data_are_not_in_it(library, tmp_path):
    assert library.settings.index_dir.is_dir()
    put_shared_page(library)
    assert members(made(library, tmp_path)[1]).keys() == {MANIFEST, DATABASE, SETTINGS}


def test_a_missing_image_is_told_and_everything_else_is_kept(library, tmp_path):
    gone, there = add_image(library, b"gone", missing=True), add_image(library, b"there")
    done, file = made(library, tmp_path)
    assert (done.missing, done.images) == ((gone,), 1)
    assert members(file)[f"images/{there[:2]}/{there}"] == b"there"


def test_a_damaged_image_is_told_and_left_out(library, tmp_path):
    harmed, sound = add_image(library, b"harmed"), add_image(library, b"sound")
    (library.settings.images_dir / harmed[:2] / harmed).write_bytes(bytes(len("harmed")))
    done, file = made(library, tmp_path)
    assert (done.missing, done.damaged, done.images) == ((), (harmed,), 1)
    assert f"images/{sound[:2]}/{sound}" in members(file)


def test_a_file_that_is_there_stays(library, tmp_path):
    _, file = made(library, tmp_path)
    file.write_bytes(b"precious")
    with pytest.raises(OperatorError, match="--force"):
        made(library, tmp_path)
    assert contents(file.parent) == {file.name: b"precious"}


@pytest.mark.parametrize("part", [0.1, 1], ids=["copying the database", "putting everything together"])
def test_a_full_disk_leaves_nothing_half_written(library, tmp_path, little_space, part):
    add_image(library, os.urandom(1_000_000))
    _, file = made(library, tmp_path)
    before = contents(file.parent)
    size = len(members(file)[DATABASE])
    assert size < file.stat().st_size
    little_space(int(size * part))
    with pytest.raises(OperatorError, match="space for"):
        made(library, tmp_path, force=True)
    assert contents(file.parent) == before


def test_a_folder_that_is_not_there(library, tmp_path):
    with pytest.raises(OperatorError, match="may be written to"):
        back_up(library.settings, tmp_path / "none" / "file", GIVEN)
    assert not (tmp_path / "none").exists()


def test_no_database_is_made_by_backing_one_up(tmp_path):
    with opened(tmp_path) as nothing, pytest.raises(OperatorError, match="no database"):
        back_up(nothing.settings, tmp_path / "file", GIVEN)
    assert contents(tmp_path) == {}


def test_an_unreadable_receipt_is_none(library):
    assert backup.last(library.settings) is None
    library.settings.backup_file.write_text("{")
    assert backup.last(library.settings) is None


def test_what_a_killed_backup_left_behind_goes_with_the_next_and_no_other(library, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    left, used = folder / f"{backup.WORK}left", folder / f"{backup.WORK}used"
    for each in (left, used):
        each.mkdir()
        (each / DATABASE).write_bytes(b"half")
    opened = os.open(used, os.O_RDONLY)
    fcntl.flock(opened, fcntl.LOCK_EX)
    made(library, tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [used.name, "site.tar.gz"]
    os.close(opened)
    made(library, tmp_path, force=True)
    assert [path.name for path in folder.iterdir()] == ["site.tar.gz"]


def test_what_a_killed_restore_left_behind_goes_with_the_next(library, tmp_path):
    _, file = made(library, tmp_path)
    left = library.settings.data_dir / f"{restoring.WORK}left"
    left.mkdir()
    (left / DATABASE).write_bytes(b"half")
    restore(library.settings, file, force=True)
    assert [path.name for path in library.settings.data_dir.glob(f"{restoring.WORK}*")] == []


def test_half_written_files_are_dropped_once_nobody_can_write_them_any_more(tmp_path):
    name = f".x.png.{'0' * 32}"
    for folder, age in (("old", 7200), ("new", 0)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(b"half")
        os.utime(tmp_path / folder / name, (time.time() - age,) * 2)
    (tmp_path / "old" / "whole.png").touch()
    files.drop_partial(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")) == [f"new/{name}", "old/whole.png"]
