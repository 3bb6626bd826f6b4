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
        found = _within(flat, method, needed(groups, owner, "groups"), bootstrap)
    else:
        resampled = groups if units is None else units
        clusters = owner if resampled is None and level == "cell" else kept_units(resampled, owner, np.shape(human)[0])
        if level == "system":
            found = _by_system(flat, method, needed(systems, owner, "systems"), clusters, bootstrap)
        else:
            pairs = [(judge, flat[2]) for judge in flat[:2]]
            found = correlations(pairs, method, lambda values, _: _with_difference(*values.T), clusters, bootstrap)
    difference, first, second = (replace(found.estimate(which), n=flat.shape[1]) for which in range(3))
    return CorrelationDifference(difference, first, second, found.p(), left_out)


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


def _within(flat: Array, method: Method, groups: Ints, bootstrap: Bootstrap) -> Resamples:
    """Return the means over the groups in which both judges have a correlation; the groups are drawn."""
    count = int(groups.max()) + 1
    found = _with_difference(*(by_group(judge, flat[2], method, groups) for judge in flat[:2]))
    known = found[~np.isnan(found[:, 0])]
    if not len(known):
        raise NotEstimableError(f"in none of {count} groups do all series vary")

    def statistic(weights: Array) -> Array:
        return np.asarray(weights @ known / weights.sum(1, keepdims=True))

    return bootstrap.resampled(len(known), statistic, np.arange(len(known)))
