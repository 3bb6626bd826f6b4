"""Two one-sided tests: by hand, beside statsmodels, their size by simulation, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import NotEstimableError, equivalence_test
from judgekit.errors import InputError


def test_by_hand() -> None:
    """-1, 0, 1, 0: mean 0, variance 2/3, error sqrt(1/6) = .408; t(.95, 3) = 2.3534: the interval is +-.9608."""
    found = equivalence_test([-1, 0, 1, 0], 1.0)

    assert found.difference.high == pytest.approx(2.35336 * math.sqrt(1 / 6), abs=1e-4)
    assert found.verdict == "inside"
    assert equivalence_test([-1, 0, 1, 0], 0.9).verdict == "undecided"
    assert equivalence_test([2, 3, 4, 3], 1.0).verdict == "outside"
    assert equivalence_test([2, 3, 4, 3], (1, 5)).verdict == "inside"


@settings(deadline=None, max_examples=1000)
@given(st.integers(0, 1 << 32), st.integers(2, 40), st.floats(0.01, 2), st.floats(0.01, 2))
def test_statsmodels_says_the_same(seed: int, n: int, low: float, high: float) -> None:
    weightstats = pytest.importorskip("statsmodels.stats.weightstats")
    rng = np.random.default_rng(seed)
    x = rng.normal(rng.normal(), 1, n)
    theirs = weightstats.ttost_paired(x, np.zeros(n), -low, high)[0]
    ours = equivalence_test(x, (-low, high))

    assert ours.p == pytest.approx(theirs, rel=1e-9)
    assert (ours.verdict == "inside") == (theirs < 0.05)


def test_clusters_count_not_items() -> None:
    """Each item three times in its cluster says no more than once."""
    x = np.random.default_rng(1).normal(0, 1, 20)
    once, thrice = equivalence_test(x, 0.5), equivalence_test(np.repeat(x, 3), 0.5, np.repeat(np.arange(20), 3))

    assert thrice.p == pytest.approx(once.p)
    assert (thrice.difference.n, thrice.difference.clusters) == (60, 20)


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [15, 40])
def test_the_size_at_the_margin_and_the_coverage(clusters: int) -> None:
    """True mean at the margin: inside, and outside, at most in 5 %; the 90 % interval covers. 4,000 simulations."""
    draw = np.random.default_rng(2)
    index = np.repeat(np.arange(clusters), draw.integers(3, 12, clusters))
    found = []
    for _ in range(4000):
        x = 0.5 + draw.normal(0, 0.3, clusters)[index] + draw.normal(0, 0.5, len(index))
        found.append(equivalence_test(x, 0.5, index))
    low, high = np.array([(f.difference.low, f.difference.high) for f in found]).T

    assert np.mean([f.verdict == "inside" for f in found]) <= 0.06
    assert np.mean([f.verdict == "outside" for f in found]) <= 0.06
    assert 0.88 <= np.mean((low <= 0.5) & (high >= 0.5)) <= 0.92


def test_refusals() -> None:
    with pytest.raises(InputError, match="low < high"):
        equivalence_test([1, 2], -1.0)
    with pytest.raises(InputError, match="finite differences"):
        equivalence_test([1, math.nan], 1.0)
    with pytest.raises(InputError, match="a cluster each"):
        equivalence_test([1, 2], 1.0, ["a"])
    with pytest.raises(NotEstimableError, match="needs two"):
        equivalence_test([1, 2], 1.0, ["a", "a"])
    with pytest.raises(NotEstimableError, match="do not differ"):
        equivalence_test([1, 1, 1], 2.0)
