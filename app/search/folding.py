"""Character folding: what a reader may type differently becomes the same, one character at a time.

NFKC (full width, ligatures, circled digits), lower case, Latin letters without accents, and traditional Chinese to
simplified by OpenCC's table of single characters. Nothing here depends on a character's neighbours, so that every
folded character leads back to its place in the text.
"""

import sys
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np

HAN_RANGES = ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
AT_ONCE = 2048  # characters that are converted together: all of them would take 18 MB, which malloc then keeps


class _FoldingTable(dict[int, str]):
    """A table for `str.translate` that works each character out when it is met first."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold_character(chr(code))
        return folded


_TABLE = _FoldingTable()
# The same by number, for long texts: the folded character, or 0 where it was not met yet or is not one character long.
# Of its 4 MB the system hands out only the pages that are written to.
_CODES = np.zeros(sys.maxunicode + 1, np.uint32)


def fold(text: str) -> str:
    """Return `text` folded; its length may differ."""
    return text.lower() if text.isascii() else text.translate(_TABLE)


def fold_with_offsets(text: str) -> tuple[str, Sequence[int]]:
    """Return `text` folded, and for each folded character the position in `text` that it stems from.

    The positions have one entry more than the folded text: the length of `text`.
    """
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    folded = _CODES[codes]
    uneven = np.flatnonzero(folded == 0)
    if len(uneven):
        for code in set(codes[uneven].tolist()):
            _CODES[code] = ord(_TABLE[code]) if len(_TABLE[code]) == 1 else 0
        folded = _CODES[codes]
        uneven = np.flatnonzero(folded == 0)
    if not len(uneven):
        return folded.tobytes().decode("utf-32-le", "surrogatepass"), range(len(text) + 1)
    lengths = np.ones(len(text), np.intp)
    lengths[uneven] = [len(_TABLE[code]) for code in codes[uneven].tolist()]
    return text.translate(_TABLE), [*np.repeat(np.arange(len(text)), lengths).tolist(), len(text)]


def is_han(character: str) -> bool:
    """Say whether `character` is a Chinese character."""
    code = ord(character)
    return any(first <= code <= last for first, last in HAN_RANGES)


def is_traditional(text: str) -> bool:
    """Say whether `text` has a character that only traditional Chinese has."""
    return not text.isascii() and not simplified().keys().isdisjoint(text)


def is_simplified(text: str) -> bool:
    """Say whether `text` has a character that only simplified Chinese has."""
    return not text.isascii() and not _only_simplified().isdisjoint(text)


@cache
def _only_simplified() -> frozenset[str]:
    return frozenset(simplified().values()) - simplified().keys()


@cache
def simplified() -> dict[str, str]:
    """Return the traditional characters whose simplified form is another one, with that form."""
    from opencc import OpenCC

    converter = OpenCC("t2s")
    found: dict[str, str] = {}
    for first, last in HAN_RANGES:
        for start in range(first, last + 1, AT_ONCE):
            characters = list(map(chr, range(start, min(start + AT_ONCE, last + 1))))
            converted = converter.convert("\n".join(characters)).split("\n")
            pairs = zip(characters, converted, strict=True)
            found.update((old, new) for old, new in pairs if old != new and len(new) == 1)
    return found


def _fold_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or "\u0300" <= character <= "\u036f":  # zero-width signs, accents of decomposed letters
        return ""
    folded = unicodedata.normalize("NFKC", character).casefold()
    if len(folded) > 1 and not any(map(str.isalnum, folded)):
        return " "  # an ellipsis is no more than any other sign between words, and one character keeps texts even
    if len(folded) == 1 and is_han(folded):
        return simplified().get(folded, folded)
    bare = unicodedata.normalize("NFD", folded)
    if bare[:1].isascii() and bare[:1].isalpha():
        return "".join(letter for letter in bare if not unicodedata.combining(letter))
    return folded
