"""Agreement of scores as they stand: Lin's concordance, Bland and Altman's limits; and of rankings, Kendall's W."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.agreement import DEFAULT
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.correlation import weighted_ranks
from judgekit.calibration.estimate import Array, Estimate, NotEstimableError
from judgekit.calibration.units import Units, kept_units
from judgekit.errors import InputError


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """What the difference of two series is like (Bland & Altman 1986, The Lancet 327:307).

    Attributes:
        bias: mean of a - b; ``lower``, ``upper``: the limits between which 95 % of normal differences lie.
        trend: by how much the difference grows where the mean of both grows by 1; None where the means do not vary.
    """

    bias: Estimate
    lower: Estimate
    upper: Estimate
    trend: Estimate | None


def concordance(a: ArrayLike, b: ArrayLike, *, units: Units = None, bootstrap: Bootstrap = DEFAULT) -> Estimate:
    """Return Lin's concordance correlation (1989, Biometrics 45:255): 2 cov / (var + var + (mean - mean)^2).

    An item that lacks either value is left out; ``n`` counts the others.

    Args:
        a, b: shape (items,); NaN is missing.

    Raises:
        NotEstimableError: fewer than two items, or neither series varies and their means are equal.
        InputError: series of different shapes, or an infinite value.
    """
    x, y, kept = _both(a, b, units)
    return bootstrap.of_sums(np.stack([np.ones(len(x)), x, y, x * x, y * y, x * y], axis=1), _lin, kept)


def bland_altman(a: ArrayLike, b: ArrayLike, *, units: Units = None, bootstrap: Bootstrap = DEFAULT) -> BlandAltman:
    """Return the bias of a against b, its limits of agreement, and its trend over the scale.

    Args, Raises: as in `concordance`.
    """
    x, y, kept = _both(a, b, units)
    d, m = x - y, (x + y) / 2
    rows = np.stack([np.ones(len(d)), d, d * d], axis=1)
    lower, upper = (bootstrap.of_sums(rows, partial(_limit, at=at), kept) for at in (-1.96, 1.96))
    trend = None
    if np.ptp(m) > 0:
        trend = bootstrap.of_sums(np.stack([np.ones(len(d)), d, m, m * m, d * m], axis=1), slope_of_sums, kept)
    return BlandAltman(bootstrap.mean(d, kept), lower, upper, trend)


def kendall_w(ratings: ArrayLike, *, units: Units = None, bootstrap: Bootstrap = DEFAULT) -> Estimate:
    """Return Kendall's W (Kendall & Babington Smith 1939, Ann. Math. Stat. 10:275), corrected for ties.

    1 if all raters rank the items alike, and 1 / raters on average if they do so by chance. An item that lacks a rating
    is left out; ``n`` counts the others.

    Args:
        ratings: shape (raters, items); NaN is missing.

    Raises:
        NotEstimableError: fewer than two raters or two items that all rated, or no rater whose ratings vary.
        InputError: ratings that are not of this shape, or an infinite one.
    """
    x = np.asarray(ratings, dtype=float)
    if x.ndim != 2 or np.isinf(x).any():
        raise InputError(f"ratings are finite and have the shape (raters, items), not {x.shape}")
    known = ~np.isnan(x).any(0)
    x = x[:, known]
    if len(x) < 2 or x.shape[1] < 2:
        raise NotEstimableError(f"{len(x)} raters have {x.shape[1]} items in common; it needs two of each")
    ranks = [weighted_ranks(rater) for rater in x]

    def statistic(weights: Array) -> Array:
        placed = np.stack([rank(weights) for rank in ranks])
        centred = placed - weights.sum(1)[None, :, None] / 2
        spread = (weights * centred.sum(0) ** 2).sum(1)
        own = (weights * centred**2).sum((0, 2))
        return np.where(own > 0, spread / np.where(own > 0, own, 1) / len(x), math.nan)

    return bootstrap.of_weights(x.shape[1], statistic, kept_units(units, known, len(known)))


def _both(a: ArrayLike, b: ArrayLike, units: Units) -> tuple[Array, Array, Units]:
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or np.isinf(x).any() or np.isinf(y).any():
        raise InputError(f"it takes two finite series of one shape (items,), not {x.shape} and {y.shape}")
    known = ~np.isnan(x + y)
    if known.sum() < 2:
        raise NotEstimableError(f"{known.sum()} items have both values; it needs two")
    middle = (x[known].mean() + y[known].mean()) / 2  # squares of what is near 0 lose no digits
    return x[known] - middle, y[known] - middle, kept_units(units, known, len(known))


def _lin(sums: Array) -> Array:
    n, x, y, xx, yy, xy = sums.T
    whole = xx / n + yy / n - 2 * x * y / n**2
    return np.where(whole > 0, 2 * (xy / n - x * y / n**2) / np.where(whole > 0, whole, 1), math.nan)


def _limit(sums: Array, at: float) -> Array:
    n, d, dd = sums.T
    free = np.where(n > 1, n - 1, math.nan)  # one item has no limits
    return np.asarray(d / n + at * np.sqrt(np.maximum(dd - d**2 / n, 0) / free))


def slope_of_sums(sums: Array) -> Array:
    """Return the least-squares slope of d on m from the sums of 1, d, m, m m and d m; NaN where m does not vary.

    Shape (any, 5) -> (any,), as `Bootstrap.of_sums` wants it.
    """
    n, d, m, mm, dm = sums.T
    spread = mm - m**2 / n
    return np.where(spread > 1e-12 * mm, (dm - d * m / n) / np.where(spread > 0, spread, 1), math.nan)
