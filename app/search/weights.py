"""By what every engine weighs: fields, lengths and the rarity of terms."""

import math

K1 = 1.2  # how fast further occurrences stop to count
# BM25F: the fields of an article are weighed and evened out by their length before they saturate as one.
FIELD_WEIGHTS = {"title": 2.0, "headings": 1.6, "tags_text": 3.0, "body": 1.0}
LENGTH_SHARE = {"title": 0.4, "headings": 0.5, "tags_text": 0.3, "body": 0.9}
AVERAGE_STEP = 1.05  # average lengths are rounded to powers of this, so that kept lists outlive most commits
CJK_LANGUAGES = {"zh", "ja", "ko"}
SCRIPT_SLACK = 50  # articles; in a small library no word is as common as a stop word


def is_cjk(lang: str) -> bool:
    """Say whether a language is written in Chinese, Japanese or Korean characters."""
    return lang.split("-", maxsplit=1)[0].lower() in CJK_LANGUAGES


def rarity(frequency: int, size: int, of_script: int) -> float:
    """Return the inverse document frequency of a term; near 0 for what most articles of its script have.

    Of `size` articles `frequency` have it, and `of_script` are in its script.
    """
    rare = math.log(1 + (size - frequency + 0.5) / (frequency + 0.5))
    return rare * max(0.02, 1 - frequency / (of_script + SCRIPT_SLACK))


def rounded_average(total: float, count: int) -> float:
    """Return an average length, rounded so that it seldom changes."""
    average = max(1.0, total / max(1, count))
    return AVERAGE_STEP ** round(math.log(average, AVERAGE_STEP))
