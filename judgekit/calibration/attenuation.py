"""What a judge's correlation would be with people who never err."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.bootstrap import Bootstrap, Statistic
from judgekit.calibration.ceilings import judge_and_ratings
from judgekit.calibration.correlation import Method, weighted
from judgekit.calibration.estimate import Array, Estimate, NotEstimableError, one_of
from judgekit.calibration.units import Units, kept_units
from judgekit.errors import InputError

DEFAULT = Bootstrap()


@dataclass(frozen=True, slots=True)
class Disattenuated:
    """A judge's correlation with the mean of the raters, and what it would be if their mean had no error.

    Attributes:
        corrected: ``observed`` over the square root of ``reliability``; it can pass 1, where either is uncertain.
        reliability: of the mean of the raters that an item has.
    """

    corrected: Estimate
    observed: Estimate
    reliability: Estimate


def disattenuated(
    judge: ArrayLike,
    ratings: ArrayLike,
    method: Method = "spearman",
    *,
    units: Units = None,
    bootstrap: Bootstrap = DEFAULT,
) -> Disattenuated:
    """Return a judge's correlation with the raters' mean, corrected for their noise.

    The correction is Spearman's (1904, American Journal of Psychology 15:72).

    The reliability is the mean covariance of two raters of an item, each less their own mean, over the variance of the
    items' means. Where no cell is missing that is Cronbach's alpha, the consistency ICC of k raters: a rater who is
    severe throughout shifts all means alike. Where cells are missing severity does not cancel out, and counts as noise.
    With Spearman's rho the correction is an approximation, since the reliability is that of the ratings, not the ranks.

    Args:
        judge: shape (items,); ``ratings``: shape (raters, items); NaN is missing. An item needs a score and one rating.
        units: what the interval resamples; without it the items. All three estimates are of the same draws.

    Raises:
        NotEstimableError: a series that does not vary, no item with two ratings, or a reliability of 0 or below.
        InputError: other shapes, an infinite value, an unknown method, or Kendall's tau, for which there is no such
            correction.
    """
    one_of("method", method, get_args(Method))
    if method == "kendall":
        raise InputError("Kendall's tau has no correction for attenuation; take pearson or spearman")
    scores, table = judge_and_ratings(judge, ratings)
    known = ~np.isnan(scores) & ~np.isnan(table).all(0)
    scores, table = scores[known], table[:, known]
    if (~np.isnan(table)).sum(0).max(initial=0) < 2:
        raise NotEstimableError("no item has two ratings")
    mean = np.nanmean(table, axis=0)
    if np.ptp(scores) == 0 or np.ptp(mean) == 0:
        raise NotEstimableError(f"one of the series does not vary, among {known.sum()} items")
    observed, reliability = weighted(scores, mean, method), _reliability(table, mean)

    def statistic(weights: Array) -> Array:
        r, of_mean = observed(weights), reliability(weights)
        return np.stack([r / np.sqrt(np.where(of_mean > 0, of_mean, math.nan)), r, of_mean], axis=1)

    found = bootstrap.resampled(len(scores), statistic, kept_units(units, known, len(known)))
    if not found.values[2] > 0:
        raise NotEstimableError(f"the raters' reliability is {found.values[2]:.3f}; a correction needs one above 0")
    return Disattenuated(_marked(found.estimate(0)), found.estimate(1), found.estimate(2))


def _marked(corrected: Estimate) -> Estimate:
    if corrected.value <= 1:
        return corrected
    return replace(corrected, note="; ".join(filter(None, [corrected.note, "above 1: take it as 1"])))


def _reliability(table: Array, mean: Array) -> Statistic:
    """Return what maps weights of shape (any, items) to the reliability of the items' means, shape (any,)."""
    there = (~np.isnan(table)).astype(float)
    x = np.where(there > 0, table - np.nanmean(table), 0)
    pairs = there.sum(0) * (there.sum(0) - 1)

    def statistic(weights: Array) -> Array:
        n = weights @ there.T
        # A deviation from one's own mean of n ratings is too small by (n - 1) / n in the square.
        scale = np.sqrt(np.where(n > 1, n / np.maximum(n - 1, 1), 0))
        own = (weights @ x.T) / np.maximum(n, 1)
        both = (scale @ x - (scale * own) @ there) ** 2
        alone = (scale**2 * (weights @ (x**2).T - n * own**2)).sum(1)
        shared = ((weights * both).sum(1) - alone) / (weights @ pairs)
        total = weights.sum(1)
        centre = (weights @ mean / total)[:, None]
        square = (weights * (mean - centre) ** 2).sum(1)
        return np.where(square > 0, shared * (total - 1) / np.where(square > 0, square, 1), math.nan)

    return statistic
