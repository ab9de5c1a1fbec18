"""What sync, import and export promise each other: no file is lost, doubled or overwritten by an exchange."""

import os
import threading

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from app.errors import OperatorError
from app.models import Article, Revision, SourceFile
from app.services import finding, importing, syncing
from app.services.exporting import export
from app.services.syncing import sync
from app.storage import articles, proposals, references, revisions
from tests.services.trees import run, write

PLAIN = "---\ntitle: {0}\nlang: en\n---\nText of {0}.\n"


def synced(library, folder):
    return sync(library.database, library.index, folder)


def paths(library):
    with library.database.read() as session:
        return sorted(session.exec(select(Article.path)))


def article(library, slug):
    with library.database.read() as session:
        return articles.by_slug(session, slug)


def text_of(library, found):
    with library.database.read() as session:
        return revisions.get(session, found.id, found.revision).source


def edit_on_site(library, slug, source):
    """Publish a revision as the site's own editor would."""
    from app.content.document import parse_document
    from app.models import Origin
    from app.services import publishing
    from app.services.rendering import make_rendering

    document = parse_document(source, default_slug=slug)
    with library.database.write() as session:
        found = articles.by_slug(session, slug)
        rendering = make_rendering(document.body, document.lang)
        edition = publishing.Edition(document, source, found.path, found.slug, rendering, Origin.SYNC)
        publishing.revise(session, found, edition)


def counts(report):
    return report.created, report.updated, report.unchanged, report.lost


def meanwhile(monkeypatch, module, action):
    """Let `action` happen once, after `module` has read what is known and before it stores the first file."""
    real, done = module.prepare_all, []

    def prepare_all(files, prepare):
        if not done:
            done.append(True)
            action()
        yield from real(files, prepare)

    monkeypatch.setattr(module, "prepare_all", prepare_all)


def test_two_syncs_at_once_lose_nothing(empty_library, monkeypatch):
    for name in "abc":
        empty_library.write(f"x/{name}.md", PLAIN.format(name))
    meanwhile(monkeypatch, syncing, lambda: synced(empty_library, empty_library.content))
    report = empty_library.sync()
    assert counts(report) == (0, 0, 3, 0)
    assert report.problems == []
    assert article(empty_library, "a").revision == 1


def test_two_imports_at_once_double_nothing(empty_library, tmp_path, monkeypatch):
    for name in "abc":
        write(tmp_path, f"tree/{name}.md", name)
    meanwhile(monkeypatch, importing, lambda: run(empty_library, tmp_path / "tree"))
    assert counts(run(empty_library, tmp_path / "tree")) == (0, 0, 3, 0)
    assert len(paths(empty_library)) == 3


def test_imports_in_threads(empty_library, tmp_path):
    for number in range(20):
        write(tmp_path, f"tree/{number}.md", f"text {number}")
    reports = []
    threads = [threading.Thread(target=lambda: reports.append(run(empty_library, tmp_path / "tree"))) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(paths(empty_library)) == 20
    assert sum(report.created for report in reports) == 20
    assert [problem for report in reports for problem in report.problems] == []


def test_an_error_of_the_database_shows_no_parameters(empty_library, monkeypatch, caplog):
    empty_library.write("a.md", PLAIN.format("secret"))

    def create(session, edition):
        raise IntegrityError("INSERT INTO article", {"body": "secret"}, Exception("UNIQUE constraint failed"))

    monkeypatch.setattr(syncing.publishing, "create", create)
    report = empty_library.sync()
    assert [problem.reason for problem in report.problems] == [
        "could not be stored (IntegrityError: UNIQUE constraint failed)"
    ]
    assert "secret" not in caplog.text
    assert "INSERT" not in caplog.text


def waiting(library):
    """The texts that wait for a reviewer."""
    with library.database.read() as session:
        return [proposal.source for proposal in proposals.pending_page(session, number=1, size=50).items]


def source_of(library, slug):
    with library.database.read() as session:
        found = articles.by_slug(session, slug)
        return revisions.get(session, found.id, found.revision).source


@pytest.fixture
def exported(empty_library, tmp_path):
    """One article, imported and then exported to the content folder."""
    write(tmp_path, "tree/git/rebase.md", "# Rebase\n\nText.\n")
    run(empty_library, tmp_path / "tree")
    export(empty_library.database, empty_library.content)
    return empty_library.content / "git/rebase.md"


def test_an_exported_import_is_adopted_by_sync(empty_library, exported):
    assert counts(empty_library.sync()) == (0, 0, 1, 0)
    exported.write_text(PLAIN.format("new"))
    assert counts(empty_library.sync()) == (0, 1, 0, 0)
    assert (article(empty_library, "rebase").title, article(empty_library, "rebase").revision) == ("new", 2)


def test_an_exported_file_may_be_changed_before_it_is_synced(empty_library, exported):
    exported.write_text(PLAIN.format("new"))
    assert counts(empty_library.sync()) == (0, 1, 0, 0)
    assert article(empty_library, "rebase").title == "new"


def test_export_knows_what_it_wrote_after_changes_on_the_site(empty_library, exported):
    edit_on_site(empty_library, "rebase", PLAIN.format("site"))
    export(empty_library.database, empty_library.content)
    exported.write_text(PLAIN.format("file"))
    assert counts(empty_library.sync()) == (0, 1, 0, 0)
    assert (article(empty_library, "rebase").title, article(empty_library, "rebase").revision) == ("file", 3)


def test_an_older_text_on_disk_reverts_nothing(empty_library, exported):
    edit_on_site(empty_library, "rebase", PLAIN.format("site"))
    report = empty_library.sync()
    assert counts(report) == (0, 0, 1, 0)
    assert "newer" in report.problems[0].reason
    assert article(empty_library, "rebase").title == "site"
    exported.write_text(PLAIN.format("file"))
    assert counts(empty_library.sync()) == (0, 0, 1, 0)
    assert article(empty_library, "rebase").title == "site"
    assert waiting(empty_library) == [PLAIN.format("file")]


def test_a_change_on_both_sides_of_an_adopted_file_is_a_conflict(empty_library, exported):
    edit_on_site(empty_library, "rebase", PLAIN.format("site"))
    exported.write_text(PLAIN.format("file"))
    report = empty_library.sync()
    assert counts(report) == (0, 0, 1, 0)
    assert "a reviewer decides" in report.problems[0].reason
    assert waiting(empty_library) == [PLAIN.format("file")]
    assert article(empty_library, "rebase").title == "site"


def test_the_way_out_of_a_conflict(empty_library):
    path = empty_library.write("a.md", PLAIN.format("one"))
    empty_library.sync()
    edit_on_site(empty_library, "a", PLAIN.format("site"))
    path.write_text(PLAIN.format("file"))
    assert empty_library.sync().lost == 0
    assert counts(empty_library.sync()) == (0, 0, 1, 0)
    assert waiting(empty_library) == [PLAIN.format("file")]  # once
    export(empty_library.database, empty_library.content)
    path.write_text(PLAIN.format("merged"))
    assert counts(empty_library.sync()) == (0, 1, 0, 0)
    assert article(empty_library, "a").title == "merged"


def test_export_writes_over_no_text_that_the_site_has_never_seen(empty_library):
    path = empty_library.write("a.md", PLAIN.format("one"))
    empty_library.sync()
    edit_on_site(empty_library, "a", PLAIN.format("site"))
    path.write_text(PLAIN.format("written a moment ago"))
    report = export(empty_library.database, empty_library.content)
    assert (report.written, report.kept) == (0, ["a.md"])
    assert path.read_text() == PLAIN.format("written a moment ago")
    empty_library.sync()
    assert export(empty_library.database, empty_library.content).written == 1
    assert waiting(empty_library) == [PLAIN.format("written a moment ago")]


def test_a_touched_file_does_not_hide_a_change_on_the_site(empty_library):
    path = empty_library.write("a.md", PLAIN.format("one"))
    empty_library.sync()
    edit_on_site(empty_library, "a", PLAIN.format("site"))
    os.utime(path, (1, 1))
    assert counts(empty_library.sync()) == (0, 0, 1, 0)
    path.write_text(PLAIN.format("file"))
    empty_library.sync()
    assert article(empty_library, "a").title == "site"
    assert waiting(empty_library) == [PLAIN.format("file")]


LONG = "---\ntitle: {}\nlang: en\n---\n\n{}\n\nIn between.\n\n{}\n"


def test_changes_of_different_places_on_both_sides_are_merged(empty_library):
    path = empty_library.write("a.md", LONG.format("A", "Top.", "End."))
    empty_library.sync()
    edit_on_site(empty_library, "a", LONG.format("A", "Top, by the site.", "End."))
    path.write_text(LONG.format("A", "Top.", "End, by the file."))
    report = empty_library.sync()
    assert counts(report) == (0, 1, 0, 0)
    assert "merged" in report.problems[0].reason
    assert source_of(empty_library, "a") == LONG.format("A", "Top, by the site.", "End, by the file.")
    path.write_text(LONG.format("A", "Top.", "End, by the file again."))  # what the site has changed is not in it
    assert counts(empty_library.sync()) == (0, 1, 0, 0)
    assert source_of(empty_library, "a") == LONG.format("A", "Top, by the site.", "End, by the file again.")
    assert waiting(empty_library) == []


def test_a_newer_text_of_a_clashing_file_takes_the_place_of_the_one_that_waits(empty_library):
    path = empty_library.write("a.md", PLAIN.format("one"))
    empty_library.sync()
    edit_on_site(empty_library, "a", PLAIN.format("site"))
    for title in ("file", "newer file"):
        path.write_text(PLAIN.format(title))
        empty_library.sync()
    assert waiting(empty_library) == [PLAIN.format("newer file")]


def test_a_text_taken_back_on_disk_is_a_new_revision(empty_library):
    path = empty_library.write("a.md", PLAIN.format("one"))
    for title in ("two!", "one"):
        empty_library.sync()
        path.write_text(PLAIN.format(title))
    assert counts(empty_library.sync()) == (0, 1, 0, 0)
    assert (article(empty_library, "a").title, article(empty_library, "a").revision) == ("one", 3)


def test_links_out_of_the_folder_are_refused(empty_library, tmp_path):
    secret = write(tmp_path, "secret.md", "secret")
    tree = tmp_path / "tree"
    write(tree, "real.md", "x")
    write(tmp_path, "elsewhere/a.md", "y")
    (tree / "evil.md").symlink_to(secret)
    (tree / "inner.md").symlink_to(tree / "real.md")
    (tree / "folder").symlink_to(tmp_path / "elsewhere")
    report = run(empty_library, tree)
    assert report.created == 2
    assert [(problem.path, problem.lost) for problem in report.problems] == [("folder", False), ("evil.md", True)]
    assert "out of the folder" in report.problems[1].reason
    assert "link" in report.problems[0].reason


def test_a_copied_tree_is_the_same_tree(empty_library, tmp_path):
    for path in ("a.md", "x/b.md", "y/b.md"):
        write(tmp_path, f"one/{path}", "same" if path != "a.md" else "a")
        write(tmp_path, f"two/{path}", "same" if path != "a.md" else "a")
    assert counts(run(empty_library, tmp_path / "one")) == (3, 0, 0, 0)
    assert counts(run(empty_library, tmp_path / "two")) == (0, 0, 3, 0)
    assert len(paths(empty_library)) == 3
    write(tmp_path, "two/a.md", "changed")
    assert counts(run(empty_library, tmp_path / "two")) == (0, 1, 2, 0)
    assert article(empty_library, "a").body == "changed\n"


def test_a_renamed_file_is_not_imported_again(empty_library, tmp_path):
    path = write(tmp_path, "tree/a.md", "a")
    run(empty_library, tmp_path / "tree")
    path.rename(path.with_name("b.md"))
    assert counts(run(empty_library, tmp_path / "tree")) == (0, 0, 1, 0)
    assert paths(empty_library) == ["imported/a.md"]
    path.with_name("b.md").write_text("changed")
    assert counts(run(empty_library, tmp_path / "tree")) == (0, 1, 0, 0)


def test_an_export_is_not_imported_again(empty_library, exported):
    assert counts(run(empty_library, empty_library.content)) == (0, 0, 1, 0)


@pytest.mark.parametrize("changed", [False, True])
def test_a_renamed_file_is_not_reported_as_gone(library, changed):
    before = article(library, "bread")
    new = (library.content / "cooking/bread.md").rename(library.content / "cooking/salt.md")
    if changed:
        new.write_text(new.read_text() + "\nMore.\n")
    report = library.sync()
    assert (counts(report), report.problems) == ((0, 1, 4, 0), [])
    assert article(library, "salt").id == before.id


def test_a_file_that_is_renamed_while_the_site_changes_keeps_both(library):
    source = (library.content / "cooking/bread.md").read_text()
    edit_on_site(library, "bread", source + "\nSite.\n")
    (library.content / "cooking/bread.md").rename(library.content / "cooking/salt.md")
    report = library.sync()
    assert report.lost == 0
    found = article(library, "salt")
    assert (found.path, found.revision) == ("cooking/salt.md", 2)
    assert "Site." in found.body


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("is_newer", [False, True])
def test_a_file_that_was_merged_and_is_renamed_takes_nothing_back(library, changed, is_newer):
    """It has not what was written on the site, though it was brought together with that."""
    source = (library.content / "cooking/bread.md").read_text()
    edit_on_site(library, "bread", source + "\nBetween.\n\nSite.\n")
    (library.content / "cooking/bread.md").write_text(source.replace("[cooking]", "[salt]"))
    assert counts(library.sync()) == (0, 1, 4, 0)
    merged = source.replace("[cooking]", "[salt]") + "\nBetween.\n\nSite.\n"
    if is_newer:
        edit_on_site(library, "bread", merged := merged.replace("Site.", "Site again."))
    new = (library.content / "cooking/bread.md").rename(library.content / "cooking/salt.md")
    if changed:
        new.write_text(new.read_text().replace("[salt]", "[salt, flour]"))
        merged = merged.replace("[salt]", "[salt, flour]")
    for _ in range(2):
        assert library.sync().lost == 0
        found = article(library, "salt")
        assert (found.path, text_of(library, found)) == ("cooking/salt.md", merged)


def test_a_file_that_was_exported_and_is_renamed_keeps_its_article(library):
    source = (library.content / "cooking/bread.md").read_text()
    edit_on_site(library, "bread", source + "\nSite.\n")
    export(library.database, library.content)
    (library.content / "cooking/bread.md").rename(library.content / "cooking/salt.md")
    library.sync()
    found = article(library, "salt")
    assert (found.path, found.revision) == ("cooking/salt.md", 2)
    export(library.database, library.content)
    assert not (library.content / "cooking/bread.md").exists()


def test_a_file_that_is_renamed_and_clashes_is_not_written_under_its_former_name(library):
    source = (library.content / "cooking/bread.md").read_text()
    edit_on_site(library, "bread", source.replace("[cooking]", "[salt]"))
    new = (library.content / "cooking/bread.md").rename(library.content / "cooking/salt.md")
    new.write_text(source.replace("[cooking]", "[flour]"))
    assert "a reviewer decides" in library.sync().problems[0].reason
    export(library.database, library.content)
    assert not (library.content / "cooking/bread.md").exists()
    assert "[salt]" in new.read_text()


def test_a_file_that_is_removed_and_comes_back(library):
    path = library.content / "cooking/bread.md"
    source = path.read_text()
    path.unlink()
    assert "gone" in library.sync().problems[0].reason
    path.write_text(source)
    assert (counts(library.sync()), article(library, "bread").revision) == ((0, 0, 5, 0), 1)
    path.unlink()
    library.sync()
    path.write_text(source + "\nMore.\n")
    assert (counts(library.sync()), article(library, "bread").revision) == ((0, 1, 4, 0), 2)


@pytest.mark.parametrize("key", ["slug: x", "aliases: [x]"])
def test_a_collision_in_one_run_and_its_repair(empty_library, key):
    empty_library.write("a.md", PLAIN.format("one").replace("lang", f"{key}\nlang"))
    second = empty_library.write("b.md", PLAIN.format("two").replace("lang", f"{key}\nlang"))
    report = empty_library.sync()
    assert (counts(report), [problem.path for problem in report.problems]) == ((1, 0, 0, 1), ["b.md"])
    second.write_text(second.read_text().replace("x", "y", 1))
    assert counts(empty_library.sync()) == (1, 0, 1, 0)


def test_files_swapped_by_renaming_are_noticed(empty_library, monkeypatch):
    first, second = (empty_library.write(f"{name}.md", PLAIN.format(name)) for name in "ab")
    for path in (first, second):
        os.utime(path, (1, 1))
    monkeypatch.setattr(finding, "RACY_NS", 0)
    empty_library.sync()
    first.rename(first.with_suffix(".tmp"))
    second.rename(first)
    first.with_suffix(".tmp").rename(second)
    assert counts(empty_library.sync()) == (0, 2, 0, 0)


def test_a_file_that_changes_right_after_it_was_read_is_noticed(empty_library, monkeypatch):
    path = empty_library.write("a.md", PLAIN.format("one"))
    stat = path.stat()
    monkeypatch.setattr(finding, "changed_ns", lambda _stat: stat.st_mtime_ns)  # a clock with a coarse tick
    empty_library.sync()
    path.write_text(PLAIN.format("two"))
    assert counts(empty_library.sync()) == (0, 1, 0, 0)


def test_a_file_that_rests_is_not_read_again(empty_library, monkeypatch):
    monkeypatch.setattr(finding, "RACY_NS", -1)
    empty_library.write("a.md", PLAIN.format("one"))
    empty_library.sync()
    monkeypatch.setattr(finding.FoundFile, "read", None)
    assert counts(empty_library.sync()) == (0, 0, 1, 0)


def test_aliases_of_renames_survive_an_export(library, tmp_path):
    from app.config import Settings
    from app.storage import schema
    from app.storage.database import Database

    (library.content / "cooking/bread.md").rename(library.content / "cooking/salt.md")
    library.sync()
    export(library.database, tmp_path / "out")
    assert (tmp_path / "out/aliases.json").read_text() == '{\n  "bread": "cooking/salt.md"\n}\n'
    fresh = Database(Settings(data_dir=tmp_path / "fresh").resolved_database_url)
    (tmp_path / "fresh").mkdir()
    schema.migrate(fresh)
    library.index.close()
    report = sync(fresh, type(library.index)(tmp_path / "fresh/index"), tmp_path / "out")
    with fresh.read() as session:
        assert articles.by_alias(session, "bread").slug == "salt"
        assert articles.by_alias(session, "old-workers").slug == "workers-zh"
    assert report.problems == []
    fresh.close()


def test_no_file_of_aliases_without_need(library, tmp_path):
    export(library.database, tmp_path / "out")
    assert not (tmp_path / "out/aliases.json").exists()


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("nonsense", True),
        ('{"A B": "cooking/bread.md"}', True),
        ('{"workers-en": "cooking/bread.md"}', False),
        ('{"old": "no/where.md"}', False),
    ],
)
def test_a_bad_file_of_aliases_is_reported(library, text, lost):
    library.write("aliases.json", text)
    assert [(problem.path, problem.lost) for problem in library.sync().problems] == [("aliases.json", lost)]


def test_a_removed_slug_gives_the_address_back_to_the_file_name(library):
    source = (library.content / "cooking/bread.md").read_text()
    library.write("cooking/bread.md", source.replace("lang:", "slug: salt\nlang:"))
    library.sync()
    assert article(library, "salt").path == "cooking/bread.md"
    library.write("cooking/bread.md", source)
    library.sync()
    assert article(library, "bread").path == "cooking/bread.md"
    with library.database.read() as session:
        assert articles.by_alias(session, "salt").slug == "bread"


def test_an_address_with_a_number_stays(library):
    path = library.write("other/bread.md", PLAIN.format("one"))
    library.sync()
    path.write_text(PLAIN.format("two"))
    library.sync()
    assert article(library, "bread-2").title == "two"


def test_the_date_orders_articles_and_the_history_tells_the_truth(library):
    found = article(library, "bread")
    assert found.created_at.isoformat() == found.updated_at.isoformat() == "2025-12-31T12:00:00+00:00"
    with library.database.read() as session:
        stored = session.exec(select(Revision.created_at).where(Revision.article_id == found.id)).one()
    assert stored > found.created_at
    library.write("cooking/bread.md", PLAIN.format("x").replace("lang", "date: 2025-11-01\nlang"))
    library.sync()
    changed = article(library, "bread")
    assert changed.created_at.isoformat() == "2025-11-01T12:00:00+00:00"
    assert changed.updated_at > found.updated_at


def test_messages_name_the_folder_that_was_given(empty_library, tmp_path, monkeypatch):
    with pytest.raises(OperatorError) as caught:
        run(empty_library, tmp_path / "nope")
    assert str(tmp_path / "nope") in str(caught.value)
    assert "OMNIRACLE_CONTENT_DIR" not in str(caught.value)
    with pytest.raises(OperatorError, match="is no folder"):
        run(empty_library, write(tmp_path, "file.md", "x"))

    def scandir(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(finding.os, "scandir", scandir)
    with pytest.raises(OperatorError, match=r"cannot be read \(Permission denied\): let"):
        empty_library.sync()


@pytest.mark.parametrize("through", ["sync", "import"])
def test_a_body_that_is_too_large_is_named(empty_library, through):
    empty_library.write("a.md", PLAIN.format("x") + "word " * 80_100)
    report = empty_library.sync() if through == "sync" else run(empty_library, empty_library.content)
    assert (report.created, report.lost) == (1, 0)
    assert [(problem.path, "plain text" in problem.reason) for problem in report.problems] == [("a.md", True)]


OWN = "---\ntitle: T\nlang: en\ntags: [x]\ntranslation_of: other\naliases: [former]\nrelated: [z]\nslug: own\n---\nx\n"


def test_our_own_format_is_imported_as_it_is(empty_library, tmp_path):
    write(tmp_path, "tree/a.md", OWN)
    report = run(empty_library, tmp_path / "tree")
    assert (counts(report), report.problems) == ((1, 0, 0, 0), [])
    with empty_library.database.read() as session:
        assert articles.by_alias(session, "former").slug == "own"
        assert session.exec(select(Revision.source)).one() == OWN


def test_an_address_of_our_own_format_that_is_taken_costs_no_text(empty_library, tmp_path):
    empty_library.write("own.md", PLAIN.format("one"))
    empty_library.sync()
    write(tmp_path, "tree/a.md", OWN)
    report = run(empty_library, tmp_path / "tree")
    assert counts(report) == (1, 0, 0, 0)
    assert article(empty_library, "own-2").title == "T"
    assert "imported_aliases" in " ".join(problem.reason for problem in report.problems)


def test_the_address_of_an_imported_readme_survives_the_exchange(empty_library, tmp_path):
    write(tmp_path, "tree/README.md", "text")
    run(empty_library, tmp_path / "tree")
    export(empty_library.database, empty_library.content)
    path = next(empty_library.content.rglob("*.md"))
    path.write_text(PLAIN.format("x"))
    assert counts(empty_library.sync()) == (0, 1, 0, 0)
    assert article(empty_library, "readme").title == "x"


def test_translations_find_each_other_by_chains_and_aliases(empty_library):
    def text(title, original=None):
        extra = f"translation_of: {original}\n" if original else ""
        return PLAIN.format(title).replace("lang: en\n", f"lang: en\n{extra}")

    first = empty_library.write("a.md", text("a"))
    for name, original in {"b": "a", "c": "b", "d": "a", "e": "missing", "f": "missing", "g": "h", "h": "g"}.items():
        empty_library.write(f"{name}.md", text(name, original))
    empty_library.write("i.md", text("i"))
    empty_library.sync()
    first.rename(first.with_name("renamed.md"))
    empty_library.sync()

    def group(slug):
        with empty_library.database.read() as session:
            return [twin.slug for twin in references.twins(session, articles.by_slug(session, slug))]

    everyone = ["b", "c", "d", "renamed"]
    assert {slug: group(slug) for slug in everyone} == {
        slug: [other for other in everyone if other != slug] for slug in everyone
    }
    assert [group(slug) for slug in "efghi"] == [["f"], ["e"], ["h"], ["g"], []]


def test_what_is_known_of_a_deleted_article_goes_with_it(library):
    with library.database.write() as session:
        session.delete(articles.by_slug(session, "bread"))
    with library.database.read() as session:
        assert len(session.exec(select(SourceFile)).all()) == 4
    assert counts(library.sync()) == (1, 0, 4, 0)


def test_a_file_moved_onto_another_articles_path_is_refused(empty_library, exported):
    path = empty_library.write("a.md", PLAIN.format("one"))
    empty_library.sync()
    edit_on_site(empty_library, "rebase", PLAIN.format("site"))
    with empty_library.database.write() as session:
        session.delete(session.get_one(SourceFile, ("content", "git/rebase.md")))
    path.replace(exported)
    report = empty_library.sync()
    assert "another article" in report.problems[0].reason
    assert (article(empty_library, "a").path, article(empty_library, "rebase").title) == ("a.md", "site")
    exported.rename(exported.with_name("other.md"))
    assert (counts(empty_library.sync())[1:], article(empty_library, "other").title) == ((1, 0, 0), "one")
