"""Which terms tell what an article is about, so that similar ones can be found."""

import math
from collections import Counter

from app.search import scorer
from app.search.analysis import terms
from app.search.folding import fold
from app.search.ranking import Match
from app.search.snapshot import Snapshot

KEY_TERMS = 24
TITLE_WEIGHT = 4
MOST_FREQUENT = 400  # terms of the article that are weighed
TEXT_LENGTH = 20_000  # characters of the text that are looked at


def related(snapshot: Snapshot, title: str, tags: tuple[str, ...], text: str, limit: int) -> list[Match]:
    """Return the articles most like one with this title, tags and text; it is among them when it is indexed."""
    return scorer.similar(snapshot, key_terms(snapshot, title, tags, text), limit)


def key_terms(snapshot: Snapshot, title: str, tags: tuple[str, ...], text: str) -> list[tuple[str, float]]:
    """Return the terms with the greatest tf-idf weight, and those weights scaled to at most 1."""
    counts = Counter(term.text for term in terms(fold(text[:TEXT_LENGTH])))
    for found in terms(fold(" ".join((title, *tags)))):
        counts[found.text] += TITLE_WEIGHT
    total = max(1, snapshot.size)
    weighted = []
    for term, count in counts.most_common(MOST_FREQUENT):
        frequency = snapshot.frequency("body", term)
        if frequency > max(2, total / 2) or frequency < 2 or term.isdigit():
            continue  # said everywhere, or nowhere else
        weighted.append((term, math.sqrt(count) * math.log(1 + total / frequency)))
    weighted.sort(key=lambda pair: -pair[1])
    greatest = weighted[0][1] if weighted else 1.0
    return [(term, weight / greatest) for term, weight in weighted[:KEY_TERMS]]
