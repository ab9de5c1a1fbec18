"""Searches that found nothing: noted without a trace of who searched, and closed when an answer arrives."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

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
MAX_NOTED = 200  # searches that wait in one worker to be written down
HOUR = timedelta(hours=1)
NEW_SEARCHED, NEW_ASKED = 100, 400  # entries that may be new within an hour before a search, or a request, adds none
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
    """Collects in memory what found nothing, and adds it to the database a little later.

    Of a flood it drops what comes beyond MAX_NOTED at once, or is new beyond NEW_SEARCHED and NEW_ASKED in an hour.
    """

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
            if asked or len(self._noted) < MAX_NOTED:  # who asks has it written down at once
                self._noted.append(new)
        return True

    def flush(self, *, everything: bool = False) -> bool:
        """Add to the database what nobody types on any more; on failure it is kept for the next time.

        Returns False when something that somebody asked for was dropped.
        """
        until = now() - TYPING
        settled: list[_Noted] = []
        typed_on: list[_Noted] = []
        with self._lock:
            for noted in self._noted:
                (settled if everything or noted.at < until else typed_on).append(noted)
            self._noted = typed_on
        if not settled:
            return True
        try:
            entries, superseded, is_whole = self._changes(settled)
            if entries:
                with self._database.write() as session:
                    wanted.add(session, entries, superseded)
        except SQLAlchemyError as error:
            log.warning("searches without results could not be written down yet: %s", type(error).__name__)
            with self._lock:
                self._noted = (settled + self._noted)[:MAX_NOTED]
            return True
        return is_whole

    def _changes(self, settled: Sequence[_Noted]) -> tuple[list[Wanted], set[int | None], bool]:
        """Return what to add to the database, the ids of what that takes the place of, and whether all asks are in it.

        It is worked out before the transaction, so that no other writer waits for it.
        """
        pairs = [(noted, _entry(noted)) for noted in settled]
        with self._database.read() as session:
            known = {entry.key: entry for entry in wanted.known_as(session, [entry.key for _, entry in pairs])}
            begun = [(entry, fold(entry.query)) for entry in wanted.begun_since(session, now() - HOUR)]
        new, entries, superseded, is_whole = len(begun), [], set[int | None](), True
        for noted, entry in pairs:
            since = noted.at - 2 * TYPING
            parts = [  # of one typing, that other workers have seen; they become its longest text
                each
                for each, folded in begun
                if _continues(folded, noted.folded)
                if each.first_at > since and each.key != entry.key and each.id not in superseded
            ]
            longest = max(parts, key=lambda each: len(each.query), default=entry)
            before = known.get(entry.key)
            if len(longest.query) > len(entry.query):
                entry.key, entry.query, entry.searches = longest.key, longest.query, 0
            elif before is None and new >= (NEW_ASKED if noted.asks else NEW_SEARCHED):
                is_whole &= not noted.asks
                continue
            else:
                new += before is None
                if before is not None and before.closed_at is None and before.last_at > since:
                    entry.searches = 0
                entry.asks += sum(each.asks for each in parts)
                superseded.update(each.id for each in parts)
                known[entry.key] = entry
            entries.append(entry)
        return entries, superseded, is_whole


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
