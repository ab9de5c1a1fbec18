"""The index on disk: opening it, writing to it, rebuilding it beside the live one.

`index/CURRENT` names the folder in use, so that a rebuilt index takes the place of the old one by one rename while
readers go on with what they have open.
"""

import fcntl
import json
import logging
import math
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whoosh.codec.whoosh3 import W3Codec
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex
from whoosh.writing import IndexWriter

from app.errors import IndexUnavailable
from app.search.mapped import MappedStorage
from app.search.schema import SCHEMA, SCHEMA_VERSION, Entry
from app.search.segments import Segment
from app.search.snapshot import ListCache, Snapshot
from app.search.vocabulary import Vocabulary

log = logging.getLogger(__name__)

Stamps = tuple[int, ...]  # times of change, in nanoseconds

WRITER_MEMORY_MB = 64
VOCABULARY = "words.txt"
ATTEMPTS = 10
LOCK_POLL_S = 0.01
RACY_NS = 1_000_000_000  # a folder that changed so shortly ago may change again without its time changing
SEGMENT_FILES = (W3Codec.TERMS_EXT, W3Codec.POSTS_EXT)


class SearchIndex:
    """One process's view of the index in `folder`; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._opened: _Opened | None = None
        self._seen: Stamps = ()

    def is_usable(self, identity: str) -> bool:
        """Say whether there is a readable index of this schema for the database with this identity."""
        try:
            build = self._current()
            facts: dict[str, object] = json.loads((self.folder / build / "facts.json").read_text(encoding="utf-8"))
            _open(self.folder / build).searcher().close()
        except Exception as error:  # noqa: BLE001  whatever a damaged index raises, it is not usable
            log.debug("no usable index: %s", error)
            return False
        return facts == {"schema": SCHEMA_VERSION, "identity": identity}

    def snapshot(self) -> Snapshot:
        """Return the newest state of the index; raise IndexUnavailable when there is none."""
        with self._lock:
            stamps = self._stamps()
            if self._opened is not None and stamps and stamps == self._seen:
                return self._opened.snapshot
            try:
                build = self._current()
                if self._opened is None or self._opened.path.name != build:
                    self._opened = _Opened(self.folder / build)
                self._opened.renew()
                self._seen = stamps
            except IndexUnavailable:
                if self._opened is None:
                    raise
                # Lost under our feet: what is open answers until it is rebuilt.
            return self._opened.snapshot

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._opened = None

    @contextmanager
    def write_lock(self, *, patience_s: float = math.inf) -> Iterator[bool]:
        """Hold the right to write, across all processes of this host; yields False when another has it for longer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + patience_s
        with (self.folder / "write.lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX if math.isinf(patience_s) else fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        yield False
                        return
                    time.sleep(LOCK_POLL_S)
                else:
                    yield True
                    return

    def update(self, entries: list[Entry], removed: list[int]) -> None:
        """Put `entries` in place of what the index knows of them and forget `removed`; hold the write lock."""
        path = self.folder / self._current()
        writer = _open(path).writer(limitmb=WRITER_MEMORY_MB, compound=False)
        opened = self._opened
        vocabulary = opened.vocabulary if opened and opened.path == path else Vocabulary(path / VOCABULARY)
        vocabulary.refresh()
        with _committing(writer):
            for article_id in removed:
                writer.delete_by_term("id", str(article_id))
            for entry in entries:
                vocabulary.add(entry)
                writer.update_document(**entry.fields())

    @contextmanager
    def rebuilding(self, identity: str) -> Iterator["Rebuild"]:
        """Yield a new, empty index; at the end of the block it takes the place of the live one. Hold the write lock."""
        build = uuid.uuid4().hex[:12]
        path = self.folder / build
        path.mkdir(parents=True)
        try:
            writer = FileStorage(str(path)).create_index(SCHEMA).writer(limitmb=WRITER_MEMORY_MB, compound=False)
            with _committing(writer):
                yield Rebuild(writer, Vocabulary(path / VOCABULARY))
            facts = {"schema": SCHEMA_VERSION, "identity": identity}
            (path / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        pointer = self.folder / f"CURRENT.{build}"
        pointer.write_text(build, encoding="utf-8")
        pointer.replace(self.folder / "CURRENT")
        for old in self.folder.iterdir():  # open files of the old index stay readable until they are closed
            if old.is_dir() and old.name != build:
                shutil.rmtree(old, ignore_errors=True)

    def is_whole(self) -> bool:
        """Say whether all files of the index are there; cheap, unlike `is_usable`."""
        try:
            index = _open(self.folder / self._current())
            return all(_is_there(index, segment) for segment in index._segments())  # noqa: SLF001
        except IndexUnavailable:
            return False

    def _stamps(self) -> Stamps:
        """Return when the folders of the index changed; nothing when they cannot be trusted.

        Every commit renames a file in them. A change that is younger than the ticks of the file system's clock could
        be followed by another with the same time (git calls such a file racily clean), so it is no proof yet.
        """
        if self._opened is None:
            return ()
        try:
            stamps = (self.folder.stat().st_mtime_ns, self._opened.path.stat().st_mtime_ns)
        except FileNotFoundError:
            return ()
        return stamps if time.time_ns() - max(stamps) > RACY_NS else ()

    def _current(self) -> str:
        try:
            return (self.folder / "CURRENT").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise IndexUnavailable("There is no search index: run `omniracle reindex`.") from error


class _Opened:
    """One build of the index, held open; generations follow each other, segments are opened once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._index = _open(path)
        self._storage = MappedStorage(str(path))
        self._segments: dict[str, Segment] = {}
        self.vocabulary = Vocabulary(path / VOCABULARY)
        self._cache = ListCache()
        self.snapshot = self._open_generation()

    def renew(self) -> None:
        """Make `snapshot` that of the newest generation."""
        if self._index.latest_generation() != self.snapshot.generation:
            self.snapshot = self._open_generation()

    def _open_generation(self) -> Snapshot:
        # Never Searcher.refresh(): in whoosh3 3.54.0 it goes on returning deleted documents.
        for attempt in range(ATTEMPTS):
            try:
                toc = self._index._read_toc()  # noqa: SLF001  the one way to segments with their deletions
                opened = {
                    segment.segment_id(): self._segments.get(segment.segment_id())
                    or Segment(self._storage, toc.schema, segment)
                    for segment in toc.segments
                }
            except Exception as error:
                # A writer has merged a segment away since the table was read, or the index is damaged.
                if attempt + 1 == ATTEMPTS:
                    log.warning("the index cannot be read: %r", error)
                    raise IndexUnavailable("The search index cannot be read: run `omniracle reindex`.") from error
                continue
            break
        self._segments = opened
        self.vocabulary.refresh()
        deleted = [segment.deleted_docs() for segment in toc.segments]
        return Snapshot(toc.generation, list(opened.values()), deleted, self.vocabulary, self._cache)


class Rebuild:
    """An index that is being built beside the live one."""

    def __init__(self, writer: IndexWriter, vocabulary: Vocabulary) -> None:
        self._writer = writer
        self._vocabulary = vocabulary

    def add(self, entry: Entry) -> None:
        """Add an article that was not added before."""
        self._vocabulary.add(entry)
        self._writer.add_document(**entry.fields())


def _open(path: Path) -> FileIndex:
    try:
        return FileStorage(str(path)).open_index()
    except Exception as error:
        raise IndexUnavailable("The search index cannot be opened: run `omniracle reindex`.") from error


def _is_there(index: FileIndex, segment: Any) -> bool:
    return all(index.storage.file_exists(segment.make_filename(ending)) for ending in SEGMENT_FILES)


@contextmanager
def _committing(writer: Any) -> Iterator[None]:
    try:
        yield
    except BaseException:
        writer.cancel()
        raise
    writer.commit()
