"""Which articles answer a query, and in what order."""

from collections.abc import Sequence
from dataclasses import dataclass

from whoosh import query as wq
from whoosh.scoring import BM25F
from whoosh.searching import Searcher

from app.search.analysis import Term
from app.search.query import Query
from app.search.schema import CHARACTERS, TEXT_FIELDS

WEIGHTING = BM25F(B=0.75, K1=1.2, title_B=0.4, headings_B=0.6, tags_text_B=0.3)
BOOSTS = {"title": 3.0, "headings": 1.5, "tags_text": 1.5, "body": 1.0, CHARACTERS: 0.3}

# Terms in more than this share of the articles do not make a match by themselves where rarer ones were asked for.
COMMON_SHARE = 0.25
COMMON_MINIMUM = 200  # articles; in a smaller library no term is too common


@dataclass(frozen=True)
class Match:
    """An article that answers a query."""

    article_id: int
    score: float


def search(searcher: Searcher, query: Query, *, tag: str | None = None, lang: str | None = None) -> list[Match]:
    """Return all articles that match, the best first; `tag` and `lang` narrow like the query's own filters."""
    tags = (*query.tags, *((tag,) if tag else ()))
    langs = (*query.langs, *((lang,) if lang else ()))
    narrowing = [wq.Term("tags", name) for name in tags] + [wq.Term("lang", key.lower()) for key in langs]
    results = searcher.search(
        _wanted(searcher, query),
        limit=None,  # a limited search of whoosh3 loses a document now and then
        filter=wq.And(narrowing) if narrowing else None,
        mask=wq.Or([_phrase(excluded) for excluded in query.excluded]) if query.excluded else None,
    )
    return [Match(int(hit["id"]), float(hit.score)) for hit in results]


def similar(searcher: Searcher, terms: Sequence[tuple[str, float]], limit: int) -> list[Match]:
    """Return the articles that share most with a list of weighted terms."""
    fields = ("title", "body")
    query = wq.Or([wq.Term(field, term, boost=weight) for term, weight in terms for field in fields])
    return [Match(int(hit["id"]), float(hit.score)) for hit in searcher.search(query, limit=limit)]


def document_frequency(searcher: Searcher, term: str) -> int:
    """Return in how many articles' bodies `term` stands."""
    return int(searcher.reader().doc_frequency("body", term))


def _wanted(searcher: Searcher, query: Query) -> wq.Query:
    if not query.terms:
        return wq.Every() if query.tags or query.langs else wq.NullQuery
    rare, common = _by_frequency(searcher, query.terms)
    wanted = wq.Or([_anywhere(term) for term in rare])
    if common:
        wanted = wq.AndMaybe(wanted, wq.Or([_anywhere(term) for term in common]))
    if query.phrases:
        wanted = wq.And([*(_phrase(phrase) for phrase in query.phrases), wanted])
    return wanted


def _by_frequency(searcher: Searcher, terms: Sequence[str]) -> tuple[list[str], list[str]]:
    total = searcher.doc_count()
    limit = max(COMMON_MINIMUM, total * COMMON_SHARE)
    common = [term for term in terms if document_frequency(searcher, term) > limit]
    rare = [term for term in terms if term not in common]
    return (rare, common) if rare else (common, [])


def _anywhere(term: str) -> wq.Query:
    fields = TEXT_FIELDS if len(term) > 1 or term.isascii() else (*TEXT_FIELDS, CHARACTERS)
    return wq.Or([wq.Term(field, term, boost=BOOSTS[field]) for field in fields])


def _phrase(terms: Sequence[Term]) -> wq.Query:
    if len(terms) == 1:
        return _anywhere(terms[0].text)
    words = [term.text for term in terms]
    return wq.Or([wq.Phrase(field, words, boost=BOOSTS[field]) for field in TEXT_FIELDS])
