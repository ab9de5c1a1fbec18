"""Finding the Markdown files of a folder."""

import errno
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.errors import InvalidInput, OperatorError

SUFFIXES = (".md", ".markdown", ".mdx")
# A file that has just changed can change again without its time telling so: clocks of file systems tick slowly.
RACY_NS = 2_000_000_000
RACY = -1  # stands for such a time; the file's bytes are compared next time


@dataclass(frozen=True)
class Problem:
    """What went wrong, or was changed on the way in, with one file."""

    path: str
    reason: str
    lost: bool  # True when the file's text is not in the database


@dataclass(frozen=True)
class FoundFile:
    """A file on disk, by its path relative to the folder that is read."""

    folder: Path
    path: str
    size: int
    mtime_ns: int  # when it last changed, its name included; RACY when that says nothing
    name: str = ""  # how the file system spells the path, where that is not UTF-8

    def read(self) -> bytes:
        """Return the file's bytes; raise OSError when it cannot be read, InvalidInput when it lies elsewhere."""
        path = self.folder / (self.name or self.path)
        if path.is_symlink() and not _resolved(path).is_relative_to(self.folder.resolve()):
            raise InvalidInput("is a link that leads out of the folder: put the file itself here.")
        if path.exists() and not path.is_file():  # reading a pipe would never end
            if path.is_dir():
                os.scandir(path).close()  # says that it may not be read
            raise OSError(errno.EINVAL, "is no file")
        return path.read_bytes()


def find_files(folder: Path, otherwise: str = "name one that does") -> tuple[list[FoundFile], list[Problem]]:
    """Return the Markdown files below `folder` by path, hidden ones left out, and notes about what was passed over.

    Raises OperatorError when the folder cannot be read; `otherwise` says what to do when there is none.
    """
    try:
        os.scandir(folder).close()
    except FileNotFoundError:
        raise OperatorError(f"The folder {folder} does not exist: {otherwise}.") from None
    except NotADirectoryError:
        raise OperatorError(f"{folder} is no folder: {otherwise}.") from None
    except OSError as error:
        raise OperatorError(
            f"The folder {folder} cannot be read ({error.strerror}): let the user that runs Omniracle read it, "
            "or name another."
        ) from error
    notes: list[Problem] = []
    return sorted(_walk(folder, notes), key=lambda found: found.path), notes


def sha256_of(raw: bytes) -> str:
    """Return the digest by which a file's bytes are known again."""
    return hashlib.sha256(raw).hexdigest()


def _walk(folder: Path, notes: list[Problem]) -> Iterator[FoundFile]:
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(parent) / name for name in folders):
            if path.is_symlink():  # following them could lead in circles
                name = _readable(path.relative_to(folder).as_posix())
                notes.append(Problem(name, "is a link to a folder: what lies in it was passed over", lost=False))
        for name in sorted(names):
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield _found(folder, Path(parent) / name)
    # Reading them fails again, and is reported like any other file.
    yield from (_found(folder, Path(error.filename)) for error in unreadable)


def _found(folder: Path, path: Path) -> FoundFile:
    name = path.relative_to(folder).as_posix()
    readable = _readable(name)
    now = time.time_ns()
    try:
        status = path.stat()
    except OSError:  # a link to nowhere; reading it tells why
        return FoundFile(folder, readable, -1, 0, name)
    changed = changed_ns(status)
    if changed + RACY_NS >= now:
        changed = RACY
    return FoundFile(folder, readable, status.st_size, changed, "" if name == readable else name)


def changed_ns(status: os.stat_result) -> int:
    """Return when a file's text or name last changed; renaming and setting back its time change only the latter."""
    return max(status.st_mtime_ns, status.st_ctime_ns)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:  # Python 3.11 and 3.12 for links in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


def _readable(name: str) -> str:
    """Return a path as text that can be stored; names from Chinese archives are often GB 18030."""
    raw = os.fsencode(name)
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")
