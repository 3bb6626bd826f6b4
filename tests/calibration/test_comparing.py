"""Two judges against the same people: by hand, against `correlation` on the common items, and by simulation."""

from __future__ import annotations

import itertools
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, compare_correlations, correlation

FEW = Bootstrap(draws=100)


def test_by_hand() -> None:
    """Pearson: one is the people's, r = 1. two: deviations 1, -2, 1 on -1, 0, 1: sum of products 0, r = 0."""
    found = compare_correlations([1, 2, 3], [3, 0, 3], [1, 2, 3], "pearson", bootstrap=FEW)

    assert (found.one.value, found.two.value) == pytest.approx((1, 0))
    assert found.difference.value == pytest.approx(1)
    assert found.left_out == 0


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["spearman", "pearson", "kendall"]),
    st.sampled_from(["item", "cell", "within_group", "system"]),
    st.booleans(),
)
def test_each_is_the_correlation_on_the_common_items(seed: int, method: str, level: str, discrete: bool) -> None:
    rng = np.random.default_rng(seed)
    series = rng.normal(size=(3, 24, 2)) + rng.normal(size=(24, 2))
    series = np.round(series) if discrete else series
    series[rng.random(series.shape) < 0.1] = np.nan
    names = {"groups": np.arange(24) % 6, "systems": np.arange(24) // 6}
    common = np.where(np.isnan(series).any(0), np.nan, series)
    try:
        alone = [correlation(judge, common[2], method, level, bootstrap=FEW, **names) for judge in common[:2]]
    except NotEstimableError:
        return
    found = compare_correlations(*series, method, level, bootstrap=FEW, **names)

    if level == "within_group" and any(estimate.clusters < 6 for estimate in (*alone, found.one)):
        return  # there the judges may vary in different groups, and only those in common are compared
    assert (found.one.value, found.two.value) == pytest.approx([estimate.value for estimate in alone])
    assert found.difference.value == pytest.approx(found.one.value - found.two.value)


def test_a_judge_against_itself_differs_by_nothing() -> None:
    rng = np.random.default_rng(0)
    human = rng.normal(size=50)
    judge = human + rng.normal(size=50)
    found = compare_correlations(judge, judge * 2 + 1, human, bootstrap=FEW)

    assert (found.difference.value, found.difference.low, found.difference.high) == pytest.approx((0, 0, 0))
    assert found.p == pytest.approx(1)


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_p_is_5_percent_where_the_interval_ends(method: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.gamma(1, size=40)
    bootstrap = Bootstrap(method=method, draws=4000)
    found = bootstrap.resampled(40, lambda weights: (weights @ x / weights.sum(1))[:, None])
    estimate = found.estimate()

    for end in (estimate.low, estimate.high):
        assert found.p(null=end) == pytest.approx(0.05, abs=0.002)
    assert found.p(null=estimate.value) > 0.9
    assert found.p(null=estimate.low - 1) < 0.01
    assert found.p(null=estimate.high + 1) < 0.01
    assert estimate == bootstrap.of_weights(40, lambda weights: weights @ x / weights.sum(1))


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_p_goes_on_falling_beyond_the_draws(method: str) -> None:
    x = np.random.default_rng(2).gamma(1, size=30)
    found = Bootstrap(method=method, draws=1000).resampled(30, lambda weights: (weights @ x / weights.sum(1))[:, None])
    draws = found.found[:, 0]
    low, high, mean = draws.min(), draws.max(), draws.mean()

    for end, step in ((low, -0.1), (high, 0.1)):
        p = [found.p(null=end + step * k) for k in range(6)]
        assert all(one > two for one, two in itertools.pairwise(p))
        assert found.p(null=end + step * 1e-9) == pytest.approx(p[0])  # without a jump
    if method == "percentile":  # twice as far as the outermost draw of 1,000: twice the quantile of 1 - .5 / 1000
        z = 2 * NormalDist().inv_cdf(0.9995)
        tail = stats.t.sf(z * np.sqrt(29 / 30), 29)
        assert found.p(null=high + (high - mean)) == pytest.approx(2 * tail, rel=1e-6)


def test_what_is_missing_is_counted() -> None:
    nan = float("nan")
    found = compare_correlations([1, 2, 3, nan, 5], [2, 1, nan, 3, 4], [1, 2, 3, 4, 5], bootstrap=FEW)

    assert (found.left_out, found.difference.n) == (2, 3)


@pytest.mark.parametrize(
    ("one", "two", "human", "error", "message"),
    [
        ([1, 2], [1, 2, 3], [1, 2, 3], InputError, "the shapes"),
        ([1, 2, np.inf], [1, 2, 3], [1, 2, 3], InputError, "infinite"),
        ([1, 1, 1], [1, 2, 3], [1, 2, 3], NotEstimableError, "does not vary, among 3"),
        ([1, np.nan, np.nan], [1, 2, 3], [1, 2, 3], NotEstimableError, "among 1"),
        ([], [], [], NotEstimableError, "among 0"),
    ],
)
def test_refusals(one: list, two: list, human: list, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        compare_correlations(one, two, human, bootstrap=FEW)


def test_a_level_needs_its_names() -> None:
    with pytest.raises(InputError, match="groups="):
        compare_correlations([1, 2], [2, 1], [1, 2], level="within_group")


@pytest.mark.slow
def test_the_difference_covers_its_truth() -> None:
    """People and two judges share t; r is .6 and .4, the difference .2. 2,000 data sets of 30 clusters of 2."""
    rng, bootstrap, hits, refused = np.random.default_rng(3), Bootstrap(draws=400), 0, 0
    clusters = np.repeat(np.arange(30), 2)
    for _ in range(2000):
        t = np.repeat(rng.normal(size=30), 2)
        human = t * 0.6 + 0.8 * rng.normal(size=60)
        one, two = (r / 0.6 * t + np.sqrt(1 - (r / 0.6) ** 2) * rng.normal(size=60) for r in (0.6, 0.4))
        found = compare_correlations(one, two, human, "pearson", units=clusters, bootstrap=bootstrap)
        hits += found.difference.low <= 0.2 <= found.difference.high
        refused += found.p < 0.05
    assert 0.93 <= hits / 2000 <= 0.97
    assert refused > 500


def test_an_interval_of_what_no_item_can_be_spared_from() -> None:
    """Without either of its two items there is no value, so that there is no acceleration to be had."""
    found = Bootstrap(draws=100).of_weights(2, lambda weights: np.where(weights.min(1) > 0, weights.max(1), np.nan))

    assert found.value == 1 and "no value" in found.note


@pytest.mark.slow
def test_the_difference_within_groups_covers_its_truth() -> None:
    """Two judges who err alike in 30 groups of 3 to 6 items: their difference is 0. BCa's interval holds it in 90 %."""
    rng, bootstrap, hits, refused = np.random.default_rng(1), Bootstrap(draws=400), 0, 0
    for _ in range(2000):
        groups = np.repeat(np.arange(30), rng.integers(3, 7, 30))
        human, common, *own = rng.normal(size=(4, len(groups)))
        one, two = (human + 0.5 * common + 0.3 * noise for noise in own)
        found = compare_correlations(one, two, human, level="within_group", groups=groups, bootstrap=bootstrap)
        hits += found.difference.low <= 0 <= found.difference.high
        refused += found.p < 0.05

    assert 0.93 <= hits / 2000 <= 0.97
    assert 0.03 <= refused / 2000 <= 0.07


def test_few_groups_are_told() -> None:
    rng = np.random.default_rng(0)
    series, groups = rng.normal(size=(3, 40)), np.arange(40) % 8
    found = compare_correlations(*series, level="within_group", groups=groups, bootstrap=FEW).difference

    assert found.note == "only 8 clusters: the interval may hold the truth less often than it says"
    assert found.method == "grouped jackknife, t, 8 blocks of clusters"


def test_within_groups_it_is_the_paired_t_test() -> None:
    """Of the groups' own differences, by scipy."""
    rng = np.random.default_rng(2)
    series, groups = rng.normal(size=(3, 100)), np.arange(100) % 20
    rho = [[stats.spearmanr(judge[groups == g], series[2][groups == g])[0] for g in range(20)] for judge in series[:2]]
    found = compare_correlations(*series, level="within_group", groups=groups, bootstrap=FEW)
    oracle = stats.ttest_rel(*rho)

    assert (found.difference.low, found.difference.high) == pytest.approx(oracle.confidence_interval(), abs=1e-5)
    assert found.p == pytest.approx(oracle.pvalue, abs=1e-5)
