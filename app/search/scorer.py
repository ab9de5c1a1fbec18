"""Which articles answer a query, and in what order.

The score of an article is the sum of two things: BM25F over all its text (Robertson, Zaragoza and Taylor, "Simple BM25
extension to multiple weighted fields", 2004), and BM25 over its title alone, with rarity counted among titles, times
the square of the share of the query that stands in the title. The first finds passages, the second questions: a title
that holds most of what was asked is very likely the question itself, one that shares a word with it is not.
"""

from collections.abc import Callable, Sequence

import numpy as np

from app.search import adjacency
from app.search.expansion import TEXT, WEIGHTS, Alternative, Plan, Slot, expand, text_list, title_list
from app.search.postings import Documents, Floats
from app.search.query import Query
from app.search.ranking import Match, Ranking, best
from app.search.snapshot import NOTHING, ImpactList, Mask, Snapshot

TITLE_WEIGHT = 3.5
SAME_LANGUAGE = 1.05  # a little more for what is in the reader's language: it decides where scores are near

# Terms in more than this share of the articles do not make a match by themselves where rarer ones were asked for.
COMMON_SHARE = 0.25
COMMON_MINIMUM = 200  # articles; in a smaller library no term is too common

ListOf = Callable[[Snapshot, Alternative], ImpactList]


def search(
    snapshot: Snapshot, query: Query, *, tag: str | None = None, lang: str | None = None, reader_lang: str | None = None
) -> Ranking:
    """Return the ranking of a query; `tag` and `lang` narrow like the query's own filters."""
    plan = expand(query, snapshot)
    allowed = _allowed(snapshot, query, tag, lang)
    if not query.words:
        has_filter = bool(query.tags or query.langs)
        scores = np.where(allowed, np.float32(1), np.float32(0)) if has_filter else np.zeros(snapshot.size, np.float32)
    else:
        scores = scores_of(snapshot, plan, allowed)
    return Ranking(snapshot, plan, _favouring(snapshot, scores, reader_lang))


def with_titles(snapshot: Snapshot, plan: Plan, limit: int, reader_lang: str | None = None) -> list[int]:
    """Return the articles whose titles fit what was typed so far, the best first."""
    titled, titles, covered = _title_scores(snapshot, plan)
    scores = np.zeros(snapshot.size, np.float32)
    scores[titled] = titles * covered * snapshot.alive[titled]
    ranking = Ranking(snapshot, plan, _favouring(snapshot, scores, reader_lang))
    return [int(number) for number in snapshot.article_ids[ranking.documents(0, limit)]]


def with_headings(snapshot: Snapshot, plan: Plan, limit: int) -> list[int]:
    """Return articles whose headings hold everything that was typed so far, by number."""
    fitting = snapshot.alive.copy()
    for slot in plan.slots:
        if not slot.is_optional:
            terms = [alternative.term for alternative in slot.alternatives if alternative.field == TEXT]
            lists = [snapshot.plain("headings", term)[0] for term in terms]
            fitting &= snapshot.mask(np.concatenate([np.zeros(0, np.int32), *lists]))
    found = np.flatnonzero(fitting) if plan.slots else np.zeros(0, np.intp)
    return [int(number) for number in snapshot.article_ids[found[:limit]]]


def answer_to(snapshot: Snapshot, query: Query) -> int | None:
    """Return the best article in which everything that was asked for stands as it was typed; None when none has it."""
    fitting = _allowed(snapshot, query, None, None)
    for term in query.terms:
        fitting &= snapshot.mask(snapshot.text(term)[0])
    if not query.words or not fitting.any():
        return None
    order = best(scores_of(snapshot, expand(query, snapshot), fitting), 1)
    return int(snapshot.article_ids[order[0]]) if len(order) else None


def similar(snapshot: Snapshot, weighed_terms: Sequence[tuple[str, float]], limit: int) -> list[Match]:
    """Return the articles that share most with a list of weighed terms."""
    scores = np.zeros(snapshot.size, np.float32)
    for term, weight in weighed_terms:
        documents, impacts = snapshot.text(term)
        scores[documents] += weight * snapshot.rarity(term, len(documents)) * impacts
    scores[~snapshot.alive] = 0
    order = best(scores, limit)
    return [Match(int(snapshot.article_ids[document]), float(scores[document]), ("text",)) for document in order]


def scores_of(snapshot: Snapshot, plan: Plan, allowed: Mask) -> Floats:
    """Return the score of each document: 0 for what does not match or is not among the allowed ones."""
    texts = [_slot_list(snapshot, slot, text_list) for slot in plan.slots]
    common_from = max(COMMON_MINIMUM, snapshot.size * COMMON_SHARE)
    is_common = [len(documents) > common_from for documents, _ in texts]
    if all(is_common):
        is_common = [False] * len(texts)
    scores = np.zeros(snapshot.size, np.float32)
    for wanted in (False, True):  # common terms only add to what rarer ones have matched
        matched = scores > 0 if wanted and any(is_common) else None
        for slot, (documents, impacts), common in zip(plan.slots, texts, is_common, strict=True):
            if common == wanted and len(documents):
                value = impacts * _rarity(snapshot, slot, len(documents))
                np.add.at(scores, documents, value if matched is None else value * matched[documents])
    titled, titles, covered = _title_scores(snapshot, plan)
    scores[titled] += (scores[titled] > 0) * np.float32(TITLE_WEIGHT) * titles * covered**2
    scores *= allowed
    return scores


def _title_scores(snapshot: Snapshot, plan: Plan) -> tuple[Documents, Floats, Floats]:
    """Return the documents whose titles share something with the query, their scores and shares of the query."""
    titles = np.zeros(snapshot.size, np.float32)
    covered = np.zeros(snapshot.size, np.float32)
    total = 0.0
    for slot in plan.slots:
        documents, impacts = _slot_list(snapshot, slot, title_list)
        # What no title has weighs as much as it is rare in texts, and nothing when it is nowhere.
        frequency = len(documents) or len(_slot_list(snapshot, slot, text_list)[0])
        rarity = _rarity(snapshot, slot, frequency) if frequency else np.float32(0)
        total += 0 if slot.is_optional else float(rarity)
        if len(documents):
            np.add.at(titles, documents, impacts * rarity)
            np.add.at(covered, documents, rarity)
    titled = np.flatnonzero(covered > 0).astype(np.int32)
    return titled, titles[titled], np.minimum(np.float32(1), covered[titled] / np.float32(max(total, 1e-9)))


def _rarity(snapshot: Snapshot, slot: Slot, frequency: int) -> np.float32:
    return np.float32(snapshot.rarity(slot.alternatives[0].term, frequency))


def _slot_list(snapshot: Snapshot, slot: Slot, list_of: ListOf) -> ImpactList:
    """Return each document's best alternative."""
    if len(slot.alternatives) == 1 and WEIGHTS[slot.alternatives[0].kind] == 1:
        return list_of(snapshot, slot.alternatives[0])
    lists = [(list_of(snapshot, alternative), WEIGHTS[alternative.kind]) for alternative in slot.alternatives]
    lists = [(found, weight) for found, weight in lists if len(found[0])]
    if len(lists) < 2:
        return (lists[0][0][0], lists[0][0][1] * np.float32(lists[0][1])) if lists else NOTHING
    most = np.zeros(snapshot.size, np.float32)
    for (documents, impacts), weight in lists:
        np.maximum.at(most, documents, impacts * np.float32(weight))
    documents = np.flatnonzero(most > 0).astype(np.int32)
    return documents, most[documents]


def _allowed(snapshot: Snapshot, query: Query, tag: str | None, lang: str | None) -> Mask:
    allowed = snapshot.alive.copy()
    for field_name, values in (("tags", (*query.tags, *((tag,) if tag else ()))),
                               ("lang", (*query.langs, *((lang.lower(),) if lang else ())))):  # fmt: skip
        for value in values:
            allowed &= snapshot.mask(snapshot.plain(field_name, value)[0])
    for phrase in query.phrases:
        allowed &= snapshot.mask(adjacency.phrase(snapshot, [term.text for term in phrase], allowed))
    for excluded in query.excluded:
        allowed &= ~snapshot.mask(adjacency.phrase(snapshot, [term.text for term in excluded], allowed))
    return allowed


def _favouring(snapshot: Snapshot, scores: Floats, lang: str | None) -> Floats:
    """Raise the scores of what is in the reader's language, and return them."""
    if lang is not None:
        scores[snapshot.plain("lang", lang.split("-", maxsplit=1)[0].lower())[0]] *= SAME_LANGUAGE
    return scores
