"""Files to database and back."""

import pytest

from app.errors import OperatorError
from app.models import Section
from app.services.exporting import ExportReport, export
from app.services.syncing import sync
from app.storage import articles, references, resources, revisions, tags

PLAIN = "---\ntitle: A title\nlang: en\n---\nText.\n"


def article(library, slug):
    with library.database.read() as session:
        return articles.by_slug(session, slug)


def test_everything_of_a_file_arrives(library):
    found = article(library, "workers-zh")
    with library.database.read() as session:
        assert found.lang == "zh"
        assert found.revision == 1
        assert found.published.isoformat() == "2026-01-02"
        assert tags.names_of(session, [found.id])[found.id] == ("fastapi", "deployment")
        cards = resources.of_article(session, found.id)
        assert [card.site for card in cards[Section.RESOURCES]] == ["uvicorn.dev"]
        assert [card.url for card in cards[Section.MORE]] == ["https://docs.python.org/3/library/asyncio.html"]
        assert articles.by_alias(session, "old-workers").id == found.id
        assert [twin.slug for twin in references.twins(session, found)] == ["workers-en"]
        assert references.pinned_slugs(session, article(library, "workers-en").id) == ["background-tasks"]


def test_syncing_again_changes_nothing(library):
    report = library.sync()
    assert (report.created, report.updated, report.unchanged) == (0, 0, 5)
    assert article(library, "bread").revision == 1


def test_a_touched_file_is_no_change(library):
    path = library.content / "cooking/bread.md"
    path.write_bytes(path.read_bytes())
    report = library.sync()
    assert (report.created, report.updated, report.unchanged) == (0, 0, 5)
    assert article(library, "bread").revision == 1


def test_a_changed_file_is_a_new_revision(library):
    library.write("cooking/bread.md", PLAIN)
    report = library.sync()
    assert (report.updated, report.unchanged) == (1, 4)
    found = article(library, "bread")
    assert (found.title, found.revision) == ("A title", 2)
    with library.database.read() as session:
        assert revisions.get(session, found.id, 1).title == "Why does bread need salt?"
        assert revisions.get(session, found.id, 2).source == PLAIN
        assert tags.count_of(session, "cooking") is None


def test_a_renamed_file_keeps_its_article_and_its_old_address(library):
    before = article(library, "bread")
    (library.content / "cooking/bread.md").rename(library.content / "cooking/salt.md")
    report = library.sync()
    assert (report.created, report.updated) == (0, 1)
    assert article(library, "salt").id == before.id
    with library.database.read() as session:
        assert articles.by_alias(session, "bread").id == before.id


def test_a_file_that_is_gone_leaves_its_article_and_is_named(library):
    (library.content / "cooking/bread.md").unlink()
    report = library.sync()
    assert [problem.path for problem in report.problems] == ["cooking/bread.md"]
    assert report.lost == 0
    assert article(library, "bread") is not None


def test_bad_files_are_listed_and_the_others_go_on(library):
    library.write("bad/none.md", "no front matter at all\n")
    library.write("bad/slug.md", PLAIN.replace("lang: en", "lang: en\nslug: bread"))
    library.write("bad/url.md", PLAIN.replace("lang: en", "lang: en\nresources: [{url: 'javascript:x', title: x}]"))
    (library.content / "bad/bytes.md").write_bytes(PLAIN.encode() + b"\xff\xfe")
    library.write("good.md", PLAIN)
    report = library.sync()
    assert {problem.path for problem in report.problems} == {
        "bad/none.md", "bad/slug.md", "bad/url.md", "bad/bytes.md",
    }  # fmt: skip
    assert report.lost == 4
    assert all(problem.reason for problem in report.problems)
    assert article(library, "good") is not None


def test_equal_file_names_get_addresses_of_their_own(library):
    library.write("other/bread.md", PLAIN)
    library.sync()
    assert article(library, "bread").title == "Why does bread need salt?"
    assert article(library, "bread-2").title == "A title"


def test_exported_files_are_byte_identical(library, tmp_path):
    odd = (
        "\ufeff---\r\n# a comment\r\ntitle:   'Odd: spacing'\r\nlang: en\r\n"
        "unknown: {b: 1,  a: [x]}\r\n---\r\n\r\nText \r\n"
    )
    library.write("odd/crlf.md", odd)
    library.write("odd/no-newline.md", PLAIN.rstrip("\n"))
    assert library.sync().problems == []
    assert export(library.database, tmp_path / "out") == ExportReport(7, 0)
    for file in library.content.rglob("*.md"):
        assert (tmp_path / "out" / file.relative_to(library.content)).read_bytes() == file.read_bytes()
    assert export(library.database, tmp_path / "out") == ExportReport(0, 7)


def test_a_missing_folder_is_one_clear_line(library, tmp_path):
    with pytest.raises(OperatorError, match="OMNIRACLE_CONTENT_DIR"):
        sync(library.database, library.index, tmp_path / "nowhere")


def test_a_crash_between_commit_and_indexing_is_made_good(library, monkeypatch):
    from app.services import indexing
    from app.services.searching import search

    library.write("cooking/tea.md", PLAIN.replace("Text", "Oolong"))
    with monkeypatch.context() as patch:
        patch.setattr(indexing, "ensure", lambda *_args, **_options: None)
        library.sync()
    assert search(library.database, library.index, "oolong").page.total == 0
    indexing.ensure(library.database, library.index)
    assert search(library.database, library.index, "oolong").page.total == 1
