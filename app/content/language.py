"""Languages: BCP 47 tags, and the language of a text by its script."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.core import get_global, parse_locale

SAMPLE_LENGTH = 20_000


def canonical(tag: str) -> str | None:
    """Return `tag` in BCP 47 spelling (zh, zh-Hant, pt-BR), or None when it names no known language."""
    try:
        language, territory, script, *_ = parse_locale(tag.strip().replace("_", "-"), sep="-")
    except ValueError:
        return None
    names = _names()
    if language not in names.languages:
        return None
    if (script and script not in names.scripts) or (territory and territory not in names.territories):
        return None
    return "-".join(part for part in (language, script, territory) if part)


def simplest(tag: str) -> str | None:
    """Return the shortest tag that says the same: en-US is en, zh-CN zh, zh-TW zh-Hant, pt-PT stays."""
    found = canonical(tag)
    if found is None:
        return None
    language, *rest = found.split("-")
    if language == "zh":
        is_traditional = "Hans" not in rest and {"Hant", "TW", "HK", "MO"} & set(rest)
        return "zh-Hant" if is_traditional else "zh"
    likely = get_global("likely_subtags").get(language, "").split("_")[1:]
    kept = [part for part in rest if part not in likely]
    return "-".join([language, *kept])


def with_parents(counts: Mapping[str, int]) -> dict[str, int]:
    """Return by language what is found under it: zh-Hant under zh too."""
    total = {name: sum(n for code, n in counts.items() if f"{code}-".startswith(f"{name}-")) for name in counts}
    return {name: number for name, number in total.items() if number}


def detect(text: str) -> str:
    """Return the language of `text` as far as its script tells; English for Latin letters."""
    sample = text[:SAMPLE_LENGTH]
    counts = {lang: len(pattern.findall(sample)) for lang, pattern in SCRIPTS.items()}
    letters = len(_LATIN.findall(sample)) / 5  # a Latin word has about five letters, a Chinese one or two
    kana, han, hangul = counts.pop("ja"), counts.pop("zh"), counts.pop("ko")
    if kana + han + hangul > letters / 4:
        if kana > (kana + han) / 8 and kana > hangul:
            return "ja"
        if hangul > han:
            return "ko"
        return _chinese(sample)
    best = max(counts, key=lambda lang: counts[lang])
    return best if counts[best] > letters else "en"


def _chinese(text: str) -> str:
    han = "".join(SCRIPTS["zh"].findall(text))
    to_simplified, to_traditional = _converter("t2s").convert(han), _converter("s2t").convert(han)
    traditional = sum(a != b for a, b in zip(han, to_simplified, strict=False))
    simplified = sum(a != b for a, b in zip(han, to_traditional, strict=False))
    return "zh-Hant" if traditional > simplified else "zh"


@cache
def _converter(name: str) -> Any:
    from opencc import OpenCC  # its data take memory, and most processes never need them

    return OpenCC(name)


@cache
def _names() -> Locale:
    try:
        return Locale("en")
    except UnknownLocaleError:  # pragma: no cover  babel without its data
        raise RuntimeError("babel has no locale data") from None


_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
SCRIPTS = {
    "ja": re.compile(r"[\u3041-\u30ff\uff66-\uff9d]"),
    "zh": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "ko": re.compile(r"[\uac00-\ud7a3\u1100-\u11ff]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
}
