"""Where systems stand by their mean scores, and which of them are surely apart."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number
from judgekit.calibration.findings import jackknife
from judgekit.calibration.interval import FEW, t_quantile
from judgekit.calibration.multiple import adjust_pvalues
from judgekit.calibration.ranks import rank_intervals
from judgekit.errors import InputError, require

LEAST = 3  # clusters that a system needs
DRAWS = 10_000  # joint draws behind the ranks
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Standings:
    """Systems in the order of their mean scores, the highest first.

    Attributes:
        names: of the systems; ``means``: of their scores; ``ranks``: 1 is the highest, see `rank_intervals`.
        q: of "these two have the same mean", after Benjamini & Hochberg over all pairs; shape (systems, systems), NaN
            of a system with itself.
        left_out: systems in fewer than 3 clusters, with that number.
    """

    names: tuple[Hashable, ...]
    means: tuple[Estimate, ...]
    ranks: tuple[Estimate, ...]
    q: Array
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

    Means and differences carry the jackknife over clusters, so that two systems which answered the same prompts are
    held together prompt by prompt; intervals and tests are Student's t with the clusters of the system, or of the rarer
    of two, less one.

    Args:
        scores: shape (items,); NaN is missing. systems: what wrote each item.
        units: the prompt of each item; without it every item is its own.

    Raises:
        NotEstimableError: fewer than two systems that have scores in 3 clusters.
        InputError: not a system and a cluster for each score, or an infinite score.
    """
    x, names = np.asarray(scores, dtype=float), np.array(systems, dtype=object)
    unit = np.arange(len(x)) if units is None else number(units)
    if x.ndim != 1 or not len(x) == len(names) == len(unit) or np.isinf(x).any():
        raise InputError(f"{x.shape} finite scores need as many systems and units, not {len(names)} and {len(unit)}")
    known = ~np.isnan(x)
    there = {name: len(set(unit[known & (names == name)].tolist())) for name in dict.fromkeys(names.tolist())}
    kept = [name for name, clusters in there.items() if clusters >= LEAST]
    if len(kept) < 2:
        raise NotEstimableError(f"{len(kept)} of {len(there)} systems have scores in {LEAST} groups; it needs two")
    place = {name: k for k, name in enumerate(kept)}
    used = np.flatnonzero(known & np.array([name in place for name in names.tolist()]))
    own = np.array([place[name] for name in names[used].tolist()])
    values, covariance = _means(x[used], own, number(unit[used]), len(kept))
    clusters = np.array([there[name] for name in kept])
    order = np.argsort(-values, kind="stable")
    covariance, freedom = covariance[np.ix_(order, order)], clusters[order] - 1
    items = np.bincount(own)[order]
    ranks = rank_intervals(values[order], covariance, int(freedom.min()), confidence, DRAWS, seed)
    return Standings(
        tuple(kept[k] for k in order),
        tuple(_mean(*it, confidence) for it in zip(values[order], np.diag(covariance), items, freedom, strict=True)),
        tuple(_rank(*it) for it in zip(values[order], *ranks, items, freedom, [values] * len(order), strict=True)),
        _tests(values[order], covariance, freedom),
        {name: count for name, count in there.items() if count < LEAST},
    )


def _means(scores: Array, system: Ints, unit: Ints, count: int) -> tuple[Array, Array]:
    """Return the mean of each system, and the covariance of the means."""
    rows = np.zeros((len(scores), 2 * count))
    at = np.arange(len(scores))
    rows[at, system], rows[at, count + system] = scores, 1
    value, covariance, _ = jackknife(rows, lambda sums: sums[:, :count] / sums[:, count:], unit)
    return value, covariance


def _mean(value: float, variance: float, items: int, freedom: int, confidence: float) -> Estimate:
    reach = t_quantile(1 - (1 - confidence) / 2, float(freedom)) * math.sqrt(variance)
    ends = float(value - reach), float(value + reach)
    return Estimate(float(value), *ends, int(items), int(freedom) + 1, "jackknife, t", _few(freedom))


def _rank(value: float, low: float, high: float, items: int, freedom: int, values: Array) -> Estimate:
    rank = 1 + int((values > value).sum())
    method = f"{DRAWS} joint draws of the differences"
    return Estimate(rank, float(low), float(high), int(items), int(freedom) + 1, method, _few(freedom))


def _few(freedom: int) -> str:
    k = int(freedom) + 1
    return f"only {k} clusters: the interval may hold the truth less often than it says" if k < FEW else ""


def _tests(values: Array, covariance: Array, freedom: Ints) -> Array:
    """Return q of every two means, in the order given."""
    t = require("scipy.special", "calibrate")
    i, j = np.triu_indices(len(values), 1)
    gap, df = np.abs(values[i] - values[j]), np.minimum(freedom[i], freedom[j])
    error = np.sqrt(np.maximum(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j], 0))
    alike = error <= 1e-9 * np.maximum(gap, 1)  # every cluster says the same: as many tosses of a coin fall alike
    p = np.where(gap <= error, 1.0, 2 * 0.5 ** (df + 1.0))
    p[~alike] = 2 * t.stdtr(df[~alike], -gap[~alike] / error[~alike])
    q = np.full((len(values), len(values)), np.nan)
    q[i, j] = q[j, i] = adjust_pvalues(p.tolist(), "bh")
    return q
