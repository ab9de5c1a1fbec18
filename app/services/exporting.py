"""`export`: every article becomes its file again."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.content.document import DocumentError, parse_document
from app.errors import OperatorError
from app.models import Article, SourceFile
from app.services import aliasing
from app.services.exchange import described, exported_to
from app.services.finding import RACY, sha256_of
from app.services.own_files import OwnFiles
from app.services.progress import Progress, silent
from app.storage import aliases, articles, proposals, revisions, source_files
from app.storage.database import Database

CHUNK = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _File:
    """What is written of one article."""

    article_id: int
    revision: int
    path: str
    content: bytes
    aliases: tuple[str, ...]  # those that the content does not name


@dataclass
class ExportReport:
    """What became of the files."""

    written: int = 0
    unchanged: int = 0
    kept: list[str] = field(default_factory=list)  # changed by somebody whose change the site has never seen


def export(
    database: Database, folder: Path, progress: Progress = silent, *, own: OwnFiles | None = None
) -> ExportReport:
    """Write every article's newest source below `folder`.

    Files are replaced whole or not at all; other files in the folder stay, and so does a file with a text that the site
    has never seen. Aliases that no file names go into `aliases.json`, which is not counted. `own` is of the host that
    writes, where there are several. Raises OperatorError when a file cannot be written.
    """
    report = ExportReport()
    origin = exported_to(folder, own.mark if own else "")
    last = 0
    former: dict[str, str] = {}
    with database.read() as session:
        total = articles.count(session)
    while True:
        with database.read() as session:
            ids = articles.ids_after(session, last, CHUNK)
            files = _files(session, articles.by_ids(session, ids))
            strange = {file.path for file in files if _is_strange(session, folder, file)}
        report.kept += sorted(strange)
        files = [file for file in files if file.path not in strange]
        if not ids:
            _write_aliases(folder, former)
            return report
        for file in files:
            if write_file(folder, file.path, file.content):
                report.written += 1
            else:
                report.unchanged += 1
            former |= dict.fromkeys(file.aliases, file.path)
        _remember(database, origin, files)
        last = ids[-1]
        progress("export", report.written + report.unchanged + len(report.kept), total)


def _is_strange(session: Session, folder: Path, file: _File) -> bool:
    """Say whether there is another text at the file's path that is neither a revision nor waits for a reviewer."""
    try:
        text = (folder / file.path).read_bytes().decode("utf-8")
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError):  # no file that export has written
        return True
    return not revisions.number_of(session, file.article_id, text) and not proposals.has_source(
        session, file.article_id, text
    )


def _files(session: Session, found: Sequence[Article]) -> list[_File]:
    names = aliases.of_articles(session, [article.id or 0 for article in found])
    files = []
    for article in found:
        assert article.id is not None
        if revision := revisions.get(session, article.id, article.revision):
            unnamed = _unnamed(names.get(article.id, []), revision.source)
            content = revision.source.encode("utf-8")
            files.append(_File(article.id, article.revision, article.path, content, unnamed))
    return files


def _unnamed(slugs: Sequence[str], source: str) -> tuple[str, ...]:
    if not slugs:
        return ()
    try:
        named = parse_document(source, default_slug="").aliases
    except DocumentError:  # written under the rules of another version
        named = ()
    return tuple(slug for slug in slugs if slug not in named)


def _remember(database: Database, origin: str, files: Sequence[_File]) -> None:
    """Remember which revision each file holds: what is changed in it later is a change of this revision."""
    try:
        with database.write() as session:
            for file in files:
                source_files.put(
                    session,
                    SourceFile(
                        origin=origin,
                        path=file.path,
                        article_id=file.article_id,
                        sha256=sha256_of(file.content),
                        size=len(file.content),
                        mtime_ns=RACY,
                        revision=file.revision,
                    ),
                )
    except SQLAlchemyError as error:  # the files are written, and that is what was asked for
        log.warning("what was exported was not remembered: %s", described(error))


def _write_aliases(folder: Path, former: Mapping[str, str]) -> None:
    if former or (folder / aliasing.NAME).exists():
        write_file(folder, aliasing.NAME, aliasing.written(former))


def write_file(folder: Path, path: str, content: bytes) -> bool:
    """Write a file below `folder`, whole or not at all; return False when it is equal already.

    Raises OperatorError when it cannot be written or would be outside.
    """
    target = folder / path
    if not target.resolve().is_relative_to(folder.resolve()):
        raise OperatorError(f"The article's path {path!r} leads out of the folder; it was not written.")
    try:
        if target.is_file() and target.read_bytes() == content:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        partial.write_bytes(content)
        partial.replace(target)
    except OSError as error:
        raise OperatorError(f"{target} cannot be written: {error.strerror}.") from error
    return True
