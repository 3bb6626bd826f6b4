"""Lin, Bland and Altman, Kendall's W: by hand, and against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, bland_altman, concordance, correlation, kendall_w

NAN = math.nan
QUICK = Bootstrap(draws=100)


def test_concordance_by_hand() -> None:
    """1 2 3 and 2 3 4: variances 2/3, covariance 2/3, means 1 apart: (4/3) / (4/3 + 1)."""
    assert concordance([1, 2, 3, NAN], [2, 3, 4, 9]).value == pytest.approx(4 / 7)
    assert concordance([1, 2, 3], [3, 2, 1]).value == pytest.approx(-1)


def test_bland_altman_by_hand() -> None:
    """Differences 1, 0, -1, 0: bias 0, variance 2/3. Means 1, 2, 3, 2: slope -2 / 2."""
    found = bland_altman([1.5, 2, 2.5, 2], [0.5, 2, 3.5, 2])

    assert found.bias.value == pytest.approx(0)
    assert (found.lower.value, found.upper.value) == pytest.approx((-1.96 * math.sqrt(2 / 3), 1.96 * math.sqrt(2 / 3)))
    assert found.trend is not None and found.trend.value == pytest.approx(-1)


def test_means_that_do_not_vary_have_no_trend() -> None:
    assert bland_altman([1, 2, 3], [3, 2, 1]).trend is None


def test_w_by_hand() -> None:
    """Ranks 1 2 3, 1 2 3, 2 1 3: sums 4 5 9, mean 6, S = 4 + 1 + 9; 12 * 14 / (9 * 24) = 7/9."""
    assert kendall_w([[1, 2, 3], [10, 20, 30], [5, 4, 6]]).value == pytest.approx(7 / 9)


@settings(deadline=None, max_examples=1000)
@given(st.integers(0, 1 << 32), st.integers(2, 6), st.integers(3, 40), st.floats(0, 0.2))
def test_w_with_ties(seed: int, raters: int, items: int, lost: float) -> None:
    """12 S / (m^2 (n^3 - n) - m sum(t^3 - t)) with scipy's ranks, and Friedman's chi-squared over m (n - 1).

    Both are of the items that every rater rated.
    """
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(seed)
    ratings = np.where(rng.random((raters, items)) < lost, NAN, rng.integers(1, 6, (raters, items)))
    whole = ratings[:, ~np.isnan(ratings).any(0)]
    m, n = whole.shape
    s = stats.rankdata(whole, axis=1).sum(0)
    ties = sum(int((np.unique(row, return_counts=True)[1] ** 3).sum()) - n for row in whole)
    below = m**2 * (n**3 - n) - m * ties
    if below == 0:
        with pytest.raises(NotEstimableError):
            kendall_w(ratings, bootstrap=QUICK)
        reject()
    found = kendall_w(ratings, bootstrap=QUICK).value

    assert found == pytest.approx(12 * ((s - s.mean()) ** 2).sum() / below)
    if n > 2:
        assert found == pytest.approx(stats.friedmanchisquare(*whole.T).statistic / (m * (n - 1)))


def test_w_of_two_raters_is_spearmans() -> None:
    """W = (rho + 1) / 2 without ties."""
    x = np.random.default_rng(0).normal(size=(2, 40))

    assert kendall_w(x).value == pytest.approx((correlation(*x).value + 1) / 2)


def test_refusals() -> None:
    with pytest.raises(NotEstimableError, match="0 items"):
        concordance([1, NAN], [NAN, 2])
    with pytest.raises(NotEstimableError):
        concordance([1, 1], [1, 1])
    with pytest.raises(NotEstimableError, match="in common"):
        kendall_w([[1, NAN], [NAN, 2]])
    with pytest.raises(InputError, match="shape"):
        bland_altman([1, 2], [1])
    with pytest.raises(InputError, match="shape"):
        kendall_w([1, 2])
