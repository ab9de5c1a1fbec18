"""Writing the index: changes of the live one, and a new one beside it."""

import json
import secrets
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from whoosh.codec.whoosh3 import W3Codec, W3Segment
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import StructFile
from whoosh.index import FileIndex

from app.errors import IndexUnavailable
from app.search import manifest
from app.search.schema import SCHEMA, SCHEMA_VERSION, Entry
from app.search.vocabulary import FILE as VOCABULARY
from app.search.vocabulary import Vocabulary

WRITER_MEMORY_MB = 64
FACTS = "facts.json"
POSITION = "position"
STAMP = "stamp"  # of the change at that position, after its number: another database may give that to another change


class Build:
    """An index that is being built beside the live one."""

    def __init__(self, folder: Path, identity: str) -> None:
        self.path = folder / uuid.uuid4().hex[:12]
        self.path.mkdir(parents=True)
        self.is_live = False
        self._folder = folder
        self._identity = identity
        self._vocabulary = Vocabulary(self.path / VOCABULARY)

    def fill(self, entries: Iterable[Entry]) -> None:
        """Add articles, each once."""
        index = _WriterStorage(str(self.path)).create_index(SCHEMA)
        with _writing(index) as writer:
            for entry in entries:
                self._vocabulary.add(entry)
                writer.add_document(**entry.fields())

    def update(self, entries: list[Entry], removed: list[int]) -> None:
        """Put in what has changed since it was filled."""
        if entries or removed:
            write_changes(self.path, self._vocabulary, entries, removed)

    def take_over(self, position: int, stamp: str) -> None:
        """Take the place of the live index, with all changes up to the one with this number; hold the write lock."""
        manifest.write(self.path)
        write_position(self.path, position, stamp)
        facts = {"schema": SCHEMA_VERSION, "identity": self._identity}
        (self.path / FACTS).write_text(json.dumps(facts), encoding="utf-8")
        pointer = self._folder / f"CURRENT.{self.path.name}"
        pointer.write_text(self.path.name, encoding="utf-8")
        pointer.replace(self._folder / "CURRENT")
        self.is_live = True
        for old in self._folder.iterdir():  # open files of the old index stay readable until they are closed
            if old.is_dir() and old.name != self.path.name:
                shutil.rmtree(old, ignore_errors=True)


def write_changes(path: Path, vocabulary: Vocabulary, entries: list[Entry], removed: list[int]) -> None:
    """Put `entries` in place of what the index in `path` knows of them, forget `removed`, and commit."""
    vocabulary.refresh()
    with _writing(open_index(path, _WriterStorage)) as writer:
        for article_id in removed:
            writer.delete_by_term("id", str(article_id))
        for entry in entries:
            vocabulary.add(entry)
            writer.update_document(**entry.fields())
    manifest.write(path)


def write_position(path: Path, position: int, stamp: str) -> None:
    """Write down up to which change the index in `path` has come."""
    for name, told in ((STAMP, f"{position} {stamp}"), (POSITION, str(position))):
        partial = path / f"{name}.new"
        partial.write_text(told, encoding="ascii")
        partial.replace(path / name)


def open_index(path: Path, storage_type: type[FileStorage] = FileStorage) -> FileIndex:
    """Open the index in `path`; raise IndexUnavailable when there is none that can be read."""
    try:
        return storage_type(str(path)).open_index()
    except Exception as error:
        raise IndexUnavailable("The search index cannot be opened: run `omniracle reindex`.") from error


@contextmanager
def _writing(index: FileIndex) -> Iterator[Any]:
    writer = index.writer(limitmb=WRITER_MEMORY_MB, compound=False, codec=_Codec())
    try:
        yield writer
    except BaseException:
        writer.cancel()
        raise
    else:
        writer.commit(mergetype=_with_documents)
    finally:
        index.storage.close_all()


def _with_documents(_: Any, segments: list[Any]) -> list[Any]:
    """Keep the segments apart (see app/search/tidying.py), but for those of which nothing is left."""
    return [segment for segment in segments if segment.doc_count()]


class _WriterStorage(FileStorage):  # type: ignore[misc]
    """A folder that knows which files a writer has opened: where writing fails, Whoosh does not close them."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._opened: list[StructFile] = []

    def create_file(self, name: str, **options: Any) -> StructFile:
        """Return a new file."""
        self._opened.append(super().create_file(name, **options))
        return self._opened[-1]

    def open_file(self, name: str, **options: Any) -> StructFile:
        """Return an existing file."""
        self._opened.append(super().open_file(name, **options))
        return self._opened[-1]

    def close_all(self) -> None:
        """Close the files; what cannot be written any more is given up."""
        for opened in self._opened:
            with suppress(OSError):
                opened.file.close()


class _Codec(W3Codec):  # type: ignore[misc]
    """Whoosh's own, but for the names of segments.

    Whoosh draws them by `random`, which others may have set to a known state, as libraries for tests do: then a segment
    gets the name of one that is in use, whose files are emptied under those who search.
    """

    def new_segment(self, _storage: FileStorage, indexname: str) -> W3Segment:
        return W3Segment(W3Codec(), indexname, segid=secrets.token_hex(8))
