"""How many labels a study needs before it is run, and what a study of a given size can find."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.agreement import Level, krippendorff_alpha
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.correlation import Method
from judgekit.calibration.estimate import Clusters, NotEstimableError, number, one_of
from judgekit.calibration.interval import t_quantile
from judgekit.calibration.units import Units
from judgekit.errors import InputError

DEFAULT = Bootstrap()
Z = NormalDist().inv_cdf(0.975)
POWER = NormalDist().inv_cdf(0.8)
MOST = 10**9
# Variance of Fisher's z: (1 + its share of r^2) * factor / (n - lost) (Bonett & Wright 2000, Psychometrika 65:23).
FISHER: dict[Method, tuple[float, float, int]] = {
    "pearson": (0.0, 1.0, 3),
    "spearman": (0.5, 1.0, 3),
    "kendall": (0.0, 0.437, 4),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How many labelled items give a 95 % interval of a wanted width.

    Attributes:
        labels: items to label.
        margin: half of the width that they give; not above what was asked for.
        method: where the number comes from.
    """

    labels: int
    margin: float
    method: str


def labels_for_correlation(value: float, margin: float, method: Method = "spearman", *, design: float = 1.0) -> Plan:
    """Plan a correlation that is expected to be ``value``.

    Args:
        margin: half of the interval's width; ``design``: how many items are worth one alone, see `design_effect`.
    """
    one_of("method", method, FISHER)
    if not -1 < value < 1:
        raise InputError(f"a correlation to plan for lies between -1 and 1, not at {value:g}")

    def half(n: float) -> float:
        reach = Z * _fisher_error(value, n, method)
        return (math.tanh(math.atanh(value) + reach) - math.tanh(math.atanh(value) - reach)) / 2

    return _plan(half, margin, design, 5, f"Fisher's z of {method}, Bonett & Wright 2000")


def labels_for_mean(
    sd: float, margin: float, *, judge_correlation: float = 0.0, judged: float = math.inf, design: float = 1.0
) -> Plan:
    """Plan a mean of human scores; with a judge's scores of many more items, corrected by those labels (PPI++).

    Its variance is sd^2 / n (1 - r^2 N / (N + n)) for N judged items (Angelopoulos, Duchi & Zrnic 2023,
    arXiv 2311.01453, with the best lambda). Of a paired difference, give its sd: see `difference_sd`.

    Args:
        judge_correlation: of judge and human, over items; ``judged``: items that the judge scored and nobody labelled.
    """
    if sd <= 0 or not -1 < judge_correlation < 1 or judged < 0:
        raise InputError("a mean to plan for has an sd above 0, a judge's correlation between -1 and 1, judged items")

    def half(n: float) -> float:
        saved = judge_correlation**2 * (1.0 if math.isinf(judged) else judged / (judged + n * design))
        return _t(n) * sd * math.sqrt((1 - saved) / n)

    return _plan(half, margin, design, 4, "t interval" + (", PPI++" if judge_correlation else ""))


def labels_for_rate(rate: float, margin: float, *, design: float = 1.0) -> Plan:
    """Plan a pass rate, by Wilson's interval (1927, JASA 22:209). Where nothing is known of it, give one half."""
    if not 0 <= rate <= 1:
        raise InputError(f"a rate lies between 0 and 1, not at {rate:g}")

    def half(n: float) -> float:
        return Z / (n + Z**2) * math.sqrt(n * rate * (1 - rate) + Z**2 / 4)

    return _plan(half, margin, design, 1, "Wilson's interval")


def labels_for_alpha(
    pilot: ArrayLike, margin: float, level: Level = "interval", *, units: Units = None, bootstrap: Bootstrap = DEFAULT
) -> Plan:
    """Plan Krippendorff's alpha from a pilot: its bootstrap interval narrows with the root of the number of items.

    Args:
        pilot: ratings of shape (raters, items); ``units``: their clusters, which the new items are taken to have too.

    Raises:
        NotEstimableError: the pilot gives no interval.
    """
    found = krippendorff_alpha(pilot, level, units=units, bootstrap=bootstrap)
    if found.low is None or found.high is None or found.high <= found.low:
        raise NotEstimableError(f"the pilot gives no interval to plan from: {found.note}")
    scale = (found.high - found.low) / 2 * math.sqrt(found.n)
    return _plan(lambda n: scale / math.sqrt(n), margin, 1.0, 2, f"bootstrap of a pilot of {found.n} items")


def difference_sd(one: float, two: float, correlation: float) -> float:
    """Return the sd of a paired difference, from the sds of both and their correlation over items."""
    return math.sqrt(one**2 + two**2 - 2 * correlation * one * two)


def rate_difference_sd(only_one: float, only_two: float) -> float:
    """Return the sd of a paired difference of pass rates, from the shares of items that only one of both passes."""
    return math.sqrt(only_one + only_two - (only_one - only_two) ** 2)


def design_effect(values: ArrayLike, clusters: Clusters) -> float:
    """Return how many clustered items are worth one alone: 1 + (m - 1) ICC, m = sum of squared sizes over items.

    The ICC is that of the values in their clusters, by the one-way ANOVA, and 0 where it is negative (Kish 1965, Survey
    Sampling, section 5.4). Plan a difference with its own values, a correlation with those of judge times human.

    Raises:
        NotEstimableError: one cluster, no cluster with two items, or values that are all equal.
    """
    x, index = np.asarray(values, dtype=float), number(clusters)
    if len(x) != len(index) or not np.isfinite(x).all():
        raise InputError(f"{len(x)} values, all of them finite, need as many clusters, not {len(index)}")
    sizes = np.bincount(index).astype(float)
    n, k = len(x), len(sizes)
    if k < 2 or k == n or np.ptp(x) == 0:
        raise NotEstimableError("it needs two clusters, one of two items or more, and values that differ")
    means = np.bincount(index, x) / sizes
    between = (sizes * (means - x.mean()) ** 2).sum() / (k - 1)
    within = ((x - means[index]) ** 2).sum() / (n - k)
    m = (n - (sizes**2).sum() / n) / (k - 1)
    icc = (between - within) / (between + (m - 1) * within)
    return float(1 + ((sizes**2).sum() / n - 1) * max(0.0, icc))


def detectable_mean(n: int, sd: float, *, design: float = 1.0) -> float:
    """Return the smallest mean, or paired difference, that a t test at .05 tells from 0 with 80 % power."""
    alone = n / design
    if alone < 4 or sd <= 0:
        raise InputError(f"{n} items are worth {alone:.3g} alone: give 4 or more, and an sd above 0")
    return (_t(alone) + POWER) * sd / math.sqrt(alone)


def detectable_correlation(n: int, method: Method = "spearman", *, null: float = 0.0, design: float = 1.0) -> float:
    """Return the smallest correlation above ``null`` that a test at .05 tells from it with 80 % power."""
    one_of("method", method, FISHER)
    alone = n / design
    if alone < 5 or not -1 < null < 1:
        raise InputError(f"{n} items are worth {alone:.3g} alone: give 5 or more, and a null between -1 and 1")
    found = null
    for _ in range(100):  # the error depends on the correlation that is looked for
        reach = Z * _fisher_error(null, alone, method) + POWER * _fisher_error(found, alone, method)
        found = math.tanh(math.atanh(null) + reach)
    return found


def detectable_rate(n: int, null: float, *, design: float = 1.0) -> float:
    """Return the smallest pass rate above ``null`` that a test at .05 tells from it with 80 % power; at most 1."""
    alone = n / design
    if alone < 1 or not 0 < null < 1:
        raise InputError(f"{n} items are worth {alone:.3g} alone: give 1 or more, and a null between 0 and 1")
    found = null
    for _ in range(200):
        step = Z * math.sqrt(null * (1 - null) / alone) + POWER * math.sqrt(found * (1 - found) / alone)
        found = (found + min(1.0, null + step)) / 2
    return found


def _fisher_error(value: float, n: float, method: Method) -> float:
    share, factor, lost = FISHER[method]
    return math.sqrt(factor * (1 + share * value**2) / (n - lost))


def _t(n: float) -> float:
    return t_quantile(0.975, max(4, round(n)) - 1)


def _plan(half: Callable[[float], float], margin: float, design: float, least: int, method: str) -> Plan:
    """Return the fewest labels whose half width is at most the margin, by bisection."""
    if margin <= 0 or design < 1:
        raise InputError(f"a margin is above 0 and a design effect at least 1, not {margin:g} and {design:g}")
    low, high = least - 1, least
    while half(high) > margin:
        low, high = high, 2 * high
        if high > MOST:
            raise InputError(f"a margin of {margin:g} needs more than {MOST:,} labels")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half(middle) <= margin else (middle, high)
    labels = math.ceil(high * design)
    return Plan(labels, half(labels / design), method if design == 1 else f"{method}, design effect {design:.3g}")
