"""A number with its interval, and the cluster bootstrap that gives means theirs."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.errors import InputError

CHUNK = 1 << 20  # weights held at a time: bounds memory, changes nothing in the result
CROWD = 100  # clusters above which equal ones are drawn together
Array = NDArray[np.float64]
Clusters = Sequence[Hashable] | NDArray[Any]
Statistic = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with a 95 % interval.

    Attributes:
        n: how many items it rests on; ``clusters``: in how many independent groups.
    """

    value: float
    low: float
    high: float
    n: int
    clusters: int
    method: str

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def cluster_bootstrap(
    values: ArrayLike,
    clusters: Clusters,
    rng: np.random.Generator,
    *,
    draws: int = 2000,
    confidence: float = 0.95,
) -> Estimate:
    """Mean of ``values`` with an interval from resampling whole clusters.

    Whole prompts (stories, authors) are drawn with replacement, since their items are not independent; the mean is the
    ratio of the drawn sums to the drawn counts (Field & Welsh 2007, J. R. Stat. Soc. B 69:369, randomized cluster
    bootstrap). The percentiles are those of the expanded percentile interval (Hesterberg 2015, The American
    Statistician 69:371), which makes up for the narrowness at few clusters. For a paired difference, give the
    differences.

    Args:
        values: shape (items,), finite.
        clusters: the group of each item, shape (items,).

    Raises:
        InputError: no items, a value that is not finite, or fewer than two clusters.
    """
    items = np.asarray(values, dtype=float)
    return cluster_statistic(_counted(items), clusters, _ratio, rng, draws=draws, confidence=confidence)


def cluster_statistic(
    columns: Array,
    clusters: Clusters,
    statistic: Statistic,
    rng: np.random.Generator,
    *,
    draws: int = 2000,
    confidence: float = 0.95,
) -> Estimate:
    """Any statistic of sums over the items, with its interval as in `cluster_bootstrap`.

    Args:
        columns: shape (items, m), finite: what is summed.
        clusters: the group of each item, shape (items,).
        statistic: maps sums of shape (any, m) to values of shape (any,).

    Raises:
        InputError: no items, a value that is not finite, or fewer than two clusters.
    """
    sums = _by_cluster(columns, clusters)
    k = len(sums)
    found = statistic(_resampled(sums, rng, draws))
    tail = _expanded((1 - confidence) / 2, k)
    low, high = np.quantile(found, [tail, 1 - tail])
    value = statistic(sums.sum(0)[None])[0]
    method = f"cluster bootstrap, {draws} draws"
    return Estimate(float(value), float(low), float(high), len(columns), k, method)


def share(
    hits: ArrayLike,
    clusters: Clusters,
    rng: np.random.Generator,
    *,
    weights: ArrayLike | None = None,
    least: float = 0.0,
    draws: int = 2000,
) -> Estimate:
    """Mean of ``hits`` in [0, 1] (1 right, 0 wrong, 1/2 for a tie) with its 95 % interval.

    The interval is `cluster_bootstrap`'s. Where all hits are equal, resampling would claim certainty; there it says
    how many clusters of another kind there may be, unseen in as many trials as there are clusters (Clopper & Pearson
    1934), and takes those to lie at the end of the range.

    Args:
        weights: what each item counts; shape (items,), above 0. Default: 1.
        least: the lower end of the range; -1 for differences of hits.

    Raises:
        InputError: as in `cluster_bootstrap`, or a hit outside the range.
    """
    values = np.asarray(hits, dtype=float)
    if ((values < least) | (values > 1)).any():
        raise InputError(f"a share is of hits between {least:g} and 1")
    heavy = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    columns = np.stack([values * heavy, heavy], axis=1)
    found = cluster_statistic(columns, clusters, _ratio, rng, draws=draws)
    if not len(values) or np.ptp(values):
        return found
    value, reach = float(values[0]), unseen(found.clusters)
    low, high = value - reach * (value - least), value + reach * (1 - value)
    return replace(found, value=value, low=low, high=high, method="Clopper-Pearson on clusters")


def unseen(clusters: int) -> float:
    """Return the share that a kind may have (97.5 %) which is not among this many clusters (Clopper & Pearson 1934)."""
    return 1 - float(0.025 ** (1 / clusters))


def _counted(values: Array) -> Array:
    return np.stack([values, np.ones(len(values))], axis=1)


def _ratio(sums: Array) -> Array:
    return np.asarray(sums[:, 0] / sums[:, 1])


def _resampled(sums: Array, rng: np.random.Generator, draws: int) -> Array:
    """Return the sums over ``draws`` resamples of the rows; shape (draws, m)."""
    k = len(sums)
    kinds, chances = _kinds(sums)
    few = k <= CROWD or len(kinds) <= k / 8
    found: Array = np.empty((draws, sums.shape[1]))
    step = max(1, CHUNK // (len(kinds) if few else k))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        # Column by column and row by row, since a matrix product's last bits depend on its shape and its threads.
        if few:
            times = rng.multinomial(k, chances, size=size)
            drawn = [(times * column).sum(1) for column in kinds.T]
        else:
            rows = rng.integers(k, size=(size, k))
            drawn = [column[rows].sum(1) for column in np.ascontiguousarray(sums.T)]
        found[start : start + size] = np.stack(drawn, axis=1)
    return found


def _kinds(sums: Array) -> tuple[Array, Array]:
    """Return the rows to draw from and their chances.

    Of many clusters most are equal, where hits are 0 or 1: drawn as one kind, in the same distribution, they cost
    a fraction of the time.
    """
    k = len(sums)
    if k <= CROWD:
        return sums, np.full(k, 1 / k)
    code = np.zeros(k, dtype=np.int64)
    for column in sums.T:
        values, place = np.unique(column, return_inverse=True)
        code = np.unique(code * len(values) + place, return_inverse=True)[1]
    first, times = np.unique(code, return_index=True, return_counts=True)[1:]
    return sums[first], times / k


def _expanded(tail: float, clusters: int) -> float:
    """Return the tail at which to read the bootstrap distribution: normal(t / sqrt((k - 1) / k)), k clusters.

    The t quantile is the expansion of Abramowitz & Stegun 26.7.5, good to 1e-3 from 4 degrees of freedom.
    """
    normal, v = NormalDist(), clusters - 1
    z = normal.inv_cdf(tail)
    t = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    t += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    return normal.cdf(t * math.sqrt(clusters / v))


def _by_cluster(columns: Array, clusters: Clusters) -> Array:
    """Return the sums of the columns in each cluster; shape (clusters, m)."""
    if len(columns) != len(clusters):
        raise InputError(f"{len(columns)} values, but {len(clusters)} clusters")
    if not len(columns) or not np.isfinite(columns).all():
        raise InputError("an interval needs values, all of them finite; leave out what has no verdict, and count it")
    index = number(clusters)
    if not index.any():
        raise InputError("an interval needs at least two clusters")
    return np.stack([np.bincount(index, column) for column in columns.T], axis=1).astype(np.float64)


def number(names: Iterable[Hashable] | NDArray[Any]) -> NDArray[np.int64]:
    """Number names from 0; of an array in sorted order, else in the order of their first appearance."""
    if isinstance(names, np.ndarray):
        return np.unique(names, return_inverse=True)[1].reshape(-1)
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
