"""How frequent terms are, and which words there are, by tables beside the index."""

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from sqlalchemy import Connection, text

from app.search.plan import TEXT, Alternative
from app.search.postgresql import vectors
from app.search.postgresql.tables import NAMESPACE, SPLIT, State, joined
from app.search.schema import TITLE_CHARACTERS, TITLE_SYLLABLES
from app.search.vocabulary import COMPLETIONS_SEEN, one_edit_away

_IN_TITLES = ("title", TITLE_CHARACTERS, TITLE_SYLLABLES)


class PostgresWords:
    """The words of the library; each is asked for once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, bool | None] = {}  # whether it stands in titles; None: it stands nowhere

    def learn(self, words: Iterable[str]) -> None:
        """Ask for many words at once."""
        new = [word for word in dict.fromkeys(words) if word not in self._known]
        if new:
            statement = f"SELECT word, in_titles FROM {NAMESPACE}.words WHERE word = ANY({SPLIT.format(':words')})"
            found = self._connection.execute(text(statement), {"words": joined(new)})
            self._known |= dict.fromkeys(new) | {word: in_titles for word, in_titles in found}  # noqa: C416

    def __contains__(self, word: str) -> bool:
        """Say whether some article has `word`, written just so."""
        self.learn([word])
        return self._known[word] is not None

    def is_in_titles(self, word: str) -> bool:
        """Say whether some title, heading or tag has `word`."""
        self.learn([word])
        return bool(self._known[word])

    def corrections(self, word: str) -> list[str]:
        """Return the known words at one typing mistake's distance."""
        near = list(one_edit_away(word))
        self.learn(near)
        return sorted(other for other in set(near) if self._known[other] is not None)

    def completions(self, beginning: str) -> list[str]:
        """Return words of titles, headings and tags that begin so, `beginning` itself left out."""
        statement = f"""SELECT word FROM {NAMESPACE}.words
            WHERE in_titles AND word > :beginning AND word < :end ORDER BY word LIMIT :most"""
        values = {"beginning": beginning, "end": f"{beginning}\x7f", "most": COMPLETIONS_SEEN}
        return list(self._connection.scalars(text(statement), values))


class PostgresLexicon:
    """How frequent terms are; each is asked for once."""

    def __init__(self, connection: Connection, state: State) -> None:
        self.words = PostgresWords(connection)
        self.number = state.articles
        self.rarity = state.rarity
        self._connection = connection
        self._known: dict[str, tuple[int, int, int]] = {}  # articles that have a lexeme, in their bodies, in titles

    def learn(self, lexemes: Iterable[str]) -> None:
        """Ask for many lexemes at once."""
        new = [lexeme for lexeme in dict.fromkeys(lexemes) if lexeme not in self._known]
        if new:
            statement = f"""SELECT lexeme, articles, bodies, titles FROM {NAMESPACE}.lexemes
                WHERE lexeme = ANY({SPLIT.format(":new")})"""
            self._known |= dict.fromkeys(new, (0, 0, 0))
            found = self._connection.execute(text(statement), {"new": joined(new)})
            self._known |= {lexeme: (articles, bodies, titles) for lexeme, articles, bodies, titles in found}

    def counts(self, lexeme: str) -> tuple[int, int, int]:
        """Return how many articles have a lexeme at all, in their bodies and in their titles."""
        self.learn([lexeme])
        return self._known[lexeme]

    def spread_of(self, alternatives: Iterable[Alternative], *, in_titles: bool = False) -> int:
        """Return how many articles have the most frequent of these: those that have any cannot be counted as fast."""
        place = 2 if in_titles else 0
        return max(min(self.counts(each)[place] for each in vectors.lexemes_of(other)) for other in alternatives)

    def spread(self, term: str) -> int:
        """Return how many articles have `term` in any text field."""
        return self.frequency(TEXT, term)

    def frequency(self, field: str, term: str) -> int:
        """Return how many articles have `term` in this field; headings are not counted by themselves."""
        articles, bodies, titles = self.counts(vectors.lexeme(field, term))
        return titles if field in _IN_TITLES else bodies if field == "body" else articles

    def frequencies(self, field: str, terms: Iterable[str]) -> dict[str, int]:
        """Return the same for many terms, by term."""
        terms = list(terms)
        self.learn(map(partial(vectors.lexeme, field), terms))
        return {term: self.frequency(field, term) for term in terms}

    def has_title_with(self, field: str, terms: Collection[str]) -> bool:
        """Say whether one title has all of `terms` in this field."""
        query = " & ".join(vectors.quoted(vectors.lexeme(field, term)) for term in terms)
        statement = f"SELECT EXISTS (SELECT FROM {NAMESPACE}.titles WHERE names @@ CAST(:query AS tsquery))"
        values: dict[str, Any] = {"query": query}
        return bool(self._connection.scalar(text(statement), values))
