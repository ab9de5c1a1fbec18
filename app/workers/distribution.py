"""How evenly, and how much in turn, requests went to workers."""

import math
from collections.abc import Sequence


def coefficient_of_variation(counts: Sequence[int]) -> float:
    """Return the standard deviation of `counts` as a part of their mean: 0 is perfectly even."""
    mean = sum(counts) / len(counts) if counts else 0
    if not mean:
        return 0.0
    return math.sqrt(sum((count - mean) ** 2 for count in counts) / len(counts)) / mean


def chi_square_p(counts: Sequence[int]) -> float:
    """Return how probable an even chance for all makes counts at least as uneven as these; 1 for one worker or none.

    Pearson's test. The survival function of the chi-square distribution is exact for whole degrees of freedom:
    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.4.4 and 26.4.5.
    """
    degrees, total = len(counts) - 1, sum(counts)
    if degrees < 1 or not total:
        return 1.0
    expected = total / len(counts)
    half = sum((count - expected) ** 2 for count in counts) / expected / 2
    if degrees % 2 == 0:
        term = survival = math.exp(-half)
        for step in range(1, degrees // 2):
            term *= half / step
            survival += term
        return survival
    survival = math.erfc(math.sqrt(half))
    term = math.sqrt(half / math.pi) * 2 * math.exp(-half)
    for step in range(1, (degrees + 1) // 2):
        survival += term
        term *= half / (step + 0.5)
    return min(1.0, survival)


def lag_agreement(sequence: Sequence[int], lag: int) -> float:
    """Return in which part of the cases the same worker answered as `lag` requests before.

    With `lag` workers that take turns it is 1.0; with one kept connection, too.
    """
    pairs = len(sequence) - lag
    if lag < 1 or pairs < 1:
        return 0.0
    return sum(sequence[at] == sequence[at + lag] for at in range(pairs)) / pairs
