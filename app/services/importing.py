"""`import`: any folder of Markdown files becomes articles; nothing of them is lost silently."""

import logging
from functools import partial
from pathlib import Path, PurePosixPath

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.content.foreign import read_foreign
from app.content.slugs import slugify, unique
from app.errors import InvalidInput
from app.models import Article, Origin, SourceFile
from app.search.index import SearchIndex
from app.services import indexing, publishing
from app.services.exchange import (
    FoundFile,
    Prepared,
    Problem,
    Report,
    find_files,
    is_same,
    prepare_all,
    sha256_of,
    slug_path,
)
from app.services.progress import Progress, silent
from app.services.publishing import Edition
from app.services.rendering import make_rendering
from app.storage import articles, source_files
from app.storage.database import Database

log = logging.getLogger(__name__)

IMPORTED = "imported"  # the topic folder of files that lie in no folder


def import_tree(
    database: Database, index: SearchIndex, folder: Path, lang: str | None = None, progress: Progress = silent
) -> Report:
    """Publish every Markdown file below `folder`; a file that was imported before is updated when it has changed.

    A file that cannot be used is reported and passed over. Raises OperatorError when `folder` cannot be read.
    """
    report = Report()
    origin = str(folder.resolve())
    files = find_files(folder)
    with database.read() as session:
        known = source_files.of_origin(session, origin)
    changed = [found for found in files if not is_same(found, known.get(found.path))]
    report.unchanged = len(files) - len(changed)
    for done, (found, outcome) in enumerate(prepare_all(changed, partial(prepare, lang=lang)), start=1):
        if isinstance(outcome, Problem):
            report.problems.append(outcome)
        else:
            problem = _store(database, report, found, outcome, known.get(found.path), origin)
            report.problems += problem or [Problem(found.path, note, lost=False) for note in outcome.notes]
        progress("import", done, len(changed))
    indexing.ensure(database, index, progress)
    return report


def prepare(found: FoundFile, lang: str | None) -> Prepared:
    """Return `found`, turned into the content format; raise InvalidInput when it is no text at all."""
    raw = found.read()
    foreign = read_foreign(raw, slug_path(found.path), lang)
    document = foreign.document
    rendering = make_rendering(document.body, document.lang)
    return Prepared(sha256_of(raw), foreign.source, document, rendering, foreign.notes, foreign.slug)


def _store(
    database: Database, report: Report, found: FoundFile, prepared: Prepared, before: SourceFile | None, origin: str
) -> list[Problem]:
    """Publish one file in a transaction of its own; return the problem that kept it from being published."""
    try:
        with database.write() as session:
            article = session.get(Article, before.article_id) if before else None
            if before is not None and article is not None and before.sha256 == prepared.sha256:
                report.unchanged += 1  # only its time is another
            elif article is None:
                article = _create(session, found, prepared)
                report.created += 1
            else:
                _refuse_diverged(article, before)
                publishing.revise(session, article, _edition(prepared, article.path, article.slug))
                report.updated += 1
            _remember(session, found, prepared, article, origin, before)
    except InvalidInput as error:
        return [Problem(found.path, str(error), lost=True)]
    except (SQLAlchemyError, UnicodeError) as error:
        log.warning("%s was not stored: %s", found.path, error)
        return [Problem(found.path, f"could not be stored ({type(error).__name__})", lost=True)]
    return []


def _create(session: Session, found: FoundFile, prepared: Prepared) -> Article:
    topic = _topic(found.path)
    slug = unique(
        prepared.slug,
        lambda name: articles.slug_is_taken(session, name) or articles.path_is_taken(session, f"{topic}/{name}.md"),
    )
    return publishing.create(session, _edition(prepared, f"{topic}/{slug}.md", slug))


def _remember(
    session: Session, found: FoundFile, prepared: Prepared, article: Article, origin: str, before: SourceFile | None
) -> None:
    assert article.id is not None
    is_same_text = before is not None and before.article_id == article.id and before.sha256 == prepared.sha256
    source_files.put(
        session,
        SourceFile(
            origin=origin,
            path=found.path,
            article_id=article.id,
            sha256=prepared.sha256,
            size=found.size,
            mtime_ns=found.mtime_ns,
            revision=before.revision if before is not None and is_same_text else article.revision,
        ),
    )


def _refuse_diverged(article: Article, before: SourceFile | None) -> None:
    if before is not None and article.revision != before.revision:
        raise InvalidInput("was changed on the site since it was imported: merge it by hand.")


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
