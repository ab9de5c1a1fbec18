"""Index files mapped into memory, shared by all workers of the host.

Whoosh would copy each file into every process: its buffers keep a second copy to have a file to read from.
"""

import io
import mmap
from pathlib import Path
from typing import Any

from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import BufferFile


class MappedStorage(FileStorage):  # type: ignore[misc]
    """A folder whose files are mapped when they are opened."""

    def open_file(self, name: str, **_options: Any) -> "MappedFile":
        """Return an existing file; raise FileNotFoundError when it is gone."""
        return MappedFile(Path(self._fpath(name)))


class MappedFile(BufferFile):  # type: ignore[misc]
    """A file that is read by slices of its mapping, or by a position of its own."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            size = path.stat().st_size
            # An empty file cannot be mapped.
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        self._buf = memoryview(content)
        self._name = path.name
        self.file = io.BufferedReader(_View(self._buf))
        self.onclose = None
        self.is_real = False
        self.is_closed = False


class _View(io.RawIOBase):
    """A file over a memoryview, without a copy of it."""

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._content)}[whence]
        self._position = base + offset
        return self._position

    def readinto(self, target: Any) -> int:
        part = self._content[self._position : self._position + len(target)]
        target[: len(part)] = part
        self._position += len(part)
        return len(part)
