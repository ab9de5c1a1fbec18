"""One generation of the index, ready to be ranked: its segments under one numbering, and what each term adds where."""

import sys
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from functools import cached_property, partial
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from cachetools import LRUCache

from app.search import postings, weights
from app.search.folding import fold
from app.search.lists import NOTHING, ImpactList, Mask, mask_of, saturated
from app.search.plan import Alternative
from app.search.postings import BlockValues, Documents, Floats
from app.search.schema import TEXT_FIELDS
from app.search.segments import Segment
from app.search.vocabulary import Vocabulary

CACHE_BYTES = 32 * 2**20
ENTRY_BYTES = 700  # that a kept list costs beside its numbers: two arrays, a tuple, a key and a link

Kept = TypeVar("Kept", bound=ImpactList | BlockValues | None)


class ListCache:
    """Parts of posting lists, shared by the generations of one index and by all threads."""

    def __init__(self, size: int = CACHE_BYTES) -> None:
        self._kept: LRUCache[Hashable, Any] = LRUCache(size, getsizeof=_bytes)
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """Return what is kept under `key`, or make and keep it; two threads at once may both make it."""
        with self._lock:
            if key in self._kept:
                found: Kept = self._kept[key]
                return found
        made = make()
        if _bytes(made) < self._kept.maxsize:
            with self._lock:
                self._kept[key] = made
        return made


class Snapshot:
    """All that one search needs; never changed, so that any number of threads may use it."""

    def __init__(
        self,
        generation: int,
        segments: Sequence[Segment],
        deleted: Sequence[Iterable[int]],
        words: Vocabulary,
        cache: ListCache,
    ) -> None:
        sizes = [segment.size for segment in segments]
        self.generation = generation
        self.segments = segments
        self.bases = [sum(sizes[:place]) for place in range(len(sizes))]
        self.size = sum(sizes)  # documents, deleted ones included
        self.words = words
        self.alive = np.ones(self.size, np.bool_)
        for base, gone in zip(self.bases, deleted, strict=True):
            self.alive[[base + document for document in gone]] = False
        self.article_ids = np.concatenate([segment.article_ids for segment in segments] or [NOTHING[0]])
        self.languages, self.language_of = _joined_languages(segments)
        self._cache = cache
        self._averages = {
            field: weights.rounded_average(sum(segment.total_lengths[field] for segment in segments), self.size)
            for field in TEXT_FIELDS
        }
        self._state = tuple(self._averages.values())
        of_cjk = np.array([*map(weights.is_cjk, self.languages), False])
        in_cjk = int(of_cjk[self.language_of].sum())
        self._script_sizes = (in_cjk, self.size - in_cjk)

    def revisions(self) -> dict[int, int]:
        """Return which revision of each article is in the index, by article id."""
        numbers = np.concatenate([segment.revisions() for segment in self.segments] or [NOTHING[0]])
        return dict(zip(self.article_ids[self.alive].tolist(), numbers[self.alive].tolist(), strict=True))

    def text(self, term: str) -> ImpactList:
        """Return the documents in which `term` stands, and its impact on each by all text fields."""
        return self._list(term, "text", partial(self._text_impacts, term=term))

    def title(self, term: str) -> ImpactList:
        """Return the documents in whose title `term` stands, and its impact there."""
        return self._list(term, "title", partial(self._title_impacts, term=term))

    def plain(self, field: str, term: str) -> ImpactList:
        """Return the documents in whose `field` `term` stands, with an impact of 1 on each."""
        return self._list(term, field, partial(_ones, field=field, term=term))

    def named(self, field: str, term: str) -> ImpactList:
        """Return the documents in whose `field`, which is of titles, `term` stands; short titles weigh more."""
        return self._list(term, f"{field} of titles", partial(self._weigh_once, field=field, term=term))

    def tags_like(self, folded: str) -> list[str]:
        """Return the tags that are, folded, this one."""
        return self._tags_by_folded.get(folded, [])

    @cached_property
    def _tags_by_folded(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in sorted({name for segment in self.segments for name in segment.tags[0]}):
            found.setdefault(fold(name), []).append(name)
        return found

    @property
    def number(self) -> int:
        """How many articles there are, each as often as it was changed since they were last put together."""
        return self.size

    def spread(self, term: str) -> int:
        """Return how many documents have `term` in any text field."""
        return len(self.text(term)[0])

    def spread_of(self, _: Sequence[Alternative], documents: Documents, *, in_titles: bool = False) -> int:  # noqa: ARG002
        """Return how many documents have one of these: all were found."""
        return len(documents)

    def tag_counts(self, matched: Mask) -> dict[str, int]:
        """Return how many of these documents have each tag."""
        counted: dict[str, int] = {}
        for base, segment in zip(self.bases, self.segments, strict=True):
            names, documents, places = segment.tags
            inside = np.flatnonzero(matched[base : base + segment.size][documents])
            counts = np.bincount(places[inside], minlength=len(names))
            for place in np.flatnonzero(counts).tolist():
                counted[names[place]] = counted.get(names[place], 0) + int(counts[place])
        return counted

    def has_title_with(self, field: str, terms: Collection[str]) -> bool:
        """Say whether one title has all of `terms` in this field."""
        in_one = self.alive.copy()
        for term in terms:
            in_one &= mask_of(self, self.plain(field, term)[0])
        return bool(in_one.any())

    def frequency(self, field: str, term: str) -> int:
        """Return in how many documents' `field` `term` stands, without reading the list of them."""
        return sum(postings.frequency(segment.reader, field, term) for segment in self.segments)

    def frequencies(self, field: str, terms: Iterable[str]) -> dict[str, int]:
        """Return the same for many terms, by term."""
        return {term: self.frequency(field, term) for term in terms}

    def rarity(self, term: str, frequency: int) -> float:
        """Return the inverse document frequency of a term; near 0 for what most articles of its script have."""
        return weights.rarity(frequency, self.size, self._script_sizes[term.isascii()])

    def positions(self, field: str, term: str, documents: Documents) -> dict[int, list[int]]:
        """Return where `term` stands in a field of those of `documents` (ascending) that have it."""
        found: dict[int, list[int]] = {}
        for base, segment in zip(self.bases, self.segments, strict=True):
            first, last = documents.searchsorted((base, base + segment.size))
            if first < last:
                local = documents[first:last] - np.int32(base)
                inside = postings.read_positions(segment.reader, field, term, local, partial(self._keep, segment.id))
                found.update((document + base, where) for document, where in inside.items())
        return found

    def _keep(self, segment: str, place: int, load: Callable[[], BlockValues]) -> BlockValues:
        return self._cache.get((segment, place), load)

    def _list(self, term: str, kind: str, make: Callable[[Segment], ImpactList | None]) -> ImpactList:
        parts = []
        for base, segment in zip(self.bases, self.segments, strict=True):
            found = self._cache.get((segment.id, kind, term, self._state), partial(make, segment))
            if found is not None:
                parts.append((found[0] + base, found[1]) if base else found)
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return NOTHING
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _text_impacts(self, segment: Segment, term: str) -> ImpactList | None:
        weighed = [
            (found[0], found[1] * weight)
            for field, weight in weights.FIELD_WEIGHTS.items()
            if (found := self._weigh(segment, field, term)) is not None
        ]
        if len(weighed) < 2:
            return saturated(*weighed[0]) if weighed else None
        documents, places = np.unique(np.concatenate([found[0] for found in weighed]), return_inverse=True)
        sums = np.bincount(places, np.concatenate([found[1] for found in weighed]), len(documents))
        return saturated(documents.astype(np.int32), sums.astype(np.float32))

    def _title_impacts(self, segment: Segment, term: str) -> ImpactList | None:
        found = self._weigh(segment, "title", term)
        return None if found is None else saturated(*found)

    def _weigh_once(self, segment: Segment, field: str, term: str) -> ImpactList | None:
        found = postings.read(segment.reader, field, term)
        if found is None:
            return None
        return saturated(found[0], (1 / self._evened(segment, "title", found[0])).astype(np.float32))

    def _weigh(self, segment: Segment, field: str, term: str) -> tuple[Documents, Floats] | None:
        found = postings.read(segment.reader, field, term)
        if found is None:
            return None
        documents, frequencies = found
        return documents, (frequencies / self._evened(segment, field, documents)).astype(np.float32)

    def _evened(self, segment: Segment, field: str, documents: Documents) -> Floats:
        """Return by what occurrences are divided, so that long texts do not win by their length."""
        share = weights.LENGTH_SHARE[field]
        evened: Floats = (1 - share) + share * segment.lengths[field][documents] / self._averages[field]
        return evened


def _ones(segment: Segment, field: str, term: str) -> ImpactList | None:
    found = postings.read(segment.reader, field, term)
    return None if found is None else (found[0], np.ones(len(found[0]), np.float32))


def _joined_languages(segments: Sequence[Segment]) -> tuple[list[str], Documents]:
    """Return the languages of all segments, and the place of each document's own among them (-1: none)."""
    names = list(dict.fromkeys(code for segment in segments for code in segment.languages[0]))
    parts = []
    for segment in segments:
        codes, own = segment.languages
        parts.append(np.array([*map(names.index, codes), -1], np.int32)[own])
    return names, np.concatenate(parts or [NOTHING[0]])


def _bytes(kept: ImpactList | BlockValues | None) -> int:
    if kept is None:
        return ENTRY_BYTES
    documents, values = kept
    of_values = sum(map(sys.getsizeof, values)) if isinstance(values, tuple) else values.nbytes
    return ENTRY_BYTES + documents.nbytes + of_values
