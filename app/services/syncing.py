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
from app.models import Alias, Article, Origin, SourceFile
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


Gone = dict[tuple[str, ...], list[str]]

LEFT = "is as its article was before: left, as another host's folder may be newer (`omniracle sync` brings it back)"


def sync(
    database: Database,
    index: SearchEngine | None,
    folder: Path,
    progress: Progress = silent,
    *,
    changes: Changes | None = None,
    takes_back: bool = True,
) -> Report:
    """Bring every changed file below `folder` into the database, each in a transaction of its own, then the index.

    A file that cannot be used is reported and passed over. With `changes`, `folder` holds only what somebody else has
    changed. Without an `index`, its workers bring it up to date. Unless it `takes_back`, a text or an address that an
    article had before is left: of several hosts' folders this may be an older one. Raises OperatorError when `folder`
    cannot be read.
    """
    files, notes = find_files(folder, "create it, or name another with OMNIRACLE_CONTENT_DIR")
    with database.read() as session:
        known = source_files.of_origin(session, CONTENT)
        present = {found.path for found in files} | (known.keys() - set(changes.gone) if changes else set())
        former = _gone(session, known, present)
    changed = files if changes else changed_files(database, CONTENT, files, known)
    report = Report(unchanged=len(files) - len(changed), problems=notes)
    for done, (found, prepared) in enumerate(prepare_all(changed, prepare), start=1):
        if isinstance(prepared, Problem):
            report.add(found.path, prepared)
        else:
            report.add(found.path, _store(database, found, prepared, former, changes, takes_back=takes_back))
        progress("sync", done, len(changed))
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


def _store(
    database: Database,
    found: FoundFile,
    prepared: Prepared,
    gone: Gone,
    changes: Changes | None,
    *,
    takes_back: bool,
) -> Stored | Problem:
    # What is known is read within the transaction: another process may have stored the file a moment ago.
    def work(session: Session) -> Stored:
        before = source_files.get(session, CONTENT, found.path)
        at_path = session.get(Article, before.article_id) if before else articles.by_path(session, found.path)
        if changes is not None and at_path is not None:
            base = before.revision if before else 0
            return _merge(session, at_path, base, changes.bases.get(found.path), found, prepared)
        former = before or _moved_from(session, prepared, gone)
        if former is not None and not takes_back and _was_before(session, former, found, prepared):
            return Stored("unchanged", (LEFT,))
        if before is not None:
            return _update(session, before, found, prepared)
        if former is not None:
            if at_path is not None and at_path.id != former.article_id:
                raise InvalidInput("was moved to where another article's file belongs: choose another name for it.")
            return _move(session, former, found, prepared)
        if at_path is not None:
            return _exchange(session, at_path, _known_revision(session, at_path, found), found, prepared)
        article = publishing.create(session, _edition(found, prepared))
        remember(session, CONTENT, found, prepared.sha256, article.id, article.revision)
        return Stored("created", prepared.notes)

    return store(database, found, work)


def _was_before(session: Session, known: SourceFile, found: FoundFile, prepared: Prepared) -> bool:
    """Say whether the article of a file had this text, or the address that the file would give it, before."""
    article = session.get_one(Article, known.article_id)
    alias = session.get(Alias, default_slug(PurePosixPath(found.path))) if found.path != known.path else None
    is_left = alias is not None and alias.article_id == article.id
    number = revisions.number_of(session, known.article_id, prepared.source)
    return article.deleted_at is None and (is_left or 0 < number < article.revision)


def _update(session: Session, before: SourceFile, found: FoundFile, prepared: Prepared) -> Stored:
    article = session.get_one(Article, before.article_id)
    if article.deleted_at is not None:
        return _exchange(session, article, before.revision, found, prepared)
    if before.sha256 == prepared.sha256 and before.revision == article.revision:
        remember(session, CONTENT, found, prepared.sha256, article.id, before.revision)
        return Stored("unchanged")
    exported = _exported_revision(session, article, found)
    if before.source is not None and exported <= before.revision:
        return _merge(session, article, before.revision, before.source, found, prepared)
    return _exchange(session, article, max(before.revision, exported), found, prepared)


def _move(session: Session, before: SourceFile, found: FoundFile, prepared: Prepared) -> Stored:
    """Let the article follow its file, which was `before`, to another path."""
    article = session.get_one(Article, before.article_id)
    if article.deleted_at is not None:
        return _exchange(session, article, before.revision, found, prepared)
    session.delete(before)
    if before.revision != article.revision and before.sha256 == prepared.sha256:
        publishing.move(session, article, _edition(found, prepared))
        remember(session, CONTENT, found, prepared.sha256, article.id, before.revision)
        return Stored("updated", ("was renamed; the text on the site is newer (`omniracle export` writes it)",))
    return _revise(session, article, before.revision, found, prepared)


def _exchange(session: Session, article: Article, base: int, found: FoundFile, prepared: Prepared) -> Stored:
    """Bring the file's text to its article; `base` is the revision from which the text comes, 0 when unknown."""
    if article.deleted_at is not None:  # it is looked at again once the article is restored
        return Stored("unchanged", ("was deleted on the site: restore it there, or remove the file",))
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


def _known_revision(session: Session, article: Article, found: FoundFile) -> int:
    """Return the revision that lay at the path of a file that was never synced; 0 when nobody knows."""
    exported = _exported_revision(session, article, found)
    if exported or not source_files.is_known(session, article.id or 0, article.revision):
        return exported
    return article.revision  # nobody has changed it since it was imported


def _exported_revision(session: Session, article: Article, found: FoundFile) -> int:
    exported = source_files.get(session, exported_to(found.folder), found.path)
    return exported.revision if exported is not None and exported.article_id == article.id else 0


def _gone(session: Session, known: Mapping[str, SourceFile], present: AbstractSet[str]) -> Gone:
    """Return the paths of the files that are not there any more, by all that their articles can be known by."""
    gone: Gone = {}
    names = source_files.names_of(session, CONTENT) if known.keys() - present else {}
    for path in sorted(names.keys() & known.keys() - present):
        slug, *title = names[path]
        for key in ((known[path].sha256,), (slug,), tuple(title)):
            gone.setdefault(key, []).append(path)
    return gone


def _moved_from(session: Session, prepared: Prepared, gone: Gone) -> SourceFile | None:
    """Return the file that the prepared one was renamed from: one that is gone, with its bytes, slug or title."""
    document = prepared.document

    def still(key: tuple[str, ...]) -> list[SourceFile]:
        # Read again: an earlier file of this run, or another process, may have taken it.
        return [known for path in gone.get(key, ()) if (known := source_files.get(session, CONTENT, path))]

    if same := still((prepared.sha256,)):
        return same[0]
    alike = still((document.slug,) if document.slug else (document.title, document.lang))
    return alike[0] if len(alike) == 1 else None


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
