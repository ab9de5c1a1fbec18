"""Related questions: the author's choice first, then what the index finds similar.

What is similar to an article is worked out when it is first needed, or in the regular work of the workers, and kept.
A change is compared with all others by the regular work a few seconds later: nobody who saves or reads waits for it.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from sqlmodel import Session

from app.errors import IndexUnavailable
from app.models import Article
from app.search.engine import Reader, SearchEngine
from app.services.rendering import kept_rendering, make_rendering
from app.storage import articles, jobs, references, similar, site, tags
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

    def __init__(self, database: Database, index: SearchEngine) -> None:
        self._database = database
        self._index = index
        self._lock = Lock()
        self._new: dict[int, list[int]] = {}  # what is like an article, not yet kept
        self._generation = -1  # of the index, that says so
        self._knew_all_at = -1  # the version of the content in which it was known what each article is like

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
                self._compare_changed()
                self._work_out_unknown()
        with self._lock:
            new, self._new, generation = self._new, {}, self._generation
        if new:
            with self._database.write() as session:
                # What was found in an older index has been forgotten, and must not come back; nor what was found where
                # others know more already.
                if self._index.generation() == generation and jobs.last_id(session) == self._index.position():
                    # What has changed is compared with what was kept before it did.
                    changed = similar.marked(session, len(new), among=new)
                    similar.put(session, {id_: others for id_, others in new.items() if id_ not in changed})

    def _compare_changed(self) -> None:
        """Compare anew what has changed, and forget what others are like that may now be like it, or no longer."""
        deadline = time.monotonic() + BUDGET_S
        with self._database.read() as session:
            changed = similar.marked(session, CHUNK)
        for article_id in changed:  # each by itself: while many are compared, some change once more
            if time.monotonic() > deadline:
                return
            self._compare_again(article_id, set(changed))

    def _compare_again(self, article_id: int, changed: set[int]) -> None:
        """Compare one of those that have changed; each of them has its turn, and is not forgotten for another."""
        with self._database.read() as session:
            article = articles.by_id(session, article_id)
            before, listing = similar.of(session, article_id), similar.listing(session, article_id)
            compared = self._compare(session, article) if article is not None else None
        with self._database.write() as session:
            if compared is None:
                similar.forget(session, {article_id})
            elif compared.generation == self._index.generation():  # else it may have changed once more
                similar.forget(session, compared.touched(before, listing) - changed)
                similar.put(session, {article_id: compared.similar})
            else:
                return
            similar.unmark(session, [article_id])

    def _work_out_unknown(self) -> None:
        deadline = time.monotonic() + BUDGET_S
        with self._database.read() as session:
            version = site.version(session)
            if version == self._knew_all_at:  # to look through all articles takes a while
                return
            unknown = similar.unknown(session, MOST_NEW // 2)
            if not unknown:
                self._knew_all_at = version
            waiting = [id_ for id_ in unknown if id_ not in self._new]
            for start in range(0, len(waiting), CHUNK):
                for article in articles.by_ids(session, waiting[start : start + CHUNK]):
                    if time.monotonic() > deadline:
                        return
                    self._worked_out(session, article)

    def _worked_out(self, session: Session, article: Article) -> list[int]:
        assert article.id is not None
        try:
            compared = self._compare(session, article)
        except IndexUnavailable as error:  # the answer itself does not depend on the index
            log.warning("no similar questions: %s", error)
            return []
        with self._lock:
            if compared.generation != self._generation or len(self._new) >= MOST_NEW:
                self._new, self._generation = {}, compared.generation
            self._new[article.id] = compared.similar
        return compared.similar

    def _compare(self, session: Session, article: Article) -> "_Comparison":
        with self._index.reading() as reader:
            scores = _scores(session, reader, article)
        return _Comparison(reader.generation, scores, _similar(session, article, scores))


class _Comparison(NamedTuple):
    """An article compared with all others."""

    generation: int  # of the index
    scores: dict[int, float]  # of the most alike, itself among them
    similar: list[int]

    def touched(self, before: Sequence[int] | None, listing: set[int]) -> set[int]:
        """Return the articles to compare anew, when it was like `before` until it changed, and `listing` name it.

        Most changes leave an article like most of the same ones, and them like it. When it is like others, it may be on
        another matter, and all that name it may do so no longer. A new one may be among the first of an article that
        is not among its own first.
        """
        if before is None:
            return set(self.scores)
        changed = set(self.similar) ^ set(before)
        is_like_others = 2 * len(changed) >= len(set(self.similar) | set(before))
        return changed | listing if is_like_others else changed


def _similar(session: Session, article: Article, scores: Mapping[int, float]) -> list[int]:
    """Return the articles that are worth showing, the most alike first."""
    assert article.id is not None
    least = SIMILAR * scores.get(article.id, 0.0)  # the article is most like itself
    primary = article.lang.split("-")[0]
    worth = {
        card.id: scores[card.id] * (1 if card.lang.split("-")[0] == primary else OTHER_LANGUAGE)
        for card in articles.cards(session, [id_ for id_ in scores if id_ != article.id and scores[id_] >= least])
    }
    return sorted(worth, key=lambda id_: -worth[id_])[: LIMIT * 2]


def _scores(session: Session, reader: Reader, article: Article) -> dict[int, float]:
    assert article.id is not None
    names = tags.names_of(session, [article.id]).get(article.id, ())
    rendering = kept_rendering(session, article.body, article.lang) or make_rendering(article.body, article.lang)
    matches = reader.related(article.title, names, rendering.text, COMPARED)
    return {match.article_id: match.score for match in matches}
