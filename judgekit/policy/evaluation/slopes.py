"""Slopes over the lengths that prompts ask for, as statistics of sums over stories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from judgekit.calibration.estimate import Array


def length_rows(words: Sequence[int], logs: Sequence[Sequence[float]]) -> Array:
    """Return what each story adds to the slope of log written on log requested words; shape (stories, 5).

    `judgekit.calibration.concordance.slope_of_sums` makes the slope of their sums.

    Args:
        words: asked for; logs: of written over requested words, one for each response.
    """
    x = np.log(np.asarray(words, dtype=float))
    x = x - x.mean() if len(x) else x  # squares of what is near 0 lose no digits; no slope depends on where 0 is
    k = np.array([len(some) for some in logs], dtype=float)
    y = np.array([math.fsum(some) for some in logs]) + k * x  # log written = log ratio + log requested
    return np.stack([k, y, k * x, k * x * x, x * y], axis=1)


def bucket(words: int, ends: Sequence[int]) -> int:
    """Return the number of the bucket that a length lies in, from 0; its upper end belongs to it."""
    return int(np.searchsorted(np.asarray(ends), words))


def bucket_name(number: int, ends: Sequence[int]) -> str:
    """Return what a bucket is called."""
    low = list(pairwise([0, *ends, 0]))[number][0] + 1
    return f"{low} and more words" if number == len(ends) else f"{low}-{ends[number]} words"


def quality_rows(words: Sequence[int], qualities: Sequence[float], ends: Sequence[int]) -> Array:
    """Return what each story adds to the slope of the buckets' mean quality on their number.

    Shape (stories, 2 * (buckets)): a column for the count of each bucket, then one for its quality.
    """
    member = np.eye(len(ends) + 1)[[bucket(one, ends) for one in words]].reshape(-1, len(ends) + 1)
    return np.concatenate([member, member * np.asarray(qualities, dtype=float)[:, None]], axis=1)


def quality_slope(sums: Array) -> Array:
    """Return the slope of the mean quality on the number of the bucket, each bucket that has stories counting once.

    POLARIS' "linear fit across the six length buckets": points of quality for each further bucket. NaN where fewer than
    two buckets have stories. Shape (any, 2 * (buckets)) -> (any,).
    """
    count, total = np.split(sums, 2, axis=1)
    there = (count > 0).astype(float)
    mean = total / np.where(count > 0, count, 1)
    n = there.sum(1, keepdims=True)
    x = np.arange(count.shape[1]) - (there * np.arange(count.shape[1])).sum(1, keepdims=True) / n
    spread = (there * x * x).sum(1)
    return np.where(spread > 0, (there * x * mean).sum(1) / np.where(spread > 0, spread, 1), math.nan)
