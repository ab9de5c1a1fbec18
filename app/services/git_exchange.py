"""`sync --git` and `export --git`: the content folder's repository and the site, each with its own changes.

Upstream's changes go through the same three-way merge as all files; what clashes waits in the review queue. The site's
revisions become commits with their authors and messages. Nothing here ever leaves a merge half done.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from app.content.slugs import slugify
from app.errors import OperatorError
from app.models import Article, Revision
from app.search.engine import SearchEngine
from app.services.exchange import Report
from app.services.exporting import write_file
from app.services.finding import Problem
from app.services.git import Author, GitFailed, Repository, repository_of
from app.services.own_files import OwnFiles
from app.services.progress import Progress, silent
from app.services.syncing import Changes, sync
from app.storage import articles, revisions
from app.storage.database import Database

SITE = "site"  # the author of revisions that nobody signed
CHUNK = 100


@dataclass
class Exported:
    """What `export --git` has done."""

    commits: int = 0
    was_pushed: bool = False
    problems: list[Problem] = field(default_factory=list)


@contextmanager
def _failure_told() -> Iterator[None]:
    try:
        yield
    except GitFailed as error:
        raise OperatorError(
            f"git failed ({error}): see to that, then run the command again; what was done stays."
        ) from error


@_failure_told()
def pull(
    database: Database, index: SearchEngine, folder: Path, progress: Progress = silent, *, own: OwnFiles | None = None
) -> Report:
    """Take in what is on disk, then what upstream has changed; return what became of the files.

    Raises OperatorError when the folder is in no repository, or git fails in what cannot be left for the next time.
    """
    repository = repository_of(folder)
    report = sync(database, index, folder, progress, own=own)
    try:
        repository.fetch()
    except GitFailed as error:
        report.problems.append(Problem(".git", f"upstream could not be asked ({error}); it is next time", lost=False))
    upstream = repository.upstream()
    if upstream is None or repository.contains(upstream):
        return report
    base, written, deleted = repository.changes_of(upstream)
    with tempfile.TemporaryDirectory(prefix="omniracle-upstream-") as temporary:
        for path in written:
            content = repository.content(upstream, path)
            if content is not None:
                write_file(Path(temporary), path, content)
        bases = {path: text for path in written if (text := _text(repository, base, path)) is not None}
        report.join(sync(database, index, Path(temporary), progress, changes=Changes(bases, deleted)))
    try:
        repository.take_in(upstream)
    except GitFailed as error:
        report.problems.append(Problem(".git", f"upstream could not be merged ({error})", lost=False))
    _write_articles(database, folder, set(written))
    _note(database, folder, own)
    return report


@_failure_told()
def push(
    database: Database, index: SearchEngine, folder: Path, progress: Progress = silent, *, own: OwnFiles | None = None
) -> Exported:
    """Commit what the repository does not have yet, and push; return how many commits were made.

    Raises OperatorError when the folder is in no repository, nothing can be committed, or a file cannot be written.
    """
    repository = repository_of(folder)
    sync(database, index, folder, progress, own=own)  # what somebody has changed on disk is not written over unseen
    done = Exported(commits=_commit_all(database, repository, folder, own))
    if repository.upstream() is None:
        return done
    for attempt in range(2):
        try:
            repository.push()
        except GitFailed as error:
            if attempt:
                done.problems.append(Problem(".git", f"could not be pushed ({error}); it is next time", lost=False))
                break
            done.problems += pull(database, index, folder, progress, own=own).problems  # somebody else was faster
            done.commits += _commit_all(database, repository, folder, own)
        else:
            done.was_pushed = True
            break
    return done


def _text(repository: Repository, commit: str | None, path: str) -> str | None:
    content = repository.content(commit, path) if commit else None
    return None if content is None else content.decode("utf-8", "replace")


def _note(database: Database, folder: Path, own: OwnFiles | None) -> None:
    """Note that the files are what the site has: what somebody changes in them is a change of that."""
    sync(database, None, folder, own=own)


def _commit_all(database: Database, repository: Repository, folder: Path, own: OwnFiles | None) -> int:
    commits = 0
    for revision, path in _missing(database, repository):
        write_file(folder, path, revision.source.encode("utf-8"))
        message = revision.message or revision.title
        author = _author(revision.author or SITE)
        commits += repository.commit(path, author=author, message=message, moment=revision.created_at)
    for path, title, moment in _deleted(database, repository):
        (folder / path).unlink(missing_ok=True)
        commits += repository.commit(path, author=_author(SITE), message=f"Delete: {title}", moment=moment)
    _note(database, folder, own)
    return commits


def _author(name: str) -> Author:
    return Author(name, f"{slugify(name)}@users.invalid")


def _missing(database: Database, repository: Repository) -> list[tuple[Revision, str]]:
    """Return the revisions that the repository does not have, in the order in which they were published."""
    found: list[tuple[Revision, str]] = []
    last = 0
    while True:
        with database.read() as session:
            ids = articles.ids_after(session, last, CHUNK)
            for article in articles.by_ids(session, ids):
                found += [(revision, article.path) for revision in _after_head(session, repository, article)]
        if not ids:
            return sorted(found, key=lambda pair: (pair[0].created_at, pair[0].id or 0))
        last = ids[-1]


def _after_head(session: Session, repository: Repository, article: Article) -> list[Revision]:
    assert article.id is not None
    text = _text(repository, repository.head(), article.path)
    if text is None:
        newest = revisions.get(session, article.id, article.revision)
        return [newest] if newest else []
    known = revisions.number_of(session, article.id, text)
    if known == article.revision:
        return []
    return revisions.after(session, article.id, known or article.revision - 1)


def _deleted(database: Database, repository: Repository) -> list[tuple[str, str, datetime]]:
    head = repository.head()
    with database.read() as session:
        gone = articles.all_deleted(session)
    return [
        (article.path, article.title, article.deleted_at)
        for article in gone
        if article.deleted_at is not None and head and repository.content(head, article.path) is not None
    ]


def _write_articles(database: Database, folder: Path, paths: set[str]) -> None:
    """Write the site's newest text of these files: it has upstream's changes, and those of the site."""
    with database.read() as session:
        for path in sorted(paths):
            article = articles.by_path(session, path)
            newest = revisions.get(session, article.id or 0, article.revision) if article else None
            if newest is not None:
                write_file(folder, path, newest.source.encode("utf-8"))
