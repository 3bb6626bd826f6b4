"""Intraclass correlations: how much of the variance of ratings is between items, with any cells missing."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.agreement import DEFAULT
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, Estimate, NotEstimableError
from judgekit.calibration.units import Units, kept_units
from judgekit.errors import InputError, require

Form = Literal["ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"]
FORMS = ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k")


def icc(ratings: ArrayLike, form: Form = "ICC2", *, units: Units = None, bootstrap: Bootstrap = DEFAULT) -> Estimate:
    """Return an intraclass correlation (Shrout & Fleiss 1979, Psychological Bulletin 86:420); it may be negative.

    ICC1 is of raters that differ from item to item, ICC2 of raters drawn from many, ICC3 of these raters without their
    severities; ``k`` of the mean of all raters. Where no cell is missing the interval is exact for normal ratings, of
    ICC2 nearly so (McGraw & Wong 1996, Psychological Methods 1:30). With missing cells the variances are those of
    Henderson's method 3 (1953, Biometrics 9:226), which are the same where none is, and the interval, as everywhere
    with ``units``, is the bootstrap's over items; it takes the raters as given.

    Args:
        ratings: shape (raters, items); NaN is missing; an item with one rating is left out.

    Raises:
        NotEstimableError: fewer than two items with two ratings, or ratings that do not vary.
        InputError: ratings that are not of this shape, or an unknown form.
    """
    x = np.asarray(ratings, dtype=float)
    if x.ndim != 2 or np.isinf(x).any() or form not in FORMS:
        raise InputError(
            f"{form} of shape {x.shape}: needs finite ratings (raters, items), and one of {' '.join(FORMS)}"
        )
    known = (~np.isnan(x)).sum(0) > 1
    x = x[:, known]
    x = x[~np.isnan(x).all(1)]
    if x.shape[1] < 2 or np.nanmin(x) == np.nanmax(x):
        raise NotEstimableError(f"{x.shape[1]} items with two ratings or more, which must be two at least and vary")
    x = x - np.nanmean(x)
    k = len(x)
    found = bootstrap.of_sums(
        _sums(x.T), lambda sums: _of(form, k, *_variances(sums, k, form)), kept_units(units, known, len(known))
    )
    if np.isnan(x).any() or units is not None:
        return found
    low, high = _exact(x, form, bootstrap.confidence)
    return Estimate(found.value, low, high, found.n, found.clusters, "F (McGraw & Wong 1996)")


def _sums(x: Array) -> Array:
    """Return what each item adds to the sums of squares; ``x``: shape (items, raters)."""
    there = ~np.isnan(x)
    n, x = there.sum(1, keepdims=True).astype(float), np.where(there, x, 0)
    total = x.sum(1, keepdims=True)
    overlap = (there[:, :, None] * there[:, None, :] / n[:, :, None]).reshape(len(x), -1)
    squares = (x**2).sum(1, keepdims=True)
    return np.hstack([np.ones_like(n), n, n**2, total, squares, total**2 / n, there, x, there * total / n, overlap])


def _variances(sums: Array, k: int, form: str) -> tuple[Array, Array, Array]:
    """Return the variances between items, between raters (0 in the one-way forms), and of what is left."""
    items, n, n2, total, squares, between = sums[:, :6].T
    if form.startswith("ICC1"):
        error = (squares - between) / (n - items)
        size = (n - n2 / n) / (items - 1)
        return ((between - total**2 / n) / (items - 1) - error) / size, np.zeros_like(error), error
    counts, totals, expected = np.split(sums[:, 6 : 6 + 3 * k], 3, axis=1)
    # Raters beside the items: q' C^- q of the normal equations with the items eliminated.
    normal = counts[:, :, None] * np.eye(k) - sums[:, 6 + 3 * k :].reshape(-1, k, k)
    size, axes = np.linalg.eigh(normal)
    real = size > 1e-9 * n[:, None]
    along = np.einsum("bij,bi->bj", axes, totals - expected)
    raters = np.where(real, along**2 / np.where(real, size, 1), 0).sum(1)
    used = counts > 0
    alone = np.where(used, totals**2 / np.where(used, counts, 1), 0).sum(1)  # raters without the items
    error = (squares - between - raters) / (n - items - real.sum(1))
    of_items = (between + raters - alone - error * (items + real.sum(1) - used.sum(1))) / (n - used.sum(1))
    return of_items, (raters - error * real.sum(1)) / (n - items), error


def _of(form: str, k: int, item: Array, rater: Array, error: Array) -> Array:
    """Return the share of the variance that is the items'."""
    noise = error + rater if form.startswith("ICC2") else error
    whole = item + noise / (k if form.endswith("k") else 1)
    return np.where(whole > 0, item / np.where(whole > 0, whole, 1), math.nan)


def _exact(x: Array, form: str, confidence: float) -> tuple[float, float]:
    """Return the limits from the F distribution; ``x``: shape (raters, items), no cell missing."""
    k, n = x.shape
    rows, columns, mean = x.mean(0), x.mean(1), x.mean()
    msr, msc = k * ((rows - mean) ** 2).sum() / (n - 1), n * ((columns - mean) ** 2).sum() / (k - 1)
    mse = ((x - rows - columns[:, None] + mean) ** 2).sum() / ((n - 1) * (k - 1))
    if form.startswith("ICC2"):
        limits = _two_way(msr, msc, mse, n, k, confidence)
    else:
        one_way = form.startswith("ICC1")
        error = ((x - rows) ** 2).sum() / (n * (k - 1)) if one_way else mse
        limits = _one_ratio(msr, error, n, n * (k - 1) if one_way else (n - 1) * (k - 1), k, confidence)
    low, high = (k * it / (1 + (k - 1) * it) for it in limits) if form.endswith("k") else limits
    return float(low), float(high)


def _one_ratio(msr: float, error: float, n: int, df: int, k: int, confidence: float) -> tuple[float, float]:
    f, at = require("scipy.stats", "calibrate").f, (1 + confidence) / 2
    down, up = f.ppf(at, n - 1, df), f.ppf(at, df, n - 1)
    return (msr - down * error) / (msr + (k - 1) * down * error), (msr * up - error) / (msr * up + (k - 1) * error)


def _two_way(msr: float, msc: float, mse: float, n: int, k: int, confidence: float) -> tuple[float, float]:
    f, at = require("scipy.stats", "calibrate").f, (1 + confidence) / 2
    # With rho / (1 - rho) written out: the degrees of freedom depend on a MSC : b MSE alone, and here on no pole.
    rho, rest = n * (msr - mse), k * (msc - mse) + n * k * mse
    a, b = k * rho * msc, (n * rest + k * rho * (n - 1)) * mse
    v = (a + b) ** 2 / (a**2 / (k - 1) + b**2 / ((n - 1) * (k - 1)))
    down, up, wide = f.ppf(at, n - 1, v), f.ppf(at, v, n - 1), k * msc + (k * n - k - n) * mse
    return n * (msr - down * mse) / (down * wide + n * msr), n * (up * msr - mse) / (wide + n * up * msr)
