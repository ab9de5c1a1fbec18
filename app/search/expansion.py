"""From what was typed to what is looked up: other spellings, beginnings, corrections and sounds of each word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from app.search import pinyin, regional
from app.search.analysis import stem, terms
from app.search.folding import fold, is_han
from app.search.query import Query, Word
from app.search.schema import CHARACTERS, INITIALS, SYLLABLES, TITLE_CHARACTERS
from app.search.snapshot import ImpactList, Snapshot

TEXT = "text"  # all text fields, as one
WEIGHTS = {"text": 1.0, "variant": 0.9, "joined": 0.9, "prefix": 0.65, "typo": 0.8, "pinyin": 0.65, "character": 0.45}
MAX_COMPLETIONS = 8
MAX_CORRECTIONS = 3
MIN_COMPLETED = 2  # letters
MIN_JOINED = 3
MIN_INITIALS = 2
MAX_INITIALS = 8
SURE_INITIALS = 4  # letters; so many in one title are no chance, fewer may be a mistyped word
RARE_SOUND = 20  # articles; a pinyin word that more have is a word of its own


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
        return [other.term for slot in self.slots for other in slot.alternatives if other.field == TEXT]


def expand(query: Query, snapshot: Snapshot) -> Plan:
    """Return the plan of a query."""
    plan = Plan()
    sounds = _sound_runs(query.words, snapshot)
    seen: set[str] = set()
    for place, word in enumerate(query.words):
        if word.term in seen:
            continue
        seen.add(word.term)
        if place in sounds:
            continue
        is_last = query.is_open and place == len(query.words) - 1
        plan.slots += _slots_of_word(word, snapshot, plan, is_last=is_last)
    plan.slots += _sound_slots(query.words, sounds)
    plan.slots += _joined_slots(query.words, snapshot)
    plan.slots += _regional_slots(query, seen)
    plan.neighbours = [
        (left.term, right.term)
        for left, right in pairwise(query.words)
        if left.term != right.term and left.term.isascii() and right.term.isascii()
    ]
    return plan


def text_list(snapshot: Snapshot, alternative: Alternative) -> ImpactList:
    """Return the documents that have an alternative anywhere, with its impact on each."""
    if alternative.field == TEXT:
        return snapshot.text(alternative.term)
    return snapshot.plain(alternative.field, alternative.term)


def title_list(snapshot: Snapshot, alternative: Alternative) -> ImpactList:
    """Return the documents that have an alternative in their titles, with its impact there."""
    if alternative.field == TEXT:
        return snapshot.title(alternative.term)
    field = TITLE_CHARACTERS if alternative.field == CHARACTERS else alternative.field
    return snapshot.plain(field, alternative.term)


def _slots_of_word(word: Word, snapshot: Snapshot, plan: Plan, *, is_last: bool) -> Iterator[Slot]:
    alternatives = [Alternative(word.term, "text")]
    if len(word.term) == 1 and is_han(word.term):
        alternatives.append(Alternative(word.term, "character", CHARACTERS))
    if not (word.raw.isascii() and word.raw.isalnum()):
        yield Slot(tuple(alternatives))
        return
    frequency = len(snapshot.text(word.term)[0])
    if is_last and len(word.raw) >= MIN_COMPLETED:
        alternatives += _completions(word, snapshot)
    if frequency == 0 and len(alternatives) == 1 and (parts := _split(word.raw, snapshot)):
        yield from (Slot((Alternative(stem(part), "text"),)) for part in parts)
        return
    if frequency == 0:
        corrections = _corrections(word, snapshot)
        initials = _initials(word.raw, snapshot)
        if initials and (len(word.raw) >= SURE_INITIALS or not (corrections or len(alternatives) > 1)):
            yield from (Slot((Alternative(pair, "pinyin", INITIALS),)) for pair in initials)
            return
        alternatives += [Alternative(stem(correction), "typo") for correction in corrections]
        if corrections:
            plan.corrections[word.raw] = corrections[0]
    yield Slot(tuple(alternatives))


def _completions(word: Word, snapshot: Snapshot) -> list[Alternative]:
    stems = {stem(candidate) for candidate in snapshot.vocabulary.completions(word.raw)} - {word.term}
    by_frequency = sorted(stems, key=lambda term: -snapshot.frequency("title", term))
    return [Alternative(term, "prefix") for term in by_frequency[:MAX_COMPLETIONS]]


def _corrections(word: Word, snapshot: Snapshot) -> list[str]:
    """Return known words near an unknown one, the most frequent first."""
    weighed = [(len(snapshot.text(stem(near))[0]), near) for near in snapshot.vocabulary.corrections(word.raw)]
    return [near for number, near in sorted(weighed, reverse=True)[:MAX_CORRECTIONS] if number]


def _split(raw: str, snapshot: Snapshot) -> tuple[str, str] | None:
    """Return two known words that were typed as one, the pair whose rarer word is the most frequent."""
    best, best_frequency = None, 0
    for at in range(3, len(raw) - 2):
        left, right = raw[:at], raw[at:]
        if left in snapshot.vocabulary and right in snapshot.vocabulary:
            frequency = min(len(snapshot.text(stem(part))[0]) for part in (left, right))
            if frequency > best_frequency:
                best, best_frequency = (left, right), frequency
    return best


def _joined_slots(words: Sequence[Word], snapshot: Snapshot) -> Iterator[Slot]:
    """Yield known words that were typed as two: `uvicorn worker` for UvicornWorker."""
    for left, right in pairwise(words):
        joined = left.raw + right.raw
        if (
            min(len(left.raw), len(right.raw)) >= MIN_JOINED
            and joined.isascii()
            and joined.isalpha()
            and joined in snapshot.vocabulary
        ):
            yield Slot((Alternative(stem(joined), "joined"),), is_optional=True)


def _regional_slots(query: Query, seen: set[str]) -> Iterator[Slot]:
    for other in regional.variants(query.typed):
        for term in terms(fold(other)):
            if term.text not in seen:
                seen.add(term.text)
                yield Slot((Alternative(term.text, "variant"),), is_optional=True)


def _sound_runs(words: Sequence[Word], snapshot: Snapshot) -> dict[int, list[str]]:
    """Return the syllables of those words that are pinyin, by the word's place."""
    syllables = {
        place: found
        for place, word in enumerate(words)
        if word.raw.isalpha() and (found := pinyin.syllables_of(word.raw)) and _sounds(found, word, snapshot)
    }
    # One syllable may be anything; it is pinyin between others.
    return {
        place: found
        for place, found in syllables.items()
        if len(found) > 1 or place - 1 in syllables or place + 1 in syllables
    }


def _sounds(syllables: list[str], word: Word, snapshot: Snapshot) -> bool:
    if len(snapshot.text(word.term)[0]) > RARE_SOUND:
        return False
    found = pinyin.pairs(syllables) or syllables
    return all(len(snapshot.plain(SYLLABLES, term)[0]) for term in found)


def _sound_slots(words: Sequence[Word], sounds: dict[int, list[str]]) -> Iterator[Slot]:
    """Yield what each run of pinyin words is looked up by: pairs of syllables, across words too."""
    seen: set[str] = set()
    run: list[str] = []
    for place in range(len(words) + 1):
        if place in sounds:
            run += sounds[place]
            continue
        for term in pinyin.pairs(run) or run:
            if term not in seen:
                seen.add(term)
                yield Slot((Alternative(term, "pinyin", SYLLABLES),))
        run = []
    for place in sounds:  # the word itself, as it stands
        yield Slot((Alternative(words[place].term, "text"),), is_optional=True)


def _initials(raw: str, snapshot: Snapshot) -> list[str] | None:
    if not (MIN_INITIALS <= len(raw) <= MAX_INITIALS and raw.isalpha()):
        return None
    found = pinyin.pairs(raw)
    in_one_title = snapshot.alive.copy()
    for pair in found:
        in_one_title &= snapshot.mask(snapshot.plain(INITIALS, pair)[0])
    return found if in_one_title.any() else None
