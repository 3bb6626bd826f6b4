"""Correction for attenuation: by hand, Cronbach's alpha, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, correlation, disattenuated

stats = pytest.importorskip("scipy.stats")
FEW = Bootstrap(draws=100)
NAN = math.nan


def test_by_hand() -> None:
    """Raters 1 2 3 and 1 3 2: covariance 1/2; means 1, 2.5, 2.5, variance .75: reliability 2/3.

    The judge 1 2 3 on the means: products 1.5 / 2 = .75; r = .75 / sqrt(1 * .75) = sqrt(.75); over sqrt(2/3): 1.0607.
    """
    found = disattenuated([1, 2, 3], [[1, 2, 3], [1, 3, 2]], "pearson", bootstrap=FEW)

    assert found.reliability.value == pytest.approx(2 / 3)
    assert found.observed.value == pytest.approx(math.sqrt(0.75))
    assert found.corrected.value == pytest.approx(math.sqrt(0.75 * 1.5))
    assert "above 1" in found.corrected.note


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(5, 40))
def test_with_all_cells_it_is_cronbachs_alpha(seed: int, raters: int, items: int) -> None:
    """k / (k - 1) (1 - sum of the raters' variances / variance of their sum), whatever their severity."""
    rng = np.random.default_rng(seed)
    ratings = rng.normal(size=items) * 3 + rng.normal(size=(raters, items)) + rng.normal(size=(raters, 1)) * 9
    alpha = raters / (raters - 1) * (1 - ratings.var(1, ddof=1).sum() / ratings.sum(0).var(ddof=1))
    judge = rng.normal(size=items)
    assume(alpha > 0.01)
    found = disattenuated(judge, ratings, "pearson", bootstrap=FEW)

    assert found.reliability.value == pytest.approx(alpha)
    assert found.observed.value == pytest.approx(correlation(judge, ratings.mean(0), "pearson", bootstrap=FEW).value)
    assert found.corrected.value == pytest.approx(found.observed.value / math.sqrt(alpha))


@pytest.mark.parametrize("raters", [3, 8, 40])
def test_three_of_many_raters_an_item(raters: int) -> None:
    """As much noise as signal: 3 / 4. Severity is as much again, but for what 3 drawn of n raters have in common.

    The variance of a mean of 3 drawn of n without replacement is a third of theirs times (n - 3) / (n - 1).
    """
    rng = np.random.default_rng(raters)
    t, severity = rng.normal(size=4000), np.array(stats.zscore(rng.normal(size=raters)))[:, None]
    chosen = rng.random((raters, 4000)).argsort(0) < 3
    noisy = 50 + t + rng.normal(size=(raters, 4000))
    with_severity = 1 / (1 + 1 / 3 + (raters - 3) / (raters - 1) / 3)
    for ratings, reliability in ((noisy, 3 / 4), (noisy + severity, with_severity)):
        found = disattenuated(t, np.where(chosen, ratings, NAN), "pearson", bootstrap=FEW)
        assert found.reliability.value == pytest.approx(reliability, abs=0.03)


@pytest.mark.parametrize(
    ("judge", "ratings", "method", "error", "message"),
    [
        ([1, 2, 3], [[1, 2, 3]], "pearson", NotEstimableError, "two ratings"),
        ([1, 2, 3, 4], [[1, 2, NAN, NAN], [NAN, NAN, 1, 2]], "pearson", NotEstimableError, "two ratings"),
        ([NAN] * 3, [[1, 2, 3], [1, 2, 3]], "pearson", NotEstimableError, "two ratings"),
        ([1, 1, 1], [[1, 2, 3], [1, 2, 3]], "pearson", NotEstimableError, "does not vary"),
        ([1, 2, 3], [[1, 2, 3], [3, 2, 1.5]], "pearson", NotEstimableError, "reliability is -"),
        ([1, 2, 3], [[1, 2, 3], [1, 2, 3]], "kendall", InputError, "no correction"),
        ([1, 2], [[1, 2, 3], [1, 2, 3]], "pearson", InputError, "not .items,"),
        ([1, 2, 3], [[1, 2, np.inf], [1, 2, 3]], "pearson", InputError, "infinite"),
    ],
)
def test_refusals(judge: list, ratings: list, method: str, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        disattenuated(judge, ratings, method, bootstrap=FEW)


@pytest.mark.slow
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_it_covers_the_correlation_with_the_truth(missing: float) -> None:
    """True r is .8; raters have as much noise as signal. 2,000 data sets of 80 items, 4 raters."""
    rng, bootstrap, hits, values = np.random.default_rng(4), Bootstrap(draws=400), 0, []
    for _ in range(2000):
        t = rng.normal(size=80)
        ratings = t + rng.normal(size=(4, 80))
        ratings[rng.random(ratings.shape) < missing] = NAN
        found = disattenuated(0.8 * t + 0.6 * rng.normal(size=80), ratings, "pearson", bootstrap=bootstrap).corrected
        values.append(found.value)
        hits += found.low <= 0.8 <= found.high
    assert 0.93 <= hits / 2000 <= 0.97
    assert np.mean(values) == pytest.approx(0.8, abs=0.015)
