"""What an engine knows of terms and words: how frequent they are, and which ones there are."""

from collections.abc import Collection, Iterable
from typing import Protocol


class Words(Protocol):
    """The words of the library as they are written; those of articles that are gone may be among them."""

    def __contains__(self, word: str) -> bool:
        """Say whether some article has `word`, written just so."""

    def is_in_titles(self, word: str) -> bool:
        """Say whether some title, heading or tag has `word`."""

    def corrections(self, word: str) -> list[str]:
        """Return the known words at one typing mistake's distance: a letter too much, missing, wrong, or swapped."""

    def completions(self, beginning: str) -> list[str]:
        """Return words of titles, headings and tags that begin so, `beginning` itself left out."""


class Lexicon(Protocol):
    """How frequent terms are."""

    @property
    def number(self) -> int:
        """How many articles there are; an engine may count those that were just replaced."""

    @property
    def words(self) -> Words:
        """The words of the library."""

    def spread(self, term: str) -> int:
        """Return how many articles have `term` in any text field."""

    def frequency(self, field: str, term: str) -> int:
        """Return how many articles have `term` in this field."""

    def frequencies(self, field: str, terms: Iterable[str]) -> dict[str, int]:
        """Return the same for many terms, by term."""

    def rarity(self, term: str, frequency: int) -> float:
        """Return the inverse document frequency of a term that so many articles have."""

    def has_title_with(self, field: str, terms: Collection[str]) -> bool:
        """Say whether one title has all of `terms` in this field."""
