"""Searches that found nothing: noted without a trace of who searched, and closed when an answer arrives."""

import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.content import language
from app.content.plain import one_line
from app.models import Wanted
from app.models.columns import now
from app.search.engine import SearchEngine
from app.search.folding import fold
from app.search.query import Query, parse
from app.storage import wanted
from app.storage.database import Database

log = logging.getLogger(__name__)

MAX_QUERY = 200  # characters; a longer one is no question
TYPING = timedelta(seconds=30)  # within which a query that continues another one is the same person typing on
CHECKED = 500  # open entries that are looked at in one go when articles have changed
_PRIVATE = re.compile(
    r"\S@\S"  # a mail address
    r"|\d[\d\s()./+-]{6,}\d"  # a telephone or card number
    r"|\b(?=\w*\d)(?=\w*[A-Za-z])[A-Za-z0-9_]{16,}"  # a key
    r"|(?i:passw(?:or)?d|passphrase|secret|token|密码|口令)\W+(?=\S*\d)(?=\S*[A-Za-z])\S{6,}"
)


@dataclass
class _Noted:
    text: str
    query: Query
    folded: str
    asks: int
    at: datetime


class WantedRecorder:
    """Collects in memory what found nothing, and adds it to the database a little later."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._noted: list[_Noted] = []

    def note(self, text: str, *, asked: bool = False) -> bool:
        """Note what was asked, without operators; return False for what is not kept: empty, too long, or private."""
        if len(text) > MAX_QUERY:
            return False
        query = parse(text)
        text = one_line(query.typed)
        if not text or not query.words or _PRIVATE.search(text):
            return False
        new = _Noted(text, query, fold(text), int(asked), now())
        with self._lock:
            for known in self._noted:
                if _is_same_typing(known, new):
                    if len(new.folded) > len(known.folded):
                        known.text, known.query, known.folded = new.text, new.query, new.folded
                    known.asks += new.asks
                    known.at = new.at
                    return True
            self._noted.append(new)
        return True

    def flush(self, *, everything: bool = False) -> None:
        """Add to the database what nobody types on any more; on failure it is kept for the next time."""
        until = now() - TYPING
        with self._lock:
            settled = [noted for noted in self._noted if everything or noted.at < until]
            self._noted = [noted for noted in self._noted if noted not in settled]
        if not settled:
            return
        try:
            with self._database.write() as session:
                for noted in settled:
                    _write(session, noted)
                wanted.forget_surplus(session)
        except SQLAlchemyError as error:
            log.warning("searches without results could not be written down yet: %s", type(error).__name__)
            with self._lock:
                self._noted += settled


def close_answered(database: Database, index: SearchEngine, after: int = 0) -> int | None:
    """Close those wanted questions, after the one with this id, that an article now answers.

    Only CHECKED of them are looked at; returns the id of the last one, None when all were looked at.
    """
    with database.read() as session:
        waiting = wanted.open_after(session, after, CHECKED)
    with index.reading() as reader:
        answers = {entry.id: reader.answer_to(parse(entry.query)) for entry in waiting}
    found = {entry_id: article for entry_id, article in answers.items() if entry_id is not None and article is not None}
    if found:
        with database.write() as session:
            for entry_id, article_id in found.items():
                wanted.close(session, entry_id, article_id)
    return waiting[-1].id if len(waiting) == CHECKED else None


def _is_same_typing(known: _Noted, new: _Noted) -> bool:
    return new.at - known.at <= TYPING and _continues(known.folded, new.folded)


def _continues(one: str, other: str) -> bool:
    """Say whether one of two folded texts is the other one, or its beginning."""
    return one.startswith(other) or other.startswith(one)


def _write(session: Session, noted: _Noted) -> None:
    """Add what was noted; parts of one typing that several workers have seen become its longest text."""
    entry = _entry(noted)
    for known in wanted.seen_since(session, noted.at - 2 * TYPING):
        if known.key == entry.key:
            entry.searches = 0
        elif known.first_at > noted.at - 2 * TYPING and _continues(fold(known.query), noted.folded):
            if len(known.query) > len(noted.text):
                known.asks += noted.asks
                return
            entry.asks += known.asks
            wanted.remove(session, known)
    wanted.add(session, entry)


def _entry(noted: _Noted) -> Wanted:
    return Wanted(
        key=" ".join(sorted(noted.query.terms))[:500],
        query=noted.text,
        lang=language.detect(noted.text),
        searches=1,
        asks=noted.asks,
        first_at=noted.at,
        last_at=noted.at,
    )
