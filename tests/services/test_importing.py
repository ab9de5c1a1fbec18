"""Importing foreign trees: everything arrives, twice changes nothing, one bad file stops nobody."""

import os

import pytest
from sqlalchemy.exc import OperationalError

from app.errors import OperatorError
from app.services import exchange, importing, publishing
from app.services.finding import find_files
from app.services.searching import search
from app.storage import articles
from tests.services.trees import run, write


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


def article(library, slug):
    with library.database.read() as session:
        return articles.by_slug(session, slug)


def test_files_become_articles_that_are_found(empty_library, tree):
    write(tree, "git/rebase.md", "# How to rebase\n\nUse *zebrafish* commits.\n")
    write(tree, "docs/zh/任务.md", "---\ntitle: 任务\ntags: [a]\n---\n内核让各个进程竞争新的连接。\n")
    report = run(empty_library, tree)
    assert (report.created, report.lost, report.problems) == (2, 0, [])
    assert article(empty_library, "rebase").title == "How to rebase"
    assert article(empty_library, "ren-wu").lang == "zh"
    found = search(empty_library.database, empty_library.index, "zebrafish")
    assert [hit.slug for hit in found.page.items] == ["rebase"]


def test_a_second_run_changes_nothing_and_reports_the_lost_again(empty_library, tree):
    write(tree, "a.md", "x")
    write(tree, "b.md", b"")
    first, second = run(empty_library, tree), run(empty_library, tree)
    assert (first.created, second.created, second.updated, second.unchanged) == (1, 0, 0, 1)
    assert [(p.path, p.reason, p.lost) for p in first.problems] == [("b.md", "is empty", True)]
    assert first.problems == second.problems


def test_a_touched_file_is_unchanged_and_a_changed_one_is_updated(empty_library, tree):
    path = write(tree, "a.md", "x")
    run(empty_library, tree)
    os.utime(path, (1, 1))
    assert run(empty_library, tree).unchanged == 1
    assert article(empty_library, "a").revision == 1
    path.write_text("# New\n\ny")
    assert run(empty_library, tree).updated == 1
    assert (article(empty_library, "a").revision, article(empty_library, "a").title) == (2, "New")


def test_equal_names_get_different_addresses(empty_library, tree):
    write(tree, "x/a.md", "one")
    write(tree, "y/a.md", "two")
    write(tree, "y/b.md", "---\nslug: a\n---\nthree")
    assert run(empty_library, tree).created == 3
    assert [article(empty_library, slug).body for slug in ("a", "a-2", "a-3")] == ["one\n", "two\n", "three\n"]


def test_what_is_changed_on_the_way_is_noted(empty_library, tree):
    write(tree, "a.md", "中文是一种语言，我们说的话不是这样的。".encode("gb18030"))
    report = run(empty_library, tree)
    assert [(p.reason, p.lost) for p in report.problems] == [("was read as gb18030", False)]


def test_odd_things_in_the_tree(empty_library, tree):
    write(tree, "folder.md/inside.md", "x")
    write(tree, ".hidden/no.md", "x")
    write(tree, "notes.txt", "x")
    (tree / "nowhere.md").symlink_to(tree / "gone")
    (tree / "loop").symlink_to(tree)
    os.mkfifo(tree / "pipe.md")
    (tree / os.fsdecode("中文".encode("gb18030") + b".md")).write_text("y")
    report = run(empty_library, tree)
    assert report.created == 2
    assert article(empty_library, "zhong-wen")
    assert sorted((p.path, p.reason) for p in report.problems) == [
        ("loop", "is a link to a folder: what lies in it was passed over"),
        ("nowhere.md", "cannot be read: No such file or directory"),
        ("pipe.md", "cannot be read: is no file"),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_reported(empty_library, tree):
    write(tree, "a.md", "x").chmod(0)
    write(tree, "b/c.md", "x").parent.chmod(0)
    report = run(empty_library, tree)
    (tree / "b").chmod(0o700)
    assert [(p.path, p.lost) for p in report.problems] == [("a.md", True), ("b", True)]


def test_an_error_of_the_database_costs_one_file(empty_library, tree, monkeypatch):
    write(tree, "a.md", "x")
    write(tree, "b.md", "y")
    real = publishing.create

    def create(session, edition):
        if edition.path.endswith("/a.md"):
            raise OperationalError("insert", {}, Exception("disk"))
        return real(session, edition)

    monkeypatch.setattr(importing.publishing, "create", create)
    report = run(empty_library, tree)
    assert (report.created, [(p.path, p.lost) for p in report.problems]) == (1, [("a.md", True)])
    monkeypatch.undo()
    assert run(empty_library, tree).created == 1


def test_an_article_changed_on_the_site_is_not_overwritten(empty_library, tree):
    path = write(tree, "a.md", "x")
    run(empty_library, tree)
    with empty_library.database.write() as session:
        found = articles.by_slug(session, "a")
        found.revision += 1
        session.add(found)
    path.write_text("changed")
    report = run(empty_library, tree)
    assert [p.lost for p in report.problems] == [True]
    assert article(empty_library, "a").body == "x\n"


def test_many_files_are_prepared_by_processes(empty_library, tree, monkeypatch):
    monkeypatch.setattr(exchange, "POOL_FROM", 5)
    monkeypatch.setattr(exchange, "BATCH", 2)
    for number in range(12):
        write(tree, f"{number:02}.md", f"# T{number}\n\nx")
    steps = []
    report = run(empty_library, tree, progress=lambda stage, done, total: steps.append((stage, done, total)))
    assert report.created == 12
    assert article(empty_library, "07").title == "T7"
    assert ("import", 12, 12) in steps


def die_at_three(found):
    if found.path == "3.md":
        os._exit(1)
    return exchange.Problem(found.path, "fine", lost=False)


def test_a_file_that_ends_its_process_costs_only_itself(tree, monkeypatch):
    monkeypatch.setattr(exchange, "POOL_FROM", 5)
    monkeypatch.setattr(exchange, "BATCH", 1)
    monkeypatch.setattr(exchange.os, "cpu_count", lambda: 1)
    for number in range(6):
        write(tree, f"{number}.md", "x")
    outcomes = dict(exchange.prepare_all(find_files(tree)[0], die_at_three))
    assert {found.path: problem.reason for found, problem in outcomes.items()} == {
        f"{number}.md": "ended the process that read it" if number == 3 else "fine" for number in range(6)
    }


def test_a_folder_that_is_not_there(empty_library, tree):
    with pytest.raises(OperatorError):
        run(empty_library, tree / "gone")
