"""Which articles may answer, by GIN indexes, in an order that needs no long vector to be read.

All that have one of the rarer terms are put in order by the rarity of the terms that they have, in their titles above
all. Only the best of them are looked at closely (candidates.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from app.search import weights
from app.search.plan import Plan, Slot
from app.search.postgresql.lexicon import PostgresLexicon
from app.search.postgresql.tables import NAMESPACE, State
from app.search.postgresql.vectors import HEADINGS, TITLE, phrase, query_of
from app.search.scorer import COMMON_MINIMUM, COMMON_SHARE, TITLE_WEIGHT

MOST_FOUND = 10_000  # articles that are found, counted and paged through
MOST_READ = 100_000  # rows that are read to find them; where there are more, the rarer terms alone find articles
MOST_CHECKED = 2000  # articles in which a phrase is looked for

Weighed = Sequence[tuple[Slot, float]]


@dataclass(frozen=True)
class Wanted:
    """What an article has to have beside the words: a query, and phrases."""

    query: str = ""
    phrases: tuple[tuple[str, ...], ...] = ()

    def with_(self, query: str) -> str:
        """Return this query and another one."""
        return " & ".join(filter(None, (query, self.query)))


@dataclass
class _Branches:
    """The parts of the statement that finds articles: each gives those that it finds one weight."""

    parts: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def of_texts(self, query: str, weight: float, articles: list[int] | None) -> None:
        """Add what has something anywhere, among some articles alone where they are named."""
        only = "" if articles is None else "AND article_id = ANY(:articles)"
        self.values |= {} if articles is None else {"articles": articles}
        self._add("texts", "everything", query, weight, f"{only} LIMIT {MOST_READ}", "true")

    def of_titles(self, query: str, weight: float, state: State) -> None:
        """Add what has something in its title; short titles weigh more."""
        share = weights.LENGTH_SHARE["title"]
        evened = f"({1 - share} + {share / state.averages['title']} * title)"
        factor = f"{weights.K1 + 1} / (1 + {weights.K1} * {evened})"
        self._add("titles", "names", query, weight, f"LIMIT {MOST_READ}", "false", factor)

    def _add(
        self, table: str, column: str, query: str, weight: float, rest: str, is_text: str, factor: str = "1"
    ) -> None:
        number = len(self.parts)
        self.values |= {f"query{number}": query, f"weight{number}": weight}
        self.parts.append(
            f"(SELECT article_id, CAST(:weight{number} AS float8) * {factor} AS weight, {is_text} AS is_text"
            f" FROM {NAMESPACE}.{table} WHERE {column} @@ CAST(:query{number} AS tsquery) {rest})"
        )

    def best(self, connection: Connection, having: str) -> list[int]:
        """Return the articles with the greatest sums of weights, the best first."""
        if not self.parts:
            return []
        statement = f"""SELECT array_agg(article_id ORDER BY score DESC, article_id) FROM (
            SELECT article_id, sum(weight) AS score FROM ({" UNION ALL ".join(self.parts)}) AS found
            GROUP BY article_id HAVING {having} ORDER BY score DESC, article_id LIMIT {MOST_FOUND}) AS best"""
        return connection.scalar(text(statement), self.values) or []


def find(
    connection: Connection,
    lexicon: PostgresLexicon,
    state: State,
    weighed: Weighed,
    wanted: Wanted,
    title_weight: float = TITLE_WEIGHT,
) -> tuple[list[int], bool]:
    """Return the articles that have one of the rarer slots, the best first, and whether all were looked at.

    Each slot has a factor by which its rarity counts.
    """
    articles, is_complete = _with_phrases(connection, wanted)
    branches = _Branches()
    for slot, factor in _rarer(lexicon, state, weighed):
        term = slot.alternatives[0].term
        rarity = state.rarity(term, lexicon.spread_of(slot.alternatives))
        branches.of_texts(wanted.with_(query_of(slot)), factor * rarity, articles)
        titles = lexicon.spread_of(slot.alternatives, in_titles=True)
        if titles and title_weight:
            rarity = title_weight * state.rarity(term, titles)
            branches.of_titles(query_of(slot, TITLE), factor * rarity, state)
    return branches.best(connection, "bool_or(is_text)"), is_complete


def find_titles(connection: Connection, lexicon: PostgresLexicon, state: State, plan: Plan) -> list[int]:
    """Return the articles whose titles have something of a plan, the best first."""
    branches = _Branches()
    for slot in plan.slots:
        if titles := lexicon.spread_of(slot.alternatives, in_titles=True):
            branches.of_titles(query_of(slot, TITLE), state.rarity(slot.alternatives[0].term, titles), state)
    return branches.best(connection, "true")


def find_headings(connection: Connection, plan: Plan, limit: int) -> list[int]:
    """Return up to `limit` articles that have all of a plan in their headings."""
    parts = [query_of(slot, HEADINGS) for slot in plan.slots if not slot.is_optional]
    return _matching(connection, "titles", "names", " & ".join(parts), limit) if parts else []


def find_all(connection: Connection, wanted: Wanted, limit: int = MOST_FOUND) -> tuple[list[int], bool]:
    """Return up to `limit` articles that have all that is wanted, by number, and whether all were looked at."""
    articles, is_complete = _with_phrases(connection, wanted)
    if articles is None:
        articles = _matching(connection, "texts", "everything", wanted.query, limit) if wanted.query else []
    return articles[:limit], is_complete


def _with_phrases(connection: Connection, wanted: Wanted) -> tuple[list[int] | None, bool]:
    """Return the articles that have the phrases that are wanted, None without any, and whether all were looked at.

    PostgreSQL has to read the vectors of all articles that have the words of a phrase: it is given only so many.
    """
    if not wanted.phrases:
        return None, True
    words = " & ".join(phrase([word]) for words in wanted.phrases for word in dict.fromkeys(words))
    statement = f"""SELECT article_id, everything @@ CAST(:phrases AS tsquery) FROM (
        SELECT article_id, everything FROM {NAMESPACE}.texts WHERE everything @@ CAST(:words AS tsquery)
        LIMIT {MOST_CHECKED + 1}) AS checked ORDER BY article_id"""
    values = {"phrases": " & ".join(map(phrase, wanted.phrases)), "words": wanted.with_(words)}
    checked = connection.execute(text(statement), values).all()
    return [article for article, has_them in checked if has_them], len(checked) <= MOST_CHECKED


def _matching(connection: Connection, table: str, column: str, query: str, limit: int) -> list[int]:
    statement = f"""SELECT article_id FROM {NAMESPACE}.{table}
        WHERE {column} @@ CAST(:query AS tsquery) ORDER BY article_id LIMIT :limit"""
    return list(connection.scalars(text(statement), {"query": query, "limit": limit}))


def _rarer(lexicon: PostgresLexicon, state: State, weighed: Weighed) -> list[tuple[Slot, float]]:
    """Return the slots that find articles (as in app/search/scorer.py); where many would, the rarest of them."""
    counted = [(lexicon.spread_of(each[0].alternatives), each) for each in weighed]
    common_from = max(COMMON_MINIMUM, state.articles * COMMON_SHARE)
    known = sorted((each for each in counted if each[0]), key=lambda each: each[0])
    kept: list[tuple[Slot, float]] = []
    read = 0
    for number, each in [each for each in known if each[0] <= common_from] or known:
        read += number
        if kept and read > MOST_READ:
            break
        kept.append(each)
    return kept
