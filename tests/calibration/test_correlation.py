"""Correlations by hand, against scipy, and their intervals by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from judgekit import InputError
from judgekit.calibration.correlation import correlation, midranks, pearson, spearman

stats = pytest.importorskip("scipy.stats")
SERIES = hnp.arrays(float, st.shared(st.integers(2, 30), key="n"), elements=st.integers(-4, 4).map(float))


def test_midranks_by_hand() -> None:
    """7 is the smallest; the three 8 share ranks 2, 3 and 4; 9 is the last."""
    assert midranks([8, 9, 8, 7, 8]).tolist() == [3, 5, 3, 1, 3]


def test_pearson_by_hand() -> None:
    """x - mean: -1, 0, 1; y - mean: -2, 1, 1; products 3; squares 2 and 6: 3 / sqrt(12)."""
    assert pearson([1, 2, 3], [0, 3, 3]) == pytest.approx(3 / math.sqrt(12))


def test_spearman_by_hand() -> None:
    """Ranks 1, 2, 3 and 1, 2.5, 2.5: deviations -1, 0, 1 and -1.5, .75, .75; 2.25 / sqrt(2 * 3.375)."""
    assert spearman([1, 2, 30], [0, 3, 3]) == pytest.approx(2.25 / math.sqrt(6.75))


@settings(deadline=None)
@given(SERIES, SERIES)
def test_scipy_says_the_same(x: np.ndarray, y: np.ndarray) -> None:
    assert midranks(x).tolist() == stats.rankdata(x).tolist()
    if np.ptp(x) and np.ptp(y):
        assert pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
        assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    else:
        assert pearson(x, y) is None and spearman(x, y) is None


def test_nothing_that_varies_nothing_to_say() -> None:
    assert pearson([], []) is None
    assert correlation([1, 1, 1], [1, 2, 3], ["a", "b", "c"], np.random.default_rng(0)) is None
    assert correlation([1, 2, 3], [1, 2, 3], ["a", "a", "a"], np.random.default_rng(0)) is None


def test_clusters_are_drawn_whole() -> None:
    """Copies of the same items under their own cluster add nothing: the interval stays as wide."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=20)
    y = x + rng.normal(size=20)
    names = [str(i) for i in range(20)]
    once = correlation(x, y, names, np.random.default_rng(0), "pearson")
    thrice = correlation(
        np.repeat(x, 3), np.repeat(y, 3), np.repeat(names, 3).tolist(), np.random.default_rng(0), "pearson"
    )

    assert once and thrice
    assert (thrice.value, thrice.low, thrice.high) == pytest.approx((once.value, once.low, once.high))
    assert (once.n, once.clusters, thrice.n, thrice.clusters) == (20, 20, 60, 20)


def test_the_order_of_items_and_a_monotone_map_do_not_matter() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=30), rng.normal(size=30)
    names = [str(i // 3) for i in range(30)]
    found = correlation(x, y, names, np.random.default_rng(0), "spearman")

    assert found == correlation(np.exp(x), y**3, names, np.random.default_rng(0), "spearman")


@pytest.mark.parametrize(
    ("x", "y", "clusters", "message"),
    [
        ([1, 2], [1, 2, 3], ["a", "b"], "2 and 3 values, but 2 clusters"),
        ([1, 2], [1, 2], ["a"], "but 1 clusters"),
        ([1, float("nan")], [1, 2], ["a", "b"], "finite values"),
    ],
)
def test_refusals(x: list, y: list, clusters: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        correlation(x, y, clusters, np.random.default_rng(0))


@pytest.mark.slow
def test_the_interval_covers_the_truth() -> None:
    """Bivariate normal, clusters of one: the truth is rho. 95 % of 200, give or take 3 standard errors and 2 %."""
    rng, rho, hits = np.random.default_rng(7), 0.5, 0
    for _ in range(200):
        x = rng.normal(size=40)
        y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=40)
        found = correlation(x, y, list(range(40)), np.random.default_rng(0), "pearson", draws=200)
        hits += found is not None and found.low <= rho <= found.high

    assert hits / 200 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 200) - 0.02  # percentile intervals are a little narrow
