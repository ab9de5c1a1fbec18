"""Which articles answer a query, and in what order.

The score of an article is the sum of two things: BM25F over all its text (Robertson, Zaragoza and Taylor, "Simple BM25
extension to multiple weighted fields", 2004), and BM25 over its title alone, with rarity counted among titles, times
the square of the share of the query that stands in the title. The first finds passages, the second questions: a title
that holds most of what was asked is very likely the question itself, one that shares a word with it is not.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from app.search import adjacency
from app.search.expansion import TEXT, WEIGHTS, Alternative, Plan, Slot, expand, text_list, title_list
from app.search.postings import Floats
from app.search.query import Query
from app.search.ranking import Match, Ranking, best
from app.search.snapshot import NOTHING, Mask, Snapshot, WeighedList

K1 = 1.2
TITLE_WEIGHT = 3.5
SAME_LANGUAGE = 1.05  # a little more for what is in the reader's language: it decides where scores are near

# Terms in more than this share of the articles do not make a match by themselves where rarer ones were asked for.
COMMON_SHARE = 0.25
COMMON_MINIMUM = 200  # articles; in a smaller library no term is too common

ListOf = Callable[[Snapshot, Alternative], WeighedList]


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
        scores = _score(snapshot, plan, allowed)
    return Ranking(snapshot, plan, _favouring(snapshot, scores, reader_lang))


def with_titles(snapshot: Snapshot, plan: Plan, limit: int, reader_lang: str | None = None) -> list[int]:
    """Return the articles whose titles fit what was typed so far, the best first."""
    _, titles, covered = _title_scores(snapshot, plan)
    scores = np.where(snapshot.alive, titles * covered, np.float32(0)).astype(np.float32)
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
    order = best(_score(snapshot, expand(query, snapshot), fitting), 1)
    return int(snapshot.article_ids[order[0]]) if len(order) else None


def similar(snapshot: Snapshot, weighed_terms: Sequence[tuple[str, float]], limit: int) -> list[Match]:
    """Return the articles that share most with a list of weighed terms."""
    scores = np.zeros(snapshot.size, np.float32)
    for term, weight in weighed_terms:
        documents, weights = snapshot.text(term)
        scores[documents] += weight * snapshot.rarity(term, len(documents)) * _saturated(weights)
    scores[~snapshot.alive] = 0
    order = best(scores, limit)
    return [Match(int(snapshot.article_ids[document]), float(scores[document]), ("text",)) for document in order]


def _score(snapshot: Snapshot, plan: Plan, allowed: Mask) -> Floats:
    texts = [_slot_list(snapshot, slot, text_list) for slot in plan.slots]
    common_from = max(COMMON_MINIMUM, snapshot.size * COMMON_SHARE)
    is_common = [len(documents) > common_from for documents, _ in texts]
    if all(is_common):
        is_common = [False] * len(texts)
    scores = np.zeros(snapshot.size, np.float32)
    for wanted in (False, True):  # common terms only add to what rarer ones have matched
        matched = scores > 0 if wanted else None
        for slot, (documents, weights), common in zip(plan.slots, texts, is_common, strict=True):
            if common != wanted or not len(documents):
                continue
            value = snapshot.rarity(slot.alternatives[0].term, len(documents)) * _saturated(weights)
            scores[documents] += value if matched is None else value * matched[documents]
    titled, titles, covered = _title_scores(snapshot, plan)
    scores[titled] += (scores[titled] > 0) * TITLE_WEIGHT * titles[titled] * covered[titled] ** 2
    scores[~allowed] = 0
    return scores


def _title_scores(snapshot: Snapshot, plan: Plan) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
    """Return the documents whose titles share something with the query, and by document: score, share of the query."""
    titles = np.zeros(snapshot.size, np.float32)
    covered = np.zeros(snapshot.size, np.float32)
    total = 0.0
    for slot in plan.slots:
        documents, weights = _slot_list(snapshot, slot, title_list)
        rarity = snapshot.rarity(slot.alternatives[0].term, len(documents))
        if not slot.is_optional:
            if not len(documents):
                elsewhere = len(_slot_list(snapshot, slot, text_list)[0])
                rarity = snapshot.rarity(slot.alternatives[0].term, elsewhere) if elsewhere else 0.0
            total += rarity
        if len(documents):
            titles[documents] += rarity * _saturated(weights)
            covered[documents] += rarity
    titled = np.flatnonzero(covered)
    covered[titled] = np.minimum(1, covered[titled] / max(total, 1e-9))
    return titled, titles, covered


def _saturated(weights: Floats) -> Floats:
    return weights * np.float32(K1 + 1) / (weights + np.float32(K1))


def _slot_list(snapshot: Snapshot, slot: Slot, list_of: ListOf) -> WeighedList:
    """Return each document's best alternative."""
    if len(slot.alternatives) == 1 and WEIGHTS[slot.alternatives[0].kind] == 1:
        return list_of(snapshot, slot.alternatives[0])
    lists = [(list_of(snapshot, alternative), WEIGHTS[alternative.kind]) for alternative in slot.alternatives]
    documents = np.concatenate([found[0] for found, _ in lists])
    if not len(documents):
        return NOTHING
    weights = np.concatenate([found[1] * np.float32(weight) for found, weight in lists])
    order = np.argsort(documents, kind="stable")
    documents, weights = documents[order], weights[order]
    starts = np.flatnonzero(np.diff(documents, prepend=-1))
    return documents[starts], np.maximum.reduceat(weights, starts)


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
