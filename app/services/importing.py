"""`import`: any folder of Markdown files becomes articles; nothing of them is lost silently."""

from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from sqlmodel import Session

from app.content.foreign import read_foreign
from app.content.slugs import default_slug, slugify, unique
from app.errors import InvalidInput
from app.models import Article, Origin, SourceFile
from app.search.engine import SearchEngine
from app.services import indexing, publishing
from app.services.exchange import (
    Prepared,
    Report,
    Stored,
    changed_files,
    notes_on,
    prepare_all,
    remember,
    store,
)
from app.services.finding import FoundFile, Problem, find_files, sha256_of
from app.services.progress import Progress, silent
from app.services.publishing import Edition
from app.services.rendering import make_rendering
from app.storage import articles, source_files
from app.storage.database import Database

Kin = dict[str, list[SourceFile]]

IMPORTED = "imported"  # the topic folder of files that lie in no folder


def import_tree(
    database: Database, index: SearchEngine, folder: Path, lang: str | None = None, progress: Progress = silent
) -> Report:
    """Publish every Markdown file below `folder`; a file that was imported before is updated when it has changed.

    A file that cannot be used is reported and passed over. Raises OperatorError when `folder` cannot be read.
    """
    files, notes = find_files(folder)
    origin = str(folder.resolve())
    with database.read() as session:
        known = source_files.of_origin(session, origin)
        kin = _kin(session, origin, {found.path for found in files})
    changed = changed_files(database, origin, files, known)
    report = Report(unchanged=len(files) - len(changed), problems=notes)
    for done, (found, prepared) in enumerate(prepare_all(changed, partial(prepare, lang=lang)), start=1):
        if isinstance(prepared, Problem):
            report.add(found.path, prepared)
        else:
            result = _store(database, found, prepared, origin, kin)
            if isinstance(result, Problem) and (prepared.document.slug or prepared.document.aliases):
                result = _store_renamed(database, found, result, lang, origin, kin)
            report.add(found.path, result)
        progress("import", done, len(changed))
    indexing.ensure(database, index, progress)
    return report


def prepare(found: FoundFile, lang: str | None, *, own_names: bool = True) -> Prepared:
    """Return `found`, turned into the content format; raise InvalidInput when it is no text at all.

    Without `own_names` the file gets another address than it names for itself.
    """
    raw = found.read()
    foreign = read_foreign(raw, PurePosixPath(found.path), lang, own_names=own_names)
    document = foreign.document
    rendering = make_rendering(document.body, document.lang)
    notes = foreign.notes + notes_on(rendering, document.body)
    return Prepared(sha256_of(raw), foreign.source, document, rendering, notes, foreign.slug)


def _store(database: Database, found: FoundFile, prepared: Prepared, origin: str, kin: Kin) -> Stored | Problem:
    # What is known is read within the transaction: another process may have stored the file a moment ago.
    def work(session: Session) -> Stored:
        before = source_files.get(session, origin, found.path) or _known_elsewhere(
            session, origin, found, prepared.sha256, kin
        )
        if before is None:
            article = _create(session, found, prepared)
            remember(session, origin, found, prepared.sha256, article.id, article.revision)
            return Stored("created", prepared.notes)
        if before.origin == origin and before.path != found.path:
            session.delete(before)
        if before.sha256 == prepared.sha256:
            remember(session, origin, found, prepared.sha256, before.article_id, before.revision)
            return Stored("unchanged")
        article = session.get_one(Article, before.article_id)
        if article.revision != before.revision:
            raise InvalidInput("was changed on the site since it was imported: merge it by hand.")
        publishing.revise(session, article, _edition(prepared, article.path, article.slug))
        remember(session, origin, found, prepared.sha256, article.id, article.revision)
        return Stored("updated", prepared.notes)

    return store(database, found, work)


def _store_renamed(
    database: Database, found: FoundFile, problem: Problem, lang: str | None, origin: str, kin: Kin
) -> Stored | Problem:
    """Store a file that names an address of another article under one that is free."""
    try:
        prepared = prepare(found, lang, own_names=False)
    except (InvalidInput, OSError):
        return problem
    result = _store(database, found, prepared, origin, kin)
    return result if isinstance(result, Problem) else replace(result, notes=(problem.reason, *result.notes))


def _kin(session: Session, origin: str, present: set[str]) -> Kin:
    """Return by digest the known files that a new one may be: those of other folders, and those that are gone here."""
    return {
        digest: [known for known in same if known.origin != origin or known.path not in present]
        for digest, same in source_files.by_digest(session).items()
    }


def _known_elsewhere(session: Session, origin: str, found: FoundFile, sha256: str, kin: Kin) -> SourceFile | None:
    """Return the known file that `found` is: with the same bytes, here under a former name, or in another folder."""
    # Read again: an earlier file of this run, or another process, may have taken it.
    again = [source_files.get(session, known.origin, known.path) for known in kin.get(sha256, ())]
    same = [known for known in again if known is not None and known.sha256 == sha256]
    if former := [known for known in same if known.origin == origin]:
        return former[0]
    # Equal files in one tree, such as empty templates, are articles of their own in a copy of the tree too.
    taken = source_files.articles_among(session, origin, {known.article_id for known in same})
    others = [known for known in same if known.article_id not in taken]
    return min(others, key=lambda known: known.path != found.path, default=None)


def _create(session: Session, found: FoundFile, prepared: Prepared) -> Article:
    topic = _topic(found.path)
    if prepared.document.slug:  # taken by another article, it is refused
        return publishing.create(session, _edition(prepared, _free_path(session, topic, prepared.slug), prepared.slug))
    slug = unique(
        prepared.slug,
        lambda name: articles.slug_is_taken(session, name) or articles.path_is_taken(session, _path(topic, name)),
    )
    return publishing.create(session, _edition(prepared, _path(topic, slug), slug))


def _free_path(session: Session, topic: str, slug: str) -> str:
    return _path(topic, unique(slug, lambda name: articles.path_is_taken(session, _path(topic, name))))


def _path(topic: str, slug: str) -> str:
    """Return the path of a new article's file, which leads to `slug` again when it is synced."""
    path = f"{topic}/{slug}.md"
    return path if default_slug(PurePosixPath(path)) == slug else f"{topic}/{slug}/{slug}.md"


def _edition(prepared: Prepared, path: str, slug: str) -> Edition:
    return Edition(
        document=prepared.document,
        source=prepared.source,
        path=path,
        default_slug=slug,
        rendering=prepared.rendering,
        origin=Origin.IMPORT,
    )


def _topic(path: str) -> str:
    parts = PurePosixPath(path).parts
    return slugify(parts[0]) if len(parts) > 1 else IMPORTED
