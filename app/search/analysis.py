"""Cutting text into terms, alike for the index and for queries.

Words of alphabetic scripts become their English stems. Chinese, Japanese and Korean runs become overlapping pairs of
characters (no dictionary is needed, none can be wrong) in the text fields, and single characters in a field of their
own. Scripts split at their border: `uvicorn进程` is a word and a pair.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from whoosh.analysis import Token, Tokenizer
from whoosh.lang.snowball.english import EnglishStemmer

from app.search.folding import fold

CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U000323af"
_TERM = re.compile(
    rf"(?P<cjk>[{CJK}]+)|(?P<symbol>(?<![^\W_])[a-z](?:\+\+|#)(?![^\W_]))|(?P<word>[^\W_{CJK}]+(?:['’][a-z]{{1,2}}(?![^\W_]))?)"
)
MAX_TERM = 64  # a longer run of letters is data, not a word

_stemmer = EnglishStemmer()


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the text: its form in the index, its place among the terms, and its span in the folded text."""

    text: str
    position: int
    start: int
    end: int


def terms(folded: str) -> Iterator[Term]:
    """Yield the terms of a folded text: stems of words, pairs of neighbouring CJK characters.

    A CJK character that stands alone is a term by itself.
    """
    position = 0
    for match in _TERM.finditer(folded):
        start, end = match.span()
        if match.lastgroup == "cjk":
            if end - start == 1:
                yield Term(match.group(), position, start, end)
            for at in range(start, end - 1):
                yield Term(folded[at : at + 2], position + at - start, at, at + 2)
            position += max(1, end - start - 1)  # as many as there are pairs, so that phrases run on across scripts
        else:
            yield Term(stem(match.group()[:MAX_TERM]), position, start, end)
            position += 1


def runs(folded: str) -> Iterator[tuple[int, int, bool]]:
    """Yield where each word and each CJK run of a folded text begins and ends, and whether it is such a run."""
    for match in _TERM.finditer(folded):
        yield *match.span(), match.lastgroup == "cjk"


def characters(folded: str) -> set[str]:
    """Return the single CJK characters of a folded text."""
    return {character for match in _TERM.finditer(folded) if match.lastgroup == "cjk" for character in match.group()}


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the stem of a folded word; words with other than ASCII letters are their own stem."""
    word = re.sub(r"['’][a-z]*$", "", word) or word
    if not word.isascii() or not word.isalpha() or len(word) < 3:
        return word
    return str(_stemmer.stem(word))


class TermTokenizer(Tokenizer):  # type: ignore[misc]
    """Hands `terms` to Whoosh."""

    def __call__(self, value: str, **_modes: Any) -> Iterator[Token]:
        """Yield one reused token per term, as Whoosh's own tokenizers do."""
        token = Token(positions=True)
        for term in terms(fold(value)):
            token.text = term.text
            token.pos = term.position
            token.boost = 1.0
            token.stopped = False
            yield token


class CharacterTokenizer(Tokenizer):  # type: ignore[misc]
    """Hands `characters` to Whoosh."""

    def __call__(self, value: str, **_modes: Any) -> Iterator[Token]:
        """Yield one reused token per distinct character."""
        token = Token()
        for character in sorted(characters(fold(value))):
            token.text = character
            token.boost = 1.0
            token.stopped = False
            yield token
