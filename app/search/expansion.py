"""From what was typed to what is looked up: other spellings, beginnings, corrections and sounds of each word."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

from app.search import pinyin, regional
from app.search.analysis import stem, terms
from app.search.folding import is_han
from app.search.lexicon import Lexicon
from app.search.plan import TEXT, WORD, Alternative, Plan, Slot
from app.search.query import Query, Word
from app.search.schema import CHARACTERS, INITIALS, SYLLABLES
from app.search.vocabulary import LONGEST

MOST_WORDS = 24  # distinct ones; of a longer text the rarest are looked up
MAX_COMPLETIONS = 8
MAX_CORRECTIONS = 3
MIN_COMPLETED = 2  # letters
MIN_JOINED = 3
MOST_JOINED = 3  # words
RIVAL = 30  # times as frequent as what was typed is a word that was probably meant
MIN_RIVALLED = 5  # letters
MIN_INITIALS = 2
MAX_INITIALS = 8
SURE_INITIALS = 4  # letters; so many in one title are no chance, fewer may be a mistyped word
RARE_SOUND = 20  # articles; a pinyin word that more have is a word of its own


def expand(query: Query, lexicon: Lexicon, *, is_typing: bool = False) -> Plan:
    """Return the plan of a query; while it is typed, its last word is completed even where it is a word already."""
    plan = Plan()
    words = _rarest(query.words, lexicon)
    sounds = _sound_runs(words, lexicon)
    seen: set[str] = set()
    for place, word in enumerate(words):
        if word.term in seen:
            continue
        seen.add(word.term)
        if place in sounds:
            continue
        is_last = query.is_open and word is query.words[-1]
        plan.slots += _slots_of_word(word, lexicon, plan, is_last=is_last, is_typing=is_typing)
    plan.slots += _sound_slots(words, sounds)
    plan.slots += _joined_slots(words, lexicon)
    plan.slots += _regional_slots(query, seen)
    plan.neighbours = [
        (left.term, right.term)
        for left, right in pairwise(words)
        if left.term != right.term and left.term.isascii() and right.term.isascii()
    ]
    return plan


def _rarest(words: Sequence[Word], lexicon: Lexicon) -> Sequence[Word]:
    """Return the words that tell most of a long text, in their order."""
    distinct = dict.fromkeys(word.term for word in words)
    if len(distinct) <= MOST_WORDS:
        return words
    frequency = lexicon.frequencies("body", distinct)
    known = sorted((term for term in distinct if frequency[term]), key=lambda term: frequency[term])
    kept = set([*known, *(term for term in distinct if not frequency[term])][:MOST_WORDS])
    return [word for word in words if word.term in kept]


def _slots_of_word(word: Word, lexicon: Lexicon, plan: Plan, *, is_last: bool, is_typing: bool) -> Iterator[Slot]:
    alternatives = [Alternative(word.term, "text")]
    if len(word.term) == 1 and is_han(word.term):
        alternatives.append(Alternative(word.term, "character", CHARACTERS))
    if not (word.raw.isascii() and word.raw.isalnum()):
        yield Slot(tuple(alternatives))
        return
    frequency = lexicon.spread(word.term)
    if is_last and len(word.raw) >= MIN_COMPLETED and (is_typing or not frequency):
        alternatives += _completions(word, lexicon)
    if frequency == 0 and len(alternatives) == 1 and (parts := _split(word.raw, lexicon)):
        yield from (Slot((Alternative(stem(part), "text"),)) for part in parts)
        return
    corrections = _corrections(word, lexicon, frequency) if not (frequency and is_typing and is_last) else []
    if frequency == 0:
        initials = _initials(word.raw, lexicon)
        if initials and (len(word.raw) >= SURE_INITIALS or not (corrections or len(alternatives) > 1)):
            yield from (Slot((Alternative(pair, "pinyin", INITIALS),)) for pair in initials)
            return
    if corrections:
        alternatives += [Alternative(stem(correction), "typo") for correction in corrections]
        plan.corrections[word.raw] = corrections[0]
    yield Slot(tuple(alternatives))


def _completions(word: Word, lexicon: Lexicon) -> list[Alternative]:
    stems = {stem(candidate) for candidate in lexicon.words.completions(word.raw)} - {word.term}
    frequency = lexicon.frequencies("title", stems)
    by_frequency = sorted(stems, key=lambda term: (-frequency[term], term))
    return [Alternative(term, "prefix") for term in by_frequency[:MAX_COMPLETIONS]]


def _corrections(word: Word, lexicon: Lexicon, frequency: int) -> list[str]:
    """Return the words that were probably meant: near an unknown one, or far more frequent; the likeliest first."""
    if frequency and (len(word.raw) < MIN_RIVALLED or frequency * RIVAL > lexicon.number):
        return []
    weighed = [
        (number, lexicon.words.is_in_titles(near), near)
        for near in lexicon.words.corrections(word.raw)
        if (number := lexicon.spread(stem(near))) and stem(near) != word.term
    ]
    likely = [found for found in sorted(weighed, reverse=True) if found[0] > frequency * RIVAL]
    return [near for _, _, near in likely[:MAX_CORRECTIONS]]


def _split(raw: str, lexicon: Lexicon) -> tuple[str, str] | None:
    """Return two known words that were typed as one, the pair whose rarer word is the most frequent."""
    best, best_frequency = None, 0
    if len(raw) > LONGEST:
        return None
    for at in range(3, len(raw) - 2):
        left, right = raw[:at], raw[at:]
        if left in lexicon.words and right in lexicon.words:
            frequency = min(lexicon.spread(stem(part)) for part in (left, right))
            if frequency > best_frequency:
                best, best_frequency = (left, right), frequency
    return best


def _joined_slots(words: Sequence[Word], lexicon: Lexicon) -> Iterator[Slot]:
    """Yield known words that were typed apart: `uvicorn worker` for UvicornWorker."""
    for number in range(2, MOST_JOINED + 1):
        for start in range(len(words) - number + 1):
            parts = [word.raw for word in words[start : start + number]]
            joined = "".join(parts)
            if min(map(len, parts)) >= MIN_JOINED and joined.isascii() and joined.isalpha() and joined in lexicon.words:
                yield Slot((Alternative(stem(joined), "joined"),), is_optional=True)


def _regional_slots(query: Query, seen: AbstractSet[str]) -> Iterator[Slot]:
    """Yield the other side's words, and the pairs by which they hang together with what stands beside them."""
    words, texts = regional.variants(query.typed)
    known = set(seen)
    for word in words:
        found = [term.text for term in terms(word)]
        known.update(found)
        yield Slot((Alternative(" ".join(found), "variant", WORD if len(found) > 1 else TEXT),), is_optional=True)
    for other in dict.fromkeys(term.text for text in texts for term in terms(text)):
        if other not in known:
            yield Slot((Alternative(other, "variant"),), is_optional=True)


def _sound_runs(words: Sequence[Word], lexicon: Lexicon) -> dict[int, list[str]]:
    """Return the syllables of those words that are pinyin, by the word's place."""
    syllables = {
        place: found
        for place, word in enumerate(words)
        if (found := pinyin.syllables_of(re.sub("['’]", "", word.raw))) and _sounds(found, word, lexicon)
    }
    # One syllable may be anything; it is pinyin between others, or alone where it is no word at all.
    return {
        place: found
        for place, found in syllables.items()
        if len(found) > 1
        or place - 1 in syllables
        or place + 1 in syllables
        or (len(words) == 1 and not lexicon.spread(words[0].term))
    }


def _sounds(syllables: list[str], word: Word, lexicon: Lexicon) -> bool:
    if lexicon.spread(word.term) > RARE_SOUND:
        return False
    found = pinyin.pairs(syllables) or syllables
    return all(lexicon.frequency(SYLLABLES, term) for term in found)


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


def _initials(raw: str, lexicon: Lexicon) -> list[str] | None:
    if not (MIN_INITIALS <= len(raw) <= MAX_INITIALS and raw.isalpha()):
        return None
    found = pinyin.pairs(raw)
    return found if lexicon.has_title_with(INITIALS, found) else None
