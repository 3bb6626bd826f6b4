"""Agreement of raters in categories, beyond chance: Cohen's and Fleiss' kappa, Gwet's AC1 and AC2."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.agreement import DEFAULT, Ratings, Weights, few_enough
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, Estimate, NotEstimableError, one_of
from judgekit.calibration.units import Units, kept_units
from judgekit.errors import InputError

Chance = Callable[[Array, Array], Array]  # of the shares of the values, shape (any, v), and their likeness


def cohen_kappa(
    a: ArrayLike, b: ArrayLike, weights: Weights = None, *, units: Units = None, bootstrap: Bootstrap = DEFAULT
) -> Estimate:
    """Return Cohen's kappa (1960, Educational and Psychological Measurement 20:37); weighted, that of 1968.

    An item that lacks either rating is left out; the estimate's ``n`` counts the others.

    Args:
        a, b: shape (items,); NaN is missing.
        weights: what a disagreement costs: 1, the distance of the two values, or its square.

    Raises:
        NotEstimableError: both raters gave the same single value to every item, or rated no item in common, or
            there are too many values to compare each with each.
        InputError: series of different shapes, an infinite value, or unknown weights.
    """
    _known(weights)
    both = [np.asarray(side, dtype=float) for side in (a, b)]
    if both[0].ndim != 1 or both[0].shape != both[1].shape:
        raise InputError(f"kappa is of two series of one shape (items,), not {both[0].shape} and {both[1].shape}")
    table = np.stack(both)
    if np.isinf(table).any():
        raise InputError("a rating is infinite")
    known = ~np.isnan(table).any(0)
    values, place = np.unique(table[:, known], return_inverse=True)
    if len(values) < 2:
        raise NotEstimableError(f"the two raters gave {len(values)} different values to {known.sum()} items")
    v, (one, two) = len(values), place.reshape(2, -1)
    cells, codes = np.unique(one * v + two, return_inverse=True)
    few_enough(v, len(cells) * 2 * v, "kappa", "krippendorff_alpha, or concordance")
    cost = 1 - likeness(values, weights)
    i, j = np.divmod(cells, v)
    rows = np.column_stack([cost[i, j], np.eye(v)[i], np.eye(v)[j]])

    def statistic(sums: Array) -> Array:
        first, second = sums[:, 1 : v + 1], sums[:, v + 1 :]
        chance = ((first @ cost) * second).sum(1) / first.sum(1)
        return np.where(chance > 0, 1 - sums[:, 0] / np.where(chance > 0, chance, 1), math.nan)

    return bootstrap.of_sums(rows, statistic, kept_units(units, known, len(known)), codes.reshape(-1))


def fleiss_kappa(
    ratings: ArrayLike, weights: Weights = None, *, units: Units = None, bootstrap: Bootstrap = DEFAULT
) -> Estimate:
    """Return Fleiss' kappa (1971, Psychological Bulletin 76:378), for missing ratings as in Gwet (2014).

    Args:
        ratings: shape (raters, items); NaN is missing. An item with one rating counts for chance alone.

    Raises:
        NotEstimableError: no item has two ratings, all ratings are equal, or they have too many values.
        InputError: ratings that are not of this shape, or unknown weights.
    """
    _known(weights)

    def chance(shares: Array, like: Array) -> Array:
        return np.asarray(np.einsum("bi,ij,bj->b", shares, like, shares, optimize=True))

    return _agreement(Ratings.of(ratings, units, least=1), weights, chance, bootstrap)


def gwet_ac(
    ratings: ArrayLike, weights: Weights = None, *, units: Units = None, bootstrap: Bootstrap = DEFAULT
) -> Estimate:
    """Return Gwet's AC1, and with weights AC2 (2014, Handbook of Inter-Rater Reliability, 4th ed., ch. 4 and 5).

    The categories are the values that were given: one that nobody used does not count.

    Args, Raises: as in `fleiss_kappa`.
    """
    _known(weights)

    def chance(shares: Array, like: Array) -> Array:
        q = len(like)
        return np.asarray(like.sum() / (q * (q - 1)) * (shares * (1 - shares)).sum(1))

    return _agreement(Ratings.of(ratings, units, least=1), weights, chance, bootstrap)


def _known(weights: Weights) -> None:
    if weights is not None:
        one_of("weights", weights, ("linear", "quadratic"))


def likeness(values: Array, weights: Weights) -> Array:
    """Return how alike two values are, from 0 to 1; shape (v, v)."""
    gap = np.abs(np.subtract.outer(values, values)) / np.ptp(values)
    return np.asarray({None: gap == 0, "linear": 1 - gap, "quadratic": 1 - gap**2}[weights], dtype=float)


def _agreement(table: Ratings, weights: Weights, chance: Chance, bootstrap: Bootstrap) -> Estimate:
    """Estimate (agreement - chance) / (1 - chance); both are means over the items."""
    table.few("agreement beyond chance", "krippendorff_alpha")
    n, r = table.counts, table.counts.sum(1, keepdims=True)
    like = likeness(table.values, weights)
    several = r[:, 0] > 1
    if not several.any():
        raise NotEstimableError("no item has two ratings")
    pairs = (n * (n @ like - 1)).sum(1) / np.maximum(r * (r - 1), 1)[:, 0]
    rows = np.column_stack([several * pairs, several, np.ones(len(n)), n / r])

    def statistic(sums: Array) -> Array:
        agreed = sums[:, 0] / sums[:, 1]
        by_chance = chance(sums[:, 3:] / sums[:, 2:3], like)
        certain = by_chance > 1 - 1e-12
        return np.where(certain, math.nan, (agreed - by_chance) / np.where(certain, 1, 1 - by_chance))

    return bootstrap.of_sums(rows, statistic, table.units, table.codes)
