"""What sync and import share: preparing files, storing them, and the report of what became of each."""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlmodel import Session

from app.content.document import Document
from app.content.rendering import excess
from app.errors import InvalidInput
from app.models import Rendering, SourceFile
from app.services.finding import RACY, FoundFile, Problem, sha256_of
from app.storage import source_files
from app.storage.database import Database
from app.storage.failures import said_by

log = logging.getLogger(__name__)

CONTENT = "content"  # the origin of the content folder's files
POOL_FROM = 60  # files; fewer are done sooner than the processes of a pool are started
BATCH = 8  # files that a process prepares at once
PARENT_LOOK_S = 1
AHEAD = 3  # batches per process that may wait for the database: what is prepared takes memory


@dataclass(frozen=True)
class Stored:
    """What became of one file in the database."""

    outcome: Literal["created", "updated", "unchanged"]
    notes: tuple[str, ...] = ()


@dataclass
class Report:
    """What became of the files."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: str, result: Stored | Problem) -> None:
        """Count what became of the file at `path`."""
        if isinstance(result, Problem):
            self.problems.append(result)
            return
        setattr(self, result.outcome, getattr(self, result.outcome) + 1)
        self.problems += [Problem(path, note, lost=False) for note in result.notes]

    def join(self, other: "Report") -> None:
        """Add what became of other files."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.problems += other.problems

    @property
    def lost(self) -> int:
        """How many files' texts are not in the database."""
        return sum(problem.lost for problem in self.problems)


@dataclass(frozen=True)
class Prepared:
    """A file that can be published."""

    sha256: str
    source: str
    document: Document
    rendering: Rendering
    notes: tuple[str, ...] = ()
    slug: str = ""  # the address that a foreign file asks for


def changed_files(
    database: Database, origin: str, files: Sequence[FoundFile], known: Mapping[str, SourceFile]
) -> list[FoundFile]:
    """Return the files that are not what is known of them, and remember the new times of those that are."""
    changed, touched = [], {}
    for found in files:
        before = known.get(found.path)
        if before is not None and found.size == before.size:
            if found.mtime_ns == before.mtime_ns != RACY:
                continue
            if file_digest(found) == before.sha256:
                if found.mtime_ns != before.mtime_ns:
                    touched[found.path] = (before.sha256, found.mtime_ns)
                continue
        changed.append(found)
    if touched:
        try:
            with database.write() as session:
                source_files.touch(session, origin, touched)
        except SQLAlchemyError as error:  # costs reading the files again
            log.warning("the times of files were not stored: %s", described(error))
    return changed


def store(database: Database, found: FoundFile, work: Callable[[Session], Stored]) -> Stored | Problem:
    """Do `work` in a write transaction of its own; return its result, or the problem that kept it from being done."""
    try:
        try:
            with database.write() as session:
                return work(session)
        except IntegrityError:  # another process has just stored the same: this time its rows are seen
            with database.write() as session:
                return work(session)
    except InvalidInput as error:
        return Problem(found.path, str(error), lost=True)
    except (SQLAlchemyError, UnicodeError) as error:
        log.warning("%s was not stored: %s", found.path, described(error))
        return Problem(found.path, f"could not be stored ({described(error)})", lost=True)


def remember(
    session: Session,
    origin: str,
    found: FoundFile,
    sha256: str,
    article_id: int | None,
    revision: int,
    source: str | None = None,
) -> None:
    """Remember that the file equals, or last equalled, this revision; with `source`, that its text is a part of it."""
    assert article_id is not None
    source_files.put(
        session,
        SourceFile(
            origin=origin,
            path=found.path,
            article_id=article_id,
            sha256=sha256,
            size=found.size,
            mtime_ns=found.mtime_ns,
            revision=revision,
            source=source,
        ),
    )


def exported_to(folder: Path, host: str) -> str:
    """Return the origin under which is known what was exported to `folder`, of this host where there are several."""
    return f"{source_files.EXPORT}{host}{folder.resolve()}"


def notes_on(rendering: Rendering, body: str) -> tuple[str, ...]:
    """Return what the author should know about how the body is shown."""
    if not rendering.html.startswith('<pre class="plain"'):
        return ()
    return (f"is shown as plain text: {f'it has {found}' if (found := excess(body)) else 'it could not be rendered'}",)


def prepare_all(
    files: Sequence[FoundFile], prepare: Callable[[FoundFile], Prepared]
) -> Iterator[tuple[FoundFile, Prepared | Problem]]:
    """Yield each file with what `prepare` made of it, in order; many files are prepared by several processes."""
    if len(files) < POOL_FROM:
        yield from ((found, _attempt(prepare, found)) for found in files)
        return
    batches = deque(files[start : start + BATCH] for start in range(0, len(files), BATCH))
    while batches:
        yield from _by_processes(batches, prepare)


def _by_processes(
    batches: deque[Sequence[FoundFile]], prepare: Callable[[FoundFile], Prepared]
) -> Iterator[tuple[FoundFile, Prepared | Problem]]:
    """Prepare and remove the batches until none is left, or until a process has died."""
    processes = os.cpu_count() or 1
    running: deque[tuple[Sequence[FoundFile], Future[list[Prepared | Problem]]]] = deque()
    with _pool(processes) as pool:
        try:
            while batches or running:
                while batches and len(running) < processes * AHEAD:
                    running.append((batches[0], pool.submit(_attempt_all, prepare, batches[0])))
                    batches.popleft()
                yield from zip(running[0][0], running[0][1].result(), strict=True)
                running.popleft()
        except BrokenProcessPool:
            if not running:  # the pool broke while a batch was handed over
                running.append((batches.popleft(), Future()))
    # One of these files has ended its process, by its size for example: each is tried in a process of its own.
    for batch, _ in running:
        yield from ((found, _attempt_alone(prepare, found)) for found in batch)


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_end_with_parent, initargs=(os.getpid(),)
    )


def _end_with_parent(parent: int) -> None:
    """End this process soon after its parent: one that was killed cannot tell its children to end."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _attempt_all(prepare: Callable[[FoundFile], Prepared], batch: Sequence[FoundFile]) -> list[Prepared | Problem]:
    return [_attempt(prepare, found) for found in batch]


def _attempt_alone(prepare: Callable[[FoundFile], Prepared], found: FoundFile) -> Prepared | Problem:
    with _pool(1) as pool:
        try:
            return pool.submit(_attempt, prepare, found).result()
        except BrokenProcessPool:
            return Problem(found.path, "ended the process that read it", lost=True)


def _attempt(prepare: Callable[[FoundFile], Prepared], found: FoundFile) -> Prepared | Problem:
    try:
        return prepare(found)
    except InvalidInput as error:
        return Problem(found.path, str(error), lost=True)
    except OSError as error:
        return Problem(found.path, f"cannot be read: {error.strerror}", lost=True)
    except Exception as error:  # noqa: BLE001  one bad file must never stop the others
        return Problem(found.path, f"{type(error).__name__}: {error}", lost=True)


def file_digest(found: FoundFile) -> str:
    """Return the digest of the file's bytes; empty when it cannot be read."""
    try:
        return sha256_of(found.read())
    except (OSError, InvalidInput):
        return ""  # it is reported when it is prepared


def described(error: Exception) -> str:
    """Return an error in one line; SQL and its parameters, which hold whole articles, are left out."""
    if isinstance(error, DBAPIError):
        return f"{type(error).__name__}: {said_by(error)}"
    return type(error).__name__
