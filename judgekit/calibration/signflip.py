"""The sign-flip test: could these differences as well have had the other sign?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Clusters, number
from judgekit.errors import InputError

EXACT = 14  # clusters up to which all 2 ** clusters signs are tried
CELLS = 1 << 22  # numbers held at a time: bounds memory, changes nothing in the result


def sign_flip(differences: ArrayLike, clusters: Clusters, rng: np.random.Generator, draws: int = 9999) -> float:
    """Return the two-sided p of "the mean difference is 0", from flipping the signs of whole clusters.

    If neither of two judges is better, a cluster's sum of differences is as likely to have the other sign (Fisher 1935,
    The Design of Experiments, section 21). With at most 14 clusters whose sum is not 0 every combination of signs is
    tried; else ``draws`` random ones, and p = (1 + as extreme) / (1 + draws) (Phipson & Smyth 2010, Stat. Appl. Genet.
    Mol. Biol. 9:39).

    Args:
        differences: shape (items,), finite; ``clusters``: the group of each.

    Raises:
        InputError: no items, a difference that is not finite, or not a cluster for each item.
    """
    values = np.asarray(differences, dtype=float)
    if not len(values) or len(values) != len(clusters) or not np.isfinite(values).all():
        raise InputError(
            f"the test needs finite differences with a cluster each, not {len(values)} and {len(clusters)}"
        )
    found = np.bincount(number(clusters), values)
    sums = np.abs(found)
    sizes, times = np.unique(sums[sums > 1e-12 * sums.max()], return_counts=True)
    observed = abs(found.sum()) - 1e-9 * sums.sum()  # what rounding may take from an equal sum
    if times.sum() <= EXACT:
        return float((np.abs(_all_sums(np.repeat(sizes, times))) >= observed).mean())
    extreme, step = 0, max(1, CELLS // len(sizes))
    for start in range(0, draws, step):
        # Equal clusters are flipped together: of n, a binomial number keeps its sign.
        kept = rng.binomial(times, 0.5, size=(min(step, draws - start), len(times)))
        extreme += int((np.abs(((2 * kept - times) * sizes).sum(1)) >= observed).sum())
    return (1 + extreme) / (1 + draws)


def _all_sums(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums under every combination of signs."""
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
    return sums
