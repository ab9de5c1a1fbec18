"""Backups of a site on PostgreSQL: of one state, to be restored on either kind of database."""

import threading
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import text

from app.config import Settings
from app.errors import OperatorError
from app.models import Role
from app.services import accounts, backup, checking
from app.services.backup_file import DATABASE
from app.services.engines import search_engine
from app.services.exporting import export
from app.services.moving import move
from app.services.restoring import restore
from app.storage.database import Database
from tests.services.backups import GIVEN, add_image, contents, members


@pytest.fixture
def empty(database_server, tmp_path):
    """Make settings of a site whose database has nothing in it yet."""

    def made(name):
        return Settings(data_dir=tmp_path / name, database_url=database_server.url(database_server.create()))

    return made


@pytest.fixture
def site(empty, library):
    """The settings of the library's site, on PostgreSQL."""
    settings = empty("site")
    add_image(library)
    accounts.sign_up(library.database, email="a@example.org", name="A", password=None, role=Role.ADMIN)
    with opened(settings) as database:
        move(library.database, database)
    library.settings.images_dir.rename(settings.images_dir)
    return settings


@contextmanager
def opened(settings):
    settings.prepare_data_dir()
    with closing(Database.of(settings)) as database:
        yield database


def exported(settings, folder):
    with opened(settings) as database:
        export(database, folder)
    return contents(folder)


@pytest.mark.parametrize("kind", ["PostgreSQL", "SQLite"])
def test_what_was_backed_up_comes_back_on_either_kind(site, empty, tmp_path, kind):
    file = tmp_path / "site.tar.gz"
    done = backup.back_up(site, file, GIVEN)
    assert (done.images, done.missing) == (1, ())
    held = members(file)
    assert not [name for name in held if name.startswith(DATABASE) and name != DATABASE]  # no log beside it
    assert not list(tmp_path.glob(".omniracle-backup*"))
    other = empty("other") if kind == "PostgreSQL" else Settings(data_dir=tmp_path / "other")
    assert restore(other, file).kept is None
    assert exported(site, tmp_path / "before") == exported(other, tmp_path / "after") != {}
    assert contents(other.images_dir) == contents(site.images_dir) != {}
    with opened(other) as database, database.write() as session:  # new rows get new numbers
        session.execute(text("INSERT INTO tag (name) VALUES ('new')"))


def test_a_backup_of_sqlite_comes_back_on_postgresql(library, empty, tmp_path):
    if library.database.can_be_shared:
        pytest.skip("of SQLite")
    file = tmp_path / "site.tar.gz"
    backup.back_up(library.settings, file, GIVEN)
    other = empty("other")
    restore(other, file)
    assert exported(library.settings, tmp_path / "before") == exported(other, tmp_path / "after") != {}


@pytest.mark.parametrize("force", [False, True])
def test_a_site_is_never_overwritten(site, tmp_path, force):
    file = tmp_path / "site.tar.gz"
    backup.back_up(site, file, GIVEN)
    before = contents(site.data_dir)
    with pytest.raises(OperatorError, match="empty one"):
        restore(site, file, force=force)
    assert contents(site.data_dir) == before


def test_a_backup_is_one_state_while_others_write(site, tmp_path):
    """Each change counts in two tables; no backup may have it in one of them alone."""
    is_over = threading.Event()

    def write():
        with opened(site) as database:
            while not is_over.is_set():
                with database.write() as session:
                    session.execute(text("UPDATE article SET body = body || '+' WHERE slug = 'bread'"))
                    session.execute(text("UPDATE revision SET source = source || '+'"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        states = set()
        for number in range(4):
            file = tmp_path / f"{number}.tar.gz"
            backup.back_up(site, file, GIVEN)
            copy = tmp_path / f"{number}.db"
            copy.write_bytes(members(file)[DATABASE])
            with closing(Database(f"sqlite:///{copy}")) as database, database.read() as session:
                body = session.execute(text("SELECT body FROM article WHERE slug = 'bread'")).scalar_one()
                source = session.execute(text("SELECT min(source) FROM revision")).scalar_one()
            states.add((body.count("+"), source.count("+")))
    finally:
        is_over.set()
        writer.join()
    assert len(states) > 1
    assert all(one == other for one, other in states), states


def test_the_check_tells_of_it_once_there_is_one(site, tmp_path):
    def told():
        with opened(site) as database, closing(search_engine(site)) as index:
            return [each for each in checking.check_all(site, database, index) if "backup" in each.message.lower()]

    assert told() == []
    backup.back_up(site, tmp_path / "site.tar.gz", GIVEN)
    assert len(told()) == 1
