"""Which documents have a term, and what it adds to the score of each: what ranking needs of an engine."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from app.search.plan import TEXT, TITLE_FIELDS, WORD, Alternative
from app.search.postings import Documents, Floats
from app.search.weights import K1

ImpactList = tuple[Documents, Floats]  # documents, ascending, and what a term adds to the score of each: 0 to K1 + 1
Mask = npt.NDArray[np.bool_]

NOTHING = (np.zeros(0, np.int32), np.zeros(0, np.float32))


class Lists(Protocol):
    """Articles under a numbering of their own, as documents: all of an index, or those that may answer one query."""

    size: int  # documents
    alive: Mask
    article_ids: Documents

    @property
    def number(self) -> int:
        """How many articles there are in the library."""

    def text(self, term: str) -> ImpactList:
        """Return the documents in which `term` stands, and its impact on each by all text fields."""

    def title(self, term: str) -> ImpactList:
        """Return the documents in whose title `term` stands, and its impact there."""

    def plain(self, field: str, term: str) -> ImpactList:
        """Return the documents in whose `field` `term` stands, with an impact of 1 on each."""

    def named(self, field: str, term: str) -> ImpactList:
        """Return the documents in whose `field`, which is of titles, `term` stands; short titles weigh more."""

    def positions(self, field: str, term: str, documents: Documents) -> dict[int, list[int]]:
        """Return where `term` stands in a field of those of `documents` (ascending) that have it."""

    def rarity(self, term: str, frequency: int) -> float:
        """Return the inverse document frequency of a term that so many articles have."""

    def spread_of(self, alternatives: Sequence[Alternative], documents: Documents, *, in_titles: bool = False) -> int:
        """Return how many articles of the library have one of these; `documents` are those that do."""


def mask_of(lists: Lists, documents: Documents) -> Mask:
    """Return which of all documents are among these."""
    mask = np.zeros(lists.size, np.bool_)
    mask[documents] = True
    return mask


def all_of(lists: Lists, terms: Sequence[str]) -> ImpactList:
    """Return the documents in which all of `terms` stand, with the least of their impacts."""
    found = sorted((lists.text(term) for term in terms), key=lambda each: len(each[0]))
    documents, impacts = found[0]
    for others, more in found[1:]:
        _, mine, theirs = np.intersect1d(documents, others, assume_unique=True, return_indices=True)
        documents, impacts = documents[mine], np.minimum(impacts[mine], more[theirs])
    return documents, impacts


def text_list(lists: Lists, alternative: Alternative) -> ImpactList:
    """Return the documents that have an alternative anywhere, with its impact on each."""
    if alternative.field == TEXT:
        return lists.text(alternative.term)
    if alternative.field == WORD:
        return all_of(lists, alternative.term.split())
    return lists.plain(alternative.field, alternative.term)


def title_list(lists: Lists, alternative: Alternative) -> ImpactList:
    """Return the documents that have an alternative in their titles, with its impact there."""
    if alternative.field == TEXT:
        return lists.title(alternative.term)
    if alternative.field == WORD:
        found = [lists.title(term) for term in alternative.term.split()]
        return min(found, key=lambda each: len(each[0])) if all(len(each[0]) for each in found) else NOTHING
    return lists.named(TITLE_FIELDS[alternative.field], alternative.term)


def saturated(documents: Documents, weighed: Floats) -> ImpactList:
    """Return the impacts of weighed occurrences: further ones add less and less (BM25's k1)."""
    return documents, weighed * np.float32(K1 + 1) / (weighed + np.float32(K1))
