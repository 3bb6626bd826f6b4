"""Centred isotonic regression, the monotone cubic and equipercentile points: by hand, and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from judgekit.calibration.monotone import BINS, centred_isotonic, cubic, equipercentile, lines, slopes

Series = tuple[np.ndarray, np.ndarray, np.ndarray]
SEEDS = st.integers(0, 10**6)


def series(seed: int) -> Series:
    """Return x with ties, y, and weights."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    return rng.integers(0, 12, n) / 2, rng.integers(-20, 20, n) / 4, rng.integers(1, 5, n).astype(float)


def test_a_pool_becomes_one_point_by_hand() -> None:
    """1 -> 1, 2 -> 3, 3 -> 2, 4 -> 5: the middle two fall, and pool at x 2.5, y 2.5."""
    x, y = centred_isotonic(np.arange(1.0, 5), np.array([1.0, 3, 2, 5]), np.ones(4))

    assert (x.tolist(), y.tolist()) == ([1, 2.5, 4], [1, 2.5, 5])


def test_weights_move_the_centre_of_a_pool() -> None:
    """Weights 3 and 1 on x 2 and 3: x = (3*2 + 3) / 4 = 2.25, y = (3*3 + 2) / 4 = 2.75."""
    x, y = centred_isotonic(np.arange(1.0, 5), np.array([1.0, 3, 2, 5]), np.array([1.0, 3, 1, 1]))

    assert (x.tolist(), y.tolist()) == ([1, 2.25, 4], [1, 2.75, 5])


def test_falling_labels_are_one_pool() -> None:
    x, y = centred_isotonic(np.arange(3.0), np.array([5.0, 3, 1]), np.ones(3))

    assert (x.tolist(), y.tolist()) == ([1], [3])


@settings(max_examples=1000, deadline=None)
@given(SEEDS)
def test_the_pools_are_those_of_isotonic_regression(seed: int) -> None:
    x, y, w = series(seed)
    optimize = pytest.importorskip("scipy.optimize")
    _, at = np.unique(x, return_inverse=True)
    own = np.bincount(at, w)
    oracle = optimize.isotonic_regression(np.bincount(at, w * y) / own, weights=own).x[at]
    levels, pool = np.unique(np.round(oracle, 9), return_inverse=True)
    centres = np.bincount(pool, w * x) / np.bincount(pool, w)

    a, b = centred_isotonic(x, y, w)

    assert b == pytest.approx(levels, abs=1e-8)
    assert a == pytest.approx(centres, abs=1e-8)


@settings(max_examples=1000, deadline=None)
@given(SEEDS)
def test_the_cubic_is_scipys(seed: int) -> None:
    interpolate = pytest.importorskip("scipy.interpolate")
    x, y = centred_isotonic(*series(seed))
    assume(len(x) > 1)
    at = np.random.default_rng(seed).uniform(-1, 7, 20)

    inside = np.clip(at, x[0], x[-1])

    assert cubic(at, x, y, slopes(x, y)) == pytest.approx(interpolate.PchipInterpolator(x, y)(inside), abs=1e-9)


@pytest.mark.parametrize("points", [[0.0, 1.0], [-2, 0.1, 0.1001, 0.10011, 0.10012, 3], list(range(50))])
def test_many_are_looked_up_like_few(points: list[float]) -> None:
    """The table of bins gives what a search gives, also on the points themselves and where they crowd in one bin."""
    rng, knots = np.random.default_rng(0), np.array(points, dtype=float)
    at = np.concatenate([rng.uniform(knots[0] - 1, knots[-1] + 1, 4 * BINS), knots, np.nextafter(knots, -9), [np.nan]])
    y = np.cumsum(rng.random(len(knots)))

    assert lines(at, knots, y) == pytest.approx(np.interp(at, knots, y), abs=1e-9, nan_ok=True)
    d = slopes(knots, y)
    few = np.concatenate([cubic(part, knots, y, d) for part in np.array_split(at, 40)])
    assert cubic(at, knots, y, d) == pytest.approx(few, abs=1e-12, nan_ok=True)


def test_equal_ranks_by_hand() -> None:
    """Judge 1 1 2 3 has the ranks 1/4, 5/8, 7/8; human 2 4 4 5 has 1/8, 1/2, 7/8 at 2, 4, 5.

    1/4 lies a third of the way from 1/8 to 1/2: 2 + 2/3. 5/8 a third from 1/2 to 7/8: 4 + 1/3. 7/8 is 5.
    """
    x, y = equipercentile(np.array([1.0, 1, 2, 3]), np.array([2.0, 4, 4, 5]), np.ones(4))

    assert x.tolist() == [1, 2, 3]
    assert y == pytest.approx([8 / 3, 13 / 3, 5])


def test_a_quantile_map_keeps_few_points() -> None:
    rng = np.random.default_rng(0)
    x, y = equipercentile(rng.normal(size=5000), rng.normal(size=5000), np.ones(5000))

    assert len(x) == 101
    assert (np.diff(x) > 0).all() and (np.diff(y) >= 0).all()
