"""`sync --git` and `export --git` with real repositories: whatever happens upstream, both sides stay alive."""

import subprocess

import pytest

from app.errors import OperatorError
from app.models import Role
from app.services import accounts, git_exchange
from app.services.contributing import Contribution, contribute
from app.services.removing import delete
from app.services.reviewing import approve, version_of
from app.storage import articles, proposals, revisions

TEXT = "---\ntitle: {title}\nlang: en\n---\n\n{top}\n\nIn between.\n\n{end}\n"


def git(folder, *arguments):
    options = ["-c", "user.name=Up Stream", "-c", "user.email=up@example.org"]
    done = subprocess.run(["git", *options, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class World:
    """The site with its clone, the shared bare repository, and somebody else's clone."""

    def __init__(self, library, tmp_path):
        self.library = library
        self.bare, self.other, self.clone = (tmp_path / name for name in ("bare.git", "other", "clone"))
        git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        git(tmp_path, "clone", "--quiet", str(self.bare), str(self.other))
        self.upstream("a.md", TEXT.format(title="A", top="Top.", end="End."))
        git(tmp_path, "clone", "--quiet", str(self.bare), str(self.clone))
        (self.clone / "content").mkdir(exist_ok=True)
        self.folder = self.clone / "content"
        self.rob = accounts.sign_up(
            library.database, email="rob@example.org", name="Rob 罗", password="long enough words", role=Role.REVIEWER
        )

    def upstream(self, path, text, *, force=False, delete=False):
        target = self.other / "content" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if delete:
            target.unlink()
        else:
            target.write_text(text)
        git(self.other, "add", "--all")
        git(self.other, "commit", "--quiet", "-m", f"upstream {path}")
        git(self.other, "push", "--quiet", *(["--force"] if force else []), "-u", "origin", "HEAD:main")

    def pull(self):
        return git_exchange.pull(self.library.database, self.library.index, self.folder)

    def push(self):
        return git_exchange.push(self.library.database, self.library.index, self.folder)

    def on_site(self, slug, text, message="on the site", account=None):
        with self.library.database.read() as session:
            found = articles.by_slug(session, slug)
        change = Contribution(text, message, found.revision if found else 0, slug if found else None)
        return contribute(self.library.database, account or self.rob, change)

    def source(self, slug):
        with self.library.database.read() as session:
            found = articles.by_slug(session, slug)
            return revisions.get(session, found.id, found.revision).source

    def waiting(self):
        with self.library.database.read() as session:
            return [proposal.source for proposal in proposals.pending_page(session, number=1, size=50).items]

    def pulled_by_others(self, path):
        git(self.other, "pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")
        return (self.other / "content" / path).read_text()


@pytest.fixture
def world(empty_library, tmp_path):
    made = World(empty_library, tmp_path)
    made.pull()
    return made


def test_upstreams_changes_arrive(world):
    assert "Top." in world.source("a")
    world.upstream("a.md", TEXT.format(title="A", top="Top, changed.", end="End."))
    world.upstream("sub/b.md", TEXT.format(title="B", top="New.", end="End."))
    report = world.pull()
    assert (report.created, report.updated, report.problems) == (1, 1, [])
    assert "Top, changed." in world.source("a")
    assert (world.folder / "sub/b.md").exists()
    assert git(world.clone, "status", "--porcelain") == ""
    assert world.pull().updated == 0


def test_each_revision_becomes_a_commit_of_its_author(world):
    world.on_site("a", TEXT.format(title="A", top="Once.", end="End."), "first change")
    world.on_site("a", TEXT.format(title="A", top="Twice.", end="End."), "second change")
    world.on_site("c", TEXT.format(title="C", top="New.", end="End."), "a new answer")
    done = world.push()
    assert (done.commits, done.was_pushed, done.problems) == (3, True, [])
    log = git(world.clone, "log", "-3", "--format=%an|%s").splitlines()
    assert log == ["Rob 罗|a new answer", "Rob 罗|second change", "Rob 罗|first change"]
    assert "Twice." in world.pulled_by_others("a.md")
    again = world.push()
    assert again.commits == 0


@pytest.mark.parametrize("exchange", [World.pull, World.push])
def test_what_is_changed_in_a_file_after_it_was_written_clashes_with_nothing(world, exchange):
    world.upstream("a.md", TEXT.format(title="A", top="Top, upstream.", end="End."))
    world.on_site("a", TEXT.format(title="A", top="Top.", end="End, on the site."))
    exchange(world)
    both = (world.folder / "a.md").read_text()
    assert both == TEXT.format(title="A", top="Top, upstream.", end="End, on the site.")
    (world.folder / "a.md").write_text(both.replace("End, on the site.", "End, by hand."))
    assert world.pull().updated == 1
    assert world.source("a") == both.replace("End, on the site.", "End, by hand.")
    assert world.waiting() == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Linus <torvalds@kernel.example>", "Linus torvalds@kernel.example|linus-torvalds-kernel-example@"),
        ("<torvalds@kernel.example>", "torvalds@kernel.example|torvalds-kernel-example@"),
        ("...", "unnamed|q-"),
        ("\"<'.,;:\\>", "unnamed|q-"),
        ("--author=x", "--author=x|author-x@"),
    ],
)
def test_no_name_becomes_an_address_or_stops_an_export(world, name, expected):
    account = accounts.sign_up(
        world.library.database, email="l@example.org", name=name, password="long enough words", role=Role.REVIEWER
    )
    world.on_site("a", TEXT.format(title="A", top="Changed.", end="End."), account=account)
    assert world.push().was_pushed
    written = git(world.clone, "log", "-1", "--format=%an|%ae|%cn")
    assert written.startswith(expected)
    assert written.endswith("@users.invalid|Omniracle")


def test_a_commit_that_git_refuses_ends_with_a_line(world):
    world.on_site("a", TEXT.format(title="A", top="Changed.", end="End."))
    lock = world.clone / ".git" / "refs" / "heads" / "main.lock"  # as a git that was killed leaves it
    lock.touch()
    with pytest.raises(OperatorError, match=r"^git failed \(.*what was done stays\.$"):
        world.push()
    lock.unlink()
    assert world.push().was_pushed


def test_diverged_sides_merge_block_by_block(world):
    world.upstream("a.md", TEXT.format(title="A", top="Top, upstream.", end="End."))
    world.on_site("a", TEXT.format(title="A", top="Top.", end="End, on the site."))
    done = world.push()
    assert done.was_pushed, done.problems
    merged = TEXT.format(title="A", top="Top, upstream.", end="End, on the site.")
    assert world.source("a") == merged
    assert world.pulled_by_others("a.md") == merged
    assert world.waiting() == []


def test_a_clash_waits_for_a_reviewer_and_everything_else_goes_on(world):
    clashing = TEXT.format(title="A", top="Top, upstream.", end="End.")
    world.on_site("a", TEXT.format(title="A", top="Top, on the site.", end="End."))
    world.upstream("a.md", clashing)
    world.upstream("b.md", TEXT.format(title="B", top="New.", end="End."))
    report = world.pull()
    assert report.created == 1
    assert world.waiting() == [clashing]
    assert "Top, on the site." in world.source("a")
    world.upstream("b.md", TEXT.format(title="B", top="Newer.", end="End."))
    assert world.pull().updated == 1  # sync after a conflict is alive
    assert world.push().was_pushed
    with world.library.database.read() as session:
        (waiting,) = proposals.pending_page(session, number=1, size=5).items
        found = articles.by_slug(session, "a")
    edited = Contribution(clashing, "theirs", found.revision, "a")
    seen = version_of(waiting)
    approve(world.library.database, world.rob, waiting.id, seen=seen, edited=edited)
    assert world.push().was_pushed
    assert "Top, upstream." in world.pulled_by_others("a.md")


def test_a_dirty_tree_is_left_as_it_is_and_taken_in(world):
    (world.clone / "notes.txt").write_text("somebody is writing")
    (world.folder / "a.md").write_text(TEXT.format(title="A", top="Top.", end="End, by hand."))
    world.upstream("a.md", TEXT.format(title="A", top="Top, upstream.", end="End."))
    report = world.pull()
    assert not [problem for problem in report.problems if problem.lost]
    both = TEXT.format(title="A", top="Top, upstream.", end="End, by hand.")
    assert world.source("a") == both
    assert (world.folder / "a.md").read_text() == both
    assert (world.clone / "notes.txt").read_text() == "somebody is writing"
    assert world.push().was_pushed
    assert world.pulled_by_others("a.md") == both
    assert "notes.txt" in git(world.clone, "status", "--porcelain")


def test_a_forced_push_upstream_loses_nothing_of_ours(world):
    world.on_site("a", TEXT.format(title="A", top="Top.", end="End, on the site."))
    world.push()
    git(world.other, "fetch", "--quiet")
    git(world.other, "checkout", "--quiet", "--orphan", "again")
    world.upstream("a.md", TEXT.format(title="A", top="Rewritten.", end="End."), force=True)
    world.upstream("d.md", TEXT.format(title="D", top="New.", end="End."))
    world.pull()
    assert "New." in world.source("d")
    texts = [world.source("a"), *world.waiting()]
    assert any("End, on the site." in text for text in texts)
    assert any("Rewritten." in text for text in texts)
    assert world.push().was_pushed


def test_unrelated_histories_come_together(world, tmp_path):
    git(world.other, "checkout", "--quiet", "--orphan", "unrelated")
    git(world.other, "rm", "-rq", "--cached", ".")
    (world.other / "content" / "a.md").unlink()
    world.upstream("z.md", TEXT.format(title="Z", top="Of another origin.", end="End."), force=True)
    world.pull()
    assert "Of another origin." in world.source("z")
    assert "Top." in world.source("a")
    assert world.push().was_pushed
    assert world.pull().problems == []


def test_a_failed_push_and_a_failed_fetch_are_told_and_survived(world):
    away = world.bare.with_name("away.git")
    world.bare.rename(away)
    world.on_site("a", TEXT.format(title="A", top="Offline.", end="End."))
    done = world.push()
    assert (done.commits, done.was_pushed) == (1, False)
    assert "could not be pushed" in done.problems[-1].reason
    report = world.pull()
    assert "could not be asked" in report.problems[0].reason
    away.rename(world.bare)
    assert world.push().was_pushed
    assert "Offline." in world.pulled_by_others("a.md")


def test_what_is_deleted_on_either_side(world):
    world.upstream("b.md", TEXT.format(title="B", top="New.", end="End."))
    world.pull()
    world.upstream("b.md", "", delete=True)
    report = world.pull()
    assert "the file is gone" in report.problems[0].reason
    assert "New." in world.source("b")
    delete(world.library.database, world.rob, "a", "no longer true")
    assert world.push().was_pushed
    assert not (world.folder / "a.md").exists()


def test_without_an_upstream_commits_stay_here(empty_library, tmp_path):
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(tmp_path / "alone"))
    folder = tmp_path / "alone" / "content"
    folder.mkdir()
    (folder / "a.md").write_text(TEXT.format(title="A", top="Top.", end="End."))
    git_exchange.pull(empty_library.database, empty_library.index, folder)
    done = git_exchange.push(empty_library.database, empty_library.index, folder)
    assert (done.commits, done.was_pushed, done.problems) == (1, False, [])


def test_a_folder_in_no_repository_is_an_error(empty_library, tmp_path):
    with pytest.raises(OperatorError, match="git init"):
        git_exchange.pull(empty_library.database, empty_library.index, tmp_path)
