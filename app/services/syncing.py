"""`sync`: the files of the content folder become articles, and changed files new revisions."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from sqlmodel import Session

from app.content.document import parse_document
from app.content.merging import Conflict, merge
from app.content.slugs import default_slug
from app.errors import InvalidInput
from app.models import Article, Origin, SourceFile
from app.search.engine import SearchEngine
from app.services import aliasing, indexing, publishing
from app.services.exchange import (
    CONTENT,
    Prepared,
    Report,
    Stored,
    changed_files,
    exported_to,
    notes_on,
    prepare_all,
    remember,
    store,
)
from app.services.finding import FoundFile, Problem, find_files, sha256_of
from app.services.gone_files import Gone
from app.services.own_files import LEFT, Had, OwnFiles
from app.services.progress import Progress, silent
from app.services.publishing import Edition
from app.services.rendering import make_rendering
from app.storage import articles, proposals, revisions, source_files
from app.storage.database import Database


@dataclass(frozen=True)
class Changes:
    """What somebody else has changed, and from what."""

    bases: Mapping[str, str]  # the texts that they started from, by path; new files have none
    gone: Collection[str]  # the paths of files that they have deleted


LEFT_ALONE = Stored(
    "unchanged", ("may be older than what another host has brought in: left (`omniracle sync` takes it as it is)",)
)
DELETED = Stored("unchanged", ("was deleted on the site: restore it there, or remove the file",))


@dataclass(frozen=True)
class Run:
    """What one run of `sync` goes by."""

    changes: Changes | None
    gone: Gone
    had: Had | None  # what this host had before, where there are several
    is_start: bool  # nobody has asked for it
    exports: str  # the origin of what was exported to the folder


def sync(
    database: Database,
    index: SearchEngine | None,
    folder: Path,
    progress: Progress = silent,
    *,
    changes: Changes | None = None,
    own: OwnFiles | None = None,
    is_start: bool = False,
) -> Report:
    """Bring every changed file below `folder` into the database, each in a transaction of its own, then the index.

    A file that cannot be used is reported and passed over. With `changes`, `folder` holds only what somebody else has
    changed. Without an `index`, its workers bring it up to date. `own` is what one of several hosts knows of its files:
    at a start (`is_start`) only those are looked at that have changed on it. Raises OperatorError when `folder` cannot
    be read.
    """
    files, notes = find_files(folder, "create it, or name another with OMNIRACLE_CONTENT_DIR")
    with database.read() as session:
        known = source_files.of_origin(session, CONTENT)
        present = {found.path for found in files} | (known.keys() - set(changes.gone) if changes else set())
        gone = Gone(session, known, present)
    had = own.at_last_sync(folder, known) if own else None
    run = Run(changes, gone, had, is_start, exported_to(folder, own.mark if own else ""))
    differing = files if changes else changed_files(database, CONTENT, files, known)
    changed = [found for found in differing if had is None or not is_start or had.differs(found)]
    report = Report(unchanged=len(files) - len(changed), problems=notes)
    taken: dict[str, str] = {}
    before = had.digests if had and had.is_kept else dict.fromkeys(present, LEFT)
    if own is not None and changed:
        own.keep(folder, before, changed)
    for done, (found, prepared) in enumerate(prepare_all(changed, prepare), start=1):
        result = prepared if isinstance(prepared, Problem) else _store(database, found, prepared, run)
        if not isinstance(prepared, Problem) and not isinstance(result, Problem) and result is not DELETED:
            taken[found.path] = LEFT if result is LEFT_ALONE else prepared.sha256
        report.add(found.path, result)
        progress("sync", done, len(changed))
    if own is not None and present:  # an empty folder is perhaps not mounted: it takes no part
        equal = {path: known[path].sha256 for path in present - {found.path for found in differing}}
        digests = {**before, **equal, **taken}
        own.keep(folder, {path: digests[path] for path in present & digests.keys()})
    report.problems += [*aliasing.read_back(database, folder), *_missing(database, present)]
    if index is not None:
        indexing.ensure(database, index, progress)
    return report


def prepare(found: FoundFile) -> Prepared:
    """Return `found` ready to be published; raise InvalidInput when it does not keep to the content format."""
    raw = found.read()
    try:
        source = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"is not UTF-8 (byte {error.start}): save it as UTF-8, or use `omniracle import`."
        ) from error
    document = parse_document(source, default_slug=default_slug(PurePosixPath(found.path)))
    rendering = make_rendering(document.body, document.lang)
    return Prepared(sha256_of(raw), source, document, rendering, notes_on(rendering, document.body))


def _store(database: Database, found: FoundFile, prepared: Prepared, run: Run) -> Stored | Problem:
    # What is known is read within the transaction: another process may have stored the file a moment ago.
    def work(session: Session) -> Stored:
        before = source_files.get(session, CONTENT, found.path)
        at_path = session.get(Article, before.article_id) if before else articles.by_path(session, found.path)
        if run.changes is not None and at_path is not None:
            base = before.revision if before else 0
            return _merge(session, at_path, base, run.changes.bases.get(found.path), found, prepared)
        own = run.had.digests.get(found.path, "") if run.had else ""
        former = before or run.gone.former(session, prepared, own)
        if run.had and run.is_start and run.had.is_behind(session, found, prepared, former, at_path):
            return LEFT_ALONE
        if former is not None:
            return _follow(session, former, at_path, found, prepared, run)
        if at_path is not None:
            return _exchange(session, at_path, _known_revision(session, at_path, found, run), found, prepared)
        article = publishing.create(session, _edition(found, prepared))
        remember(session, CONTENT, found, prepared.sha256, article.id, article.revision)
        return Stored("created", prepared.notes)

    return store(database, found, work)


def _follow(
    session: Session, former: SourceFile, at_path: Article | None, found: FoundFile, prepared: Prepared, run: Run
) -> Stored:
    """Bring in the file of a known article; `former` is what is known of it, perhaps under another name."""
    before = run.had.as_here(session, former, found.path, prepared.sha256) if run.had else former
    if former.path == found.path:
        return _update(session, before, found, prepared, run)
    if run.had and run.is_start and run.had.was_renamed_elsewhere(found.path, former):
        return _update(session, before, replace(found, path=former.path), prepared, run, here=found.path)
    if at_path is not None and at_path.id != former.article_id:
        raise InvalidInput("was moved to where another article's file belongs: choose another name for it.")
    return _move(session, before, found, prepared)


def _update(
    session: Session, before: SourceFile, found: FoundFile, prepared: Prepared, run: Run, here: str = ""
) -> Stored:
    """Bring in the text of a file whose article stays at its path; the file may be `here`, under another name."""
    article = session.get_one(Article, before.article_id)
    if article.deleted_at is not None:
        return _exchange(session, article, before.revision, found, prepared)
    if before.sha256 == prepared.sha256 and before.revision == article.revision:
        remember(session, CONTENT, found, prepared.sha256, article.id, before.revision)
        return Stored("unchanged")
    exported = _exported_revision(session, article, here or found.path, run)
    if before.source is not None and exported <= before.revision:
        return _merge(session, article, before.revision, before.source, found, prepared)
    return _exchange(session, article, max(before.revision, exported), found, prepared)


def _move(session: Session, before: SourceFile, found: FoundFile, prepared: Prepared) -> Stored:
    """Let the article follow its file, which was `before`, to another path."""
    article = session.get_one(Article, before.article_id)
    if article.deleted_at is not None:
        return _exchange(session, article, before.revision, found, prepared)
    session.delete(session.get_one(SourceFile, (before.origin, before.path)))
    is_newest = before.revision == article.revision and before.source is None
    if not is_newest and before.sha256 == prepared.sha256:
        publishing.move(session, article, _edition(found, prepared))
        remember(session, CONTENT, found, prepared.sha256, article.id, before.revision, before.source)
        return Stored("updated", ("was renamed; the text on the site is newer (`omniracle export` writes it)",))
    if not is_newest and revisions.number_of(session, before.article_id, prepared.source) == article.revision:
        publishing.move(session, article, _edition(found, prepared))
        remember(session, CONTENT, found, prepared.sha256, article.id, article.revision)
        return Stored("updated")
    article.path = found.path  # also where the two clash
    session.add(article)
    if before.source is not None:
        return _merge(session, article, before.revision, before.source, found, prepared)
    return _revise(session, article, before.revision, found, prepared)


def _exchange(session: Session, article: Article, base: int, found: FoundFile, prepared: Prepared) -> Stored:
    """Bring the file's text to its article; `base` is the revision from which the text comes, 0 when unknown."""
    if article.deleted_at is not None:  # it is looked at again once the article is restored
        return DELETED
    same = revisions.number_of(session, article.id or 0, prepared.source)
    if same == article.revision:
        remember(session, CONTENT, found, prepared.sha256, article.id, same)
        return Stored("unchanged")
    if same and base != article.revision:  # an old text that somebody wants back would come from the newest one
        remember(session, CONTENT, found, prepared.sha256, article.id, same)
        return Stored("unchanged", ("the text on the site is newer (`omniracle export` writes it)",))
    return _revise(session, article, base, found, prepared)


def _revise(session: Session, article: Article, base: int, found: FoundFile, prepared: Prepared) -> Stored:
    if base != article.revision:
        before = revisions.get(session, article.id or 0, base)
        return _merge(session, article, base, before.source if before else None, found, prepared)
    publishing.revise(session, article, _edition(found, prepared))
    remember(session, CONTENT, found, prepared.sha256, article.id, article.revision)
    return Stored("updated", prepared.notes)


def _merge(
    session: Session, article: Article, base: int, before: str | None, found: FoundFile, prepared: Prepared
) -> Stored:
    """Bring together what was changed in the file and on the site; what clashes waits for a reviewer.

    `before` is the text that the file had when the two were last brought together, None when nobody knows.
    """
    if (
        article.deleted_at is not None
        or revisions.number_of(session, article.id or 0, prepared.source) == article.revision
    ):
        return _exchange(session, article, article.revision, found, prepared)
    newest = revisions.get(session, article.id or 0, article.revision)
    assert newest is not None
    merged = None if before is None else _merged(before, newest.source, prepared, article.slug)
    if merged is None:
        remember(session, CONTENT, found, prepared.sha256, article.id, base, before)
        proposals.add_from_file(session, article, base or article.revision, prepared.source, prepared.document)
        note = "was changed here and on the site in the same place: both are kept, a reviewer decides (/review)"
        return Stored("unchanged", (note,))
    if merged.source != newest.source:
        publishing.revise(session, article, _edition(found, merged))
    if merged.source == prepared.source:
        remember(session, CONTENT, found, prepared.sha256, article.id, article.revision)
        return Stored("updated", prepared.notes)
    remember(session, CONTENT, found, prepared.sha256, article.id, article.revision, prepared.source)
    return Stored("updated", ("was merged with a newer change on the site (`omniracle export` writes both)",))


def _merged(before: str, newest: str, prepared: Prepared, slug: str) -> Prepared | None:
    """Return what the file and the site have made of the text before, together; None when they clash."""
    pieces = merge(before, prepared.source, newest)
    if any(isinstance(piece, Conflict) for piece in pieces):
        return None
    source = "".join(map(str, pieces))
    try:
        document = parse_document(source, default_slug=slug)
    except InvalidInput:  # each has added the same key to the front matter
        return None
    return replace(prepared, source=source, document=document, rendering=make_rendering(document.body, document.lang))


def _known_revision(session: Session, article: Article, found: FoundFile, run: Run) -> int:
    """Return the revision that lay at the path of a file that was never synced; 0 when nobody knows."""
    exported = _exported_revision(session, article, found.path, run)
    if exported or not source_files.is_known(session, article.id or 0, article.revision):
        return exported
    return article.revision  # nobody has changed it since it was imported


def _exported_revision(session: Session, article: Article, path: str, run: Run) -> int:
    exported = source_files.get(session, run.exports, path)
    return exported.revision if exported is not None and exported.article_id == article.id else 0


def _edition(found: FoundFile, prepared: Prepared) -> Edition:
    return Edition(
        document=prepared.document,
        source=prepared.source,
        path=found.path,
        default_slug=default_slug(PurePosixPath(found.path)),
        rendering=prepared.rendering,
        origin=Origin.SYNC,
    )


def _missing(database: Database, present: AbstractSet[str]) -> list[Problem]:
    with database.read() as session:
        known = source_files.of_origin(session, CONTENT)
    if known and not present:  # a host that leaves the folder to another one
        return [Problem(".", "has no files; the articles stay (`omniracle export` writes them again)", lost=False)]
    return [
        Problem(path, "the file is gone; its article stays (`omniracle export` writes it again)", lost=False)
        for path in sorted(known.keys() - present)
    ]
