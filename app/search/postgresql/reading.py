"""One state of the index, as services see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from sqlalchemy import Connection, text

from app.content.language import simplest, with_parents
from app.search import needs, pinyin, scorer
from app.search.analysis import terms
from app.search.engine import Suggested
from app.search.expansion import MOST_JOINED, expand
from app.search.folding import fold, is_han
from app.search.needs import Question
from app.search.plan import TEXT, Alternative, Match, Plan, Slot
from app.search.postgresql import vectors
from app.search.postgresql.candidates import Candidates
from app.search.postgresql.finding import Wanted, find, find_all, find_headings, find_titles
from app.search.postgresql.lexicon import PostgresLexicon
from app.search.postgresql.tables import NAMESPACE, State, numbers
from app.search.query import Query, Word
from app.search.ranking import Order, best
from app.search.related import key_terms
from app.search.schema import CHARACTERS, SYLLABLES, language_keys

MOST_RANKED = 600  # articles that are looked at closely
MOST_SUGGESTED = 100  # the same, while somebody types


class PostgresReader:
    """Answers in one transaction; each method does what app/search/engine.py says of it."""

    def __init__(self, connection: Connection, state: State) -> None:
        self.generation = state.generation
        self._connection = connection
        self._state = state
        self._lexicon = PostgresLexicon(connection, state)

    def revisions(self) -> dict[int, int]:
        """Return which revision of each article is in the index."""
        found = self._connection.execute(text(f"SELECT article_id, revision FROM {NAMESPACE}.texts"))
        return {article: revision for article, revision in found}  # noqa: C416

    def search(
        self, query: Query, *, tag: str | None = None, lang: str | None = None, reader_lang: str | None = None
    ) -> "PostgresFound":
        """Return what answers a query."""
        plan = self._plan(query)
        tag = fold(tag) if tag else None
        lang = (simplest(lang) or lang).lower() if lang else None
        articles, is_complete = self.find(query, plan, tag, lang)
        candidates = self._candidates(articles[:MOST_RANKED], plan)
        if query.words:
            scores = scorer.scores_of(candidates, plan, candidates.alive)
            if not scores.any():
                articles = []
            scores = scorer.favouring(candidates, scores, query.typed, reader_lang)
        else:
            scores = candidates.alive.astype("float32")
        return PostgresFound(self, query, Order(candidates, plan, scores), articles, tag, lang, is_complete)

    def suggest(self, query: Query, titles: int, headings: int, reader_lang: str | None = None) -> Suggested:
        """Return articles whose titles and headings fit what was typed so far."""
        plan = self._plan(query, is_typing=True)
        headed = self._candidates(find_headings(self._connection, plan, MOST_SUGGESTED), plan)
        scores = scorer.scores_of(headed, plan, headed.alive)
        by_heading = headed.article_ids[best(scores, headings)].tolist()
        return Suggested(plan, self._by_titles(plan, titles, reader_lang), by_heading)

    def near(self, query: Query, limit: int) -> list[int]:
        """Return the articles whose titles have most of a query."""
        return self._by_titles(self._plan(query), limit)

    def answer_to(self, query: Query) -> int | None:
        """Return the best article in which all that was asked for stands."""
        if not query.words:
            return None
        wanted = _wanted(query)
        all_terms = " & ".join(map(vectors.quoted, query.terms))
        articles, _ = find_all(self._connection, Wanted(wanted.with_(all_terms), wanted.phrases), MOST_RANKED)
        if not articles:
            return None
        plan = self._plan(query)
        candidates = self._candidates(articles, plan)
        first = best(scorer.scores_of(candidates, plan, candidates.alive), 1)
        return int(candidates.article_ids[first[0]]) if len(first) else None

    def related(self, title: str, tags: tuple[str, ...], text: str, limit: int) -> list[Match]:
        """Return the articles most like this one."""
        weighed = key_terms(self._lexicon, title, tags, text)
        slots = [(Slot((Alternative(term, "text"),)), weight) for term, weight in weighed]
        articles, _ = find(self._connection, self._lexicon, self._state, slots, Wanted(), title_weight=0)
        candidates = self._candidates(articles[:MOST_RANKED], Plan([slot for slot, _ in slots]))
        return scorer.similar(candidates, weighed, limit)

    def questions(self, text: str) -> list[Question]:
        """Return what `text` asks for."""
        folded = fold(text)
        self._lexicon.learn(term.text for term in terms(folded))
        return needs.questions(text, self._lexicon)

    def find(self, query: Query, plan: Plan, tag: str | None, lang: str | None) -> tuple[list[int], bool]:
        """Return the articles that answer a query, roughly in order, and whether all were looked at."""
        wanted = _wanted(query, tag, lang)
        if not query.words:
            return find_all(self._connection, wanted) if tag or lang or query.is_filter else ([], True)
        slots = [(slot, 1.0) for slot in plan.slots]
        return find(self._connection, self._lexicon, self._state, slots, wanted)

    def counts(self, articles: Sequence[int]) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many of some articles are in each language and have each tag."""
        statement = f"""WITH found AS MATERIALIZED (
                SELECT lang, tags FROM {NAMESPACE}.texts WHERE article_id = ANY(CAST(:articles AS integer[])))
            SELECT true, lang, count(*) FROM found GROUP BY lang UNION ALL
            SELECT false, tag, count(*) FROM found, unnest(tags) AS tag GROUP BY tag"""
        counted = self._connection.execute(text(statement), {"articles": numbers(articles)}).all() if articles else []
        languages = {name: number for is_language, name, number in counted if is_language}
        parents = {key: 0 for lang in languages for key in language_keys(lang)}
        tags = {name: number for is_language, name, number in counted if not is_language}
        return with_parents(parents | languages), tags

    def _by_titles(self, plan: Plan, limit: int, reader_lang: str | None = None) -> list[int]:
        articles = find_titles(self._connection, self._lexicon, self._state, plan)
        return scorer.with_titles(self._candidates(articles[:MOST_SUGGESTED], plan), plan, limit, reader_lang)

    def _candidates(self, articles: Sequence[int], plan: Plan) -> Candidates:
        alternatives = [each for slot in plan.slots for each in slot.alternatives]
        lexemes = [lexeme for each in alternatives for lexeme in vectors.lexemes_of(each)]
        lexemes += [term for pair in plan.neighbours for term in pair]
        return Candidates(self._connection, self._lexicon, self._state, articles, lexemes)

    def _plan(self, query: Query, *, is_typing: bool = False) -> Plan:
        """Return the plan of a query; what it needs to know is asked for at once, as far as that can be told."""
        self._lexicon.learn(lexeme for word in query.words for lexeme in _sounding(word))
        self._lexicon.words.learn(word for word in _joined_and_split(query, self._lexicon))
        plan = expand(query, self._lexicon, is_typing=is_typing)
        self._lexicon.learn(
            lexeme for slot in plan.slots for each in slot.alternatives for lexeme in vectors.lexemes_of(each)
        )
        return plan


@dataclass(frozen=True)
class PostgresFound:
    """The articles that answer a query: the best of them ranked, the others behind them roughly in order."""

    reader: PostgresReader
    query: Query
    order: Order
    articles: list[int]
    tag: str | None
    lang: str | None
    is_complete: bool

    @property
    def plan(self) -> Plan:
        """What was looked up."""
        return self.order.plan

    @property
    def total(self) -> int:
        """How many articles match; of very many, only so many as are found."""
        return len(self.articles)

    def page(self, offset: int, size: int) -> list[Match]:
        """Return `size` matches from place `offset`, the best first."""
        if not self.articles:
            return []
        ranked = min(len(self.articles), MOST_RANKED)
        found = self.order.page(offset, size) if offset < ranked else []
        rest = self.articles[max(offset, ranked) : offset + size]
        least = float(self.order.scores.min())
        return [*found, *(Match(article, least, ("text",)) for article in rest)]

    def languages(self) -> dict[str, int]:
        """Return how many matches each language would have, were it chosen."""
        return self._counted[0] if self.lang is None else self._counts(self.tag, None)[0]

    def tags(self) -> dict[str, int]:
        """Return how many matches each tag would have, were it chosen."""
        return self._counted[1] if self.tag is None else self._counts(None, self.lang)[1]

    @cached_property
    def _counted(self) -> tuple[dict[str, int], dict[str, int]]:
        return self.reader.counts(self.articles)

    def _counts(self, tag: str | None, lang: str | None) -> tuple[dict[str, int], dict[str, int]]:
        return self.reader.counts(self.reader.find(self.query, self.plan, tag, lang)[0])


def _wanted(query: Query, tag: str | None = None, lang: str | None = None) -> Wanted:
    """Return what an article has to have beside the words of a query."""
    tags = [*query.tags, *([tag] if tag else [])]
    parts = [vectors.quoted(vectors.tag(each)) for each in tags]
    parts += [f"!{vectors.quoted(vectors.tag(each))}" for each in query.excluded_tags]
    parts += [vectors.quoted(vectors.language(lang))] if lang else []
    if query.langs:
        parts.append("(" + " | ".join(vectors.quoted(vectors.language(each)) for each in query.langs) + ")")
    parts += [f"!{vectors.quoted(vectors.language(each))}" for each in query.excluded_langs]
    parts += [f"!{vectors.phrase(_lexemes([term.text for term in excluded]))}" for excluded in query.excluded]
    return Wanted(" & ".join(parts), tuple(tuple(_lexemes([term.text for term in each])) for each in query.phrases))


def _lexemes(phrase: Sequence[str]) -> Sequence[str]:
    """Return what a phrase is looked up by; a single Chinese character is found within words too."""
    is_character = len(phrase) == 1 and len(phrase[0]) == 1 and is_han(phrase[0])
    return [vectors.lexeme(CHARACTERS, phrase[0])] if is_character else phrase


def _sounding(word: Word) -> list[str]:
    """Return what `expand` asks for of a word: itself, and its sound."""
    syllables = pinyin.syllables_of(word.raw) or []
    sounds = [*syllables, *(left + right for left, right in pairwise(syllables))]
    return [vectors.lexeme(TEXT, word.term), *(vectors.lexeme(SYLLABLES, sound) for sound in sounds)]


def _joined_and_split(query: Query, lexicon: PostgresLexicon) -> list[str]:
    """Return the words that `expand` asks for: neighbours written as one, and parts of what nobody knows."""
    raw = [word.raw for word in query.words]
    starts = range(len(raw))
    joined = ["".join(raw[at : at + number]) for number in range(2, MOST_JOINED + 1) for at in starts]
    unknown = [word.raw for word in query.words if word.raw.isascii() and not lexicon.spread(word.term)]
    return [*joined, *(part for word in unknown for at in range(3, len(word) - 2) for part in (word[:at], word[at:]))]
