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
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from whoosh.index import EmptyIndexError

from app.errors import IndexUnavailable, OmniracleError
from app.search import manifest
from app.search.building import FACTS, POSITION, STAMP, Build, open_index, write_changes, write_position
from app.search.engine import NO_INDEX
from app.search.mapped import MappedStorage
from app.search.reading import SnapshotReader
from app.search.schema import SCHEMA_VERSION, Entry
from app.search.segments import Segment
from app.search.snapshot import ListCache, Snapshot
from app.search.tidying import scattered
from app.search.vocabulary import FILE as VOCABULARY
from app.search.vocabulary import Vocabulary

log = logging.getLogger(__name__)

Stamps = tuple[int, ...]  # times of change, in nanoseconds

ATTEMPTS = 10
LOCK_POLL_S = 0.01
RACY_NS = 1_000_000_000  # a folder that changed so shortly ago may change again without its time changing


class SearchIndex:
    """One process's view of the index in `folder`; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._opened: _Opened | None = None
        self._seen: Stamps = ()

    def is_usable(self, identity: str, *, thorough: bool = False) -> bool:
        """Say whether there is a whole index of this schema for the database with this identity.

        A `thorough` look reads all of its files and compares their checksums.
        """
        try:
            path = self.folder / self._current()
            facts: dict[str, object] = json.loads((path / FACTS).read_text(encoding="utf-8"))
            open_index(path).reader().close()
        except Exception as error:  # noqa: BLE001  whatever a damaged index raises, it is not usable
            log.debug("no usable index: %r", error)
            return False
        return facts == {"schema": SCHEMA_VERSION, "identity": identity} and self.is_whole(thorough=thorough)

    def is_whole(self, *, thorough: bool = False) -> bool:
        """Say whether all files of the index are there as they were written; by their sizes, or by their contents."""
        for _ in range(ATTEMPTS):
            # Another process may write a newer state, or a whole new index, at every moment.
            with suppress(IndexUnavailable, EmptyIndexError, FileNotFoundError):
                path = self.folder / self._current()
                index = open_index(path)
                toc = index._read_toc()  # noqa: SLF001
                segments = {segment.segment_id() for segment in toc.segments}
                is_kept = (path / FACTS).exists() and manifest.is_kept(path, segments, thorough=thorough)
                if is_kept or index.latest_generation() == toc.generation:
                    return is_kept
        return False

    @contextmanager
    def reading(self) -> Iterator[SnapshotReader]:
        """Yield the newest state; an error that comes from damaged files becomes IndexUnavailable."""
        with self._telling_damage():
            yield SnapshotReader(self.snapshot())

    def generation(self) -> int:
        """Return the number of the newest state; raise IndexUnavailable when there is none."""
        return self.snapshot().generation

    @contextmanager
    def _telling_damage(self) -> Iterator[None]:
        """Condemn a damaged index: it goes on answering what it can until a new one takes its place."""
        try:
            yield
        except IndexUnavailable:
            self._condemn_if_damaged()
            raise
        except OmniracleError:
            raise
        except Exception as error:
            if not self._condemn_if_damaged():
                raise
            raise IndexUnavailable("The search index is damaged: it is being built anew.") from error

    def _condemn_if_damaged(self) -> bool:
        try:
            path = self.folder / self._current()
        except IndexUnavailable:
            return True
        if self.is_whole(thorough=True):
            return False
        if (path / FACTS).exists():
            log.error("the search index is damaged and will be built anew")
            (path / FACTS).unlink(missing_ok=True)
        return True

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

    def write_lock(self, *, patience_s: float = math.inf) -> AbstractContextManager[bool]:
        """Hold the right to write to the index, across all processes of this host.

        Yields False when another one has it for longer than `patience_s`.
        """
        return _locked(self.folder, "write.lock", patience_s)

    def build_lock(self, *, patience_s: float = math.inf) -> AbstractContextManager[bool]:
        """Hold the right to build a new index beside the live one, in the same way."""
        return _locked(self.folder, "build.lock", patience_s)

    def update(self, entries: list[Entry], removed: list[int]) -> None:
        """Put `entries` in place of what the index knows of them and forget `removed`; hold the write lock.

        Raises IndexUnavailable for an index that is damaged or taken away, also while it is written to.
        """
        with self._telling_damage():
            path = self.folder / self._current()
            opened = self._opened
            vocabulary = opened.words if opened and opened.path == path else Vocabulary(path / VOCABULARY)
            write_changes(path, vocabulary, entries, removed)

    def position(self) -> int:
        """Return the number of the last change that the index knows, see app/storage/jobs.py; 0 when it knows none."""
        try:
            return int((self.folder / self._current() / POSITION).read_text(encoding="ascii"))
        except (OSError, ValueError, IndexUnavailable):
            return 0

    def anchor(self) -> tuple[int, str]:
        """Return its position, and what tells the change there from others that get its number; "" when not known."""
        try:
            number, stamp = (self.folder / self._current() / STAMP).read_text(encoding="ascii").split(" ")
        except (OSError, ValueError, IndexUnavailable):
            number, stamp = "", ""
        position = self.position()
        # Else another process goes on in this moment, was killed between the two, or is of a program without stamps.
        return position, stamp if number == str(position) else ""

    def advance(self, position: int, stamp: str) -> None:
        """Note that the index knows all changes up to this one; hold the write lock.

        Raises IndexUnavailable for an index that is damaged or taken away.
        """
        with self._telling_damage():
            write_position(self.folder / self._current(), position, stamp)

    def scattered(self) -> list[int]:
        """Return the ids of the articles that are better written anew, with one `update`; hold the write lock."""
        with self._telling_damage():
            return scattered(self.snapshot())

    def discard(self) -> None:
        """Let there be no index any more; hold the build lock."""
        (self.folder / "CURRENT").unlink(missing_ok=True)

    @contextmanager
    def building(self, identity: str) -> Iterator["Build"]:
        """Yield a new, empty index beside the live one; it is thrown away unless it takes over. Hold the build lock."""
        build = Build(self.folder, identity)
        try:
            yield build
        finally:
            if not build.is_live:
                shutil.rmtree(build.path, ignore_errors=True)

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
            name = (self.folder / "CURRENT").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise IndexUnavailable(NO_INDEX) from error
        if not name or not (self.folder / name).is_dir():  # as where the disk has lost the end of the file
            raise IndexUnavailable(NO_INDEX)
        return name


class _Opened:
    """One build of the index, held open; generations follow each other, segments are opened once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._index = open_index(path)
        self._storage = MappedStorage(str(path))
        self._segments: dict[str, Segment] = {}
        self.words = Vocabulary(path / VOCABULARY)
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
                return self._open_newest()
            except Exception as error:
                # A writer has merged a segment away since the table was read, or the index is damaged.
                if attempt + 1 == ATTEMPTS:
                    log.warning("the index cannot be read: %r", error)
                    raise IndexUnavailable("The search index cannot be read: run `omniracle reindex`.") from error
        raise AssertionError

    def _open_newest(self) -> Snapshot:
        toc = self._index._read_toc()  # noqa: SLF001  the one way to segments with their deletions
        opened = {
            segment.segment_id(): self._segments.get(segment.segment_id())
            or Segment(self._storage, toc.schema, segment)
            for segment in toc.segments
        }
        self.words.refresh()
        deleted = [segment.deleted_docs() for segment in toc.segments]
        snapshot = Snapshot(toc.generation, list(opened.values()), deleted, self.words, self._cache)
        self._segments = opened
        return snapshot


@contextmanager
def _locked(folder: Path, name: str, patience_s: float) -> Iterator[bool]:
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience_s
    with (folder / name).open("w") as file:
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
