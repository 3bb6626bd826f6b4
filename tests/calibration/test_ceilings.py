"""Ceilings: by hand, against a plain loop, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, leave_one_out, split_half

stats = pytest.importorskip("scipy.stats")
FEW = Bootstrap(draws=100)
NAN = math.nan


def test_two_raters_by_hand() -> None:
    """Each of two raters against the other: 1 2 3 4 on 1 2 4 3: 4 / 5 = .8 both times.

    The judge 1 2 3 4 on the first: 1, on the second: .8; mean .9. One reference rater, so a rater's reliability is .8,
    and endless ones would have sqrt(.8) = .894 < .9: the judge is worth more than any number of them.
    """
    found = leave_one_out([1, 2, 3, 4], [[1, 2, 3, 4], [1, 2, 4, 3]], "pearson", bootstrap=FEW)

    assert (found.human.value, found.judge.value, found.difference.value) == pytest.approx((0.8, 0.9, 0.1))
    assert found.limit.value == pytest.approx(math.sqrt(0.8))
    assert found.equals.value == math.inf and "unbounded" in found.equals.note
    assert (found.raters, found.left_out) == (2, 0)


def test_the_curve_by_hand() -> None:
    """r = .5 of one: of two 1 / 1.5 = 2/3; against one other the root of .5 * 2/3 = .5774, and 1 of them gives .5."""
    ratings = [[1, 2, 3, 4, 5, 6], [1, 5, 2, 6, 3, 4]]  # products 7.5 less the ranks' (sum d^2 = 0+9+1+4+4+4 = 22)
    found = leave_one_out([1, 5, 2, 6, 3, 4], ratings, "pearson", bootstrap=FEW)
    r = 1 - 6 * 22 / (6 * 35)

    assert found.curve[0].value == pytest.approx(r) == found.human.value
    assert found.curve[1].value == pytest.approx(math.sqrt(2 * r / (1 + r) * r))
    assert len(found.curve) == 10


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_a_judge_as_noisy_as_a_rater_is_worth_one(method: str) -> None:
    """As much noise as one of them has."""
    rng = np.random.default_rng(0)
    t = rng.normal(size=800)
    judge, ratings = np.round(t + rng.normal(size=800)), np.round(t + rng.normal(size=(3, 800)))
    found = leave_one_out(judge, ratings, method, bootstrap=FEW)

    assert found.equals.value == pytest.approx(1, abs=0.3)
    assert found.equals.low < 1 < found.equals.high


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["pearson", "spearman", "kendall"]), st.booleans())
def test_a_loop_over_scipy_says_the_same(seed: int, method: str, discrete: bool) -> None:
    rng = np.random.default_rng(seed)
    t = rng.normal(size=30)
    judge, ratings = t + rng.normal(size=30), t + rng.normal(size=(4, 30))
    if discrete:
        judge, ratings = np.round(judge), np.round(ratings)
    ratings[rng.random(ratings.shape) < 0.3] = NAN
    judge[rng.random(30) < 0.1] = NAN
    of = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}[method]
    sums = np.zeros(3)
    for rater in range(4):
        rest = np.delete(ratings, rater, axis=0)
        own = ~np.isnan(ratings[rater]) & ~np.isnan(judge) & ~np.isnan(rest).all(0)
        mean = np.round(np.nanmean(rest[:, own], axis=0), 9)
        pair = [of(series[own], mean).statistic for series in (ratings[rater], judge)]
        sums += own.sum() * np.array([*pair, 1])
    found = leave_one_out(judge, ratings, method, bootstrap=FEW)

    assert (found.human.value, found.judge.value) == pytest.approx(sums[:2] / sums[2])


def test_within_groups_by_hand() -> None:
    """In each group of 3 the raters agree wholly, across groups not at all; the judge is reversed in one of two."""
    groups = [0, 0, 0, 1, 1, 1]
    ratings = [[1, 2, 3, 11, 12, 13], [11, 12, 13, 1, 2, 3]]
    found = leave_one_out([1, 2, 3, 3, 2, 1], ratings, "pearson", groups=groups, bootstrap=FEW)

    assert (found.human.value, found.judge.value) == pytest.approx((1, 0))
    assert (found.human.clusters, found.human.n) == (2, 6)


def test_people_who_do_not_agree_have_no_curve() -> None:
    found = leave_one_out([1, 2, 3, 4], [[1, 2, 3, 4], [4, 3, 2, 1.5]], "pearson", bootstrap=FEW)

    assert found.human.value < 0
    assert (found.curve, found.limit) == ((), None)


def test_a_judge_against_the_people_is_worth_nothing() -> None:
    found = leave_one_out([4, 3, 2, 1], [[1, 2, 3, 4], [1, 2, 4, 3]], "pearson", bootstrap=FEW)

    assert found.equals.value == 0 and "less than one" in found.equals.note


def test_a_rater_with_too_few_items_is_counted() -> None:
    ratings = [[1, 2, 3, 4], [1, 2, 4, 3], [1, 2, NAN, NAN], [2, 2, 2, 2]]
    found = leave_one_out([1, 2, 3, 4], ratings, bootstrap=FEW)

    assert (found.raters, found.left_out) == (2, 2)


def test_halves_by_hand() -> None:
    """Two raters with r = .8: 2 * .8 / 1.8."""
    found = split_half([[1, 2, 3, 4], [1, 2, 4, 3]], "pearson", bootstrap=FEW)

    assert found.value == pytest.approx(1.6 / 1.8)
    assert "of 2 raters" in found.note


@pytest.mark.parametrize("raters", [3, 4, 7])
def test_halves_find_the_reliability_of_the_mean(raters: int) -> None:
    """As much noise as signal: k / (k + 1)."""
    rng = np.random.default_rng(raters)
    ratings = rng.normal(size=4000) + rng.normal(size=(raters, 4000))

    assert split_half(ratings, "pearson", bootstrap=FEW).value == pytest.approx(raters / (raters + 1), abs=0.02)


@pytest.mark.parametrize(
    ("judge", "ratings", "error", "message"),
    [
        ([1, 2, 3], [[1, 2, 3]], NotEstimableError, "none of 1 raters"),
        ([1, 1, 1], [[1, 2, 3], [1, 2, 3]], NotEstimableError, "none of 2 raters"),
        ([NAN] * 3, [[1, 2, 3], [1, 2, 3]], NotEstimableError, "none of 2 raters"),
        ([1, 2], [[1, 2, 3], [1, 2, 3]], InputError, "not .items,"),
        ([1, 2, 3], [1, 2, 3], InputError, "the shape"),
        ([1, 2, np.inf], [[1, 2, 3], [1, 2, 3]], InputError, "infinite"),
    ],
)
def test_refusals(judge: list, ratings: list, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        leave_one_out(judge, ratings, bootstrap=FEW)


@pytest.mark.parametrize("ratings", [[[1, 2, 3]], [[1, 1, 1], [1, 2, 3]], [[NAN] * 3, [1, 2, 3]]])
def test_no_halves(ratings: list) -> None:
    with pytest.raises(NotEstimableError):
        split_half(ratings, bootstrap=FEW)


@pytest.mark.slow
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_intervals_cover(missing: float) -> None:
    """One rater's reliability is .5, the judge's .64: it is worth .64 * .5 / (.5 * .36) = 1.778 raters.

    3 raters, 25 clusters of 3 items that share a part of what is true. 2,000 data sets.
    """
    rng, bootstrap = np.random.default_rng(5), Bootstrap(draws=400)
    clusters, hits = np.repeat(np.arange(25), 3), np.zeros(4)
    one, ref = 0.5, 2 * 0.5 / 1.5
    truth = {"human": math.sqrt(one * ref), "judge": 0.8 * math.sqrt(ref), "equals": 16 / 9}
    truth["difference"] = truth["judge"] - truth["human"]
    for _ in range(2000):
        t = math.sqrt(0.3) * np.repeat(rng.normal(size=25), 3) + math.sqrt(0.7) * rng.normal(size=75)
        ratings = t + rng.normal(size=(3, 75))
        ratings[0, rng.random(75) < missing] = NAN
        judge = 0.8 * t + 0.6 * rng.normal(size=75)
        found = leave_one_out(judge, ratings, "pearson", units=clusters, bootstrap=bootstrap)
        estimates = [getattr(found, name) for name in truth]
        hits += [e.low <= value <= e.high for e, value in zip(estimates, truth.values(), strict=True)]
    shares = dict(zip(truth, hits / 2000, strict=True))
    checked = truth if not missing else {"difference": 0, "equals": 0}  # fewer others: another mean reference
    assert all(0.93 <= shares[name] <= 0.97 for name in checked), shares
