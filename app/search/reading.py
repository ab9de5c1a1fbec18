"""One state of the Whoosh index, as services see it."""

from dataclasses import dataclass

from app.search import needs, scorer
from app.search.engine import Suggested
from app.search.expansion import expand
from app.search.needs import Question
from app.search.plan import Match
from app.search.query import Query
from app.search.ranking import Ranking
from app.search.related import key_terms
from app.search.snapshot import Snapshot


@dataclass(frozen=True)
class SnapshotReader:
    """Answers from one snapshot; each method does what app/search/engine.py says of it."""

    snapshot: Snapshot

    @property
    def generation(self) -> int:
        """The number of the state."""
        return self.snapshot.generation

    def revisions(self) -> dict[int, int]:
        """Return which revision of each article is in the index."""
        return self.snapshot.revisions()

    def search(
        self, query: Query, *, tag: str | None = None, lang: str | None = None, reader_lang: str | None = None
    ) -> Ranking:
        """Return the ranking of a query."""
        return scorer.search(self.snapshot, query, tag=tag, lang=lang, reader_lang=reader_lang)

    def suggest(self, query: Query, titles: int, headings: int, reader_lang: str | None = None) -> Suggested:
        """Return articles whose titles and headings fit what was typed so far."""
        plan = expand(query, self.snapshot, is_typing=True)
        by_title = scorer.with_titles(self.snapshot, plan, titles, reader_lang)
        return Suggested(plan, by_title, scorer.with_headings(self.snapshot, plan, headings))

    def near(self, query: Query, limit: int) -> list[int]:
        """Return the articles whose titles have most of a query."""
        return scorer.with_titles(self.snapshot, expand(query, self.snapshot), limit)

    def answer_to(self, query: Query) -> int | None:
        """Return the best article in which all that was asked for stands."""
        return scorer.answer_to(self.snapshot, query)

    def related(self, title: str, tags: tuple[str, ...], text: str, limit: int) -> list[Match]:
        """Return the articles most like this one."""
        return scorer.similar(self.snapshot, key_terms(self.snapshot, title, tags, text), limit)

    def questions(self, text: str) -> list[Question]:
        """Return what `text` asks for."""
        return needs.questions(text, self.snapshot)
