"""Slugs: the lower-case ASCII names that stand in addresses."""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from itertools import count
from pathlib import PurePosixPath

MAX_LENGTH = 80
READ_LENGTH = 400  # more of a text cannot show in a slug

_HAN = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_APOSTROPHES = str.maketrans("", "", "'\u2019\u02bc`")
_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "\u0131": "i"}
)
_FOLDER_FILES = {"readme", "index", "_index"}


def default_slug(path: PurePosixPath) -> str:
    """Return the slug of the file at `path` when it names none itself; README and index files take their folder's."""
    stem = path.name.split(".", 1)[0] if path.name.count(".") == 1 else path.stem
    if stem.casefold() in _FOLDER_FILES and path.parent.name not in {"", ".", ".."}:
        return slugify(path.parent.name)
    return slugify(stem)


def slugify(text: str) -> str:
    """Return `text` as lower-case ASCII words joined by hyphens, at most 80 characters and never empty."""
    folded = unicodedata.normalize("NFKC", text[:READ_LENGTH]).lower().translate(_APOSTROPHES)
    words = re.findall(r"[a-z0-9]+", _to_latin(folded))
    if not words:
        return f"q-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return _shortened("-".join(words), MAX_LENGTH)


def unique(slug: str, taken: Callable[[str], bool]) -> str:
    """Return `slug`, or the first of slug-2, slug-3 … that is not taken."""
    if not taken(slug):
        return slug
    for number in count(2):
        ending = f"-{number}"
        candidate = _shortened(slug, MAX_LENGTH - len(ending)) + ending
        if not taken(candidate):
            return candidate
    raise AssertionError  # count() never ends


def _to_latin(text: str) -> str:
    if _HAN.search(text):
        text = _with_pinyin(text)
    decomposed = unicodedata.normalize("NFKD", text.translate(_LATIN))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _with_pinyin(text: str) -> str:
    from pypinyin import lazy_pinyin  # costs 57 MB, and most processes never need it

    return _HAN.sub(lambda han: f" {' '.join(lazy_pinyin(han[0], errors='ignore'))} ", text)


def _shortened(slug: str, length: int) -> str:
    if len(slug) <= length:
        return slug
    cut = slug[: length + 1].rpartition("-")[0]
    return cut or slug[:length]
