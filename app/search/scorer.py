"""Which articles answer a query, and in what order.

The score of an article is the sum of two things: BM25F over all its text (Robertson, Zaragoza and Taylor, "Simple BM25
extension to multiple weighted fields", 2004), and BM25 over its title alone, with rarity counted among titles, times
the square of the share of the query that stands in the title. The first finds passages, the second questions: a title
that holds most of what was asked is very likely the question itself, one that shares a word with it is not.
"""

from collections.abc import Callable, Sequence

import numpy as np

from app.content.language import simplest
from app.search import adjacency
from app.search.expansion import expand
from app.search.folding import fold, is_simplified, is_traditional
from app.search.lists import NOTHING, ImpactList, Lists, Mask, mask_of, text_list, title_list
from app.search.plan import TEXT, WEIGHTS, WORD, Alternative, Match, Plan, Slot, latin
from app.search.postings import Documents, Floats
from app.search.query import Query
from app.search.ranking import Order, Ranking, best
from app.search.snapshot import Snapshot

TITLE_WEIGHT = 3.5
SAME_LANGUAGE = 1.05  # a little more for what is in the reader's language: it decides where scores are near

SAME_SCRIPT = 1.04  # as typed before simplified or traditional otherwise
TRADITIONAL = "zh-hant"
# Of what was asked for, weighed by rarity, some answer has to have so much; Chinese pairs are not all words.
LEAST_SHARE = 0.2
LEAST_SHARE_CJK = 0.15

# Terms in more than this share of the articles do not make a match by themselves where rarer ones were asked for.
COMMON_SHARE = 0.25
COMMON_MINIMUM = 200  # articles; in a smaller library no term is too common

ListOf = Callable[[Lists, Alternative], ImpactList]


def search(
    snapshot: Snapshot, query: Query, *, tag: str | None = None, lang: str | None = None, reader_lang: str | None = None
) -> Ranking:
    """Return the ranking of a query; `tag` and `lang` narrow like the query's own filters."""
    plan = expand(query, snapshot)
    allowed, is_complete = _allowed(snapshot, query)
    tagged = _with_tag(snapshot, fold(tag)) if tag else snapshot.alive
    in_language = _in_language(snapshot, (simplest(lang) or lang).lower()) if lang else snapshot.alive
    if query.words:
        scores = favouring(snapshot, scores_of(snapshot, plan, allowed), query.typed, reader_lang)
    else:
        is_narrowed = bool(tag or lang or query.is_filter)
        scores = np.where(allowed & is_narrowed, np.float32(1), np.float32(0))
    return Ranking(snapshot, plan, scores, tagged, in_language, is_complete)


def with_titles(lists: Lists, plan: Plan, limit: int, reader_lang: str | None = None) -> list[int]:
    """Return the articles whose titles fit what was typed so far, the best first."""
    titled, titles, covered = _title_scores(lists, plan)
    scores = np.zeros(lists.size, np.float32)
    scores[titled] = titles * covered * lists.alive[titled]
    scores = favouring(lists, scores, "", reader_lang)
    shown, _ = Order(lists, plan, scores).best_documents(0, limit)
    return [int(number) for number in lists.article_ids[shown]]


def with_headings(snapshot: Snapshot, plan: Plan, limit: int) -> list[int]:
    """Return the best articles whose headings hold everything that was typed so far, by number."""
    fitting = snapshot.alive.copy()
    for slot in plan.slots:
        if not slot.is_optional:
            terms = [alternative.term for alternative in slot.alternatives if alternative.field == TEXT]
            lists = [snapshot.plain("headings", term)[0] for term in terms]
            fitting &= mask_of(snapshot, np.concatenate([np.zeros(0, np.int32), *lists]))
    if not plan.slots or not fitting.any():
        return []
    return [int(number) for number in snapshot.article_ids[best(scores_of(snapshot, plan, fitting), limit)]]


def answer_to(snapshot: Snapshot, query: Query) -> int | None:
    """Return the best article in which everything that was asked for stands as it was typed; None when none has it."""
    fitting, _ = _allowed(snapshot, query)
    for term in query.terms:
        fitting &= mask_of(snapshot, snapshot.text(term)[0])
    if not query.words or not fitting.any():
        return None
    order = best(scores_of(snapshot, expand(query, snapshot), fitting), 1)
    return int(snapshot.article_ids[order[0]]) if len(order) else None


def similar(lists: Lists, weighed_terms: Sequence[tuple[str, float]], limit: int) -> list[Match]:
    """Return the articles that share most with a list of weighed terms."""
    scores = np.zeros(lists.size, np.float32)
    for term, weight in weighed_terms:
        documents, impacts = lists.text(term)
        number = lists.spread_of((Alternative(term, "text"),), documents)
        scores[documents] += weight * lists.rarity(term, number) * impacts
    scores[~lists.alive] = 0
    order = best(scores, limit)
    return [Match(int(lists.article_ids[document]), float(scores[document]), ("text",)) for document in order]


def scores_of(lists: Lists, plan: Plan, allowed: Mask) -> Floats:
    """Return the score of each document: 0 for what does not match or is not among the allowed ones."""
    texts = [_slot_list(lists, slot, text_list) for slot in plan.slots]
    numbers = [
        lists.spread_of(slot.alternatives, documents) for slot, (documents, _) in zip(plan.slots, texts, strict=True)
    ]
    common_from = max(COMMON_MINIMUM, lists.number * COMMON_SHARE)
    is_common = [number > common_from for number in numbers]
    if all(is_common):
        is_common = [False] * len(texts)
    scores = np.zeros(lists.size, np.float32)
    shares = np.zeros(lists.size, np.float32)
    total = 0.0
    for wanted in (False, True):  # common terms only add to what rarer ones have matched
        matched = scores > 0 if wanted and any(is_common) else None
        for slot, (documents, impacts), number, common in zip(plan.slots, texts, numbers, is_common, strict=True):
            if common != wanted:
                continue
            rarity = _rarity(lists, slot, max(1, number))
            # A pair of Chinese characters that stands nowhere is seldom a word.
            if not slot.is_optional and (number or slot.alternatives[0].term.isascii()):
                total += float(rarity)
            if len(documents):
                value = impacts * rarity
                np.add.at(scores, documents, value if matched is None else value * matched[documents])
                np.add.at(shares, documents, rarity)
    titled, titles, covered = _title_scores(lists, plan)
    scores[titled] += (scores[titled] > 0) * np.float32(TITLE_WEIGHT) * titles * covered**2
    scores *= allowed
    best_share = float((shares * (scores > 0)).max(initial=0))
    if best_share < (LEAST_SHARE if latin(plan.slots) else LEAST_SHARE_CJK) * total:
        scores[:] = 0  # nobody knows what was asked for
    return scores


def _title_scores(lists: Lists, plan: Plan) -> tuple[Documents, Floats, Floats]:
    """Return the documents whose titles share something with the query, their scores and shares of the query."""
    titles = np.zeros(lists.size, np.float32)
    covered = np.zeros(lists.size, np.float32)
    total = 0.0
    for slot in plan.slots:
        documents, impacts = _slot_list(lists, slot, title_list)
        # What no title has weighs as much as it is rare in texts, and nothing when it is nowhere.
        frequency = lists.spread_of(slot.alternatives, documents, in_titles=True)
        if not frequency:
            frequency = lists.spread_of(slot.alternatives, _slot_list(lists, slot, text_list)[0])
        rarity = _rarity(lists, slot, frequency) if frequency else np.float32(0)
        total += 0 if slot.is_optional else float(rarity)
        if len(documents):
            np.add.at(titles, documents, impacts * rarity)
            np.add.at(covered, documents, rarity)
    titled = np.flatnonzero(covered > 0).astype(np.int32)
    return titled, titles[titled], np.minimum(np.float32(1), covered[titled] / np.float32(max(total, 1e-9)))


def _rarity(lists: Lists, slot: Slot, frequency: int) -> np.float32:
    first = slot.alternatives[0]
    terms = first.term.count(" ") + 1 if first.field == WORD else 1  # a word weighs as much as its pairs would
    return np.float32(terms * lists.rarity(first.term, frequency))


def _slot_list(lists: Lists, slot: Slot, list_of: ListOf) -> ImpactList:
    """Return each document's best alternative."""
    if len(slot.alternatives) == 1 and WEIGHTS[slot.alternatives[0].kind] == 1:
        return list_of(lists, slot.alternatives[0])
    weighed = [(list_of(lists, alternative), WEIGHTS[alternative.kind]) for alternative in slot.alternatives]
    weighed = [(found, weight) for found, weight in weighed if len(found[0])]
    if len(weighed) < 2:
        return (weighed[0][0][0], weighed[0][0][1] * np.float32(weighed[0][1])) if weighed else NOTHING
    most = np.zeros(lists.size, np.float32)
    for (documents, impacts), weight in weighed:
        np.maximum.at(most, documents, impacts * np.float32(weight))
    documents = np.flatnonzero(most > 0).astype(np.int32)
    return documents, most[documents]


def _allowed(snapshot: Snapshot, query: Query) -> tuple[Mask, bool]:
    """Return the documents that the query's filters, phrases and exclusions leave, and whether all were looked at."""
    allowed = snapshot.alive.copy()
    for tag in query.tags:
        allowed &= _with_tag(snapshot, tag)
    for tag in query.excluded_tags:
        allowed &= ~_with_tag(snapshot, tag)
    if query.langs:
        allowed &= np.logical_or.reduce([_in_language(snapshot, lang) for lang in query.langs])
    for lang in query.excluded_langs:
        allowed &= ~_in_language(snapshot, lang)
    is_complete = True
    for phrase in query.phrases:
        found, looked_at_all = adjacency.phrase(snapshot, [term.text for term in phrase], allowed)
        allowed &= mask_of(snapshot, found)
        is_complete &= looked_at_all
    for excluded in query.excluded:
        found, _ = adjacency.phrase(snapshot, [term.text for term in excluded], allowed)
        allowed &= ~mask_of(snapshot, found)
    return allowed, is_complete


def _with_tag(snapshot: Snapshot, folded: str) -> Mask:
    lists = [snapshot.plain("tags", name)[0] for name in snapshot.tags_like(folded)]
    return mask_of(snapshot, np.concatenate([NOTHING[0], *lists]))


def _in_language(snapshot: Snapshot, lang: str) -> Mask:
    return mask_of(snapshot, snapshot.plain("lang", lang)[0])


def favouring(lists: Lists, scores: Floats, typed: str, lang: str | None) -> Floats:
    """Raise the scores of what is in the reader's language and in the script that was typed, and return them."""
    if lang is not None:
        scores[lists.plain("lang", lang.split("-", maxsplit=1)[0].lower())[0]] *= SAME_LANGUAGE
    if is_traditional(typed):
        scores[lists.plain("lang", TRADITIONAL)[0]] *= SAME_SCRIPT
    elif is_simplified(typed):
        others = lists.plain("lang", TRADITIONAL)[0]
        scores[others] /= SAME_SCRIPT
    return scores
