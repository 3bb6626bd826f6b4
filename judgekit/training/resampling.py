"""Re-sampling of training rows by their total score, to a shape that was asked for.

EpisodeBench trains its evaluators on four distributions of the summed score. What is published: their names and words
(``uniform``: flattened over the scale; ``normal``: bell-shaped; ``exppos`` and ``expneg``: exponentially increasing and
decreasing), and that an evaluator trained on ``normal`` agreed best with people. No formula, no parameter and no sample
size is published: **those here are ours**.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from judgekit.errors import InputError

Array = NDArray[np.float64]
Resample = Literal["none", "normal", "uniform", "exppos", "expneg"]
BINS = 20
SPREAD = 1 / 6  # of the normal shape: three standard deviations on either side fill the range
RATE = 3.0  # of the exponential ones: the best score is drawn e^3 = 20 times as often as the worst, or the reverse

SHAPES: Mapping[str, Callable[[Array], Array]] = {
    "normal": lambda u: np.exp(-((u - 0.5) ** 2) / (2 * SPREAD**2)),
    "uniform": np.ones_like,
    "exppos": lambda u: np.exp(RATE * u),
    "expneg": lambda u: np.exp(-RATE * u),
}


@dataclass(frozen=True)
class Resampled:
    """Which rows were drawn, in ascending order; a row may come several times.

    Attributes:
        before, after: how many rows of each total; ``distinct``: different rows drawn; ``most``: copies of one row.
    """

    rows: list[int]
    before: dict[float, int]
    after: dict[float, int]
    distinct: int
    most: int


def resample(totals: Sequence[float], shape: Resample, seed: int = 0) -> Resampled:
    """Draw as many rows as there are, with replacement, so that their totals take a shape.

    Importance re-sampling: with ``u = (total - lowest) / (highest - lowest)`` over the observed totals and ``n(bin)``
    rows in each of 20 equal bins of u, row i is drawn with a chance in proportion to ``target(u_i) / n(bin_i)``.
    ``target`` is 1 (``uniform``), ``exp(-(u - 1/2)^2 / (2 (1/6)^2))`` (``normal``), ``exp(3 u)`` (``exppos``) or
    ``exp(-3 u)`` (``expneg``). A bin without rows stays empty; its share goes to the others in proportion.

    The draw is systematic (Kitagawa 1996): N points at a distance of 1/N, from one random start, on the rows laid end
    to end by their chances, bin by bin, in random order within a bin. So every bin gets its expected number, and each
    row its own, to within 1. With replacement, since N of N rows without it would be all rows as they are.

    Raises:
        InputError: no rows, a total that is not finite, or all totals equal: nothing can be shaped.
    """
    values = np.asarray(totals, dtype=float)
    if not len(values) or not np.isfinite(values).all():
        raise InputError("re-sampling needs rows, each with a finite total")
    before = _counts(values)
    if shape == "none":
        return Resampled(list(range(len(values))), before, before, len(values), 1)
    if len(before) == 1:
        raise InputError(f"all {len(values)} rows have the total {values[0]:g}, which has no shape; use resample: none")
    u = (values - values.min()) / np.ptp(values)
    bins = np.minimum((u * BINS + 1e-9).astype(int), BINS - 1)
    weights = SHAPES[shape](u) / np.bincount(bins)[bins]
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(values))
    line = shuffled[np.argsort(bins[shuffled], kind="stable")]
    drawn = np.sort(line[_systematic(weights[line], float(rng.random()))])
    times = np.bincount(drawn)
    return Resampled(drawn.tolist(), before, _counts(values[drawn]), int((times > 0).sum()), int(times.max()))


def _systematic(weights: Array, start: float) -> NDArray[np.int64]:
    """Return n places on a line of n weights, hit by n equidistant points; ``start`` in [0, 1)."""
    n = len(weights)
    ends = weights.cumsum() / math.fsum(weights)
    return np.minimum(np.searchsorted(ends, (start + np.arange(n)) / n, side="right"), n - 1)


def _counts(values: Array) -> dict[float, int]:
    return dict(sorted(Counter(round(float(value), 9) for value in values).items()))
