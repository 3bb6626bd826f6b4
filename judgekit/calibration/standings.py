"""Where systems stand by their mean scores, and which of them are surely apart."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number
from judgekit.calibration.interval import few, t_quantile
from judgekit.calibration.multiple import adjust_pvalues
from judgekit.calibration.ranks import rank_intervals
from judgekit.errors import InputError, require

LEAST = 3  # clusters that a system needs
DRAWS = 10_000  # joint draws behind the ranks
BLOCK = 1 << 12  # clusters at a time
EQUAL = 1e-9  # of the largest score less the mean: what rounding may take from two that are equal
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Standings:
    """Systems in the order of their mean scores, the highest first.

    Attributes:
        names: of the systems; ``means``: of their scores; ``ranks``: 1 is the highest, see `rank_intervals`.
        adjusted: p of "these two have the same mean", after Benjamini & Hochberg over all pairs; shape (systems,
            systems), NaN of a system with itself.
        left_out: systems in fewer than 3 clusters, with that number.
    """

    names: tuple[Hashable, ...]
    means: tuple[Estimate, ...]
    ranks: tuple[Estimate, ...]
    adjusted: Array
    left_out: dict[Hashable, int]


def standings(
    scores: ArrayLike,
    systems: Clusters,
    *,
    units: Clusters | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Standings:
    """Rank systems by their mean scores.

    Means and differences carry the jackknife over clusters (Bell & McCaffrey 2002, Survey Methodology 28:169), so that
    two systems which answered the same prompts are held together prompt by prompt. Intervals and tests are Student's t
    with the clusters of the system, or of the rarer of two, less one. Where all clusters say the same of two systems, p
    is that of so many tosses of a coin which fall alike.

    Args:
        scores: shape (items,); NaN is missing. systems: what wrote each item.
        units: the prompt of each item; without it every item is its own.

    Raises:
        NotEstimableError: fewer than two systems that have scores in 3 clusters.
        InputError: not a system and a cluster for each score, a system that is None or NaN, or an infinite score.
    """
    x, every, system, unit = _read(scores, systems, units)
    known, k = ~np.isnan(x), int(unit.max(initial=0)) + 1
    there = np.bincount(np.unique(system[known] * k + unit[known]) // k, minlength=len(every))
    kept = np.flatnonzero(there >= LEAST)
    if len(kept) < 2:
        raise NotEstimableError(f"{len(kept)} of {len(every)} systems have scores in {LEAST} groups; it needs two")
    used = np.flatnonzero(known & (there >= LEAST)[system])
    own = number(system[used])
    middle, away = _unit_of(x[used])
    values, covariance = _means((x[used] - middle) / away, own, number(unit[used]), len(kept))
    order = np.argsort(-values, kind="stable")
    values, covariance, freedom = values[order], covariance[np.ix_(order, order)], there[kept][order] - 1
    items = np.bincount(own)[order].tolist()
    low, high = rank_intervals(values, covariance, freedom, confidence, DRAWS, seed)
    means = zip(middle + away * values, away * np.sqrt(np.diag(covariance)), items, freedom.tolist(), strict=True)
    ranks = zip((values[:, None] < values).sum(1) + 1, low, high, items, freedom.tolist(), strict=True)
    return Standings(
        tuple(every[kept[k]] for k in order),
        tuple(_mean(*it, confidence) for it in means),
        tuple(_rank(*it) for it in ranks),
        _tests(values, covariance, freedom),
        {every[k]: int(there[k]) for k in np.flatnonzero(there < LEAST)},
    )


def _read(scores: ArrayLike, systems: Clusters, units: Clusters | None) -> tuple[Array, list[Hashable], Ints, Ints]:
    """Return the scores, the names of the systems, and the numbers of each item's system and unit."""
    x, names = np.asarray(scores, dtype=float), list(systems)
    unit = np.arange(len(x)) if units is None else number(units)
    if x.ndim != 1 or not len(x) == len(names) == len(unit) or np.isinf(x).any():
        raise InputError(f"{x.shape} finite scores need as many systems and units, not {len(names)} and {len(unit)}")
    if any(name is None or name != name for name in names):  # noqa: PLR0124 - NaN is not itself
        raise InputError("an item has no system: name it, or leave the item out")
    return x, list(dict.fromkeys(names)), number(names), unit


def _unit_of(x: Array) -> tuple[float, float]:
    """Return the middle of the scores and the largest distance from it: in these units rounding is the same for all."""
    middle = float(x.mean())
    return middle, float(np.abs(x - middle).max()) or 1.0


def _means(scores: Array, system: Ints, unit: Ints, count: int) -> tuple[Array, Array]:
    """Return the mean of each system, and the covariance of the means by leaving out one cluster at a time."""
    sums, sizes = np.bincount(system, scores, count), np.bincount(system, minlength=count)
    means = np.round(sums / sizes, 12)
    k, total, square = int(unit.max()) + 1, np.zeros(count), np.zeros((count, count))
    order = np.argsort(unit, kind="stable")
    starts = np.searchsorted(unit[order], np.arange(0, k + BLOCK, BLOCK))
    for first, start, stop in zip(range(0, k, BLOCK), starts, starts[1:], strict=False):
        at, width = order[start:stop], min(BLOCK, k - first)
        cell = (unit[at] - first) * count + system[at]
        own = np.bincount(cell, scores[at], width * count).reshape(width, count)
        size = np.bincount(cell, minlength=width * count).reshape(width, count)
        off = (sums - own) / (sizes - size) - means
        total, square = total + off.sum(0), square + off.T @ off
    return means, (k - 1) / k * (square - np.outer(total, total) / k)


def _mean(value: float, error: float, items: int, freedom: int, confidence: float) -> Estimate:
    reach = t_quantile(1 - (1 - confidence) / 2, float(freedom)) * error
    ends = float(value - reach), float(value + reach)
    return Estimate(float(value), *ends, items, freedom + 1, "jackknife, t", few(freedom + 1))


def _rank(rank: int, low: float, high: float, items: int, freedom: int) -> Estimate:
    method = f"{DRAWS} joint draws of the differences"
    return Estimate(int(rank), float(low), float(high), items, freedom + 1, method, few(freedom + 1))


def _tests(values: Array, covariance: Array, freedom: Ints) -> Array:
    """Return the adjusted p of every two means, in the order given."""
    t = require("scipy.special", "calibrate")
    i, j = np.triu_indices(len(values), 1)
    gap, df = np.abs(values[i] - values[j]), np.minimum(freedom[i], freedom[j])
    error = np.sqrt(np.maximum(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j], 0))
    alike = error <= EQUAL
    p = np.where(gap <= EQUAL, 1.0, 2 * 0.5 ** (df + 1.0))
    p[~alike] = 2 * t.stdtr(df[~alike], -gap[~alike] / error[~alike])
    q = np.full((len(values), len(values)), np.nan)
    q[i, j] = q[j, i] = adjust_pvalues(p.tolist(), "bh")
    return q
