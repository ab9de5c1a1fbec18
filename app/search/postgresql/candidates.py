"""What ranking needs of a few articles.

PostgreSQL works out the very impacts that the other engine reads from its lists: of a query of one lexeme, `ts_rank_cd`
without normalisation is the sum of its occurrences, each by the weight of its class, and the weights are each article's
own, by the lengths of its fields. What is left to do is done by the same code.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from app.search import weights
from app.search.lists import NOTHING, ImpactList, saturated
from app.search.plan import Alternative
from app.search.postgresql import vectors
from app.search.postgresql.lexicon import PostgresLexicon
from app.search.postgresql.tables import NAMESPACE, State, numbers
from app.search.postings import Documents, Floats
from app.search.schema import TEXT_FIELDS

SCALE = 10.0  # that weights are divided by: ts_rank_cd takes none above 1
_CLASSES = ("body", "tags_text", "headings", "title")  # D to A: the order in which it takes them


class Candidates:
    """Articles as documents to rank (see app/search/lists.py), numbered in the order of their ids."""

    def __init__(
        self,
        connection: Connection,
        lexicon: PostgresLexicon,
        state: State,
        articles: Sequence[int],
        lexemes: Sequence[str],
    ) -> None:
        """Look at `articles`, of which only these lexemes will be asked for."""
        self.rarity = state.rarity
        self.number = state.articles
        self._connection = connection
        self._lexicon = lexicon
        self._places = {lexeme: place for place, lexeme in enumerate(dict.fromkeys(lexemes))}
        rows = _rows(connection, state, articles, list(self._places)) if articles else []
        self.size = len(rows)
        self.alive = np.ones(self.size, np.bool_)
        self.article_ids = np.array([row.article_id for row in rows], np.int32)
        self._languages = [row.lang for row in rows]
        lengths = np.array([row.title for row in rows], np.float32)
        self._evened: Floats = _evened("title", lengths, state)
        shape = (self.size, len(self._places))
        self._texts = np.array(" ".join(row.texts for row in rows).split(), np.float32).reshape(shape) * np.float32(
            SCALE
        )
        self._titles = np.array(" ".join(row.titles for row in rows).split(), np.float32).reshape(shape)
        self._written: dict[int, str] = {}  # the vectors of those documents whose positions were asked for

    def text(self, term: str) -> ImpactList:
        """Return the documents in which `term` stands, and its impact on each by all text fields."""
        where, occurrences = self._occurrences(self._texts, term)
        return saturated(where, occurrences)

    def title(self, term: str) -> ImpactList:
        """Return the documents in whose title `term` stands, and its impact there."""
        where, occurrences = self._occurrences(self._titles, term)
        return saturated(where, occurrences / self._evened[where])

    def plain(self, field: str, term: str) -> ImpactList:
        """Return the documents in whose `field` `term` stands, with an impact of 1 on each."""
        if field == "lang":
            where = np.flatnonzero([f"{lang}-".startswith(f"{term}-") for lang in self._languages]).astype(np.int32)
        else:
            where, _ = self._occurrences(self._texts, vectors.lexeme(field, term))
        return where, np.ones(len(where), np.float32)

    def named(self, field: str, term: str) -> ImpactList:
        """Return the documents in whose `field`, which is of titles, `term` stands; short titles weigh more."""
        where, _ = self._occurrences(self._titles, vectors.lexeme(field, term))
        return saturated(where, np.float32(1) / self._evened[where])

    def positions(self, field: str, term: str, documents: Documents) -> dict[int, list[int]]:
        """Return where `term` stands in a field of those of `documents` (ascending) that have it."""
        self._read(documents)
        kind = "ABCD"[TEXT_FIELDS.index(field)]
        places = {number: vectors.places_in(self._written[number], term, kind) for number in documents.tolist()}
        return {number: found for number, found in places.items() if found}

    def spread_of(self, alternatives: Sequence[Alternative], _: Documents, *, in_titles: bool = False) -> int:
        """Return how many articles of the library have one of these."""
        return self._lexicon.spread_of(alternatives, in_titles=in_titles)

    def _occurrences(self, matrix: Floats, lexeme: str) -> ImpactList:
        place = self._places.get(lexeme)
        if place is None or not self.size:
            return NOTHING
        where = np.flatnonzero(matrix[:, place]).astype(np.int32)
        return where, matrix[where, place]

    def _read(self, documents: Documents) -> None:
        new = {int(self.article_ids[number]): number for number in documents.tolist() if number not in self._written}
        if new:
            statement = f"""SELECT article_id, CAST(everything AS text) FROM {NAMESPACE}.texts
                WHERE article_id = ANY(CAST(:articles AS integer[]))"""
            found = self._connection.execute(text(statement), {"articles": numbers(new)})
            self._written |= {new[article]: written for article, written in found}


def _rows(connection: Connection, state: State, articles: Sequence[int], lexemes: Sequence[str]) -> Sequence[Any]:
    """Return of each article its language, and what each lexeme counts in all of its text and in its title."""
    of_classes = ", ".join(
        f"{weights.FIELD_WEIGHTS[field] / SCALE} / {_evened(field, field, state)}" for field in _CLASSES
    )
    # `OFFSET 0` and `||`: the vector is fetched and put together once for all lexemes.
    statement = f"""WITH asked AS MATERIALIZED (SELECT CAST(:queries AS tsquery[]) AS queries)
        SELECT article_id, lang, title,
            array_to_string(ARRAY(
                SELECT ts_rank_cd(classes, everything, query) FROM unnest(queries) AS query), ' ') AS texts,
            array_to_string(ARRAY(
                SELECT ts_rank_cd('{{0, 0, 0, 1}}', names, query) FROM unnest(queries) AS query), ' ') AS titles
        FROM asked, (
            SELECT article_id, lang, texts.title, names, everything || '' AS everything,
                CAST(ARRAY[{of_classes}] AS float4[]) AS classes
            FROM {NAMESPACE}.texts AS texts JOIN {NAMESPACE}.titles USING (article_id)
            WHERE article_id = ANY(CAST(:articles AS integer[])) OFFSET 0) AS chosen
        ORDER BY article_id"""
    values = {"queries": [vectors.quoted(lexeme) for lexeme in lexemes], "articles": numbers(articles)}
    return connection.execute(text(statement), values).all()


def _evened(field: str, lengths: Any, state: State) -> Any:
    """Return by what occurrences are divided, for lengths or for the name of their column."""
    share, average = weights.LENGTH_SHARE[field], state.averages[field]
    if isinstance(lengths, str):
        return f"({1 - share} + {share / average} * texts.{lengths})"
    return np.float32(1 - share) + np.float32(share / average) * lengths
