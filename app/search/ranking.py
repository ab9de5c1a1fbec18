"""The matches of one query in order, and what is counted of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.content.language import with_parents
from app.search import adjacency
from app.search.lists import Lists, Mask, text_list
from app.search.plan import Match, Plan
from app.search.postings import Documents, Floats
from app.search.snapshot import Snapshot

RERANKED = 30  # of the best articles are looked at for words that stand near each other
BLOCK = 128  # documents whose best score is compared at once


@dataclass(frozen=True)
class Order:
    """Documents by their scores, which are 0 for what does not match."""

    lists: Lists
    plan: Plan
    scores: Floats

    @property
    def matched(self) -> Mask:
        """Whether each document matches."""
        matched: Mask = self.scores > 0
        return matched

    def page(self, offset: int, size: int) -> list[Match]:
        """Return `size` matches from place `offset`, the best first."""
        shown, scores = self.best_documents(offset, size)
        kinds = self._kinds(shown)
        return [
            Match(int(self.lists.article_ids[document]), float(scores[place]), tuple(kinds[place]))
            for place, document in enumerate(shown)
        ]

    def best_documents(self, offset: int, size: int) -> tuple[Documents, Floats]:
        """Return the documents of `size` matches from place `offset`, the best first, and their scores."""
        wanted = max(offset + size, RERANKED)
        order = best(self.scores * self.matched, wanted)
        scores = self.scores[order]
        near = adjacency.nearness(self.lists, self.plan, order[:RERANKED])
        if near is not None:
            scores[:RERANKED] += near
            if len(order) > RERANKED:  # what was looked at stays before what was not
                scores[RERANKED:] = np.minimum(scores[RERANKED:], scores[:RERANKED].min())
            sorted_anew = np.lexsort((order, -scores))
            order, scores = order[sorted_anew], scores[sorted_anew]
        return order[offset : offset + size], scores[offset : offset + size]

    def _kinds(self, documents: Documents) -> list[list[str]]:
        """Return of each document in which ways its words relate to what was typed."""
        kinds: list[list[str]] = [[] for _ in documents]
        for alternative in dict.fromkeys(a for slot in self.plan.slots for a in slot.alternatives):
            listed = text_list(self.lists, alternative)[0]
            if not len(listed):
                continue
            places = np.minimum(listed.searchsorted(documents), len(listed) - 1)
            for at in (listed[places] == documents).nonzero()[0].tolist():
                if alternative.kind not in kinds[at]:
                    kinds[at].append(alternative.kind)
        return kinds


@dataclass(frozen=True)
class Ranking(Order):
    """All articles of a snapshot that match a query.

    The two masks are what is narrowed to a tag and to a language: each is left out where its own facet is counted, so
    that one can see what another choice would give.
    """

    lists: Snapshot
    tagged: Mask
    in_language: Mask
    is_complete: bool = True  # False: a phrase of frequent words was looked for in a part of the articles

    @cached_property
    def matched(self) -> Mask:
        """Whether each document matches, and is of the tag and language chosen."""
        matched: Mask = self.answering & self.tagged & self.in_language
        return matched

    @cached_property
    def answering(self) -> Mask:
        """Whether each document matches the query itself."""
        return self.scores > 0

    @cached_property
    def total(self) -> int:
        """How many articles match."""
        return int(np.count_nonzero(self.matched))

    def languages(self) -> dict[str, int]:
        """Return how many matches each language would have, were it chosen; zh-Hant counts as zh too."""
        names = self.lists.languages
        found = self.lists.language_of[self.answering & self.tagged]
        counts = np.bincount(found + 1, minlength=len(names) + 1)[1:].tolist()
        return with_parents(dict(zip(names, counts, strict=True)))

    def tags(self) -> dict[str, int]:
        """Return how many matches each tag would have, were it chosen."""
        return self.lists.tag_counts(self.answering & self.in_language)


def best(scores: Floats, limit: int) -> Documents:
    """Return the documents with the `limit` highest scores above 0, the best first, equal ones by number.

    The `limit`-th highest of the best scores of blocks is a lower bound of the `limit`-th highest score: only what
    reaches it has to be sorted.
    """
    padded = np.zeros(-(-len(scores) // BLOCK) * BLOCK, np.float32)
    padded[: len(scores)] = scores
    tops = padded.reshape(-1, BLOCK).max(axis=1)
    bound = np.partition(tops, len(tops) - limit)[len(tops) - limit] if len(tops) > limit else np.float32(0)
    candidates = np.flatnonzero(scores >= bound if bound > 0 else scores > 0)
    order = np.lexsort((candidates, -scores[candidates]))
    return candidates[order][:limit].astype(np.int32)
