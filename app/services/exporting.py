"""`export`: every article becomes its file again."""

import os
from pathlib import Path

from app.errors import OperatorError
from app.services.progress import Progress, silent
from app.storage import articles, revisions
from app.storage.database import Database

CHUNK = 100


def export(database: Database, folder: Path, progress: Progress = silent) -> tuple[int, int]:
    """Write every article's newest source below `folder`; return how many files were written and left as they were.

    Files are replaced whole or not at all; other files in the folder stay. Raises OperatorError when a file cannot
    be written.
    """
    written = unchanged = last = 0
    with database.read() as session:
        total = articles.count(session)
    while True:
        with database.read() as session:
            ids = articles.ids_after(session, last, CHUNK)
            sources = [
                (article.path, revision.source)
                for article in articles.by_ids(session, ids)
                if (revision := revisions.get(session, article.id or 0, article.revision))
            ]
        if not ids:
            return written, unchanged
        for path, source in sources:
            if _write(folder, path, source.encode("utf-8")):
                written += 1
            else:
                unchanged += 1
        last = ids[-1]
        progress("export", written + unchanged, total)


def _write(folder: Path, path: str, content: bytes) -> bool:
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
