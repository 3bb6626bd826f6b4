"""Intervals for ranks, from joint draws of all the values that are ranked."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.estimate import Array
from judgekit.errors import require


def rank_intervals(
    values: Array, covariance: Array, freedom: int | NDArray[np.int64], confidence: float, draws: int, seed: int
) -> tuple[Array, Array]:
    """Return the first and the last rank that each value may have, 1 the largest; shape (values,) each.

    A value is surely below another if the other is larger by more than chance gives to the largest of its differences:
    the ranks run from 1 + those surely larger to their number less those surely smaller (Mogstad, Romano, Shaikh &
    Wilhelm 2024, Review of Economic Studies 91:476, one-step). The quantiles of drawn ranks hold the true rank too
    seldom where values are close: they count the noise twice.

    Args:
        values: normal with this covariance around the truth.
        freedom: degrees of freedom of the covariance, which few clusters know badly; of each value, where they differ:
            then a difference has those of the worse known of the two, at the level that chance gives the largest.
    """
    n = len(values)
    df = np.broadcast_to(freedom, n)
    most = int(df.max())
    variance = np.diag(covariance)
    spread = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * covariance, 0))
    inverse = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0).astype(np.float32)
    drawn = _draws(covariance, most, draws, seed)
    low, high = np.ones(n), np.full(n, float(n))
    for i in range(n):
        largest = np.abs((drawn - drawn[i]) * inverse[i][:, None]).max(0)
        reach = _critical(float(np.quantile(largest, confidence)), np.minimum(df, df[i]), most) * spread[i]
        low[i] += (values - values[i] > reach).sum()
        high[i] -= (values[i] - values > reach).sum()
    return low, high


def _critical(t: float, df: NDArray[np.int64], most: int) -> Array:
    """Return for each number of degrees of freedom the t that chance exceeds as often as ``t`` of the most."""
    if (df == most).all():
        return np.full(len(df), t)
    special = require("scipy.special", "calibrate")
    return np.asarray(-special.stdtrit(df, special.stdtr(most, -t)))


def _draws(covariance: Array, freedom: int, draws: int, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return draws around 0, of Student's t with this covariance as its scale; shape (values, draws)."""
    rng = np.random.default_rng(seed)
    size, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(size, 0))).astype(np.float32)
    normal = root @ rng.standard_normal((len(covariance), draws), dtype=np.float32)
    wide = np.sqrt(freedom / rng.chisquare(freedom, draws)) * math.sqrt((freedom + 1) / freedom)
    return np.asarray(normal * wide.astype(np.float32))
