"""Where intervals are read: Student's t, the tails of few units, the acceleration."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from judgekit.calibration.interval import Tails, acceleration, degrees, notes, standard_error, t_quantile


@pytest.mark.parametrize(
    "df", [1, 1.0001, 1.2, 1.5, 1.99, 2, 2.01, 2.5, 3, 4, 5, 5.5, 9, 29, 57.3, 199, 998.5, 1e3, 1e6]
)
def test_students_t_is_the_one_of_scipy(df: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    for share in (0.51, 0.6, 0.9, 0.95, 0.975, 0.995, 0.99999, 1 - 1e-9):
        assert t_quantile(share, df) == pytest.approx(stats.t.isf(1 - share, df), rel=1e-8)


def test_students_t_in_the_middle() -> None:
    """Near 0 the density of t with 4 degrees of freedom is 3 / 8."""
    assert t_quantile(0.5, 3.3) == 0
    assert t_quantile(0.5 + 3e-6, 4) == pytest.approx(8e-6, rel=1e-6)


def test_the_tail_is_widened_at_few_units() -> None:
    """10 units: t(.025, 9) = -2.26216, times sqrt(10 / 9) is -2.38452, whose normal tail is .00855."""
    found = np.linspace(-1, 1, 101)

    assert Tails.of(found, 0.0, 10, None).shares(0.95) == pytest.approx([0.00855, 1 - 0.00855], abs=2e-5)
    assert Tails.of(found, 0.0, 10_000, None).shares(0.95) == pytest.approx([0.025, 0.975], abs=2e-5)


def test_the_standard_error_of_a_mean() -> None:
    """Of 1, 2, 6 without one each: 4, 3.5, 1.5. The jackknife's error is s / sqrt(n) = sqrt(7 / 3)."""
    left = np.array([4.0, 3.5, 1.5])

    assert standard_error(left, np.ones(3)) == pytest.approx(math.sqrt(7 / 3))
    # twice 4: 1, 1, 2, 6 would be another mean; here only the count is tested
    assert standard_error(np.array([4.0, 1.5]), np.array([2.0, 1.0])) == pytest.approx(
        standard_error(np.array([4.0, 4.0, 1.5]), np.ones(3))
    )


def test_the_acceleration_by_hand() -> None:
    """Without one each 4, 3.5, 1.5, mean 3: away -1, -.5, 1.5; cubes 2.25; squares 3.5: 2.25 / (6 * 3.5 ** 1.5)."""
    assert acceleration(np.array([4.0, 3.5, 1.5]), np.ones(3)) == pytest.approx(2.25 / (6 * 3.5**1.5))
    assert acceleration(np.ones(3), np.ones(3)) == 0


def test_the_degrees_of_freedom_by_hand() -> None:
    """Without one each 0 four times and 5, mean 1: squares 1 and 16, sum 20, their squares' 260; 5 units."""
    left = np.array([0.0, 0.0, 0.0, 0.0, 5.0])
    expected = (3.16 - 2.77 / math.sqrt(5)) * 400 / 260  # 2.956

    assert degrees(5, left, np.ones(5)) == pytest.approx(expected)
    assert degrees(5, left[3:], np.array([4.0, 1.0])) == pytest.approx(expected)
    assert degrees(4, np.array([0.0, 1, 0, 1]), np.ones(4)) == 3  # 7.1, but no more than 3
    assert degrees(400, left, np.ones(5)) == 399  # blocks


@pytest.mark.parametrize("units", [15, 60])
def test_the_degrees_of_freedom_of_normal_units_of_one_size(units: int) -> None:
    """Of a mean, one less than the units; where half of them weigh nothing, half as many."""
    drawn = np.random.default_rng(0).normal(size=(4000, units))
    heavy = drawn * (np.arange(units) % 2)
    found, half = (np.mean([degrees(units, -row, np.ones(units)) for row in rows]) for rows in (drawn, heavy))

    assert 0.8 * (units - 1) < found <= units - 1
    assert 0.4 * (units - 1) < half < 0.65 * (units - 1)


def test_bca_is_efrons_formula_but_for_the_tails() -> None:
    """30 % of the draws lie below the value: shift = z(.3); z is t(29) * sqrt(30 / 29); a is small."""
    normal, found = NormalDist(), np.linspace(0, 1, 1001)
    left = np.linspace(0.29, 0.31, 30), np.ones(30)
    shift, z = normal.inv_cdf(300.5 / 1001), 2.0452296 * math.sqrt(30 / 29)
    expected = [normal.cdf(2 * shift - z), normal.cdf(2 * shift + z)]

    assert Tails.of(found, 0.3, 30, left).shares(0.95) == pytest.approx(expected, abs=1e-6)


def test_values_that_differ_by_rounding_are_equal() -> None:
    found = np.array([0.1, 0.3 - 1e-16, 0.3 + 1e-16, 0.5])

    assert Tails.of(found, 0.3, 30, (np.ones(30), np.ones(30))).shares(0.95) == Tails.of(
        np.array([0.1, 0.3, 0.3, 0.5]), 0.3, 30, (np.ones(30), np.ones(30))
    ).shares(0.95)


def test_past_the_pole_the_last_draw_is_the_end() -> None:
    """One unit of three makes all of the skew, and all draws lie below: shift and z are far out."""
    left = np.array([0.0, 0.0, 1.0]), np.ones(3)
    low, high = Tails.of(np.linspace(-1, 0, 1000), 1.0, 3, left).shares(0.95)

    assert 0 <= low <= high <= 1 and high == 1


def test_notes() -> None:
    assert notes(np.arange(5.0), 0, 15) == ""
    assert "only 14 clusters" in notes(np.arange(5.0), 0, 14)
    assert "2 of 7 resamples" in notes(np.arange(5.0), 2, 15)
    assert "same value" in notes(np.ones(5), 0, 15)
