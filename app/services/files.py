"""Files that are there as a whole or not at all, whoever reads meanwhile and whatever fails."""

import fcntl
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL_S = 3600  # after which nobody goes on writing a file
_PARTIAL = re.compile(r"\..+\.[0-9a-f]{32}")


def write(file: Path, content: bytes) -> None:
    """Write a file, with the folders that it is in; it survives a power failure from now on.

    Raises OSError when it cannot be written; nothing is left of it then.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        with partial.open("wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        partial.replace(file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def drop_partial(folder: Path) -> None:
    """Delete what was left behind by processes that were killed while they wrote a file below `folder`."""
    for path in folder.rglob(".*"):
        with suppress(OSError):
            if _PARTIAL.fullmatch(path.name) and time.time() - path.stat().st_mtime > PARTIAL_S:
                path.unlink()


@contextmanager
def work_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield a new folder in `parent`, removed afterwards; so are those that killed processes have left behind.

    A folder in use is locked, so that nobody takes it for such a one. Raises OSError.
    """
    for former in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            opened = os.open(former, os.O_RDONLY)
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(former)
            finally:
                os.close(opened)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without such locks: there nobody takes it for left behind either
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        os.close(opened)
        shutil.rmtree(folder, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power failure; raise OSError."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
