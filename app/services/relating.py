"""Related questions: the author's choice first, then what the index finds similar.

What is similar to an article is worked out when it is first needed, or in the regular work of the workers, and kept
until the article or one that is like it changes.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from sqlmodel import Session

from app.errors import IndexUnavailable
from app.models import Article
from app.search.index import SearchIndex
from app.search.related import related
from app.search.schema import Entry
from app.search.snapshot import Snapshot
from app.services.rendering import kept_rendering, make_rendering
from app.storage import articles, references, similar, tags
from app.storage.articles import Card, Named
from app.storage.database import Database

log = logging.getLogger(__name__)

LIMIT = 6
COMPARED = LIMIT * 4  # articles that are alike, before those in other languages lose some of their weight
SIMILAR = 0.2  # of an article's likeness to itself; less is chance (looked at in 14,000 documents)
OTHER_LANGUAGE = 0.4  # what an equally similar article in another language is worth
BUDGET_S = 0.5  # that one turn of the regular work takes for articles that nobody has asked for yet
CHUNK = 20
MOST_NEW = 2000  # articles whose similar ones wait to be kept


@dataclass(frozen=True)
class Related:
    """Questions related to one."""

    cards: list[Card]
    is_kept: bool  # in the database, which tells of every change, and not just worked out


class RelatedQuestions:
    """Gives the questions related to an article, and sees to it that the next worker need not work them out again."""

    def __init__(self, database: Database, index: SearchIndex) -> None:
        self._database = database
        self._index = index
        self._lock = Lock()
        self._new: dict[int, list[int]] = {}  # what is like an article, not yet kept
        self._generation = -1  # of the index, that says so

    def of(self, session: Session, article: Article, twins: Sequence[Named]) -> Related:
        """Return up to LIMIT cards, without the article itself and its translations."""
        assert article.id is not None
        kept = similar.of(session, article.id)
        ids = self._worked_out(session, article) if kept is None else kept
        pinned = references.pinned_slugs(session, article.id)
        found = [*articles.cards_by_slug(session, pinned), *articles.cards(session, ids)]
        own = {article.slug, *(twin.slug for twin in twins)}
        cards = {card.slug: card for card in found if card.slug not in own}
        return Related(list(cards.values())[:LIMIT], is_kept=kept is not None)

    def tend(self) -> None:
        """Keep what was worked out for readers, and work out some more."""
        with self._index.build_lock(patience_s=0) as held:  # one worker at a time
            if held:
                self._work_out_unknown()
        with self._lock:
            new, self._new, generation = self._new, {}, self._generation
        if new:
            with self._database.write() as session:
                # What was found in an older index has been forgotten, and must not come back.
                if self._index.snapshot().generation == generation:
                    similar.put(session, new)

    def _work_out_unknown(self) -> None:
        deadline = time.monotonic() + BUDGET_S
        with self._database.read() as session:
            waiting = [id_ for id_ in similar.unknown(session, MOST_NEW // 2) if id_ not in self._new]
            for start in range(0, len(waiting), CHUNK):
                for article in articles.by_ids(session, waiting[start : start + CHUNK]):
                    if time.monotonic() > deadline:
                        return
                    self._worked_out(session, article)

    def _worked_out(self, session: Session, article: Article) -> list[int]:
        assert article.id is not None
        try:
            with self._index.reading() as snapshot:
                ids = _similar(session, snapshot, article)
        except IndexUnavailable as error:  # the answer itself does not depend on the index
            log.warning("no similar questions: %s", error)
            return []
        with self._lock:
            if snapshot.generation != self._generation or len(self._new) >= MOST_NEW:
                self._new, self._generation = {}, snapshot.generation
            self._new[article.id] = ids
        return ids


def likely_changed(index: SearchIndex, entries: Sequence[Entry]) -> set[int]:
    """Return the articles that may be like one of these, so that what is kept of them is not true any more."""
    snapshot = index.snapshot()
    found = (related(snapshot, entry.title, entry.tags, entry.text, COMPARED) for entry in entries)
    return {match.article_id for matches in found for match in matches}


def _similar(session: Session, snapshot: Snapshot, article: Article) -> list[int]:
    assert article.id is not None
    names = tags.names_of(session, [article.id]).get(article.id, ())
    rendering = kept_rendering(session, article.body, article.lang) or make_rendering(article.body, article.lang)
    matches = related(snapshot, article.title, names, rendering.text, COMPARED)
    scores = {match.article_id: match.score for match in matches}
    least = SIMILAR * scores.get(article.id, 0.0)  # the article is most like itself
    primary = article.lang.split("-")[0]
    worth = {
        card.id: scores[card.id] * (1 if card.lang.split("-")[0] == primary else OTHER_LANGUAGE)
        for card in articles.cards(session, [id_ for id_ in scores if id_ != article.id and scores[id_] >= least])
    }
    return sorted(worth, key=lambda id_: -worth[id_])[: LIMIT * 2]
