"""The ranking's formula in plain Python over Whoosh's own matchers, to hold the fast one against."""

import math
from collections import defaultdict

from app.search import postings
from app.search.expansion import expand
from app.search.plan import TEXT, TITLE_FIELDS, WEIGHTS, WORD
from app.search.query import parse
from app.search.schema import TEXT_FIELDS
from app.search.scorer import COMMON_MINIMUM, COMMON_SHARE, LEAST_SHARE, LEAST_SHARE_CJK, TITLE_WEIGHT
from app.search.weights import FIELD_WEIGHTS, K1, LENGTH_SHARE


def scores(snapshot, text):
    """Return the score of every matching document that is not deleted."""
    plan = expand(parse(text), snapshot)
    slots = [(slot, _best(snapshot, slot, _anywhere), _best(snapshot, slot, _in_title)) for slot in plan.slots]
    common_from = max(COMMON_MINIMUM, snapshot.size * COMMON_SHARE)
    rare = [found for found in slots if len(found[1]) <= common_from] or slots
    matched = {document for _, anywhere, _ in rare for document in anywhere}
    asked = sum(
        _rarity(snapshot, slot, max(1, len(anywhere)))
        for slot, anywhere, _ in slots
        if not slot.is_optional and (anywhere or slot.alternatives[0].term.isascii())
    )
    result, shares = defaultdict(float), defaultdict(float)
    titles, covered, total = defaultdict(float), defaultdict(float), 0.0
    for slot, anywhere, in_title in slots:
        for document in anywhere:
            shares[document] += _rarity(snapshot, slot, len(anywhere))
        for document in anywhere.keys() & matched:
            result[document] += _rarity(snapshot, slot, len(anywhere)) * anywhere[document]
        if not slot.is_optional and (in_title or anywhere):
            total += _rarity(snapshot, slot, len(in_title) or len(anywhere))
        for document, weight in in_title.items():
            titles[document] += _rarity(snapshot, slot, len(in_title)) * weight
            covered[document] += _rarity(snapshot, slot, len(in_title))
    for document in result.keys() & titles.keys():
        result[document] += TITLE_WEIGHT * titles[document] * min(1.0, covered[document] / total) ** 2
    is_latin = all(slot.alternatives[0].term.isascii() for slot in plan.slots)
    least = LEAST_SHARE if is_latin else LEAST_SHARE_CJK
    found = {document: score for document, score in result.items() if snapshot.alive[document]}
    best_share = max((shares[document] for document in found), default=0)
    return found if best_share >= least * asked * (1 - 1e-6) else {}


def _best(snapshot, slot, find):
    found = defaultdict(float)
    for alternative in slot.alternatives:
        for document, weight in find(snapshot, alternative).items():
            found[document] = max(found[document], _saturated(weight) * WEIGHTS[alternative.kind])
    return found


def _anywhere(snapshot, alternative):
    if alternative.field == WORD:
        parts = [_in_texts(snapshot, term) for term in alternative.term.split()]
        return {document: min(part[document] for part in parts) for document in set.intersection(*map(set, parts))}
    if alternative.field != TEXT:
        return dict.fromkeys(_weights(snapshot, alternative.field, alternative.term), 1.0)
    return _in_texts(snapshot, alternative.term)


def _in_texts(snapshot, term):
    found = defaultdict(float)
    for field in TEXT_FIELDS:
        for document, weight in _evened(snapshot, field, term).items():
            found[document] += FIELD_WEIGHTS[field] * weight
    return found


def _in_title(snapshot, alternative):
    if alternative.field == TEXT:
        return _evened(snapshot, "title", alternative.term)
    if alternative.field == WORD:
        parts = [_evened(snapshot, "title", term) for term in alternative.term.split()]
        return min(parts, key=len) if all(parts) else {}
    known = _weights(snapshot, TITLE_FIELDS[alternative.field], alternative.term)
    return {document: 1 / _length(snapshot, "title", document) for document in known}


def _evened(snapshot, field, term):
    return {
        document: frequency / _length(snapshot, field, document)
        for document, frequency in _weights(snapshot, field, term).items()
    }


def _length(snapshot, field, document):
    base, segment = max((b, s) for b, s in zip(snapshot.bases, snapshot.segments, strict=True) if b <= document)
    length = segment.reader.doc_field_length(document - base, field)
    return 1 - LENGTH_SHARE[field] + LENGTH_SHARE[field] * length / snapshot._averages[field]


def _weights(snapshot, field, term):
    found = {}
    for base, segment in zip(snapshot.bases, snapshot.segments, strict=True):
        if (field, term) in segment.reader:
            documents, weights = postings.read_by_matcher(segment.reader, field, term)
            found.update(zip((documents + base).tolist(), weights.tolist(), strict=True))
    return found


def _rarity(snapshot, slot, frequency):
    script = snapshot._script_sizes[slot.alternatives[0].term.isascii()] + 50
    rare = math.log(1 + (snapshot.size - frequency + 0.5) / (frequency + 0.5))
    terms = len(slot.alternatives[0].term.split()) if slot.alternatives[0].field == WORD else 1
    return terms * rare * max(0.02, 1 - frequency / script)


def _saturated(weight):
    return weight * (K1 + 1) / (weight + K1)
