"""A number with its interval, and the cluster bootstrap that gives means theirs."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.errors import InputError

CHUNK = 1 << 22  # weights held at a time: bounds memory, changes nothing in the result


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
    clusters: Sequence[Hashable],
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
    sums, counts = _by_cluster(np.asarray(values, dtype=float), clusters)
    k = len(sums)
    means: NDArray[np.float64] = np.empty(draws)
    step = max(1, CHUNK // k)
    for start in range(0, draws, step):
        stop = min(start + step, draws)
        times = rng.multinomial(k, np.full(k, 1 / k), size=stop - start)
        # Row by row, since a matrix product's last bits depend on its shape and its threads.
        means[start:stop] = (times * sums).sum(1) / (times * counts).sum(1)
    tail = _expanded((1 - confidence) / 2, k)
    low, high = np.quantile(means, [tail, 1 - tail])
    value = sums.sum() / counts.sum()
    return Estimate(float(value), float(low), float(high), int(counts.sum()), k, f"cluster bootstrap, {draws} draws")


def share(hits: ArrayLike, clusters: Sequence[Hashable], rng: np.random.Generator, *, draws: int = 2000) -> Estimate:
    """Mean of ``hits`` in [0, 1] (1 right, 0 wrong, 1/2 for a tie) with its 95 % interval.

    The interval is `cluster_bootstrap`'s. Where all hits are 0 or all are 1, resampling would claim certainty; there it
    is the exact one (Clopper & Pearson 1934) for as many trials as there are clusters.

    Raises:
        InputError: as in `cluster_bootstrap`, or a hit outside [0, 1].
    """
    values = np.asarray(hits, dtype=float)
    if ((values < 0) | (values > 1)).any():
        raise InputError("a share is of hits between 0 and 1")
    found = cluster_bootstrap(values, clusters, rng, draws=draws)
    if found.value not in (0.0, 1.0):
        return found
    reach = 0.025 ** (1 / found.clusters)
    low, high = (reach, 1.0) if found.value else (0.0, 1.0 - reach)
    return replace(found, low=low, high=high, method="Clopper-Pearson on clusters")


def _expanded(tail: float, clusters: int) -> float:
    """Return the tail at which to read the bootstrap distribution: normal(t / sqrt((k - 1) / k)), k clusters.

    The t quantile is the expansion of Abramowitz & Stegun 26.7.5, good to 1e-3 from 4 degrees of freedom.
    """
    normal, v = NormalDist(), clusters - 1
    z = normal.inv_cdf(tail)
    t = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    t += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    return normal.cdf(t * math.sqrt(clusters / v))


def _by_cluster(
    values: NDArray[np.float64], clusters: Sequence[Hashable]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(values) != len(clusters):
        raise InputError(f"{len(values)} values, but {len(clusters)} clusters")
    if not len(values) or not np.isfinite(values).all():
        raise InputError("an interval needs values, all of them finite; leave out what has no verdict, and count it")
    numbers: dict[Hashable, int] = {}
    index = np.array([numbers.setdefault(cluster, len(numbers)) for cluster in clusters])
    if len(numbers) < 2:
        raise InputError("an interval needs at least two clusters")
    return np.bincount(index, values).astype(np.float64), np.bincount(index).astype(np.float64)
