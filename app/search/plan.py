"""What is looked up for a query: its words, and what else each of them may stand for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.search.schema import CHARACTERS, INITIALS, SYLLABLES, TITLE_CHARACTERS, TITLE_SYLLABLES

TEXT = "text"  # all text fields, as one
WORD = "word"  # the same, for a word of several terms, joined by spaces, all of which have to be there
WEIGHTS = {"text": 1.0, "variant": 0.9, "joined": 0.9, "prefix": 0.7, "typo": 0.65, "pinyin": 0.5, "character": 0.45}
TITLE_FIELDS = {CHARACTERS: TITLE_CHARACTERS, SYLLABLES: TITLE_SYLLABLES, INITIALS: INITIALS}


@dataclass(frozen=True, slots=True)
class Alternative:
    """One term in one field, and how it relates to what was typed."""

    term: str
    kind: str  # a key of WEIGHTS
    field: str = TEXT


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that was asked for; the best alternative of each article counts. An optional one is not missed."""

    alternatives: tuple[Alternative, ...]
    is_optional: bool = False


@dataclass
class Plan:
    """What to look up for a query."""

    slots: list[Slot] = field(default_factory=list)
    neighbours: list[tuple[str, str]] = field(default_factory=list)  # Latin words typed one after the other
    corrections: dict[str, str] = field(default_factory=dict)  # mistyped words, and the best correction of each

    @property
    def text_terms(self) -> list[str]:
        """The terms that stand in texts, to be marked there."""
        found = (other for slot in self.slots for other in slot.alternatives if other.field in (TEXT, WORD))
        return [term for other in found for term in other.term.split()]

    @property
    def sounds(self) -> frozenset[str]:
        """Syllables, and pairs of them, by whose sound titles are found."""
        found = (other for slot in self.slots for other in slot.alternatives if other.field == SYLLABLES)
        return frozenset(other.term for other in found)


def latin(slots: Sequence[Slot]) -> bool:
    """Say whether all that was typed is in Latin letters."""
    return all(slot.alternatives[0].term.isascii() for slot in slots)


@dataclass(frozen=True)
class Match:
    """An article that answers a query."""

    article_id: int
    score: float
    kinds: tuple[str, ...]  # how its words relate to what was typed, keys of WEIGHTS
