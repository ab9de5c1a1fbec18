"""Files that are there as a whole or not at all, whoever reads meanwhile and whatever fails."""

import os
import uuid
from pathlib import Path


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


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power failure; raise OSError."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
