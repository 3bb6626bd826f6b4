"""How two series go together: Pearson's r, Spearman's rho and Kendall's tau-b, at four levels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.bootstrap import Bootstrap, Statistic
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number, one_of
from judgekit.calibration.interval import ROUNDING, SAME
from judgekit.calibration.units import Units, kept_units, kinds
from judgekit.errors import InputError, require

Method = Literal["spearman", "kendall", "pearson"]
Level = Literal["item", "cell", "within_group", "system"]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
DEFAULT = Bootstrap()
CELLS = 400  # cells of a table of two discrete series up to which it is cheaper than the items
PAIRS = 1 << 20  # pairs of items that are compared at once, to rank those of many groups
CACHED = 1 << 15  # weights that are ranked at a time
ALL_PAIRS = 4000  # items up to which Kendall's tau holds the sign of every pair in memory


def correlation(
    judge: ArrayLike,
    human: ArrayLike,
    method: Method = "spearman",
    level: Level = "item",
    *,
    groups: Clusters | None = None,
    systems: Clusters | None = None,
    units: Units = None,
    bootstrap: Bootstrap = DEFAULT,
) -> Estimate:
    """Return the correlation of two series; an item that lacks either value is left out (``n`` counts the others).

    Args:
        judge, human: shape (items,) or (items, criteria); NaN is missing.
        level: ``item`` takes the mean over the criteria first; ``cell`` pools all criteria; ``within_group`` is the
            mean over ``groups`` of the correlation among the items of one, and the level that matters for best-of-n
            and GRPO; ``system`` correlates the means of ``systems``.
        groups: the prompt of each item, shape (items,); systems: what wrote it.
        units: what the interval resamples; without it the groups where there are any, else the items.

    Raises:
        NotEstimableError: a series that does not vary, or no group in which both vary.
        InputError: series of different shapes, an infinite value, an unknown method or level, or one whose groups or
            systems are missing.
    """
    one_of("method", method, get_args(Method))
    one_of("level", level, get_args(Level))
    j, h = _series(judge, human)
    resampled = groups if units is None else units
    for names in (groups, systems):
        kinds(names, len(j))
    if level == "cell":
        flat, owner = _cells(j, h)
        clusters = owner if resampled is None else kept_units(resampled, owner, len(j))
        return paired_series(*flat, method, clusters, bootstrap)
    one, two = _mean(j), _mean(h)
    known = np.flatnonzero(~np.isnan(one + two))
    if not len(known):
        raise NotEstimableError("no item has both values")
    one, two = one[known], two[known]
    if level == "item":
        return paired_series(one, two, method, kept_units(resampled, known, len(j)), bootstrap)
    if level == "within_group":
        return _within(one, two, method, needed(groups, known, "groups"), bootstrap)
    return _of_systems(
        one, two, method, needed(systems, known, "systems"), kept_units(resampled, known, len(j)), bootstrap
    )


def paired_series(x: Array, y: Array, method: Method, units: Units, bootstrap: Bootstrap) -> Estimate:
    """Return the correlation of two series of shape (items,) without missing values."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        raise NotEstimableError(f"one of the series does not vary, among {len(x)} items")
    table = tabled(x, y, method)
    if table:
        return bootstrap.of_sums(table.rows, table.statistic, units, table.codes)
    costly = method == "kendall" and len(x) > ALL_PAIRS
    return bootstrap.of_weights(len(x), weighted(x, y, method), units, costly)


@dataclass(frozen=True, slots=True)
class Table:
    """Two series as sums: item i adds ``rows[codes[i]]``, shape (kinds, m).

    Attributes:
        counted: shape (m,); the sums times these are the number of items.
        statistic: maps sums, shape (any, m), to correlations, shape (any,).
    """

    rows: Array
    codes: Ints
    counted: Array
    statistic: Statistic


def tabled(x: Array, y: Array, method: Method) -> Table | None:
    """Return two series of shape (items,) as sums, or None where they have too many values to rank them so."""
    (xs, a), (ys, b) = (np.unique(series, return_inverse=True) for series in (x, y))
    shape = (len(xs), len(ys))
    if len(xs) * len(ys) <= CELLS:
        codes = (a * len(ys) + b).reshape(-1)
        cells, xs, ys = np.eye(len(xs) * len(ys)), scaled(xs), scaled(ys)
        return Table(cells, codes, np.ones(len(cells)), lambda sums: _of_tables(sums, shape, (xs, ys), method))
    if method != "pearson":
        return None
    x, y = (scaled(series) for series in (x, y))
    rows = np.stack([np.ones(len(x)), x, y, x * x, y * y, x * y], axis=1)
    return Table(rows, np.arange(len(x)), np.eye(6)[0], _of_moments)


def _of_moments(sums: Array) -> Array:
    """Return Pearson's r of scaled series, of whose squares rounding leaves more the more of them are summed."""
    n, x, y, xx, yy, xy = sums.T
    return _ratio(xy - x * y / n, xx - x * x / n, yy - y * y / n, ROUNDING * n**2)


def _ratio(both: Array, one: Array, two: Array, least: Array) -> Array:
    """Return products over the roots of the squares; NaN where one of these is no more than rounding leaves of none."""
    fine = (one > least) & (two > least)
    return np.where(fine, np.clip(both / np.sqrt(np.where(fine, one * two, 1)), -1, 1), math.nan)


def scaled(series: Array) -> Array:
    """Return series less their means, over the power of two that brings the largest value of each to 1/2 or more."""
    away = series - series.mean(-1, keepdims=True)
    return np.asarray(np.ldexp(away, -np.frexp(np.abs(away).max(-1, keepdims=True))[1]))


def plain(x: Array, y: Array, method: Method) -> float:
    """Return the correlation of two series of shape (items,), NaN where one does not vary."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan
    return float(weighted(x, y, method)(np.ones((1, len(x))))[0])


def pearson(x: Array, y: Array, weights: Array) -> Array:
    """Return Pearson's r for each row of weights; ``x`` and ``y`` broadcast against them. NaN where one is constant."""
    x, y = scaled(x), scaled(y)
    n = weights.sum(-1, keepdims=True)
    dx = x - (weights * x).sum(-1, keepdims=True) / n
    dy = y - (weights * y).sum(-1, keepdims=True) / n
    xx, yy = (weights * dx * dx).sum(-1), (weights * dy * dy).sum(-1)
    return _ratio((weights * dx * dy).sum(-1), xx, yy, SAME**2 * n[..., 0])


def midranks(values: ArrayLike) -> Array:
    """Return the ranks from 1; equal values share the mean of theirs. Shape (items,)."""
    _, place, counts = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    last = counts.cumsum()
    return np.asarray((last - (counts - 1) / 2)[place.reshape(-1)])


def _of_tables(sums: Array, shape: tuple[int, int], values: tuple[Array, Array], method: Method) -> Array:
    """Return the correlation from tables of counts, shape (any, cells)."""
    tables, (i, j) = sums.reshape(-1, *shape), shape
    rows, columns = sums @ np.repeat(np.eye(i), j, axis=0), sums @ np.tile(np.eye(j), (i, 1))
    if method == "kendall":
        return _tau(sums, rows, columns)
    n = rows.sum(1)[:, None]
    if method == "pearson":
        x, y = (value - side @ value[:, None] / n for value, side in zip(values, (rows, columns), strict=True))
    else:
        x, y = (side.cumsum(1) - side / 2 - n / 2 for side in (rows, columns))  # the midranks less their mean
    both = (np.einsum("bij,bj->bi", tables, y) * x).sum(1)
    return _ratio(both, (rows * x * x).sum(1), (columns * y * y).sum(1), SAME**2 * n[:, 0])


def _tau(sums: Array, rows: Array, columns: Array) -> Array:
    """Return Kendall's tau-b (1945, Biometrika 33:239): concordant less discordant pairs over those untied in each."""
    one, two = (
        np.sign(np.subtract.outer(np.arange(side.shape[1]), np.arange(side.shape[1]))) for side in (rows, columns)
    )
    gain = ((sums @ np.kron(one, two).astype(np.float64)) * sums).sum(1) / 2
    pairs = sums.sum(1) ** 2 / 2
    untied = [pairs - (side**2).sum(1) / 2 for side in (rows, columns)]
    scale = np.sqrt(untied[0] * untied[1])
    return np.where(scale > 0, gain / np.where(scale > 0, scale, 1), math.nan)


def weighted(x: Array, y: Array, method: Method) -> Statistic:
    """Return what maps weights of shape (any, items) to correlations of shape (any,); NaN where one is constant."""
    if method == "pearson":
        return lambda weights: pearson(x, y, weights)
    if method == "spearman":
        return _spearman(x, y)
    if len(x) > ALL_PAIRS:
        return lambda weights: _tau_of_subsets(x, y, weights)
    signs = [np.sign(series[:, None] - series[None, :]).astype(np.float32) for series in (x, y)]
    both, untied = signs[0] * signs[1], [np.abs(sign) for sign in signs]

    def tau(weights: Array) -> Array:
        w = weights.astype(np.float32)  # whole numbers, whose sums stay exact enough for a ratio
        gain, one, two = (((w @ matrix) * w).sum(1, dtype=np.float64) for matrix in (both, *untied))
        scale = np.sqrt(one * two)
        return np.where(scale > 0, gain / np.where(scale > 0, scale, 1), math.nan)

    return tau


def _spearman(x: Array, y: Array) -> Statistic:
    """As `weighted`; items are rows here, so that memory is read in order, in blocks that a processor's cache holds."""
    sides = [np.unique(series, return_inverse=True)[1].reshape(-1) for series in (x, y)]
    orders = [np.argsort(place, kind="stable") for place in sides]
    starts = [np.flatnonzero(np.diff(place[order], prepend=-1)) for place, order in zip(sides, orders, strict=True)]

    def rho(weights: Array) -> Array:
        if weights.size > CACHED and len(weights) > 1:
            parts = min(len(weights), -(-weights.size // CACHED))
            return np.concatenate([rho(some) for some in np.array_split(weights, parts)])
        w = np.ascontiguousarray(weights.T)
        n, both, squares = w.sum(0), w.copy(), []
        for place, order, start in zip(sides, orders, starts, strict=True):
            own = np.add.reduceat(w.take(order, axis=0), start, axis=0)
            away = own.cumsum(0) - own / 2 - n / 2  # the midranks less their mean
            squares.append((own * away * away).sum(0))
            both *= away.take(place, axis=0)
        return _ratio(both.sum(0), squares[0], squares[1], np.zeros_like(n))  # ranks and weights are exact

    return rho


def weighted_ranks(series: Array) -> Callable[[Array], Array]:
    """Return what gives the midranks, less 1/2, of the items under each row of weights; shape (any, items)."""
    values, place = np.unique(series, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(values)))

    def ranks(weights: Array) -> Array:
        own = np.add.reduceat(weights[:, order], starts, axis=1)
        return np.asarray((own.cumsum(1) - own / 2)[:, place])

    return ranks


def _tau_of_subsets(x: Array, y: Array, weights: Array) -> Array:
    kendalltau = require("scipy.stats", "calibrate").kendalltau

    return np.array([kendalltau(*(np.repeat(s, row.astype(int)) for s in (x, y))).statistic for row in weights])


def _within(x: Array, y: Array, method: Method, groups: Ints, bootstrap: Bootstrap) -> Estimate:
    every = by_group(x, y, method, groups)
    count = len(every)
    found = every[~np.isnan(every)]
    if not len(found):
        raise NotEstimableError(f"in none of {count} groups do both series vary")
    estimate = bootstrap.mean(found)
    kind = estimate.method.replace("item", "cluster")
    lost = f"{count - len(found)} of {count} groups do not vary and were left out" if len(found) < count else ""
    notes = "; ".join(note for note in (estimate.note, lost) if note)
    return replace(estimate, n=len(x), method=kind, note=notes)


def by_group(x: Array, y: Array, method: Method, groups: Ints) -> Array:
    """Return the correlation among the items of each group, shape (groups,); NaN where one of the series is constant.

    Args:
        x, y: shape (items,), without missing values; groups: the number of each item's group, from 0.
    """
    sizes = np.bincount(groups)
    order, first = np.argsort(groups, kind="stable"), sizes.cumsum() - sizes
    found = np.full(len(sizes), math.nan)
    for size in np.unique(sizes[sizes > 1]):
        own = np.flatnonzero(sizes == size)
        parts = min(len(own), 1 + len(own) * int(size) ** 2 // PAIRS)
        for some in np.array_split(own, parts):
            items = order[first[some][:, None] + np.arange(size)]
            found[some] = _of_equal(x[items], y[items], method)
    return found


def _of_equal(x: Array, y: Array, method: Method) -> Array:
    """Return the correlation in each row of two arrays of shape (any, items)."""
    if x.shape[1] ** 2 > PAIRS:
        return np.array([plain(*row, method) for row in zip(x, y, strict=True)])
    return of_rows(x, y, np.ones(x.shape, dtype=np.bool_), method)


def _of_systems(x: Array, y: Array, method: Method, systems: Ints, units: Units, bootstrap: Bootstrap) -> Estimate:
    if not len(x) or np.ptp(x) == 0 or np.ptp(y) == 0:
        raise NotEstimableError(f"one of the series does not vary, among {len(x)} items")
    s = int(systems.max()) + 1
    rows = np.zeros((len(x), 3 * s))
    for k, column in enumerate((np.ones(len(x)), x, y)):
        rows[np.arange(len(x)), k * s + systems] = column

    def statistic(sums: Array) -> Array:
        counts, xs, ys = sums.reshape(-1, 3, s).transpose(1, 0, 2)
        there = counts > 0
        x, y = (total / np.where(there, counts, 1) for total in (xs, ys))
        return of_rows(x, y, there, method)

    found = bootstrap.of_sums(rows, statistic, units)
    return replace(found, note="; ".join(note for note in (found.note, f"over {s} systems") if note))


def of_rows(x: Array, y: Array, there: Mask, method: Method) -> Array:
    """Return the correlation in each row of two arrays of shape (any, systems), of the systems that are there."""
    x, y = np.where(there, x, 0), np.where(there, y, 0)
    if method == "pearson":
        return pearson(x, y, there.astype(float))
    signs = [np.sign(series[:, :, None] - series[:, None, :]) * there[:, None, :] for series in (x, y)]
    if method == "spearman":
        return pearson(signs[0].sum(2), signs[1].sum(2), there.astype(float))
    both, one, two = ((a * b * there[:, :, None]).sum((1, 2)) for a, b in (signs, (signs[0],) * 2, (signs[1],) * 2))
    return np.where(one * two > 0, both / np.sqrt(np.where(one * two > 0, one * two, 1)), math.nan)


def _series(judge: ArrayLike, human: ArrayLike) -> tuple[Array, Array]:
    j, h = np.asarray(judge, dtype=float), np.asarray(human, dtype=float)
    if j.shape != h.shape or j.ndim not in (1, 2):
        raise InputError(f"the series have the shapes {j.shape} and {h.shape}; both are (items,) or (items, criteria)")
    if np.isinf(j).any() or np.isinf(h).any():
        raise InputError("a value is infinite")
    return j, h


def _mean(series: Array) -> Array:
    """Return the mean over the criteria; NaN where one is missing, since criteria differ in level."""
    return series if series.ndim == 1 else series.mean(1)


def _cells(j: Array, h: Array) -> tuple[tuple[Array, Array], Ints]:
    j, h = j.reshape(len(j), -1), h.reshape(len(h), -1)
    owner = np.repeat(np.arange(len(j)), j.shape[1])
    known = np.flatnonzero(~np.isnan(j + h).ravel())
    return (j.ravel()[known], h.ravel()[known]), owner[known]


def needed(names: Clusters | None, known: Ints, what: str) -> Ints:
    """Return the numbers of the groups or systems of some of the items, from 0."""
    if names is None:
        raise InputError(f"this level needs {what}=, one for each item")
    return number(number(names)[known])
