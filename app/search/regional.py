"""Words that Taiwan and the mainland write differently: 軟體 and 软件, 程式 and 程序.

The index folds characters; whole words are exchanged in the query alone, by OpenCC's lists of them.
"""

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import opencc

from app.search.folding import HAN_RANGES, fold

if TYPE_CHECKING:
    from opencc import OpenCC

_LISTS = Path(opencc.__file__).parent / "clib" / "share" / "opencc"


def variants(text: str) -> list[str]:
    """Return `text` with the words of the other side of the strait, folded; only what differs from it folded."""
    if not any(first <= ord(character) <= last for character in text for first, last in HAN_RANGES):
        return []
    traditional = _converter("STCharacters").convert(text)
    found = dict.fromkeys(fold(_converter(name).convert(traditional)) for name in ("TWPhrasesRev", "TWPhrases"))
    return [other for other in found if other != fold(traditional)]


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
