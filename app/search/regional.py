"""Words that Taiwan and the mainland write differently: 軟體 and 软件, 程式 and 程序.

The index folds characters; whole words are exchanged in the query alone, by OpenCC's lists of them.
"""

import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import opencc

from app.search.folding import HAN_RANGES, fold

if TYPE_CHECKING:
    from opencc import OpenCC

LISTS = ("TWPhrasesRev", "TWPhrases")
MAX_LENGTH = 100  # characters of a text whose words are exchanged
LONGEST = 6  # characters of a word in the lists

_LISTS = Path(opencc.__file__).parent / "clib" / "share" / "opencc"


def variants(text: str) -> tuple[list[str], list[str]]:
    """Return, folded, the words that the other side of the strait uses for words of `text`, and `text` with them."""
    if not any(first <= ord(character) <= last for character in text for first, last in HAN_RANGES):
        return [], []
    traditional = _converter("STCharacters").convert(text[:MAX_LENGTH])
    known = fold(traditional)
    words = dict.fromkeys(fold(other) for name in LISTS for other in _exchanged(traditional, name))
    texts = dict.fromkeys(fold(_converter(name).convert(traditional)) for name in LISTS)
    return [word for word in words if word not in known], [other for other in texts if other != known]


def _exchanged(text: str, name: str) -> Iterator[str]:
    """Yield what the list has for the words of `text`, the longest word at each place."""
    convert = _converter(name).convert
    if convert(text) == text:
        return
    at = 0
    while at < len(text):
        for length in range(min(LONGEST, len(text) - at), 1, -1):
            piece = text[at : at + length]
            other = convert(piece)
            # A word, and no text of several: its parts by themselves become something else.
            parts = (convert(piece[:cut]) + convert(piece[cut:]) for cut in range(1, length))
            if other != piece and other not in parts:
                yield other
                at += length - 1
                break
        at += 1


@cache
def _converter(name: str) -> "OpenCC":
    """Return a converter by this list of OpenCC alone: its own configurations load several and take 50 MB."""
    dictionary = {"type": "ocd2", "file": str(_LISTS / f"{name}.ocd2")}
    configuration = {
        "name": name,
        "segmentation": {"type": "mmseg", "dict": dictionary},
        "conversion_chain": [{"dict": dictionary}],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "configuration.json")
        path.write_text(json.dumps(configuration), encoding="utf-8")
        return opencc.OpenCC(str(path))
