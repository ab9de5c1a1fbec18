"""The statistics of an experiment, against values of printed tables."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.workers.distribution import chi_square_p, coefficient_of_variation, lag_agreement


def integrated(counts):
    """The same probability by adding up the density of the chi-square distribution, slowly."""
    degrees, expected = len(counts) - 1, sum(counts) / len(counts)
    statistic = sum((count - expected) ** 2 for count in counts) / expected
    at = np.linspace(statistic, statistic + 200, 2_000_001)
    density = at ** (degrees / 2 - 1) * np.exp(-at / 2) / (2 ** (degrees / 2) * math.gamma(degrees / 2))
    return float(np.trapezoid(density, at))


@pytest.mark.parametrize(
    "counts",
    [[60, 40], [40, 30, 20], [65, 20, 39, 76], [129, 117, 95, 59], [9, 12, 10, 8, 11], [30, 14, 34, 45, 57, 20]],
)
def test_chi_square_is_the_area_under_its_density(counts):
    assert chi_square_p(counts) == pytest.approx(integrated(counts), rel=1e-3)


@pytest.mark.parametrize(
    ("counts", "p"), [([60, 40], 0.0455), ([50, 50], 1.0), ([200, 0, 0, 0], 0.0), ([7], 1.0), ([], 1.0), ([0, 0], 1.0)]
)
def test_chi_square(counts, p):
    assert chi_square_p(counts) == pytest.approx(p, abs=1e-4)


@given(st.lists(st.integers(0, 400), min_size=2, max_size=20))
def test_a_probability_is_one(counts):
    assert 0.0 <= chi_square_p(counts) <= 1.0


def test_the_spread():
    assert coefficient_of_variation([5, 5, 5]) == 0
    assert coefficient_of_variation([200, 0, 0, 0]) == pytest.approx(3**0.5)
    assert coefficient_of_variation([]) == 0


def test_taking_turns():
    assert lag_agreement([1, 2, 3, 4] * 10, 4) == 1.0
    assert lag_agreement([1, 1, 1, 1, 2, 2, 2, 2], 4) == 0.0
    assert lag_agreement([1, 2, 1, 1], 2) == 0.5
    assert lag_agreement([1, 2], 4) == 0.0
