"""`sync`: the files of the content folder become articles, and changed files new revisions."""

import logging
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.content.document import parse_document
from app.content.slugs import default_slug
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
from app.storage import source_files
from app.storage.database import Database

log = logging.getLogger(__name__)

ORIGIN = "content"


def sync(database: Database, index: SearchIndex, folder: Path, progress: Progress = silent) -> Report:
    """Bring every changed file below `folder` into the database, each in a transaction of its own, then the index.

    A file that cannot be used is reported and passed over. Raises OperatorError when `folder` cannot be read.
    """
    report = Report()
    files = find_files(folder)
    with database.read() as session:
        known = source_files.of_origin(session, ORIGIN)
    changed = [found for found in files if not is_same(found, known.get(found.path))]
    report.unchanged = len(files) - len(changed)
    _report_missing(report, {found.path for found in files}, known)
    for done, (found, outcome) in enumerate(prepare_all(changed, prepare), start=1):
        if isinstance(outcome, Problem):
            report.problems.append(outcome)
        else:
            _store(database, report, found, outcome, known)
        progress("sync", done, len(changed))
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
    document = parse_document(source, default_slug=default_slug(slug_path(found.path)))
    return Prepared(sha256_of(raw), source, document, make_rendering(document.body, document.lang))


def _store(
    database: Database, report: Report, found: FoundFile, prepared: Prepared, known: dict[str, SourceFile]
) -> None:
    before = known.get(found.path) or _moved_from(found, prepared, known)
    try:
        with database.write() as session:
            if before is None:
                article = publishing.create(session, _edition(found, prepared))
                report.created += 1
            elif before.sha256 == prepared.sha256 and before.path == found.path:
                article = session.get_one(Article, before.article_id)  # only the time of the file is another
                report.unchanged += 1
            else:
                article = _revise(session, before, found, prepared)
                report.updated += 1
            _remember(session, found, prepared, article, before)
    except InvalidInput as error:
        report.problems.append(Problem(found.path, str(error), lost=True))
    except (SQLAlchemyError, UnicodeError) as error:
        log.warning("%s was not stored: %s", found.path, error)
        report.problems.append(Problem(found.path, f"could not be stored ({type(error).__name__})", lost=True))


def _revise(session: Session, before: SourceFile, found: FoundFile, prepared: Prepared) -> Article:
    article = session.get_one(Article, before.article_id)
    if article.revision != before.revision:
        raise InvalidInput("was changed here and on the site since they were last equal: export it and merge by hand.")
    publishing.revise(session, article, _edition(found, prepared))
    return article


def _edition(found: FoundFile, prepared: Prepared) -> Edition:
    return Edition(
        document=prepared.document,
        source=prepared.source,
        path=found.path,
        default_slug=default_slug(slug_path(found.path)),
        rendering=prepared.rendering,
        origin=Origin.SYNC,
    )


def _remember(
    session: Session, found: FoundFile, prepared: Prepared, article: Article, before: SourceFile | None
) -> None:
    if before is not None and before.path != found.path:
        session.delete(session.get_one(SourceFile, (ORIGIN, before.path)))
    assert article.id is not None
    source_files.put(
        session,
        SourceFile(
            origin=ORIGIN,
            path=found.path,
            article_id=article.id,
            sha256=prepared.sha256,
            size=found.size,
            mtime_ns=found.mtime_ns,
            revision=article.revision,
        ),
    )


def _moved_from(found: FoundFile, prepared: Prepared, known: dict[str, SourceFile]) -> SourceFile | None:
    """Return the file that `found` was renamed from: its equal in bytes, which is gone from where it was."""
    for before in known.values():
        if before.sha256 == prepared.sha256 and not (found.folder / before.path).exists():
            return known.pop(before.path)
    return None


def _report_missing(report: Report, present: set[str], known: dict[str, SourceFile]) -> None:
    report.problems += [
        Problem(path, "the file is gone; its article stays (`omniracle export` writes it again)", lost=False)
        for path in sorted(known.keys() - present)
    ]
