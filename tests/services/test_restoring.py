"""A file that is no sound backup changes nothing; one of an older program is welcome."""

import gzip
import os
import tarfile
from contextlib import closing

import pytest
from alembic import command
from sqlalchemy import text

from app.errors import OperatorError, SchemaMismatch
from app.services.backup import back_up
from app.services.backup_file import DATABASE, SETTINGS
from app.services.restoring import restore
from app.storage import schema
from app.storage.database import Database
from tests.conftest import opened
from tests.services.backups import GIVEN, contents, list_as, made, rewritten

pytestmark = pytest.mark.sqlite


def link(kind, name=DATABASE, target="/etc/passwd"):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def cut(share):
    return lambda file: os.truncate(file, int(file.stat().st_size * share))


def cut_last(file):
    os.truncate(file, file.stat().st_size - 1)


def flip(share):
    def change(file):
        content = bytearray(file.read_bytes())
        content[min(max(10, int(len(content) * share)), len(content) - 1)] ^= 0x10
        file.write_bytes(content)

    return change


def replace(name, content):
    return lambda file: rewritten(file, lambda _listed, held: held.update({name: content}))


def named(name):
    return lambda file: rewritten(file, lambda listed, held: list_as(listed, held, name, b"evil"))


def unlisted(entry):
    return lambda file: rewritten(file, lambda _listed, _held: None, [entry])


def as_link(kind):
    return lambda file: rewritten(file, lambda _listed, held: held.pop(DATABASE), [link(kind)])


def spoil(file):
    rewritten(file, lambda listed, held: list_as(listed, held, DATABASE, held[DATABASE][:-4096]))


def damaged_cases():
    yield "empty", cut(0)
    yield from ((f"cut at {share}", cut(share)) for share in (0.01, 0.3, 0.7, 0.99))
    yield "without its last byte", cut_last
    yield from ((f"flipped at {share}", flip(share)) for share in (0, 0.1, 0.5, 0.9, 1))
    yield "followed by something", lambda file: file.write_bytes(file.read_bytes() + b"more")
    yield "another file", lambda file: file.write_bytes(b"PK" * 1000)
    yield "another archive", lambda file: file.write_bytes(gzip.compress(b"words"))
    yield "changed settings", replace(SETTINGS, b"OMNIRACLE_SITE_NAME='It''s | ours'\n")
    yield "an unsound database", spoil
    yield "no database", lambda file: rewritten(file, lambda _listed, held: held.pop(DATABASE))
    for name in ("/tmp/evil", "../evil", "images/../../evil", "images/aa/../evil", "server.lock",
                 f"images/bb/{'a' * 32}-1x1.png", f"images/aa/{'a' * 32}-1x1.png\n"):  # fmt: skip
        yield f"names {name!r}", named(name)
    yield "one twice", unlisted(tarfile.TarInfo(SETTINGS))
    yield "an unlisted link", unlisted(link(tarfile.SYMTYPE, "images"))
    yield from ((f"link {kind}", as_link(kind)) for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE))


@pytest.mark.parametrize(
    ("name", "damage"), list(damaged_cases()), ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_file_that_cannot_be_trusted_is_refused_before_anything_is_touched(library, tmp_path, name, damage):
    _, file = made(library, tmp_path)
    damage(file)
    library.database.close()
    before = contents(tmp_path)
    with pytest.raises(OperatorError, match="is damaged or no backup"):
        restore(library.settings, file, force=True)
    assert contents(tmp_path) == before


def test_a_backup_of_a_newer_program_is_refused(library, tmp_path):
    _, file = made(library, tmp_path)

    def newer_format(listed, _held):
        listed |= {"format": 2, "members": "elsewhere"}

    rewritten(file, newer_format)
    before = contents(tmp_path)
    with pytest.raises(SchemaMismatch, match="install the newer Omniracle"):
        restore(library.settings, file, force=True)
    assert contents(tmp_path) == before


def test_a_database_of_a_newer_schema_is_refused(library, tmp_path):
    with library.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    _, file = made(library, tmp_path)
    library.database.close()
    before = contents(tmp_path)
    with pytest.raises(SchemaMismatch, match=r"9999.*install the newer Omniracle"):
        restore(library.settings, file, force=True)
    assert contents(tmp_path) == before


def test_a_backup_of_an_older_program_comes_back_and_is_migrated(tmp_path):
    with opened(tmp_path / "older") as older:
        older.settings.prepare_data_dir()
        url = older.settings.resolved_database_url
        with closing(Database(url)) as database, database.write() as session:  # before there were images
            config = schema._config()
            config.attributes["connection"] = session.connection()
            command.upgrade(config, "0003")
        back_up(older.settings, tmp_path / "file", GIVEN)
    with opened(tmp_path / "other") as other:
        restore(other.settings, tmp_path / "file")
        assert schema.migrate(other.database)[0] == "0003"
        schema.check(other.database)
