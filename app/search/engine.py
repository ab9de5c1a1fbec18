"""What the site asks of a search engine. Services know no more of it, and do not know which one answers.

Two answer: Whoosh, from an index in files of each host (index.py), and PostgreSQL, from one in the site's database for
all hosts (postgresql/). They share what stands in an index (schema.py, analysis.py), by which terms a query is looked
up (expansion.py), and how much each weighs (weights.py, scorer.py).
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from app.search.needs import Question
from app.search.plan import Match, Plan
from app.search.query import Query
from app.search.schema import Entry

# Changes that a search brings in, or waits for, before it looks: whoever writes no more is done in a moment, and most
# of what articles are like stays as it is.
FEW = 20
NO_INDEX = "There is no search index: run `omniracle reindex`."


class Found(Protocol):
    """The articles that answer one query, in order."""

    @property
    def plan(self) -> Plan:
        """What was looked up."""

    @property
    def total(self) -> int:
        """How many articles match."""

    @property
    def is_complete(self) -> bool:
        """False where a phrase of frequent words was looked for in a part of the articles."""

    def page(self, offset: int, size: int) -> list[Match]:
        """Return `size` matches from place `offset`, the best first."""

    def languages(self) -> dict[str, int]:
        """Return how many matches each language would have, were it chosen; zh-Hant counts as zh too."""

    def tags(self) -> dict[str, int]:
        """Return how many matches each tag would have, were it chosen."""


@dataclass(frozen=True)
class Suggested:
    """What may be meant by what was typed so far, the best first."""

    plan: Plan
    by_title: list[int]  # articles
    by_heading: list[int]


class Reader(Protocol):
    """One state of the index."""

    @property
    def generation(self) -> int:
        """The number of the state; every change gives it another one."""

    def revisions(self) -> dict[int, int]:
        """Return which revision of each article is in the index, by article id."""

    def search(
        self, query: Query, *, tag: str | None = None, lang: str | None = None, reader_lang: str | None = None
    ) -> Found:
        """Return what answers a query; `tag` and `lang` narrow like the query's own filters."""

    def suggest(self, query: Query, titles: int, headings: int, reader_lang: str | None = None) -> Suggested:
        """Return so many articles at most whose titles, and whose headings, fit what was typed so far."""

    def near(self, query: Query, limit: int) -> list[int]:
        """Return the articles whose titles have most of a query, the best first."""

    def answer_to(self, query: Query) -> int | None:
        """Return the best article in which all that was asked for stands as it was typed; None when none has it."""

    def related(self, title: str, tags: tuple[str, ...], text: str, limit: int) -> list[Match]:
        """Return the articles most like one with this title, tags and text; it is among them when it is indexed."""

    def questions(self, text: str) -> list[Question]:
        """Return what `text` asks for, in each way of writing; a word that no article has weighs most."""


class Build(Protocol):
    """An index that is being built beside the live one."""

    def fill(self, entries: Iterable[Entry]) -> None:
        """Add articles, each once."""

    def update(self, entries: list[Entry], removed: list[int]) -> None:
        """Put in what has changed since it was filled."""

    def take_over(self, position: int, stamp: str) -> None:
        """Take the place of the live index, with all changes up to the one with this number; hold the write lock.

        Raises OperatorError where somebody keeps it from that.
        """


class SearchEngine(Protocol):
    """One process's view of an index; safe to use from several threads.

    Every method that looks into it may raise IndexUnavailable.
    """

    def is_usable(self, identity: str, *, thorough: bool = False) -> bool:
        """Say whether there is a whole index of this schema for the database with this identity."""

    def is_whole(self, *, thorough: bool = False) -> bool:
        """Say whether all of the index is there; a `thorough` look takes its time."""

    def reading(self) -> AbstractContextManager[Reader]:
        """Yield the newest state."""

    def generation(self) -> int:
        """Return the number of the newest state."""

    def write_lock(self, *, patience_s: float = ...) -> AbstractContextManager[bool]:
        """Hold the right to write to the index; yields False when another one has it for longer than `patience_s`."""

    def build_lock(self, *, patience_s: float = ...) -> AbstractContextManager[bool]:
        """Hold the right to build a new index beside the live one, in the same way."""

    def update(self, entries: list[Entry], removed: list[int]) -> None:
        """Put `entries` in place of what the index knows of them and forget `removed`; hold the write lock."""

    def position(self) -> int:
        """Return the number of the last change that the index knows, see app/storage/jobs.py; 0 when it knows none."""

    def anchor(self) -> tuple[int, str]:
        """Return its position, and what tells the change there from others that get its number; "" when not known.

        A database that was restored gives the numbers once more that it had given since.
        """

    def advance(self, position: int, stamp: str) -> None:
        """Note that the index knows all changes up to this one; hold the write lock."""

    def scattered(self) -> list[int]:
        """Return the ids of the articles that are better written anew, with one `update`; hold the write lock."""

    def discard(self) -> None:
        """Let there be no index any more; hold the build lock."""

    def building(self, identity: str) -> AbstractContextManager[Build]:
        """Yield a new, empty index beside the live one; it is thrown away unless it takes over. Hold the build lock."""

    def close(self) -> None:
        """Let go of what is open."""
