"""Words that stand next to each other: phrases, and what articles gain by words that stand near each other."""

from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np

from app.search.folding import is_han
from app.search.lists import Lists, Mask, all_of, mask_of
from app.search.plan import Alternative, Plan
from app.search.postings import Documents, Floats
from app.search.schema import CHARACTERS, TEXT_FIELDS
from app.search.snapshot import Snapshot

NEAR = 8  # words
NEARNESS_WEIGHT = 1.0
MAX_PAIRS = 4  # of neighbouring words, the rarest ones
MAX_FREQUENCY = 2048  # articles; reading the positions of a more frequent word takes too long
MAX_CHECKED = 450  # documents in which a phrase is looked for


def phrase(snapshot: Snapshot, terms: Sequence[str], allowed: Mask) -> tuple[Documents, bool]:
    """Return the documents, among the allowed ones, in which `terms` stand next to each other in one field.

    Of words that many articles have, only the first MAX_CHECKED documents are looked at: reading the positions in all
    takes too long. Whether all were looked at is the second value.
    """
    if len(terms) == 1:
        single = snapshot.text(terms[0])[0]
        if is_han(terms[0][0]) and len(terms[0]) == 1:
            single = snapshot.plain(CHARACTERS, terms[0])[0]
        return single[allowed[single]], True
    candidates = all_of(snapshot, list(dict.fromkeys(terms)))[0]
    candidates = candidates[allowed[candidates]]
    is_complete = len(candidates) <= MAX_CHECKED
    candidates = candidates[:MAX_CHECKED]
    found: set[int] = set()
    for field in TEXT_FIELDS:
        starts: dict[int, set[int]] | None = None
        left = candidates
        # The rarest word first: documents that it leaves out need not be read for the others.
        for place, term in sorted(enumerate(terms), key=lambda pair: snapshot.frequency(field, pair[1])):
            others = _starts(snapshot, field, term, left, place)
            known = others if starts is None else starts
            starts = {
                document: both
                for document in known.keys() & others.keys()
                if (both := known[document] & others[document])
            }
            left = np.array(sorted(starts), np.int32)
            if not starts:
                break
        found.update(starts or {})
    return np.array(sorted(found), np.int32), is_complete


def nearness(lists: Lists, plan: Plan, documents: Documents) -> Floats | None:
    """Return what each document gains by words that stand near each other as they were typed; None for nothing."""
    frequency = {
        term: lists.spread_of((Alternative(term, "text"),), lists.text(term)[0]) for term in chain(*plan.neighbours)
    }
    usable = [pair for pair in plan.neighbours if all(0 < frequency[term] <= MAX_FREQUENCY for term in pair)]
    pairs = sorted(usable, key=lambda pair: max(frequency[term] for term in pair))[:MAX_PAIRS]
    if not pairs or not len(documents):
        return None
    gains = dict.fromkeys(documents.tolist(), 0.0)
    for (document, pair), gap in _gaps(lists, pairs, np.sort(documents)).items():
        if gap <= NEAR:
            gains[document] += min(lists.rarity(term, frequency[term]) for term in pair) / gap
    return np.array([gains[document] * NEARNESS_WEIGHT for document in documents.tolist()], np.float32)


def _starts(snapshot: Snapshot, field: str, term: str, documents: Documents, place: int) -> dict[int, set[int]]:
    """Return where a phrase would begin of which `term` is the word at `place`."""
    positions = snapshot.positions(field, term, documents)
    return {document: {position - place for position in where} for document, where in positions.items()}


def _gaps(
    lists: Lists, pairs: Sequence[tuple[str, str]], documents: Documents
) -> dict[tuple[int, tuple[str, str]], int]:
    """Return the least gap between the words of each pair, by document."""
    gaps: dict[tuple[int, tuple[str, str]], int] = {}
    terms = {term for pair in pairs for term in pair}
    for field, list_of in (("title", lists.title), ("body", lists.text)):
        has = {term: mask_of(lists, list_of(term)[0])[documents] for term in terms}
        needed = {term: np.zeros(len(documents), np.bool_) for term in terms}
        for left, right in pairs:  # positions are dear: they are read where both words of a pair stand
            both = has[left] & has[right]
            needed[left] |= both
            needed[right] |= both
        positions = {term: lists.positions(field, term, documents[needed[term]]) for term in terms}
        for pair in pairs:
            earlier, later = positions[pair[0]], positions[pair[1]]
            for document in earlier.keys() & later.keys():
                gap = _gap(earlier[document], later[document])
                gaps[document, pair] = min(gap, gaps.get((document, pair), gap))
    return gaps


def _gap(left: Sequence[int], right: Sequence[int]) -> int:
    """Return the least distance from a position to one of the other word; the wrong order counts as one more."""
    merged = sorted([(position, 0) for position in left] + [(position, 1) for position in right])
    gaps = [
        later[0] - earlier[0] + (1 if earlier[1] else 0)
        for earlier, later in pairwise(merged)
        if earlier[1] != later[1]
    ]
    return max(1, min(gaps))
