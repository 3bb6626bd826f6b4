"""Is a difference too small to matter? Two one-sided tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.estimate import Clusters, Estimate, NotEstimableError, number
from judgekit.calibration.interval import few
from judgekit.errors import InputError, require


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Whether a mean difference lies between the margins.

    Attributes:
        verdict: ``inside``: the interval lies between the margins; ``outside``: all of it beyond one of them; else
            ``undecided``: there are too few data to say.
        difference: the mean with its interval at 1 - 2 alpha.
        p: of "the difference is not between the margins": the larger of the two one-sided tests'.
        low, high: the margins.
    """

    verdict: Literal["inside", "outside", "undecided"]
    difference: Estimate
    p: float
    low: float
    high: float


def equivalence_test(
    differences: ArrayLike,
    margin: float | tuple[float, float],
    clusters: Clusters | None = None,
    *,
    alpha: float = 0.05,
) -> Equivalence:
    """Test whether the mean difference lies between two margins (Schuirmann 1987, J. Pharmacokin. Biopharm. 15:657).

    A t test against each margin at level alpha, with K - 1 degrees of freedom for K clusters; the standard error of the
    mean is sqrt(K / (K - 1) * sum over clusters of (their sum - their count * mean)^2) / items, which without clusters
    is the usual one.

    Args:
        differences: shape (items,), finite; clusters: the group of each.
        margin: what still counts as no difference, in the units of the differences: a number for both sides, or
            (low, high).

    Raises:
        InputError: values that are not finite, not a cluster for each, margins in the wrong order, alpha not below .5.
        NotEstimableError: fewer than two clusters, or all differences equal.
    """
    values = np.asarray(differences, dtype=float)
    low, high = margin if isinstance(margin, tuple) else (-margin, margin)
    if not low < high or not 0 < alpha < 0.5:
        raise InputError(f"margins {low:g} and {high:g}, alpha {alpha:g}: ask for low < high and 0 < alpha < .5")
    names = np.arange(len(values)) if clusters is None else clusters
    if values.ndim != 1 or len(values) != len(names) or not np.isfinite(values).all():
        raise InputError(f"the test needs finite differences with a cluster each, not {values.shape} and {len(names)}")
    index = number(names)
    k = int(index.max()) + 1 if len(index) else 0
    if k < 2:
        raise NotEstimableError(f"{k} clusters; the test needs two")
    mean = float(values.mean())
    error = math.sqrt(k / (k - 1) * float((np.bincount(index, values - mean) ** 2).sum())) / len(values)
    if error <= 1e-12 * float(np.abs(values).max()):
        raise NotEstimableError("the clusters do not differ: nothing says how far the mean may be from the truth")
    special = require("scipy.special", "calibrate")
    reach = float(special.stdtrit(k - 1, 1 - alpha)) * error
    p = float(special.stdtr(k - 1, max(low - mean, mean - high) / error))
    note = few(k)
    method = f"t with {k - 1} degrees of freedom, {1 - 2 * alpha:.0%} interval"
    found = Estimate(mean, mean - reach, mean + reach, len(values), k, method, note)
    return Equivalence(_verdict(mean - reach, mean + reach, low, high), found, p, low, high)


def _verdict(least: float, most: float, low: float, high: float) -> Literal["inside", "outside", "undecided"]:
    if low < least and most < high:
        return "inside"
    return "outside" if most < low or least > high else "undecided"
