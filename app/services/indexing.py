"""Keeping the search index equal to the database; never inside a database transaction."""

import logging
import math
from collections.abc import Iterator, Sequence

from app.models import Article, Rendering
from app.search.index import SearchIndex
from app.search.schema import Entry
from app.services.progress import Progress, silent
from app.services.rendering import make_rendering
from app.storage import articles, jobs, renderings, site, tags
from app.storage.database import Database

log = logging.getLogger(__name__)

BATCH = 2000  # articles that one commit of the index takes
CHUNK = 100  # articles that are read from the database at once


def ensure(
    database: Database, index: SearchIndex, progress: Progress = silent, *, patience_s: float = math.inf
) -> None:
    """Make the index usable and equal to the database; another process that writes for longer is left to do it."""
    with index.write_lock(patience_s=patience_s) as held:
        if not held:
            return
        with database.read() as session:
            identity = site.identity(session)
        if index.is_usable(identity):
            _drain(database, index, progress)
        else:
            log.info("building the search index")
            _rebuild(database, index, progress)


def rebuild(database: Database, index: SearchIndex, progress: Progress = silent) -> int:
    """Build the index anew beside the live one, swap, and return how many articles it holds."""
    with index.write_lock():
        return _rebuild(database, index, progress)


def drain(database: Database, index: SearchIndex, progress: Progress = silent, *, patience_s: float = 0) -> int:
    """Bring all queued changes into the index and return how many articles they concern.

    When another process writes for longer than `patience_s`, the queue is left to it and the result is 0.
    """
    with index.write_lock(patience_s=patience_s) as held:
        return _drain(database, index, progress) if held else 0


def _rebuild(database: Database, index: SearchIndex, progress: Progress) -> int:
    with database.read() as session:
        last_job = jobs.last_id(session)
        total = articles.count(session)
        identity = site.identity(session)
    done = 0
    with index.rebuilding(identity) as fresh:
        for chunk in _all_chunks(database):
            for entry in _entries(database, chunk):
                fresh.add(entry)
            done += len(chunk)
            progress("index", done, max(done, total))
    with database.write() as session:
        jobs.done_up_to(session, last_job)
    _drain(database, index, progress)  # what changed meanwhile
    return done


def _drain(database: Database, index: SearchIndex, progress: Progress) -> int:
    changed = 0
    while True:
        with database.read() as session:
            waiting = jobs.pending(session, BATCH)
            total = jobs.count(session) if waiting else 0
        if not waiting:
            return changed
        ids = list(dict.fromkeys(job.article_id for job in waiting))
        entries = [
            entry for start in range(0, len(ids), CHUNK) for entry in _entries(database, ids[start : start + CHUNK])
        ]
        index.update(entries, sorted(set(ids) - {entry.article_id for entry in entries}))
        with database.write() as session:
            jobs.done(session, [job.id for job in waiting if job.id is not None])
        changed += len(ids)
        progress("index", changed, changed + total - len(waiting))


def _all_chunks(database: Database) -> Iterator[list[int]]:
    last = 0
    while True:
        with database.read() as session:
            chunk = articles.ids_after(session, last, CHUNK)
        if not chunk:
            return
        yield chunk
        last = chunk[-1]


def _entries(database: Database, ids: Sequence[int]) -> list[Entry]:
    with database.read() as session:
        found = articles.by_ids(session, ids)
        names = tags.names_of(session, ids)
        kept = {rendering.digest: rendering for rendering in renderings.of(session, [a.digest for a in found])}
    return [_entry(article, names.get(article.id or 0, ()), kept.get(article.digest)) for article in found]


def _entry(article: Article, names: tuple[str, ...], kept: Rendering | None) -> Entry:
    assert article.id is not None
    rendering = kept or make_rendering(article.body, article.lang)
    headings = tuple(str(heading["text"]) for heading in rendering.toc)
    return Entry(article.id, article.lang, article.title, names, headings, rendering.text)
