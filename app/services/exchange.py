"""What sync and import share: finding Markdown files, preparing them, and the report of what became of each."""

import errno
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path, PurePosixPath

from app.content.document import Document
from app.errors import InvalidInput, OperatorError
from app.models import Rendering, SourceFile

SUFFIXES = (".md", ".markdown", ".mdx")
POOL_FROM = 60  # files; fewer are done sooner than the processes of a pool are started
BATCH = 8  # files that a process prepares at once
AHEAD = 3  # batches per process that may wait for the database: what is prepared takes memory


@dataclass(frozen=True)
class Problem:
    """What went wrong, or was changed on the way in, with one file."""

    path: str
    reason: str
    lost: bool  # True when the file's text is not in the database


@dataclass
class Report:
    """What became of the files."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """How many files' texts are not in the database."""
        return sum(problem.lost for problem in self.problems)


@dataclass(frozen=True)
class FoundFile:
    """A file on disk, by its path relative to the folder that is read."""

    folder: Path
    path: str
    size: int
    mtime_ns: int
    name: str = ""  # how the file system spells the path, where that is not UTF-8

    def read(self) -> bytes:
        """Return the file's bytes; raise OSError when it cannot be read."""
        path = self.folder / (self.name or self.path)
        if path.exists() and not path.is_file():  # reading a pipe would never end
            if path.is_dir():
                os.scandir(path).close()  # says that it may not be read
            raise OSError(errno.EINVAL, "is no file")
        return path.read_bytes()


@dataclass(frozen=True)
class Prepared:
    """A file that can be published."""

    sha256: str
    source: str
    document: Document
    rendering: Rendering
    notes: tuple[str, ...] = ()
    slug: str = ""  # the address that a foreign file asks for


def find_files(folder: Path) -> list[FoundFile]:
    """Return the Markdown files below `folder` by path, hidden ones left out.

    Raises OperatorError when the folder cannot be read.
    """
    if not folder.is_dir():
        raise OperatorError(
            f"The content folder {folder} does not exist: create it, or name another with OMNIRACLE_CONTENT_DIR."
        )
    return sorted(_walk(folder), key=lambda found: found.path)


def is_same(found: FoundFile, known: SourceFile | None) -> bool:
    """Say whether a file is by size and time the one that is known already."""
    return known is not None and (found.size, found.mtime_ns) == (known.size, known.mtime_ns)


def sha256_of(raw: bytes) -> str:
    """Return the digest by which a file's bytes are known again."""
    return hashlib.sha256(raw).hexdigest()


def slug_path(path: str) -> PurePosixPath:
    """Return `path` as the pure content layer takes it."""
    return PurePosixPath(path)


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
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
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


def _attempt_all(prepare: Callable[[FoundFile], Prepared], batch: Sequence[FoundFile]) -> list[Prepared | Problem]:
    return [_attempt(prepare, found) for found in batch]


def _attempt_alone(prepare: Callable[[FoundFile], Prepared], found: FoundFile) -> Prepared | Problem:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
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


def _walk(folder: Path) -> Iterator[FoundFile]:
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield _found(folder, Path(parent) / name)
    # Reading them fails again, and is reported like any other file.
    yield from (_found(folder, Path(error.filename)) for error in unreadable)


def _found(folder: Path, path: Path) -> FoundFile:
    name = path.relative_to(folder).as_posix()
    readable = _readable(name)
    try:
        stat = path.stat()
    except OSError:  # a link to nowhere; reading it tells why
        return FoundFile(folder, readable, -1, 0, name)
    return FoundFile(folder, readable, stat.st_size, stat.st_mtime_ns, "" if name == readable else name)


def _readable(name: str) -> str:
    """Return a path as text that can be stored; names from Chinese archives are often GB 18030."""
    raw = os.fsencode(name)
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")
