"""Corrected means and rates: by hand, beside ppi-python and the formula of Lee et al., coverage, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from judgekit.calibration import NotEstimableError, corrected_mean, labels_mean, ppi_mean, rogan_gladen
from judgekit.calibration.interval import t_quantile
from judgekit.errors import InputError

NAN = math.nan
# The regimes: pass rate, specificity, sensitivity, items without a label, labels.
REGIMES = [
    (0.6, 0.75, 0.85, 300, 200),
    (0.6, 0.75, 0.85, 2000, 200),
    (0.5, 0.65, 0.7, 1000, 300),
    (0.9, 0.8, 0.9, 500, 100),
]
RARE = (0.7, 0.97, 0.98, 1000, 100)  # a judge that errs on 2 or 3 of the labels


def verdicts(truth: np.ndarray, q0: float, q1: float, rng: np.random.Generator) -> np.ndarray:
    return np.where(truth, rng.random(len(truth)) < q1, rng.random(len(truth)) >= q0).astype(float)


def some(n: int, labels: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A mean of about 3 on another scale than the judge's; the first items are labelled."""
    quality = rng.normal(3, 1, n)
    human = quality + rng.normal(0, 0.5, n)
    human[labels:] = NAN
    return human, 10 * quality + rng.normal(0, 8, n)


def test_by_hand() -> None:
    """Labels 1, 2, 3 with verdicts 1, 2, 2, others 1, 2, 3 (mean 2).

    cov = (1 * 2/3 + 0 * 1/3 + 1 * 1/3) / 3 = 1/3; the variance of all six verdicts is 17/6 / 5 = 17/30; weight =
    (1/3) / (2 * 17/30) = 5/17; mean = 2 + 5/17 * (2 - 5/3).
    """
    found = ppi_mean([1, 2, 3, NAN, NAN, NAN], [1, 2, 2, 1, 2, 3])

    assert found.value == pytest.approx(2 + 5 / 17 / 3)
    assert found.n == 3 and "1 degrees" in found.method
    # human - weight * judge: 1 - w, 2 - 2w, 3 - 2w; over 1 degree of freedom; the others' variance is 1.
    w = 5 / 17
    rest = np.array([1 - w, 2 - 2 * w, 3 - 2 * w])
    variance = np.var(rest) * 3 / 1 / 3 + w**2 / 3
    assert found.high - found.value == pytest.approx(12.7062 * math.sqrt(variance), rel=1e-5)


@settings(deadline=None, max_examples=1000)
@given(
    st.integers(0, 1 << 32), st.integers(3, 60), st.integers(2, 300), st.integers(0, 9), st.sampled_from([-2, 0.1, 1])
)
def test_ppi_python_says_the_same(seed: int, m: int, others: int, silent: int, slope: float) -> None:
    """Point estimates to 1e-9; their interval too, once ours is given their normal quantile and their divisors.

    The labelled items may be any, and where the judge said nothing theirs is given the mean of the rest.
    """
    ppi = pytest.importorskip("ppi_py")
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(seed)
    human, judge = some(m + others, m, rng)
    order = rng.permutation(m + others)
    human, judge = human[order], (slope * judge / 10)[order]
    judge[rng.choice(m + others, min(silent, m), replace=False)] = NAN
    found = ppi_mean(human, judge)
    judge = np.where(np.isnan(judge), np.nanmean(judge), judge)
    y, f, rest = human[known := ~np.isnan(human)], judge[known], judge[~known]
    weight = np.cov(y, f, ddof=0)[0, 1] / ((1 + m / others) * np.var(judge, ddof=1))
    assume(abs(weight) > 1e-9)

    assert found.value == pytest.approx(ppi.ppi_mean_pointestimate(y, f, rest, lam=weight).item(), abs=1e-9)
    # Theirs cuts its weight at 0 and 1; of a judge on such a scale that it is 1/2, it finds ours by itself.
    own = ppi.ppi_mean_pointestimate(y, 2 * weight * f, 2 * weight * rest).item()
    assert found.value == pytest.approx(own, abs=1e-9)
    low, high = (end.item() for end in ppi.ppi_mean_ci(y, f, rest, alpha=0.05, lam=weight))
    error = (found.high - found.value) / t_quantile(0.975, m - 2)
    imputed = weight**2 * np.var(rest) / others
    rectifier = error**2 - imputed * others / (others - 1)
    theirs = stats.norm.ppf(0.975) * math.sqrt(imputed + rectifier * (m - 2) / m)
    assert (high - low) / 2 == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(
    ("p", "q0", "q1", "n", "m0", "m1", "expected"),
    [
        (0.4, 0.7, 0.9, 1000, 200, 200, (0.1666666666666668, 0.05635072484160894, 0.2627330257859588)),
        (0.9, 0.8, 0.9, 50, 10, 40, (1.0, 0.7935158009510944, 1.0)),
    ],
)
def test_rogan_gladen_as_published(p: float, q0: float, q1: float, n: int, m0: int, m1: int, expected: tuple) -> None:
    """Golden numbers from the authors' code (UW-Madison-Lee-Lab/LLM-judge-reporting)."""
    counts = [(n, p, NAN), (m0, 1 - q0, 0), (m1, q1, 1)]
    judge = np.concatenate([np.arange(k) < round(k * share) for k, share, _ in counts]).astype(float)
    human = np.concatenate([np.full(k, truth, dtype=float) for k, _, truth in counts])
    found = rogan_gladen(human, judge)

    assert (found.value, found.low, found.high) == pytest.approx(expected, rel=1e-9)


def test_one_stratum_one_item_a_cluster_change_nothing() -> None:
    human, judge = some(200, 40, np.random.default_rng(1))
    plain = ppi_mean(human, judge)

    assert ppi_mean(human, judge, strata=["x"] * 200, units=list(range(200))) == plain


def test_strata_by_hand() -> None:
    """Each stratum by itself, then by its share of the items: 90 and 60 of 150."""
    rng = np.random.default_rng(2)
    (h1, j1), (h2, j2) = some(90, 20, rng), some(60, 25, rng)
    found = ppi_mean(np.concatenate([h1, h2]), np.concatenate([j1, j2]), strata=["a"] * 90 + ["b"] * 60)
    one, two = ppi_mean(h1, j1), ppi_mean(h2, j2)

    assert found.value == pytest.approx(0.6 * one.value + 0.4 * two.value)


def test_copies_within_clusters_say_nothing_new() -> None:
    human, judge = some(120, 30, np.random.default_rng(3))
    names = np.arange(120)
    once = ppi_mean(human, judge, units=names)
    twice = ppi_mean(np.repeat(human, 2), np.repeat(judge, 2), units=np.repeat(names, 2))

    assert (twice.value, twice.high) == (pytest.approx(once.value, abs=1e-3), pytest.approx(once.high, abs=2e-3))
    assert (once.clusters, twice.clusters, twice.n) == (30, 30, 60)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10_000), st.floats(-5, 5).filter(lambda a: abs(a) > 1e-2), st.floats(-9, 9))
def test_the_judges_scale_does_not_matter(seed: int, slope: float, shift: float) -> None:
    human, judge = some(100, 30, np.random.default_rng(seed))
    one, two = ppi_mean(human, judge), ppi_mean(human, slope * judge + shift)

    assert (two.value, two.low) == (pytest.approx(one.value), pytest.approx(one.low))


def test_without_unlabelled_items_it_is_the_labels_alone() -> None:
    """1, 2, 3, 4: mean 2.5, error sqrt(5/3 / 4) = .6455, t(.975, 3) = 3.1824."""
    alone = labels_mean([1, 2, 3, 4])

    assert (alone.value, alone.high) == (2.5, pytest.approx(2.5 + 3.18245 * 0.6454972, abs=1e-4))
    assert ppi_mean([1, 2, 3, 4], [1, 2, 3, 5]).value == 2.5


def test_an_item_without_a_verdict_is_not_dropped() -> None:
    """The judge fails on the bad items alone; leaving those out would say 1, they are 40 %."""
    rng = np.random.default_rng(4)
    truth = (rng.random(2000) < 0.6).astype(float)
    judge = np.where(truth == 1, 1.0, NAN)
    human = np.where(np.arange(2000) < 100, truth, NAN)
    human[0], judge[0] = 1, NAN
    found = ppi_mean(human, judge)

    assert found.low <= 0.6 <= found.high
    assert "without a verdict of the judge count as its mean" in found.note


def test_all_labels_equal_is_not_certainty() -> None:
    human = np.array([1.0] * 40 + [NAN] * 100)
    found = corrected_mean(human, np.array([1.0, 0.0] * 70), "random")

    clustered = corrected_mean(human, np.array([1.0, 0.0] * 70), "random", units=np.arange(140) // 2)

    assert (found.kind, clustered.estimate.method) == ("labels alone", "Clopper-Pearson")
    assert "all labels of a stratum are equal" in found.why
    assert found.estimate.low == pytest.approx(40 / (40 + 1.959964**2), abs=1e-6)
    assert clustered.estimate.low == pytest.approx(0.025 ** (1 / 20))


def test_a_judge_that_was_never_wrong_is_not_taken_for_one_that_never_is() -> None:
    truth = (np.random.default_rng(5).random(1000) < 0.6).astype(float)
    found = corrected_mean(np.where(np.arange(1000) < 30, truth, NAN), truth, "random")

    assert (found.kind, found.estimate.method) == ("labels alone", "labels alone, Wilson")
    assert "errs on 0 of 30 labels" in found.why
    with pytest.raises(NotEstimableError, match="all labels"):
        ppi_mean([1, 1, 1, NAN], [0, 1, 0, 1])


def test_a_rate_is_wilsons_for_the_labels_it_is_worth() -> None:
    """All labelled, 2 of 3 passed: variance 2/9 * 3 / 1 / 3 = 2/9 over 1 degree of freedom (t = 12.7062).

    As of (2/9) / (2/9) = 1 label: (2/3 + t^2 / 2) / (1 + t^2) = .501025, +- t sqrt(2/9 + t^2 / 4) / (1 + t^2).
    """
    found = ppi_mean([1, 1, 0], [5, 5, 5])
    t = 12.706205
    reach = t * math.sqrt(2 / 9 + t**2 / 4) / (1 + t**2)

    assert found.value == pytest.approx(2 / 3)
    assert (found.low, found.high) == (
        pytest.approx(0.501025 - reach, abs=1e-5),
        pytest.approx(0.501025 + reach, abs=1e-5),
    )


@settings(deadline=None, max_examples=1000)
@given(st.integers(2, 200), st.floats(0, 1), st.integers(0, 20), st.floats(0.5, 0.999))
def test_wilson_of_scipy_is_the_same(n: int, share: float, missing: int, confidence: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    passed = round(n * share)
    theirs = stats.binomtest(passed, n).proportion_ci(confidence, method="wilson")
    found = labels_mean([1] * passed + [0] * (n - passed) + [NAN] * missing, confidence=confidence)

    assert (found.low, found.high) == (pytest.approx(theirs.low, abs=1e-9), pytest.approx(theirs.high, abs=1e-9))


def test_wilson_by_hand() -> None:
    """8 of 10: (8 + 1.9207) / 13.8415 = .7167, give or take 1.96 * sqrt(1.6 + .9604) / 13.8415 = .2266."""
    found = labels_mean([1] * 8 + [0] * 2 + [NAN] * 5)

    assert (found.value, found.low, found.high) == (
        0.8,
        pytest.approx(0.4902, abs=1e-4),
        pytest.approx(0.9433, abs=1e-4),
    )


def test_the_chooser() -> None:
    rng = np.random.default_rng(6)
    human, judge = some(1000, 100, rng)
    good = corrected_mean(human, judge, "random")
    useless = corrected_mean(human, rng.permutation(judge), "random")
    truth = rng.random(1000) < 0.5
    said = verdicts(truth, 0.8, 0.9, rng)
    elsewhere = corrected_mean(np.where(np.arange(1000) < 200, truth, NAN), said, "by_truth")

    assert good.kind == "PPI++" and good.worth > 150 and "labels alone, from 100" in good.why
    assert good.labels.value == pytest.approx(np.nanmean(human)) and good.judge == pytest.approx(judge.mean())
    assert useless.kind == "labels alone" and useless.worth == 100 and "adds noise" in useless.why
    assert elsewhere.kind == "Rogan-Gladen" and elsewhere.labels is None
    assert elsewhere.estimate.low <= truth[200:].mean() <= elsewhere.estimate.high


def test_the_chooser_refuses_and_says_why() -> None:
    rng = np.random.default_rng(7)
    human, judge = some(300, 14, rng)
    truth = (rng.random(300) < 0.5).astype(float)
    labels = np.where(np.arange(300) < 100, truth, NAN)

    with pytest.raises(NotEstimableError, match=r"labels of 14 .* too few; label 15"):
        corrected_mean(human, judge, "random")
    with pytest.raises(NotEstimableError, match="is not known"):
        corrected_mean(human, judge, "unknown")
    with pytest.raises(NotEstimableError, match="do not surely exceed 1"):
        corrected_mean(labels, verdicts(truth, 0.5, 0.5, rng), "by_truth")
    with pytest.raises(NotEstimableError, match="need 5 of each"):
        corrected_mean(np.where(np.arange(300) < 6, truth, NAN), truth, "by_truth")
    with pytest.raises(InputError, match=r"1 \(passed\)"):
        corrected_mean(human, judge, "by_truth")
    with pytest.raises(InputError, match="leave out strata"):
        corrected_mean(labels, truth, "by_truth", units=list(range(300)))
    with pytest.raises(InputError, match=r"sampling .*known: by_truth, random, unknown"):
        corrected_mean(labels, truth, "stratified")


def test_bad_input() -> None:
    with pytest.raises(InputError, match="one of each"):
        ppi_mean([1, 2], [1])
    with pytest.raises(InputError, match="one of each"):
        ppi_mean([], [])
    with pytest.raises(InputError, match="infinite"):
        ppi_mean([1, math.inf], [1, 2])
    with pytest.raises(NotEstimableError, match=r"labels of 2 .* needs 3"):
        ppi_mean([1, 2, NAN], [1, 2, 3])
    with pytest.raises(NotEstimableError, match="labels of 0"):
        labels_mean([NAN, NAN])


def covered(draw: object, truth: float, runs: int = 2000) -> float:
    """Return how often the interval of what ``draw`` makes holds the truth."""
    found = [draw() for _ in range(runs)]
    share = float(np.mean([it.low <= truth <= it.high for it in found]))
    print(f"covered {share:.3f}, mean width {np.mean([it.high - it.low for it in found]):.3f}")
    return share


@pytest.mark.slow
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("way", ["ppi", "rogan_gladen", "chooser"])
def test_coverage_of_rates(way: str, regime: tuple) -> None:
    _rates(way, regime)


@pytest.mark.slow
def test_coverage_where_errors_are_rare() -> None:
    _rates("chooser", RARE)
    _rates("rogan_gladen", RARE)


def _rates(way: str, regime: tuple) -> None:
    theta, q0, q1, n, m = regime
    rng = np.random.default_rng(8)

    def draw() -> object:
        # For Rogan-Gladen a third of the labels passed, whatever the rate; else the labels are a random sample.
        share = np.where(np.arange(n + m) < m, 1 / 3, theta) if way == "rogan_gladen" else theta
        truth = rng.random(n + m) < share
        human = np.where(np.arange(n + m) < m, truth, NAN)
        judge = verdicts(truth, q0, q1, rng)
        if way == "chooser":
            return corrected_mean(human, judge, "random").estimate
        return ppi_mean(human, judge) if way == "ppi" else rogan_gladen(human, judge)

    most = 0.985 if way == "rogan_gladen" else 0.97  # the published formula is too wide where errors are rare
    assert 0.93 <= covered(draw, theta) <= most


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.5, 5.0])
@pytest.mark.parametrize("labels", [15, 30, 100])
@pytest.mark.parametrize("way", ["ppi", "alone", "chooser"])
def test_coverage_of_ordinal_means(way: str, labels: int, noise: float) -> None:
    """Ratings from 1 to 5 of a latent quality, 1,000 items; a good judge, and one that knows next to nothing."""
    rng = np.random.default_rng(9)

    def rated(quality: np.ndarray) -> np.ndarray:
        return np.clip(np.round(3.4 + quality), 1, 5)

    truth = float(rated(np.random.default_rng(0).normal(size=4_000_000)).mean())

    def draw() -> object:
        quality = rng.normal(size=1000)
        human = np.where(np.arange(1000) < labels, rated(quality), NAN)
        judge = np.round(10 * (quality + noise * rng.normal(size=1000)))
        if way == "alone":
            return labels_mean(human)
        return ppi_mean(human, judge) if way == "ppi" else corrected_mean(human, judge, "random").estimate

    assert 0.93 <= covered(draw, truth) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [15, 40])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("way", ["ppi", "alone"])
def test_coverage_with_clusters(way: str, clusters: int, whole: bool) -> None:
    """Prompts of 4 to 9 items with an effect of their own; whole prompts labelled (of 4 times as many), or 3 items."""
    rng = np.random.default_rng(10)
    sizes = rng.integers(4, 10, 4 * clusters if whole else clusters)
    index = np.repeat(np.arange(len(sizes)), sizes)
    rank = np.arange(len(index)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    labelled = index < clusters if whole else rank < 3

    def draw() -> object:
        quality = rng.normal(0, 0.6, len(sizes))[index] + rng.normal(0, 0.8, len(index))
        judge = quality + rng.normal(0, 0.6, len(index)) + rng.normal(0, 0.3, len(sizes))[index]
        human = np.where(labelled, quality + rng.normal(0, 0.5, len(index)), NAN)
        return ppi_mean(human, judge, units=index) if way == "ppi" else labels_mean(human, units=index)

    assert 0.93 <= covered(draw, 0.0) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("labels", [(8, 8, 8), (30, 60, 15)])
def test_coverage_with_strata(labels: tuple) -> None:
    """Three strata of 500, 300 and 200 items, unlike in mean and spread, and not labelled in proportion."""
    rng = np.random.default_rng(11)
    strata = np.repeat([0, 1, 2], [500, 300, 200])
    rank = np.concatenate([np.arange(k) for k in (500, 300, 200)])
    mean, spread = np.array([0.0, 1.0, 3.0]), np.array([1.0, 0.5, 2.0])
    labelled = rank < np.array(labels)[strata]

    def draw() -> object:
        quality = mean[strata] + spread[strata] * rng.normal(size=1000)
        judge = quality + rng.normal(size=1000)
        human = np.where(labelled, quality + 0.4 * rng.normal(size=1000), NAN)
        return ppi_mean(human, judge, strata=strata)

    assert 0.93 <= covered(draw, 0.5 * 0 + 0.3 * 1 + 0.2 * 3) <= 0.97


def test_the_unit_of_the_labels_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    judge = rng.normal(size=400)
    human = np.where(np.arange(400) < 100, judge + rng.normal(size=400), NAN)
    one, two = (ppi_mean(human * size, judge * size) for size in (1.0, 1e-13))

    assert two.low is not None and two.high is not None
    assert (two.value * 1e13, two.low * 1e13, two.high * 1e13) == pytest.approx((one.value, one.low, one.high))
