"""What a question asks for, and how much of it a text has: the words that carry its content, weighed by rarity."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice

from app.search import regional
from app.search.analysis import CJK, MAX_TERM, runs, stem
from app.search.folding import fold
from app.search.lexicon import Lexicon
from app.search.schema import CHARACTERS

MOST_NEEDS = 100  # a longer question is judged by its beginning
HALF_A_WORD = 0.5  # what a Chinese character weighs: most words have two

# What frames a question or holds a sentence together, and tells nothing of what it is about.
_FRAME = frozenset(
    """
    a about actually after again all also always am an and any anybody anyone anything are as ask at be because been
    before being best better between but by can cannot can't come could did differ difference differences different do
    does doesn't doing don't done each either else ever every explain for from get gets getting give go goes going good
    got had happen happens has have having he help her here him his how i i'm if in instead into is isn't it it's its
    just know let like made make makes many may maybe me mean meaning means might more most much must my need needs no
    not of on one only or other others our out over people please put really say says see shall she should show so some
    somebody someone something sort such sure take tell than that the their them then there these they thing things
    think this those to too try understand up us use used uses using versus very vs want was way ways we well were what
    what's when where whether which while who whom whose why will with without won't would yet you your
    """.split()  # noqa: SIM905  a hundred quotes would hide the words
)
_FRAME_CHINESE = re.compile(
    "为什么|为何|什么时候|什么样|什么|怎么样|怎么办|怎么|怎样|如何|哪一个|哪一年|哪些|哪个|哪种|哪里|哪儿|多少|多久|是否|"
    "能否|可否|有没有|是不是|能不能|可不可以|要不要|会不会|该不该|可以|应该|需要|请问|告诉我|一下|一个|这个|那个|这种|"
    "这些|那些|我们|你们|他们|它们|自己|之间|时候|情况|东西|事情|区别|意思|还是|或者|以及|因为|所以|但是|如果|然后|就是|"
    "不是|没有|[的了吗呢吧啊呀是在和与或及由以所为而我你您他她它这那个有用把被对给让就都也到从于之其着过想要会能该里上下中后前请得地"
    "几谁哪还又再只才不没很最更做写好去来说看]"
)
_CHINESE = re.compile(f"[{CJK}]")
_LETTER = re.compile(rf"[^\W_{CJK}]")


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that is asked for; a text that has one of the terms has it."""

    start: int  # in the folded question
    end: int
    terms: tuple[str, ...]
    weight: float

    def is_met(self, folded: str) -> bool:
        """Say whether a folded text has it."""
        return any(term in folded if _CHINESE.match(term) else _has_word(folded, term) for term in self.terms)


@dataclass(frozen=True)
class Question:
    """What is asked for, in one way of writing."""

    text: str  # folded
    needs: tuple[Need, ...]  # in order; none when it only has words that frame a question

    def met(self, text: str) -> frozenset[Need]:
        """Return the needs that a text meets."""
        folded = fold(text)
        return frozenset(need for need in self.needs if need.is_met(folded))

    def share(self, met: AbstractSet[Need]) -> float:
        """Return how much of what is asked for these needs are, from 0 to 1."""
        total = sum(need.weight for need in self.needs)
        return sum(need.weight for need in self.needs if need in met) / total if total else 0.0

    def lacking(self, met: AbstractSet[Need]) -> list[str]:
        """Return what is asked for beside these needs, as it was typed, but folded."""
        words: list[str] = []
        end = -1
        for need in self.needs:
            if need not in met:
                word = self.text[need.start : need.end]
                if words and need.start == end:
                    words[-1] += word
                else:
                    words.append(word)
                end = need.end
        return list(dict.fromkeys(words))


def questions(text: str, lexicon: Lexicon) -> list[Question]:
    """Return what `text` asks for, first as it is written, then as the other side of the Taiwan Strait would write it.

    A word that no article has weighs most: an answer that says nothing of it is hardly one.
    """
    others = regional.variants(text)[1] if len(text) <= regional.MAX_LENGTH else []
    return [Question(folded, tuple(islice(_needs(folded, lexicon), MOST_NEEDS))) for folded in (fold(text), *others)]


def _needs(folded: str, lexicon: Lexicon) -> Iterator[Need]:
    for start, end, is_chinese in runs(folded):
        word = folded[start:end]
        if is_chinese:
            yield from _needs_of_run(word, start, lexicon)
        elif word.replace("’", "'") not in _FRAME:
            term = stem(word[:MAX_TERM])
            yield Need(start, end, (term,), _rarity(term, lexicon))


def _needs_of_run(run: str, start: int, lexicon: Lexicon) -> Iterator[Need]:
    """Yield each character that carries content; either pair that it is part of will do.

    Nobody knows where words end: of two pairs one may reach over a border, and then stands nowhere.
    """
    framing = {place for frame in _FRAME_CHINESE.finditer(run) for place in range(*frame.span())}
    for place, character in enumerate(run):
        if place in framing:
            continue
        pairs = [run[at : at + 2] for at in (place - 1, place) if 0 <= at < len(run) - 1]
        if pairs:
            weight = min(_rarity(pair, lexicon) for pair in pairs)
        else:
            weight = lexicon.rarity(character, lexicon.frequency(CHARACTERS, character))
        yield Need(start + place, start + place + 1, tuple(pairs or [character]), HALF_A_WORD * weight)


def _rarity(term: str, lexicon: Lexicon) -> float:
    return lexicon.rarity(term, lexicon.spread(term))


def _has_word(folded: str, term: str) -> bool:
    """Say whether a word with this stem stands in a folded text."""
    start = term[:-1] if len(term) > 3 else term  # a stem may end otherwise than the word: happi, happy
    return any(
        stem(found.group()) == term
        for found in re.finditer(rf"{re.escape(start)}[^\W_{CJK}]*", folded)
        if not _LETTER.match(folded[found.start() - 1 : found.start()])
    )
