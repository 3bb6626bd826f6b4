"""Intraclass correlations: how much of the variance of ratings is between items, with any cells missing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.agreement import DEFAULT
from judgekit.calibration.bootstrap import BLOCKS, Bootstrap
from judgekit.calibration.estimate import Array, Estimate, NotEstimableError
from judgekit.calibration.units import Units, kept_units
from judgekit.errors import InputError, require

Form = Literal["ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"]
FORMS = ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k")
CELLS = 1 << 26  # pairs of raters, over all items, up to which each item has a row of its own
LEAST = 1e-13  # of all that varies: a variance below it is what rounding leaves of none
RIDGE = 1e-9  # of the number of ratings: what a direction of raters has to have to be one
NO_ERROR = "beside the raters' severity the ratings show no error"


def icc(ratings: ArrayLike, form: Form = "ICC2", *, units: Units = None, bootstrap: Bootstrap = DEFAULT) -> Estimate:
    """Return an intraclass correlation (Shrout & Fleiss 1979, Psychological Bulletin 86:420); it may be negative.

    ICC1 is of raters that differ from item to item, ICC2 of raters drawn from many, ICC3 of these raters without their
    severities; ``k`` of the mean of all raters. Where no cell is missing the interval is exact for normal ratings, of
    ICC2 nearly so (McGraw & Wong 1996, Psychological Methods 1:30). With missing cells the variances are those of
    Henderson's method 3 (1953, Biometrics 9:226), which are the same where none is, and the interval, as everywhere
    with ``units``, is the bootstrap's over items, or random blocks of very many; it takes the raters as given.

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
    (k, items), whole = x.shape, not np.isnan(x).any()
    blocks = not whole and units is None and items * k**2 > CELLS
    rows = _sums_of_whole(x.T) if whole else _sums_of_blocks(x, bootstrap.seed) if blocks else _sums(x.T)

    def variances(sums: Array) -> tuple[Array, Array, Array]:
        return (_variances_of_whole if whole else _variances)(sums, k, form)

    with np.errstate(invalid="ignore", divide="ignore"):
        value = _value(form, k, *(float(it[0]) for it in variances(rows.sum(0)[None])))
    if whole and units is None:
        return _exactly(x, value, form, bootstrap.confidence)
    kept = None if blocks else kept_units(units, known, len(known))
    found = bootstrap.of_sums(rows, lambda sums: _of(form, k, *variances(sums)), kept)
    return replace(found, n=items, clusters=items, method=f"bootstrap of {BLOCKS} random blocks") if blocks else found


def _value(form: str, k: int, item: float, rater: float, error: float) -> float:
    """Return the value on all items, or say why there is none."""
    value = float(_of(form, k, *(np.array([it]) for it in (item, rater, error)))[0])
    if not math.isnan(value):
        return value if abs(value) > LEAST else 0.0
    if math.isnan(item + error):
        raise NotEstimableError("no rating is left over to measure the error by: it needs more items with two ratings")
    if abs(item) + abs(error) <= LEAST * (abs(item) + abs(rater) + abs(error)):
        raise NotEstimableError("each rater gave every item the same rating: beside severity, nothing varies")
    if form.endswith("k"):
        raise NotEstimableError("the means of the items do not differ, so that a mean of raters has no variance")
    raise NotEstimableError("the variances of items, raters and error add up to none")


def _sums(x: Array) -> Array:
    """Return what each item adds to the sums of squares; ``x``: shape (items, raters)."""
    there = ~np.isnan(x)
    n, x = there.sum(1, keepdims=True).astype(float), np.where(there, x, 0)
    total = x.sum(1, keepdims=True)
    overlap = (there[:, :, None] * there[:, None, :] / n[:, :, None]).reshape(len(x), -1)
    squares = (x**2).sum(1, keepdims=True)
    return np.hstack([np.ones_like(n), n, n**2, total, squares, total**2 / n, there, x, there * total / n, overlap])


def _sums_of_whole(x: Array) -> Array:
    """Return what is needed of the same where no cell is missing; see `_variances_of_whole`."""
    total = x.sum(1)
    return np.column_stack([np.ones(len(x)), (x**2).sum(1), total**2 / x.shape[1], x])


def _sums_of_blocks(x: Array, seed: int) -> Array:
    """Return the sums of random blocks of items, where a row for each item, of all pairs of raters, is too much."""
    block = np.random.default_rng(seed).permutation(x.shape[1]) % BLOCKS
    return np.array([_sums(x[:, block == one].T).sum(0) for one in range(BLOCKS)])


def _variances_of_whole(sums: Array, k: int, form: str) -> tuple[Array, Array, Array]:
    """Return the same as `_variances` from the sums of `_sums_of_whole`, as the usual analysis of variance."""
    items, squares, between, totals = sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3:]
    middle = totals.sum(1) ** 2 / (k * items)
    rows, columns = between - middle, (totals**2).sum(1) / items - middle
    if form.startswith("ICC1"):
        error = (squares - between) / (items * (k - 1))
        return (rows / (items - 1) - error) / k, np.zeros_like(error), error
    error = (squares - between - columns) / ((items - 1) * (k - 1))
    return (rows / (items - 1) - error) / k, (columns / (k - 1) - error) / items, error


def _variances(sums: Array, k: int, form: str) -> tuple[Array, Array, Array]:
    """Return the variances between items, between raters (0 in the one-way forms), and of what is left."""
    items, n, n2, total, squares, between = sums[:, :6].T
    if form.startswith("ICC1"):
        error = (squares - between) / (n - items)
        size = (n - n2 / n) / (items - 1)
        return ((between - total**2 / n) / (items - 1) - error) / size, np.zeros_like(error), error
    counts, totals, expected = np.split(sums[:, 6 : 6 + 3 * k], 3, axis=1)
    # Raters beside the items: q' C^- q of the normal equations with the items eliminated. C loses a rank for every set
    # of raters that shares no item with the others, hence the ridge; what it takes from q' C^- q is given back.
    normal, q = counts[:, :, None] * np.eye(k) - sums[:, 6 + 3 * k :].reshape(-1, k, k), totals - expected
    ridge = RIDGE * np.maximum(n, 1)
    inverse = np.linalg.inv(normal + ridge[:, None, None] * np.eye(k))
    rank = np.rint(k - ridge * np.trace(inverse, axis1=1, axis2=2))
    x = np.einsum("bij,bj->bi", inverse, q)
    raters = 2 * (x * q).sum(1) - (np.einsum("bij,bj->bi", normal, x) * x).sum(1)
    used = counts > 0
    alone = np.where(used, totals**2 / np.where(used, counts, 1), 0).sum(1)  # raters without the items
    error = (squares - between - raters) / (n - items - rank)
    of_items = (between + raters - alone - error * (items + rank - used.sum(1))) / (n - used.sum(1))
    return of_items, (raters - error * rank) / (n - items), error


def _of(form: str, k: int, item: Array, rater: Array, error: Array) -> Array:
    """Return the share of the variance that is the items'."""
    noise = error + rater if form.startswith("ICC2") else error
    whole = item + noise / (k if form.endswith("k") else 1)
    real = whole > LEAST * (np.abs(item) + np.abs(rater) + np.abs(error))
    return np.where(real, item / np.where(real, whole, 1), math.nan)


def _exactly(x: Array, value: float, form: str, confidence: float) -> Estimate:
    """Return the value with the limits from the F distribution; ``x``: shape (raters, items), no cell missing."""
    k, n = x.shape
    rows, columns, mean = x.mean(0), x.mean(1), x.mean()
    least = LEAST**2 * float((x**2).sum())  # what rounding leaves of squares that are 0

    def square(away: Array) -> float:
        found = float((away**2).sum())
        return found if found > least else 0.0

    msr, msc = k * square(rows - mean) / (n - 1), n * square(columns - mean) / (k - 1)
    mse = square(x - rows - columns[:, None] + mean) / ((n - 1) * (k - 1))
    if form.startswith("ICC2"):
        limits = _two_way(msr, msc, mse, n, k, confidence)
    else:
        one_way = form.startswith("ICC1")
        error = square(x - rows) / (n * (k - 1)) if one_way else mse
        limits = _one_ratio(msr, error, n, n * (k - 1) if one_way else (n - 1) * (k - 1), k, confidence)
    if limits is None:
        return Estimate(value, None, None, n, n, "", f"no interval: {NO_ERROR}")
    low, high = (float(k * it / (1 + (k - 1) * it) if form.endswith("k") else it) for it in limits)
    alike = "the means of the items do not differ" if msr == 0 else NO_ERROR
    note = f"the interval is one value, because {alike}; it says nothing about what was not seen"
    return Estimate(value, low, high, n, n, "F (McGraw & Wong 1996)", note if high - low <= LEAST else "")


def _one_ratio(msr: float, error: float, n: int, df: int, k: int, confidence: float) -> tuple[float, float]:
    f, at = require("scipy.stats", "calibrate").f, (1 + confidence) / 2
    down, up = f.ppf(at, n - 1, df), f.ppf(at, df, n - 1)
    return (msr - down * error) / (msr + (k - 1) * down * error), (msr * up - error) / (msr * up + (k - 1) * error)


def _two_way(msr: float, msc: float, mse: float, n: int, k: int, confidence: float) -> tuple[float, float] | None:
    f, at = require("scipy.stats", "calibrate").f, (1 + confidence) / 2
    # With rho / (1 - rho) written out: the degrees of freedom depend on a MSC : b MSE alone, and here on no pole.
    rho, rest = n * (msr - mse), k * (msc - mse) + n * k * mse
    a, b = k * rho * msc, (n * rest + k * rho * (n - 1)) * mse
    if mse == 0 and (msr == 0 or msc == 0):
        return None
    # Where the items' means are equal both limits are one value, whatever the degrees of freedom.
    v = 1.0 if msr == 0 else (a + b) ** 2 / (a**2 / (k - 1) + b**2 / ((n - 1) * (k - 1)))
    down, up, wide = f.ppf(at, n - 1, v), f.ppf(at, v, n - 1), k * msc + (k * n - k - n) * mse
    return n * (msr - down * mse) / (down * wide + n * msr), n * (up * msr - mse) / (wide + n * up * msr)
