"""What sync and import share: finding Markdown files, preparing them, and the report of what became of each."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path, PurePosixPath

from app.content.document import Document
from app.errors import InvalidInput, OperatorError
from app.models import Rendering, SourceFile

SUFFIXES = (".md", ".markdown", ".mdx")
POOL_FROM = 60  # files; fewer are done sooner than the processes of a pool are started


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

    def read(self) -> bytes:
        """Return the file's bytes; raise OSError when it cannot be read."""
        return (self.folder / self.path).read_bytes()


@dataclass(frozen=True)
class Prepared:
    """A file that can be published."""

    sha256: str
    source: str
    document: Document
    rendering: Rendering
    notes: tuple[str, ...] = ()


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
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        outcomes: Iterable[Prepared | Problem] = pool.map(_attempt, [prepare] * len(files), files, chunksize=8)
        yield from zip(files, outcomes, strict=True)


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
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or not name.lower().endswith(SUFFIXES):
                continue
            path = Path(parent) / name
            stat = path.stat()
            yield FoundFile(folder, path.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns)
