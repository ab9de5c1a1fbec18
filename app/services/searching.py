"""One search: the query, the index, and the articles from the database."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.content.rendering import render
from app.models import Article
from app.pagination import Page, check_page, offset_of
from app.search import scorer
from app.search.index import SearchIndex
from app.search.query import Query, parse
from app.search.snippets import Marker
from app.storage import articles, renderings, tags
from app.storage.database import Database

FACET_MATCHES = 500  # of the best matches are counted by language and tag
FACET_TAGS = 12


@dataclass(frozen=True)
class Hit:
    """An article that was found; the two `_html` texts are escaped and marked."""

    slug: str
    title: str
    title_html: str
    excerpt_html: str
    lang: str
    tags: tuple[str, ...]
    score: float
    matched: tuple[str, ...]
    updated_at: datetime

    @property
    def url(self) -> str:
        """The path of the article's page."""
        return f"/questions/{self.slug}"


@dataclass(frozen=True)
class Results:
    """A page of hits, and what was counted on the way."""

    query: str
    page: Page[Hit]
    took_ms: float
    generation: int
    languages: list[tuple[str, int]]
    topics: list[tuple[str, int]]


def search(
    database: Database,
    index: SearchIndex,
    text: str,
    *,
    number: int = 1,
    size: int = 10,
    offset: int | None = None,
    tag: str | None = None,
    lang: str | None = None,
) -> Results:
    """Search for what a person typed and return one page of hits.

    `offset`, when given, chooses where the page begins in place of `number`. Raises InvalidInput for a text that is
    too long, NotFound for a page that does not exist, IndexUnavailable without an index.
    """
    started = time.perf_counter()
    query = parse(text)
    with index.searcher() as (searcher, generation):
        matches = [] if query.is_empty else scorer.search(searcher, query, tag=tag, lang=lang)
    begin = offset_of(number, size) if offset is None else offset
    shown = matches[begin : begin + size]
    scores = {match.article_id: match.score for match in shown}
    hits = _hits(database, query, scores)
    languages, topics = _facets(database, [match.article_id for match in matches[:FACET_MATCHES]])
    page = Page(hits, len(matches), number, size)
    took_ms = (time.perf_counter() - started) * 1000
    return Results(text, page if offset is not None else check_page(page), took_ms, generation, languages, topics)


def _hits(database: Database, query: Query, scores: dict[int, float]) -> list[Hit]:
    ids = list(scores)
    with database.read() as session:
        found = articles.by_ids(session, ids)
        names = tags.names_of(session, ids)
        texts = {kept.digest: kept.text for kept in renderings.of(session, [article.digest for article in found])}
    marker = Marker([*query.terms, *(term.text for phrase in query.phrases for term in phrase)], query.words)
    return [
        _hit(article, names.get(article.id or 0, ()), texts.get(article.digest), marker, scores[article.id or 0])
        for article in found
    ]


def _hit(article: Article, names: tuple[str, ...], text: str | None, marker: Marker, score: float) -> Hit:
    title = marker.whole(article.title)
    excerpt = marker.excerpt(text if text is not None else render(article.body, lang=article.lang).text)
    return Hit(
        slug=article.slug,
        title=article.title,
        title_html=title.html,
        excerpt_html=excerpt.html,
        lang=article.lang,
        tags=names,
        score=round(score, 4),
        matched=("variant",) if title.has_variant or excerpt.has_variant else ("text",),
        updated_at=article.updated_at,
    )


def _facets(database: Database, ids: Sequence[int]) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    with database.read() as session:
        languages = Counter(articles.languages_of(session, ids))
        topics = Counter(name for names in tags.names_of(session, ids).values() for name in names)
    return languages.most_common(), topics.most_common(FACET_TAGS)
