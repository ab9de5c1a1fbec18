"""Small charts as SVG: only their shapes, in a box that the template names; no library, no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.workers.reading import Sample

WIDTH, HEIGHT = 120, 30  # of a line's box
MARGIN = 2


@dataclass(frozen=True)
class Line:
    """A course of values over the last minutes."""

    points: str  # of an SVG polyline
    area: str  # of a polygon below it
    now: float
    most: float


@dataclass(frozen=True)
class Bar:
    """One bar of several, as a part of the longest."""

    label: str
    value: int
    length: float  # 0 to 100
    is_marked: bool = False


def line(values: Sequence[float], least_top: float = 1.0) -> Line:
    """Return the course of `values`; the top of the box is the greatest, or `least_top` where all are smaller."""
    values = values or (0.0,)
    top = max(*values, least_top)
    step = (WIDTH - 2 * MARGIN) / max(1, len(values) - 1)
    spots = [
        (round(MARGIN + number * step, 1), round(HEIGHT - MARGIN - value / top * (HEIGHT - 2 * MARGIN), 1))
        for number, value in enumerate(values)
    ]
    points = " ".join(f"{x},{y}" for x, y in spots)
    base = HEIGHT - MARGIN
    return Line(points, f"{spots[0][0]},{base} {points} {spots[-1][0]},{base}", values[-1], max(values))


def bars(values: Sequence[tuple[str, int]], marked: str | None = None) -> list[Bar]:
    """Return bars for labelled values."""
    longest = max((value for _, value in values), default=0) or 1
    return [Bar(label, value, round(100 * value / longest, 1), label == marked) for label, value in values]


def rates(samples: Sequence[Sample]) -> list[float]:
    """Return how many requests a second came between each two samples."""
    return [
        max(0, after.requests - before.requests) / max(0.1, after.at - before.at) for before, after in pairwise(samples)
    ]
