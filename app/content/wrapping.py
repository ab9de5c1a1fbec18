"""Titles on several lines: as few as possible, as large as they fit, of like length, ended at good places."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from app.content.breaking import NEVER_FIRST, NEVER_LAST, WITHIN_WORD, parts_of

WidthOf = Callable[[str], float]

ELLIPSIS = "…"
JOINTS = frozenset("-_/.:=&?@")  # a word too long for a line is cut after one of these
_MARKS = "".join(NEVER_FIRST | NEVER_LAST)


class Wrapped(NamedTuple):
    """The lines of a text; `is_whole` says that no word was cut and nothing left out."""

    lines: list[str]
    is_whole: bool


class _Piece(NamedTuple):
    """A part of the text that one line takes."""

    text: str
    width: float
    space: str = ""  # before it, where no line begins
    gap: float = 0  # as wide as that
    cost: float = 0  # of beginning a line with it


def wrap(text: str, width_of: WidthOf, widest: float, most: int) -> Wrapped:
    """Return `text` on at most `most` lines, none wider than `widest`.

    `width_of` measures a text. A word wider than a line is cut; what has no room is left out, with an ellipsis.
    """
    whole = _measured(text, width_of)
    pieces = [part for piece in whole for part in _cut(piece, width_of, widest)]
    filled = _filled(pieces, widest)
    if len(filled) > most:
        pieces = _shortened(pieces, filled[most - 1], filled[most], width_of, widest)
    starts = _even(pieces, min(len(filled), most), widest)
    lines = [
        "".join(piece.space + piece.text for piece in pieces[start:end]).strip()
        for start, end in pairwise([*starts, len(pieces)])
    ]
    is_cut = len(pieces) > len(whole) or any(pieces[start].cost >= WITHIN_WORD for start in starts)
    return Wrapped(lines, is_whole=len(filled) <= most and not is_cut)


def _measured(text: str, width_of: WidthOf) -> list[_Piece]:
    pieces: list[_Piece] = []
    for part in parts_of(text):
        width = width_of(part.text)
        before = pieces[-1] if pieces else _Piece("", 0)
        gap = width_of(before.text + part.space + part.text) - before.width - width
        pieces.append(_Piece(part.text, width, part.space, gap, part.cost))
    return pieces


def _cut(piece: _Piece, width_of: WidthOf, widest: float) -> list[_Piece]:
    """Return the piece, or its parts where it is wider than a line."""
    parts: list[_Piece] = []
    while piece.width > widest and len(piece.text) > 1:
        fitting = bisect_right(range(1, len(piece.text)), widest, key=lambda end: width_of(piece.text[:end])) or 1
        end = next((end for end in range(fitting, fitting // 2, -1) if piece.text[end - 1] in JOINTS), fitting)
        parts.append(piece._replace(text=piece.text[:end], width=width_of(piece.text[:end])))
        piece = _Piece(piece.text[end:], width_of(piece.text[end:]))
    return [*parts, piece]


def _filled(pieces: Sequence[_Piece], widest: float) -> list[int]:
    """Return which pieces begin a line when each line takes what it can."""
    ends = _ends(pieces)
    starts: list[int] = []
    for number in range(len(pieces)):
        if not starts or _width(pieces, ends, starts[-1], number + 1) > widest:
            starts.append(number)
    return starts


def _shortened(pieces: Sequence[_Piece], start: int, stop: int, width_of: WidthOf, widest: float) -> list[_Piece]:
    """Return the pieces up to `stop` with an ellipsis, as many as the line from `start` has room for beside it."""
    first = pieces[start].text
    endings = [(end, pieces[end - 1].text) for end in range(stop, start, -1) if pieces[end].cost < WITHIN_WORD]
    endings += [(start + 1, first[:length]) for length in range(len(first) - 1, -1, -1)]
    for end, text in endings:
        ended = text.rstrip(_MARKS) + ELLIPSIS
        kept = [*pieces[: end - 1], pieces[end - 1]._replace(text=ended, width=width_of(ended))]
        if _width(kept, _ends(kept), start, end) <= widest:
            break
    return kept


def _even(pieces: Sequence[_Piece], lines: int, widest: float) -> list[int]:
    """Return which pieces begin a line in the way to make so many lines that costs least."""
    ends = _ends(pieces)
    best: dict[int, tuple[float, list[int]]] = {0: (0, [])}  # by number of pieces: the cost, and where lines begin
    for _ in range(lines):
        longer: dict[int, tuple[float, list[int]]] = {}
        for start, (cost, starts) in best.items():
            for end in range(start + 1, len(pieces) + 1):
                width = _width(pieces, ends, start, end)
                if width > widest and end > start + 1:
                    break
                total = cost + pieces[start].cost + (1 - width / widest) ** 2
                if end not in longer or total < longer[end][0]:
                    longer[end] = (total, [*starts, start])
        best = longer
    return best[len(pieces)][1]


def _ends(pieces: Sequence[_Piece]) -> list[float]:
    return [0, *accumulate(piece.gap + piece.width for piece in pieces)]


def _width(pieces: Sequence[_Piece], ends: Sequence[float], start: int, end: int) -> float:
    return ends[end] - ends[start] - pieces[start].gap
