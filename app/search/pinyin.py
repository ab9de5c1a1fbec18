"""Pinyin: how Chinese titles are found by their sound.

The index holds, for each run of Chinese characters, the syllables and pairs of neighbouring syllables in every reading
that a character has, and pairs of neighbouring initials. A query in Latin letters is cut into syllables (no dictionary
is needed for that, there are about 400 of them) and looked up by the same pairs.
"""

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

from app.search.folding import HAN_RANGES, fold

MAX_READINGS = 3  # of a character; further ones are names and dialects
MAX_WORD = 60  # letters of a query word that are cut into syllables

_HAN_RUN = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in HAN_RANGES) + "]+")
_SYLLABLES = frozenset(
    syllable
    for initial, finals in {
        "": "a ai an ang ao e ei en eng er o ou",
        "b": "a ai an ang ao ei en eng i ian iao ie in ing o u",
        "p": "a ai an ang ao ei en eng i ian iao ie in ing o ou u",
        "m": "a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u",
        "f": "a an ang ei en eng o ou u",
        "d": "a ai an ang ao e ei en eng i ia ian iao ie ing iu ong ou u uan ui un uo",
        "t": "a ai an ang ao e eng i ian iao ie ing ong ou u uan ui un uo",
        "n": "a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong ou u uan ue uo",
        "l": "a ai an ang ao e ei eng i ia ian iang iao ie in ing iu o ong ou u uan ue un uo",
        "g": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
        "k": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
        "h": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
        "j": "i ia ian iang iao ie in ing iong iu u uan ue un",
        "q": "i ia ian iang iao ie in ing iong iu u uan ue un",
        "x": "i ia ian iang iao ie in ing iong iu u uan ue un",
        "zh": "a ai an ang ao e ei en eng i ong ou u ua uai uan uang ui un uo",
        "ch": "a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo",
        "sh": "a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo",
        "r": "an ang ao e en eng i ong ou u ua uan ui un uo",
        "z": "a ai an ang ao e ei en eng i ong ou u uan ui un uo",
        "c": "a ai an ang ao e en eng i ong ou u uan ui un uo",
        "s": "a ai an ang ao e en eng i ong ou u uan ui un uo",
        "y": "a an ang ao e i in ing o ong ou u uan ue un",
        "w": "a ai an ang ei en eng o u",
    }.items()
    for syllable in (initial + final for final in finals.split())
)
_LONGEST = max(map(len, _SYLLABLES))


def syllable_terms(text: str) -> set[str]:
    """Return what `text` is found by when it is typed in full pinyin: syllables, and pairs of neighbouring ones."""
    terms: set[str] = set()
    for run in _readings_of_runs(text):
        terms.update(syllable for readings in run for syllable in readings)
        for left, right in itertools.pairwise(run):
            terms.update(first + second for first in left for second in right)
    return terms


def places(text: str, sounds: Collection[str]) -> list[int]:
    """Return where in `text` two neighbouring Chinese characters have one of these pairs of syllables."""
    return [
        at
        for at, (left, right) in enumerate(itertools.pairwise(text))
        if any(first + second in sounds for first in _readings(fold(left)) for second in _readings(fold(right)))
    ]


def initial_terms(text: str) -> set[str]:
    """Return what `text` is found by when only the first letters are typed: pairs of neighbouring initials."""
    terms: set[str] = set()
    for run in _readings_of_runs(text):
        initials = [{syllable[0] for syllable in readings} for readings in run]
        for left, right in itertools.pairwise(initials):
            terms.update(first + second for first in left for second in right)
    return terms


def syllables_of(word: str) -> list[str] | None:
    """Return the syllables of a folded Latin word, the fewest possible; None when it is no pinyin."""
    word = _without_umlauts(word)
    if not word.isascii() or not word.isalpha() or len(word) > MAX_WORD:
        return None
    best: list[list[str] | None] = [[], *[None] * len(word)]
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - _LONGEST), end):
            before, syllable = best[start], word[start:end]
            if before is None or syllable not in _SYLLABLES:
                continue
            shortest = best[end]
            if shortest is None or len(before) + 1 < len(shortest):
                best[end] = [*before, syllable]
    return best[-1]


def pairs(items: list[str] | str) -> list[str]:
    """Return each item joined to its neighbour."""
    return [left + right for left, right in itertools.pairwise(items)]


def _readings_of_runs(text: str) -> Iterator[list[list[str]]]:
    for run in _HAN_RUN.finditer(fold(text)):
        yield [_readings(character) for character in run.group()]


@cache
def _readings(character: str) -> list[str]:
    marked = _table().get(ord(character), "").split(",") if len(character) == 1 else []
    bare = dict.fromkeys(_without_marks(reading) for reading in marked if reading)
    return [reading for reading in bare if reading in _SYLLABLES][:MAX_READINGS]


def _without_marks(reading: str) -> str:
    letters = unicodedata.normalize("NFD", reading)
    return _without_umlauts("".join(letter for letter in letters if not unicodedata.combining(letter)).lower())


def _without_umlauts(word: str) -> str:
    # ü is typed as ü, v or u: lüe, lve, lue. After folding only the v is left to replace.
    return re.sub(r"(?<=[nlyjqx])v", "u", word)


@cache
def _table() -> dict[int, str]:
    """Return pypinyin's readings by code point. Importing the package itself would load 57 MB of phrases beside."""
    package = find_spec("pypinyin")
    assert package is not None
    assert package.origin is not None
    spec = spec_from_file_location("pypinyin_table", Path(package.origin).with_name("pinyin_dict.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    table: dict[int, str] = module.pinyin_dict
    return table
