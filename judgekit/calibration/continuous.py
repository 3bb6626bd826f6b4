"""Krippendorff's alpha of ratings with many distinct values: from moments and ranks, without a table of the values.

Items come as the numbers of their ratings' values, shape (items, raters), and one number past the last for none.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.bootstrap import WORK, Bootstrap
from judgekit.calibration.estimate import Array, Estimate
from judgekit.calibration.interval import ROUNDING
from judgekit.calibration.units import Units

Ints = NDArray[np.int64]
Counter = Callable[[Array], Array]
CACHED = 1 << 16  # numbers at a time, about what a processor's cache holds


def interval_alpha(values: Array, members: Ints, codes: Ints, units: Units, bootstrap: Bootstrap) -> Estimate:
    """Return alpha of squared differences: they are sums of the ratings and of their squares, and add up over items.

    Args:
        values: sorted; ``members``: of each pattern of ratings, and ``codes``: the pattern of each item.
    """
    there = members < len(values)
    x = np.append(values, 0.0)[members]
    x = np.where(there, x - x.sum() / there.sum(), 0.0)
    x = x / np.abs(x).max()
    m, total = there.sum(1), x.sum(1)
    away = np.where(there, x - (total / m)[:, None], 0.0)
    rows = np.stack([m, total, (x**2).sum(1), m / (m - 1) * (away**2).sum(1)], axis=1)
    return bootstrap.of_sums(rows, _of_moments, units, codes)


def _of_moments(sums: Array) -> Array:
    n, total, squares, within = sums.T
    spread = squares - total**2 / n
    fine = spread > n**2 * ROUNDING
    return np.where(fine, 1 - within * (n - 1) / n / np.where(fine, spread, 1), math.nan)


def ordinal_alpha(members: Ints, size: int, units: Units, bootstrap: Bootstrap) -> Estimate:
    """Return alpha of squared differences of midranks: the ratings between two values, half of their own counted.

    The ranks are those among all ratings, and are taken anew under each weighting of the items.
    """
    counter, m = _counter(members, size), (members < size).sum(1)[:, None]
    every, others = m / (m - 1), 1 / (m - 1)

    def of(weights: Array) -> Array:
        own = counter(weights)
        n, away = own.sum(0), np.zeros((size + 1, own.shape[1]))
        ranks = np.cumsum(own, axis=0, out=away[:-1])  # in place from here on: of a million items memory is the time
        ranks *= 2
        ranks -= own
        ranks -= n  # twice the midranks less their mean
        expected = n / (n - 1) * np.einsum("ij,ij,ij->j", own, ranks, ranks)
        total, squares = np.zeros((2, *weights.shape))
        for rater in members.T:
            rank = away.take(rater, axis=0)
            total += rank
            rank *= rank
            squares += rank
        observed = np.einsum("ij,ij,ij->j", weights, every, squares)
        return _alpha(observed - np.einsum("ij,ij,ij,ij->j", weights, others, total, total), expected)

    return _of_items(of, members, units, bootstrap)


def nominal_alpha(members: Ints, size: int, units: Units, bootstrap: Bootstrap) -> Estimate:
    """Return alpha of equal or not, from the counts of the values under each weighting of the items."""
    counter, there = _counter(members, size), members < size
    m = there.sum(1)
    alike = sum(((members == rater[:, None]) & there).sum(1) * (rater < size) for rater in members.T)
    within = ((m**2 - alike) / (m - 1))[:, None]

    def of(weights: Array) -> Array:
        own = counter(weights)
        n = own.sum(0)
        return _alpha((weights * within).sum(0), (n**2 - (own**2).sum(0)) / (n - 1))

    return _of_items(of, members, units, bootstrap)


def _counter(members: Ints, size: int) -> Counter:
    """Return what counts the ratings of each value under weights of shape (items, any); shape (size, any)."""
    item, rater = np.nonzero(members < size)
    place = members[item, rater]
    order = np.argsort(place, kind="stable")
    owner, starts = item[order], np.searchsorted(place[order], np.arange(size))
    if size == len(owner):
        return lambda weights: weights.take(owner, axis=0)
    return lambda weights: np.asarray(np.add.reduceat(weights.take(owner, axis=0), starts, axis=0))


def _of_items(of: Counter, members: Ints, units: Units, bootstrap: Bootstrap) -> Estimate:
    """Estimate what maps weights (items, any) to values (any,), in blocks that a processor's cache holds."""

    def statistic(weights: Array) -> Array:
        parts = min(len(weights), -(-weights.shape[0] * members.size // CACHED))
        return np.concatenate([of(np.ascontiguousarray(some.T)) for some in np.array_split(weights, parts)])

    return bootstrap.of_weights(len(members), statistic, units, costly=bootstrap.draws * members.size > WORK)


def _alpha(observed: Array, expected: Array) -> Array:
    return np.where(expected > 0, 1 - observed / np.where(expected > 0, expected, 1), math.nan)
