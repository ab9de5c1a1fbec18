"""Excerpts of an article with the found words marked. The text is escaped first and marked after."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from app.search import pinyin
from app.search.analysis import CJK, stem
from app.search.folding import fold, fold_with_offsets, is_han

EXCERPT_LENGTH = 220  # characters; a Chinese one counts twice, it is twice as wide
SEARCHED_LENGTH = 200_000  # characters of the text that are looked at
MAX_PLACES = 16  # of one term, among which the best place is chosen
MOST_SOUGHT = 16  # terms by which it is chosen, the longest ones; all are marked
_LEAD = 40
_OPEN, _CLOSE = "\x01", "\x02"  # of a mark, until the text is escaped; no text has them
_WORD_REST = re.compile(rf"[^\W_{CJK}]+")
_BOUNDARY = re.compile(r"[\s。！？；.!?;]")

Span = tuple[int, int, str]  # begin, end, term


@dataclass(frozen=True)
class Snippet:
    """Marked HTML, and whether a mark stands where only a variant character matched."""

    html: str
    marks: int
    has_variant: bool
    start: int  # in the text: where the marks begin
    terms: frozenset[str]  # that are marked


class Marker:
    """Finds and marks the terms of one query in many texts."""

    def __init__(self, terms: Iterable[str], typed: str, sounds: Collection[str] = ()) -> None:
        self._terms = dict.fromkeys(terms)
        self._sounds = sounds
        self._typed = unicodedata.normalize("NFKC", typed).casefold()
        self._folded = fold(typed)
        self._pairs = [term for term in self._terms if re.match(f"[{CJK}]", term)]
        words = [term for term in self._terms if not re.match(f"[{CJK}]", term)]
        # A stem may end otherwise than the word (happi, happy): its beginning finds candidates.
        starts = {word[:-1] if len(word) > 3 else word for word in words}
        self._starts = sorted(starts, key=lambda start: (-len(start), start))

    def whole(self, text: str) -> Snippet:
        """Return all of `text`, marked."""
        return self._marked(text, 0, len(text))

    def title(self, text: str) -> Snippet:
        """Return all of a title, marked; also what was only found by its sound."""
        heard = [(start, start + 2, "") for start in pinyin.places(text, self._sounds)] if self._sounds else []
        return self._marked(text, 0, len(text), heard)

    def excerpt(self, text: str) -> Snippet:
        """Return the part of `text` where most different terms stand together, marked; its beginning when none does."""
        text = text[:SEARCHED_LENGTH]
        start = self._best_start(text, self._spans(text, MAX_PLACES, MOST_SOUGHT))
        return self._marked(text, start, _end(text, start))

    def _spans(self, text: str, most: int, sought: int | None = None) -> list[Span]:
        """Return where terms stand in `text`, and which, in order; each term at most `most` times."""
        folded, offsets = fold_with_offsets(text)
        found: list[Span] = []
        for pair in self._pairs[:sought]:
            found += [(at, at + len(pair), pair) for at in _places(folded, pair, most)]
        for start in self._starts[:sought]:
            for at in _places(folded, start, most):
                if at and folded[at - 1].isalnum() and _WORD_REST.match(folded, at - 1):
                    continue  # inside a word
                end = _end_of_word(folded, at + len(start))
                if (word := stem(folded[at:end])) in self._terms:
                    found.append((at, end, word))
        found.sort()
        return [(offsets[start], offsets[end - 1] + 1, term) for start, end, term in found]

    def _best_start(self, text: str, spans: list[Span]) -> int:
        best, best_worth = 0, 0
        inside = dict.fromkeys((term for _, _, term in spans), 0)
        worths = {term: len(term) if term.isascii() else 3 for term in inside}
        worth = last = 0
        for start, _, first in spans:
            while last < len(spans) and spans[last][0] - start <= EXCERPT_LENGTH // 2:
                term = spans[last][2]
                worth += 0 if inside[term] else worths[term]
                inside[term] += 1
                last += 1
            if worth > best_worth:
                best, best_worth = start, worth
            inside[first] -= 1
            worth -= 0 if inside[first] else worths[first]
        if best <= _LEAD:
            return 0
        boundary = [m.end() for m in _BOUNDARY.finditer(text, best - _LEAD, best)]
        return boundary[0] if boundary else best - _LEAD // 2

    def _marked(self, text: str, start: int, end: int, more: Sequence[Span] = ()) -> Snippet:
        shown = text[start:end].replace(_OPEN, " ").replace(_CLOSE, " ")
        spans = sorted([*self._spans(shown, len(shown)), *more])
        pieces: list[str] = []
        position, has_variant = 0, False
        marks = _merged(spans)
        for first, last in marks:
            pieces += [shown[position:first], _OPEN, shown[first:last], _CLOSE]
            position = last
            has_variant = has_variant or self._is_variant(shown[first:last])
        pieces.append(shown[position:])
        plain = escape(" ".join("".join(pieces).split()))
        marked = plain.replace(_OPEN, "<mark>").replace(_CLOSE, "</mark>")
        html = f"{'… ' if start else ''}{marked}{' …' if end < len(text) else ''}"
        begin = start + (spans[0][0] if spans else 0)
        return Snippet(html, len(marks), has_variant, begin, frozenset(term for _, _, term in spans if term))

    def _is_variant(self, found: str) -> bool:
        # 任務 was typed and 任务 found: equal after folding, different before.
        if found.isascii():
            return False
        han = "".join(character for character in unicodedata.normalize("NFKC", found) if is_han(character))
        return any(c not in self._typed and fold(c) in self._folded for c in han)


def _end_of_word(text: str, position: int) -> int:
    rest = _WORD_REST.match(text, position)
    return position if rest is None else rest.end()


def _places(text: str, part: str, most: int) -> list[int]:
    places: list[int] = []
    at = text.find(part)
    while at >= 0 and len(places) < most:
        places.append(at)
        at = text.find(part, at + 1)
    return places


def _merged(spans: list[Span]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end, _term in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _end(text: str, start: int) -> int:
    piece = text[start : start + EXCERPT_LENGTH]
    # Nearly all signs that are twice as wide take three bytes, and few others do.
    wide = (len(piece.encode("utf-8", "surrogatepass")) - len(piece)) / 2 / max(1, len(piece))
    at = start + round(EXCERPT_LENGTH / (1 + wide))
    if at >= len(text):
        return len(text)
    boundary = [m.start() for m in _BOUNDARY.finditer(text, max(start, at - 20), at)]
    return boundary[-1] if boundary else at
