"""Two judges held against the same people on the same items."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.correlation import Ints, Level, Method, by_group, needed, of_rows
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, one_of
from judgekit.calibration.jointly import correlations
from judgekit.calibration.resamples import Resamples
from judgekit.calibration.units import Units, kept_units
from judgekit.errors import InputError

DEFAULT = Bootstrap()


@dataclass(frozen=True, slots=True)
class CorrelationDifference:
    """The correlations of two judges with the same people.

    Attributes:
        difference: the first minus the second; ``one``, ``two``: each of them, on the same items and draws.
        p: of "there is no difference", two-sided, from the draws of the interval (`Resamples.p`); None where there is
            no interval.
        left_out: items (cells, at that level) that lack a value of either judge or of the people.
    """

    difference: Estimate
    one: Estimate
    two: Estimate
    p: float | None
    left_out: int


def compare_correlations(
    one: ArrayLike,
    two: ArrayLike,
    human: ArrayLike,
    method: Method = "spearman",
    level: Level = "item",
    *,
    groups: Clusters | None = None,
    systems: Clusters | None = None,
    units: Units = None,
    bootstrap: Bootstrap = DEFAULT,
) -> CorrelationDifference:
    """Compare two judges by their correlation with the same people, where all three have a value.

    Both correlations are taken of every resample, so that what the judges have in common falls out of the difference.
    Within groups the difference is a mean over groups, and has Student's interval and p, by the jackknife: judges who
    are alike differ to either side, and a few small groups in which they differ much make a skew that is chance. BCa
    corrects for that skew too, and holds the truth in 90 to 93 %, where Student's does in 94 to 96 % (simulated, 15 to
    96 groups of 3 to 12 items).

    Args:
        one, two: the judges' scores, and ``human``: shape (items,) or (items, criteria); NaN is missing.
        method, level, groups, systems, units: as in `correlation`.

    Raises:
        NotEstimableError: a series that does not vary, or no group in which all of them vary.
        InputError: series of different shapes, an infinite value, an unknown method or level, or one whose groups or
            systems are missing.
    """
    one_of("method", method, get_args(Method))
    one_of("level", level, get_args(Level))
    flat, owner, left_out = _common(one, two, human, level)
    if level == "within_group":
        gap, found = _within(flat, method, needed(groups, owner, "groups"), bootstrap)
    else:
        resampled = groups if units is None else units
        clusters = owner if resampled is None and level == "cell" else kept_units(resampled, owner, np.shape(human)[0])
        if level == "system":
            found = _by_system(flat, method, needed(systems, owner, "systems"), clusters, bootstrap)
        else:
            pairs = [(judge, flat[2]) for judge in flat[:2]]
            found = correlations(pairs, method, lambda values, _: _with_difference(*values.T), clusters, bootstrap)
        gap = found
    parts = (gap.estimate(0), found.estimate(1), found.estimate(2))
    difference, first, second = (replace(part, n=flat.shape[1]) for part in parts)
    return CorrelationDifference(difference, first, second, gap.p(), left_out)


def _common(one: ArrayLike, two: ArrayLike, human: ArrayLike, level: Level) -> tuple[Array, Ints, int]:
    """Return the three series where none is missing, shape (3, n), the item of each, and how many were left out."""
    arrays = [np.asarray(series, dtype=float) for series in (one, two, human)]
    if len({array.shape for array in arrays}) > 1 or arrays[0].ndim not in (1, 2):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise InputError(f"the series have the shapes {shapes}; all are (items,) or (items, criteria)")
    values = np.stack(arrays)
    if np.isinf(values).any():
        raise InputError("a value is infinite")
    values = values.reshape(*values.shape[:2], math.prod(values.shape[2:]))
    owner = np.repeat(np.arange(values.shape[1]), values.shape[2]) if level == "cell" else np.arange(values.shape[1])
    flat = values.reshape(3, -1) if level == "cell" else values.mean(2)
    known = np.flatnonzero(~np.isnan(flat).any(0))
    if len(known) < 2 or not np.ptp(flat[:, known], axis=1).all():
        raise NotEstimableError(f"one of the series does not vary, among {len(known)} items that have all three values")
    return flat[:, known], owner[known], flat.shape[1] - len(known)


def _with_difference(one: Array, two: Array) -> Array:
    return np.stack([one - two, one, two], axis=1)


def _by_system(flat: Array, method: Method, systems: Ints, units: Units, bootstrap: Bootstrap) -> Resamples:
    member = np.eye(int(systems.max()) + 1)[systems]

    def statistic(sums: Array) -> Array:
        counts, *totals = sums.reshape(len(sums), 4, -1).transpose(1, 0, 2)
        there = counts > 0
        one, two, human = (total / np.where(there, counts, 1) for total in totals)
        return _with_difference(of_rows(one, human, there, method), of_rows(two, human, there, method))

    rows = np.concatenate([member, *(member * series[:, None] for series in flat)], axis=1)
    return bootstrap.resampled_sums(rows, statistic, units)


def _within(flat: Array, method: Method, groups: Ints, bootstrap: Bootstrap) -> tuple[Resamples, Resamples]:
    """Return the means over the groups in which both judges have a correlation; the groups are drawn.

    By the jackknife, for the difference, and by draws, for each of the judges.
    """
    count = int(groups.max()) + 1
    found = _with_difference(*(by_group(judge, flat[2], method, groups) for judge in flat[:2]))
    known = found[~np.isnan(found[:, 0])]
    if not len(known):
        raise NotEstimableError(f"in none of {count} groups do all series vary")

    def statistic(weights: Array) -> Array:
        return np.asarray(weights @ known / weights.sum(1, keepdims=True))

    own = np.arange(len(known))
    gap = bootstrap.resampled(len(known), statistic, own, costly=True)
    return gap, bootstrap.resampled(len(known), statistic, own)
