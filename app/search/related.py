"""Which terms tell what an article is about, so that similar ones can be found."""

import math
from collections import Counter

from app.search.analysis import terms
from app.search.folding import fold
from app.search.lexicon import Lexicon

KEY_TERMS = 24
TITLE_WEIGHT = 4
MOST_FREQUENT = 400  # terms of the article that are weighed
BATCH = 50  # of them that are looked up at once
LEAST_FREQUENCY = 2  # a term that no other article has leads to none
TEXT_LENGTH = 20_000  # characters of the text that are looked at


def key_terms(lexicon: Lexicon, title: str, tags: tuple[str, ...], text: str) -> list[tuple[str, float]]:
    """Return the terms with the greatest tf-idf weight, and those weights scaled to at most 1."""
    counts = Counter(term.text for term in terms(fold(text[:TEXT_LENGTH])))
    for found in terms(fold(" ".join((title, *tags)))):
        counts[found.text] += TITLE_WEIGHT
    total = max(1, lexicon.number)
    counted = counts.most_common(MOST_FREQUENT)
    weighted: list[tuple[str, float]] = []
    for start in range(0, len(counted), BATCH):
        batch = counted[start : start + BATCH]
        rarest = math.sqrt(batch[0][1]) * math.log(1 + total / LEAST_FREQUENCY)
        if len(weighted) == KEY_TERMS and rarest < weighted[-1][1]:
            break  # what is left weighs less, however rare it is
        frequencies = lexicon.frequencies("body", [term for term, _ in batch])
        for term, count in batch:
            frequency = frequencies[term]
            if LEAST_FREQUENCY <= frequency <= max(2, total / 2) and not term.isdigit():
                weighted.append((term, math.sqrt(count) * math.log(1 + total / frequency)))
        weighted.sort(key=lambda pair: -pair[1])
        del weighted[KEY_TERMS:]
    greatest = weighted[0][1] if weighted else 1.0
    return [(term, weight / greatest) for term, weight in weighted]
