"""Keeping the search index equal to the database; never inside a database transaction."""

import logging
import math
from collections.abc import Iterator, Sequence

from sqlmodel import Session

from app.models import Article, Rendering
from app.search.engine import FEW, SearchEngine
from app.search.schema import Entry
from app.services.progress import Progress, silent
from app.services.rendering import make_rendering
from app.storage import articles, jobs, renderings, similar, site, tags
from app.storage.database import Database
from app.storage.engines import BUSY_TIMEOUT_S

log = logging.getLogger(__name__)

BATCH = 2000  # articles that one commit of the index takes
CHUNK = 100  # articles that are read from the database at once
FORGOTTEN = 500  # articles of which one transaction forgets what they are like


def ensure(
    database: Database,
    index: SearchEngine,
    progress: Progress = silent,
    *,
    patience_s: float = math.inf,
    thorough: bool = False,
    may_leave: bool = False,
) -> bool:
    """Make the index usable and equal to the database; another process that writes for longer is left to do it.

    A `thorough` look also finds what no job tells of: that the database is of another day than the index, for example.
    With `may_leave`, an index of no use is discarded and left to the workers, which build it while they serve, where
    other hosts answer meanwhile. Returns False when it was.
    """
    with database.read() as session:
        identity = site.identity(session)
        may_leave = may_leave and database.can_be_shared and articles.count(session) > 0
    if index.is_usable(identity, thorough=thorough) and not _has_other_past(database, index):
        drain(database, index, progress, patience_s=patience_s, thorough=thorough)
        return True
    with index.build_lock(patience_s=0 if may_leave else patience_s) as held:
        # Another process may just have built it.
        if held and (not index.is_usable(identity, thorough=thorough) or _has_other_past(database, index)):
            if may_leave:
                index.discard()
            else:
                log.warning("the search index is missing, damaged, or of another version or past: it is built anew")
                _rebuild(database, index, progress)
                log.warning("the search index is ready")
    return not may_leave


def has_other_past(session: Session, index: SearchEngine) -> bool:
    """Say whether the index knows changes that the database does not have; to be asked first in a session.

    Then an older database has taken its place. To compare the numbers of revisions would not do: it gives them again.
    """
    position, stamp = index.anchor()
    known = jobs.stamp(session, position)
    return position > jobs.last_id(session) or bool(stamp and known and known != stamp)


def _has_other_past(database: Database, index: SearchEngine) -> bool:
    with database.read() as session:
        return has_other_past(session, index)


def differing(database: Database, index: SearchEngine) -> tuple[set[int], set[int]]:
    """Return the articles whose newest revision is not in the index, and those that are in it and nowhere else."""
    with database.read() as session:
        return _differing(session, index)


def _differing(session: Session, index: SearchEngine) -> tuple[set[int], set[int]]:
    with index.reading() as reader:
        indexed = reader.revisions()
    known = articles.revision_numbers(session)
    return {id_ for id_, number in known.items() if indexed.get(id_) != number}, indexed.keys() - known.keys()


def rebuild(database: Database, index: SearchEngine, progress: Progress = silent) -> int:
    """Build the index anew beside the live one, swap, and return how many articles it holds."""
    with index.build_lock():
        return _rebuild(database, index, progress)


def drain(
    database: Database,
    index: SearchEngine,
    progress: Progress = silent,
    *,
    patience_s: float = 0,
    write_patience_s: float = BUSY_TIMEOUT_S,
    thorough: bool = False,
) -> int | None:
    """Bring all changes that it does not know into the index and return how many articles they concern.

    When another process of this host writes for longer than `patience_s`, they are left to it and the result is None.
    A `thorough` look finds them by comparing everything. Raises sqlalchemy.exc.OperationalError when the database
    cannot be written to within `write_patience_s`: the index knows the changes then, and is told them once more later.
    """
    if _has_other_past(database, index):
        ensure(database, index, progress, patience_s=patience_s)
    with index.write_lock(patience_s=patience_s) as held:
        return _drain(database, index, progress, write_patience_s, thorough=thorough) if held else None


def tidy(database: Database, index: SearchEngine) -> None:
    """Put together in the index what many small changes have scattered over it, unless somebody writes to it now."""
    with index.write_lock(patience_s=0) as held:
        if held and (ids := index.scattered()):
            entries = [entry for _, entry in _entries_of(database, ids)]
            index.update(entries, sorted(set(ids) - {entry.article_id for entry in entries}))


def _rebuild(database: Database, index: SearchEngine, progress: Progress) -> int:
    """Build, while changes go on being written to the live index; those are brought in at the end."""
    with database.read() as session:
        total = articles.count(session)
        identity = site.identity(session)
    known: dict[int, int] = {}  # the revision that was indexed, by article

    def entries() -> Iterator[Entry]:
        for chunk in _all_chunks(database):
            for article, entry in _entries(database, chunk):
                known[entry.article_id] = article.revision
                yield entry
            progress("index", len(known), max(len(known), total))

    with index.building(identity) as build:
        build.fill(entries())
        with index.write_lock():
            with database.read() as session:
                last_job = jobs.last_id(session)
                stamp = jobs.stamp(session, last_job) or ""
                newest = articles.revision_numbers(session)
            changed = [article_id for article_id, revision in newest.items() if known.get(article_id) != revision]
            build.update([entry for _, entry in _entries_of(database, changed)], sorted(known.keys() - newest.keys()))
            build.take_over(last_job, stamp)
            with database.write() as session:
                site.raise_version(session)  # searches find what they did not find before
    if not database.can_be_shared:  # an index of one host of several says nothing new of what articles are like
        _forget_similar(database)
    return len(newest)


def _drain(
    database: Database, index: SearchEngine, progress: Progress, write_patience_s: float, *, thorough: bool
) -> int:
    changed = 0
    while True:
        ids, position, stamp, left = _next_changes(database, index, thorough=thorough)
        if ids:
            entries = [entry for _, entry in _entries_of(database, ids)]
            index.update(entries, sorted(set(ids) - {entry.article_id for entry in entries}))
            with database.write(write_patience_s) as session:
                jobs.forget_old(session)
                site.raise_version(session)  # searches find what they did not find before
                if len(ids) <= FEW:
                    similar.mark(session, ids)
            if len(ids) > FEW:
                _forget_similar(database)
        if index.anchor() != (position, stamp):
            index.advance(position, stamp)  # last: whoever is interrupted before does it all again
        changed += len(ids)
        if not left:
            return changed
        thorough = False
        progress("index", changed, changed + left)


def _forget_similar(database: Database) -> None:
    """Let all articles be compared anew; a part at a time, so that others can write meanwhile."""
    is_left = True
    while is_left:
        with database.write() as session:
            is_left = similar.forget_some(session, FORGOTTEN)


def _next_changes(database: Database, index: SearchEngine, *, thorough: bool) -> tuple[list[int], int, str, int]:
    """Return articles that have changed, position and stamp of an index that knows them, and how many come after."""
    position = index.position()
    with database.read() as session:
        if thorough or not jobs.tells_all_after(session, position):
            missing, surplus = _differing(session, index)
            position = jobs.last_id(session)
            return sorted(missing | surplus), position, jobs.stamp(session, position) or "", 0
        waiting = jobs.after(session, position, BATCH)
        if waiting:
            position = waiting[-1].id or 0
        left = jobs.count_after(session, position) if len(waiting) == BATCH else 0
        stamp = jobs.stamp(session, position) or ""
    return list(dict.fromkeys(job.article_id for job in waiting)), position, stamp, left


def _all_chunks(database: Database) -> Iterator[list[int]]:
    last = 0
    while True:
        with database.read() as session:
            chunk = articles.ids_after(session, last, CHUNK)
        if not chunk:
            return
        yield chunk
        last = chunk[-1]


def _entries_of(database: Database, ids: Sequence[int]) -> Iterator[tuple[Article, Entry]]:
    for start in range(0, len(ids), CHUNK):
        yield from _entries(database, ids[start : start + CHUNK])


def _entries(database: Database, ids: Sequence[int]) -> list[tuple[Article, Entry]]:
    with database.read() as session:
        found = articles.by_ids(session, ids)
        names = tags.names_of(session, ids)
        kept = {rendering.digest: rendering for rendering in renderings.of(session, [a.digest for a in found])}
    return [(article, _entry(article, names.get(article.id or 0, ()), kept.get(article.digest))) for article in found]


def _entry(article: Article, names: tuple[str, ...], kept: Rendering | None) -> Entry:
    assert article.id is not None
    rendering = kept or make_rendering(article.body, article.lang)
    headings = tuple(str(heading["text"]) for heading in rendering.toc)
    return Entry(article.id, article.revision, article.lang, article.title, names, headings, rendering.text)
