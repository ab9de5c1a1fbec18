"""Related questions: the author's choice first, then what the index finds similar."""

import logging
from collections import OrderedDict
from threading import Lock

from app.errors import IndexUnavailable
from app.models import Article
from app.search.index import SearchIndex
from app.search.related import related
from app.services.rendering import rendering_of
from app.storage import articles, tags
from app.storage.articles import Card
from app.storage.database import Database

log = logging.getLogger(__name__)

LIMIT = 6
KEPT = 2000  # articles whose similar ones are remembered
SIMILAR = 0.2  # of an article's likeness to itself; less is chance (looked at in 14,000 documents)
OTHER_LANGUAGE = 0.4  # what an equally similar article in another language is worth


class RelatedQuestions:
    """Remembers the similar articles of each article, for as long as the index stays what it is."""

    def __init__(self, database: Database, index: SearchIndex) -> None:
        self._database = database
        self._index = index
        self._lock = Lock()
        self._generation = -1
        self._similar: OrderedDict[tuple[int, int], list[int]] = OrderedDict()

    def of(self, article: Article) -> list[Card]:
        """Return up to LIMIT cards, without the article itself and its translations."""
        assert article.id is not None
        with self._database.read() as session:
            pinned = articles.cards_by_slug(session, articles.pinned_slugs(session, article.id))
            own = {article.slug, *(twin.slug for twin in articles.twins(session, article))}
        try:
            similar = self._similar_ids(article)
        except IndexUnavailable as error:  # the answer itself does not depend on the index
            log.warning("no similar questions: %s", error)
            similar = []
        with self._database.read() as session:
            found = articles.cards(session, similar)
        cards = {card.slug: card for card in [*pinned, *found] if card.slug not in own}
        return list(cards.values())[:LIMIT]

    def _similar_ids(self, article: Article) -> list[int]:
        assert article.id is not None
        key = (article.id, article.revision)
        with self._database.read() as session:
            names = tags.names_of(session, [article.id]).get(article.id, ())
        text = rendering_of(self._database, article.body, article.lang).text
        with self._index.reading() as snapshot:
            with self._lock:
                if snapshot.generation != self._generation:
                    self._similar.clear()
                    self._generation = snapshot.generation
                if key in self._similar:
                    return self._similar[key]
            matches = related(snapshot, article.title, names, text, LIMIT * 4)
        scores = {match.article_id: match.score for match in matches}
        least = SIMILAR * scores.get(article.id, 0.0)  # the article is most like itself
        ids = self._by_language(article, {id_: score for id_, score in scores.items() if score >= least})
        with self._lock:
            self._similar[key] = ids
            if len(self._similar) > KEPT:
                self._similar.popitem(last=False)
        return ids

    def _by_language(self, article: Article, scores: dict[int, float]) -> list[int]:
        with self._database.read() as session:
            cards = articles.cards(session, list(scores))
        primary = article.lang.split("-")[0]
        worth = {
            card.id: scores[card.id] * (1 if card.lang.split("-")[0] == primary else OTHER_LANGUAGE) for card in cards
        }
        return sorted(worth, key=lambda id_: -worth[id_])[: LIMIT * 2]
