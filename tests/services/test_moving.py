"""`move`: the same site in another database."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlmodel import select

from app.errors import OperatorError
from app.models import Article, AuditEntry, Draft, Tag
from app.models.columns import now
from app.services import accounts
from app.services.exporting import export
from app.services.moving import move
from app.services.syncing import sync
from app.storage import audit, site
from app.storage.database import Database


@pytest.fixture
def others(database_server, tmp_path) -> Iterator[list[Database]]:
    """Empty databases: one of each kind."""
    made = [Database(database_server.url(database_server.create())), Database(f"sqlite:///{tmp_path}/other.db")]
    yield made
    for each in made:
        each.close()


def exported(database, folder):
    folder.mkdir()
    export(database, folder)
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.md")}


def test_there_and_back_everything_is_the_same(library, others, tmp_path):
    source = library.database
    before = exported(source, tmp_path / "before")
    assert before
    for number, target in enumerate(others):
        numbers = move(source, target)
        assert numbers["article"] == 5
        assert exported(target, tmp_path / f"after{number}") == before
        with source.read() as here, target.read() as there:
            assert site.identity(here) == site.identity(there)  # so the search index fits both
            assert site.version(here) <= site.version(there)
        source = target


def test_what_is_written_after_the_move_gets_new_numbers(library, others):
    target, _ = others
    move(library.database, target)
    library.write("new.md", "---\ntitle: Is there a new one?\nlang: en\ntags: [new]\n---\nYes.\n")
    report = sync(target, library.index, library.content)
    assert (report.created, report.lost) == (1, 0)
    with target.read() as session:
        assert len(set(session.exec(select(Article.id)))) == len(list(session.exec(select(Article.slug)))) == 6
        assert "new" in set(session.exec(select(Tag.name)))


def test_a_site_is_never_overwritten(library, others):
    target, _ = others
    move(library.database, target)
    with pytest.raises(OperatorError, match="empty one"):
        move(library.database, target)


def test_a_source_of_another_version_is_refused(tmp_path, others):
    with closing(Database(f"sqlite:///{tmp_path}/empty.db")) as empty, pytest.raises(OperatorError, match="migrate"):
        move(empty, others[0])


def test_zero_bytes_in_old_texts_are_left_out_where_none_can_be_kept(library, others, tmp_path):
    source = Database(f"sqlite:///{tmp_path}/old.db")
    move(library.database, source)
    ann = accounts.sign_up(source, email="ann@example.org", name="Ann", password=None)
    fields = [("title", "Is it\0 so?")]
    with source.write() as session:
        audit.record(session, ann, "delete", "article", "Not\0 true.")
        session.add(Draft(account_id=ann.id, target="new", fields=fields, updated_at=now()))
    target, _ = others
    move(source, target)
    with target.read() as session:
        assert "Not true." in session.exec(select(AuditEntry.detail)).all()
        assert session.exec(select(Draft)).one().title == "Is it\0 so?"  # as JSON, which has a sign for it
    source.close()
