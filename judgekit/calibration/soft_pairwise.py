"""Soft pairwise accuracy: does a judge separate systems as surely as people do?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number
from judgekit.calibration.interval import expanded, few
from judgekit.errors import InputError

DEFAULT = Bootstrap()
CELLS = 1 << 22  # numbers held at a time
# Abramowitz & Stegun 7.1.26, whose error is below 1.5e-7.
ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


def soft_pairwise_accuracy(
    judge: ArrayLike, human: ArrayLike, *, units: Clusters | None = None, bootstrap: Bootstrap = DEFAULT
) -> Estimate:
    """Return 1 - mean |p of the people - p of the judge| over the pairs of systems (Thompson et al. 2024, WMT).

    p is that of the one-sided paired test that the one system is better: how often as large a sum of differences comes
    up if each item's difference (each cluster's sum of them) has either sign. Its normal limit is used, which is nearer
    to the exact p than the thousand draws of the reference implementation.

    The interval is for these systems and other items, Student's t with the jackknife over items or clusters.

    Args:
        judge, human: scores, shape (systems, items). NaN is missing: a pair of systems is compared on the items for
            which both have both scores.
        units: the cluster of each item, shape (items,).

    Raises:
        NotEstimableError: fewer than two systems, or a pair of systems without a common item.
        InputError: arrays of different shapes, an infinite value, not a cluster for each item.
    """
    j, h = np.asarray(judge, dtype=float), np.asarray(human, dtype=float)
    if j.shape != h.shape or j.ndim != 2 or np.isinf(j).any() or np.isinf(h).any():
        raise InputError(f"scores have one shape, (systems, items), and are finite; these have {j.shape} and {h.shape}")
    if len(j) < 2:
        raise NotEstimableError("soft pairwise accuracy is of two systems or more")
    if units is not None and len(units) != j.shape[1]:
        raise InputError(f"{j.shape[1]} items, but {len(units)} clusters")
    known = ~np.isnan(j + h)
    if not (known.astype(np.float32) @ known.T.astype(np.float32)).all():
        raise NotEstimableError("two of the systems have no item in common")
    unit = np.arange(j.shape[1]) if units is None else number(units)
    scored = known.any(0)
    told, without = _distances((j[:, scored], h[:, scored]), known[:, scored], number(unit[scored]))
    return _jackknife(told, without, int((known.sum(0) > 1).sum()), bootstrap)


def _distances(scores: tuple[Array, Array], known: NDArray[np.bool_], unit: NDArray[np.int64]) -> tuple[float, Array]:
    """Return the mean distance of both p over the pairs of systems, and the same without each cluster."""
    one, two = np.triu_indices(len(known), 1)
    told, without, size = 0.0, np.zeros(int(unit.max()) + 1), max(1, CELLS // known.shape[1])
    for start in range(0, len(one), size):
        a, b = one[start : start + size], two[start : start + size]
        both = known[a] & known[b]
        chances, left = zip(*(_chances(np.where(both, s[a] - s[b], 0.0), unit) for s in scores), strict=True)
        told += float(np.abs(chances[0] - chances[1]).sum())
        without += np.abs(left[0] - left[1]).sum(0)
    return told / len(one), without / len(one)


def _chances(gaps: Array, unit: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return p of each pair, shape (pairs, 1), and without each cluster, (pairs, clusters)."""
    sums = np.stack([np.bincount(unit, row) for row in gaps])
    total, square = sums.sum(1, keepdims=True), (sums**2).sum(1, keepdims=True)
    return _upper(total, square), _upper(total - sums, square - sums**2)


def _jackknife(told: float, without: Array, n: int, bootstrap: Bootstrap) -> Estimate:
    k, value = len(without), 1 - told
    if k < 3:
        return Estimate(value, None, None, n, k, "", "no interval: it needs three clusters or more")
    error = math.sqrt((k - 1) / k * ((without - without.mean()) ** 2).sum())
    reach = expanded(1 - (1 - bootstrap.confidence) / 2, k) * error
    return Estimate(value, max(0.0, value - reach), min(1.0, value + reach), n, k, "jackknife", few(k))


def _upper(total: Array, square: Array) -> Array:
    """Return the probability of a normal value above total / sqrt(square); 1/2 where all differences are 0."""
    fine = square > 1e-12 * np.maximum(square.max(), 1e-300)
    z = np.where(fine, total / np.sqrt(np.where(fine, square, 1)), 0.0)
    x = np.abs(z) / math.sqrt(2)
    t = 1 / (1 + 0.3275911 * x)
    tail = sum(c * t ** (i + 1) for i, c in enumerate(ERF)) * np.exp(-x * x) / 2
    return np.where(z > 0, tail, 1 - tail)
