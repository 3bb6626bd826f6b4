"""Plans by hand, against the research's figures, and against what a study of that size gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, correlation, krippendorff_alpha
from judgekit.calibration import planning as p


def test_a_mean_by_hand() -> None:
    """(1.96 * .9 / .1)^2 = 311.2 labels; t wants two more."""
    plan = p.labels_for_mean(0.9, 0.1)

    assert plan.labels == 314 and plan.margin <= 0.1
    assert p.labels_for_mean(0.9, 0.1, design=2).labels == 628


@pytest.mark.parametrize(("r", "labels"), [(0.6, 202), (0.78, 125), (0.85, 89)])
def test_a_judge_saves_labels(r: float, labels: int) -> None:
    """Normal quantiles give these at 10,000 judged items: 311.2 (1 - r^2 N / (N + n)); t adds 2."""
    assert p.labels_for_mean(0.9, 0.1, judge_correlation=r, judged=10_000).labels - labels in (1, 2, 3)
    assert p.labels_for_mean(0.9, 0.1, judge_correlation=r, judged=0).labels == 314


def test_a_correlation_of_300_labels() -> None:
    """1.96 (1 - .78^2) sqrt(1 + .78^2 / 2) / sqrt(297) = .051."""
    assert p.labels_for_correlation(0.78, 0.051, "spearman").labels == pytest.approx(300, abs=6)
    three = [p.labels_for_correlation(0.5, 0.1, method).labels for method in ("kendall", "pearson", "spearman")]
    assert three == sorted(three)


def test_a_rate_by_hand() -> None:
    """Wilson at one half and n = 96: 1.96 / 99.84 * sqrt(24 + .96) = .0981."""
    plan = p.labels_for_rate(0.5, 0.0981)

    assert plan.labels == 96
    assert p.labels_for_rate(0, 0.05).labels < 96


def test_differences_by_hand() -> None:
    assert p.difference_sd(3, 4, 0) == 5
    assert p.difference_sd(3, 4, 1) == 1
    assert p.rate_difference_sd(0.2, 0.1) == pytest.approx(math.sqrt(0.3 - 0.01))


def test_the_design_effect_by_hand() -> None:
    """1 3 / 5 7 / 9 11 in clusters of two: ICC 30 / 34 (between 32, within 2): 1 + 30 / 34."""
    assert p.design_effect([1, 3, 5, 7, 9, 11], list("aabbcc")) == pytest.approx(1 + 30 / 34)
    assert p.design_effect([0, 2, 0, 2], list("aabb")) == 1


def test_the_design_effect_is_what_clusters_do_to_a_mean() -> None:
    """Clusters of 2 and 6, ICC 1/2: 1 + ((4 + 36) / 8 - 1) / 2 = 3. The variance of the mean says the same."""
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), [2, 6] * 20)
    values = rng.normal(size=(4000, 40))[:, clusters] + rng.normal(size=(4000, 160))
    effect = np.mean([p.design_effect(row, clusters) for row in values[:300]])

    assert effect == pytest.approx(3, rel=0.05)
    assert values.mean(1).var() / (2 / 160) == pytest.approx(3, rel=0.1)


def test_the_planned_correlation_has_that_width() -> None:
    """The mean width of the intervals of 40 studies of the planned size."""
    rng, plan = np.random.default_rng(1), p.labels_for_correlation(0.6, 0.12, "pearson")
    widths = []
    for _ in range(40):
        x, noise = rng.normal(size=(2, plan.labels))
        found = correlation(x, 0.6 * x + 0.8 * noise, "pearson", bootstrap=Bootstrap(draws=400))
        widths.append((found.high - found.low) / 2)

    assert np.mean(widths) == pytest.approx(0.12, rel=0.1)


def test_the_planned_alpha_has_that_width() -> None:
    rng = np.random.default_rng(2)

    def rated(items: int) -> np.ndarray:
        return np.clip(np.round(3 + rng.normal(size=items) + 0.8 * rng.normal(size=(3, items))), 1, 5)

    plan = p.labels_for_alpha(rated(120), 0.06)
    found = [krippendorff_alpha(rated(plan.labels), bootstrap=Bootstrap(draws=400)) for _ in range(10)]

    assert np.mean([(f.high - f.low) / 2 for f in found]) == pytest.approx(0.06, rel=0.15)


def test_the_planned_saving_is_there() -> None:
    """PPI++ with the best lambda: the spread of its estimates over 4,000 studies, times 1.96."""
    rng, r, judged = np.random.default_rng(3), 0.7, 1000
    plan = p.labels_for_mean(1, 0.1, judge_correlation=r, judged=judged)
    n, lam = plan.labels, r / (1 + plan.labels / judged)
    z, e = rng.normal(size=(2, 4000, n))
    others = rng.normal(size=4000) / math.sqrt(judged)
    estimates = (r * z + math.sqrt(1 - r * r) * e - lam * z).mean(1) + lam * others

    assert 1.96 * estimates.std() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("n", [20, 200])
def test_what_can_be_found_is_found_in_80_of_100(n: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(4)
    samples = rng.normal(p.detectable_mean(n, 2), 2, size=(2000, n))
    mean = np.mean(stats.ttest_1samp(samples, 0, axis=1).pvalue < 0.05)
    rho = p.detectable_correlation(n, "pearson")
    x, noise = rng.normal(size=(2, 2000, n))
    found = stats.pearsonr(x, rho * x + math.sqrt(1 - rho**2) * noise, axis=1).pvalue < 0.05

    assert mean == pytest.approx(0.8, abs=0.03)
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)


def test_a_rate_that_can_be_found() -> None:
    """Null .5, n = 196: 1.96 * .5 / 14 = .07, and .8416 sqrt(p (1 - p)) / 14 more."""
    found = p.detectable_rate(196, 0.5)

    assert found == pytest.approx(0.5 + 0.07 + 0.8416 * math.sqrt(found * (1 - found)) / 14, abs=1e-5)
    assert p.detectable_rate(2, 0.9) == 1


@given(st.floats(-0.9, 0.9), st.floats(0.02, 0.3), st.floats(1, 5))
def test_a_plan_is_enough_and_no_more(value: float, margin: float, design: float) -> None:
    plan = p.labels_for_correlation(value, margin, design=design)
    half = p.labels_for_correlation(value, plan.margin * 0.97, design=design)

    assert plan.margin <= margin and half.labels >= plan.labels


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (lambda: p.labels_for_correlation(1, 0.1), "between -1 and 1"),
        (lambda: p.labels_for_mean(0, 0.1), "above 0"),
        (lambda: p.labels_for_mean(1, 0), "above 0"),
        (lambda: p.labels_for_mean(1, 1e-6), "more than"),
        (lambda: p.labels_for_rate(1.5, 0.1), "between 0 and 1"),
        (lambda: p.labels_for_rate(0.5, 0.1, design=0.5), "at least 1"),
        (lambda: p.design_effect([1, 2], ["a"]), "clusters"),
        (lambda: p.detectable_mean(3, 1), "4 or more"),
        (lambda: p.detectable_correlation(4), "5 or more"),
        (lambda: p.detectable_rate(9, 1), "between 0 and 1"),
    ],
)
def test_bad_input(run: object, why: str) -> None:
    with pytest.raises(InputError, match=why):
        run()  # type: ignore[operator]


def test_not_estimable() -> None:
    with pytest.raises(NotEstimableError, match="two clusters"):
        p.design_effect([1, 2], ["a", "b"])
    with pytest.raises(NotEstimableError, match="no interval to plan from"):
        p.labels_for_alpha([[1, 2], [2, 1]], 0.1, units=["a", "a"])
