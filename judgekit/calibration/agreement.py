"""How far raters agree beyond chance: Krippendorff's alpha, and ratings as patterns that every coefficient reads.

Ratings are an array of shape (raters, items), NaN where a rater did not rate. A coefficient is 1 for perfect agreement
and 0 for what chance gives, and may be negative.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.continuous import interval_alpha, nominal_alpha, ordinal_alpha
from judgekit.calibration.estimate import Array, Estimate, NotEstimableError, one_of
from judgekit.calibration.units import Units, kept_units
from judgekit.errors import InputError

Level = Literal["nominal", "ordinal", "interval", "ratio"]
Weights = Literal["linear", "quadratic"] | None
DEFAULT = Bootstrap()
Ints = NDArray[np.int64]
CELLS = 1 << 22  # pairs of values, over all patterns of ratings, up to which these are counted in a table
VALUES = 1000  # distinct values of which distances, or likenesses, are taken
COUNTS = 1 << 25  # counts of values, over all patterns of ratings, that are held in memory


def krippendorff_alpha(
    ratings: ArrayLike, level: Level = "interval", *, units: Units = None, bootstrap: Bootstrap = DEFAULT
) -> Estimate:
    """Return Krippendorff's alpha (2019, Content Analysis, 4th ed., ch. 12): 1 - observed / expected disagreement.

    An item with one rating says nothing of agreement and is left out; the estimate's ``n`` counts the others.

    Args:
        ratings: shape (raters, items); NaN is missing.
        level: how far two values differ. ``ordinal`` counts the ratings between them, ``ratio`` is of values above 0.
        units: what the interval resamples: the cluster of each item, shape (items,), two of them for crossed kinds;
            without it the items.

    Raises:
        NotEstimableError: no item has two ratings, all ratings are equal, or (ratio) they have too many values.
        InputError: ratings that are not of this shape, or below 0 at the ratio level; an unknown level.
    """
    one_of("level", level, get_args(Level))
    table = Ratings.of(ratings, units)
    if level == "ratio" and table.values[0] < 0:
        raise InputError("the ratio level is of values from 0 up")
    v = len(table.values)
    if level != "ratio" and len(table.members) * v**2 > CELLS:
        return _of_many(table, level, bootstrap)
    if level == "ordinal":
        pairs, scale = table.coincidences()
        return bootstrap.of_sums(pairs, lambda sums: _ordinal(sums / scale, v), table.units, table.codes)
    table.few("alpha at the ratio level", "another level")
    distance = _distances(table.values, level)
    rows = np.column_stack([table.within(distance), table.counts])
    return bootstrap.of_sums(rows, lambda sums: _fixed(sums, distance), table.units, table.codes)


def _of_many(table: Ratings, level: Level, bootstrap: Bootstrap) -> Estimate:
    if level == "interval":
        return interval_alpha(table.values, table.members, table.codes, table.units, bootstrap)
    alpha = ordinal_alpha if level == "ordinal" else nominal_alpha
    return alpha(table.members[table.codes], len(table.values), table.units, bootstrap)


class Ratings:
    """Ratings as patterns: how often each value was given to an item. Items of one pattern are alike.

    Attributes:
        values: the distinct values, sorted, shape (v,).
        members: the numbers of the values of each pattern, sorted, v for a missing one; shape (patterns, raters).
        codes: the pattern of each kept item, shape (items,).
    """

    def __init__(self, values: Array, members: Ints, codes: Ints, units: Units) -> None:
        self.values, self.members, self.codes, self.units = values, members, codes, units

    @classmethod
    def of(cls, ratings: ArrayLike, units: Units = None, least: int = 2) -> Ratings:
        """Read an array of shape (raters, items); items with fewer ratings than ``least`` are left out."""
        array = np.asarray(ratings, dtype=float)
        if array.ndim != 2:
            raise InputError(f"ratings have the shape (raters, items), not {array.shape}")
        if np.isinf(array).any():
            raise InputError("a rating is infinite")
        kept = (~np.isnan(array)).sum(0) >= least
        if not kept.any():
            raise NotEstimableError("no item has two ratings")
        array = array[:, kept]
        values, place = np.unique(array, return_inverse=True)
        known = len(values) - int(np.isnan(values[-1]))
        if known < 2:
            raise NotEstimableError("all ratings are equal, so that chance agrees as well")
        members, codes = _patterns(place.reshape(array.shape), len(values))
        return cls(values[:known], members, codes, kept_units(units, kept, len(kept)))

    @cached_property
    def counts(self) -> Array:
        """How often each value is in each pattern, shape (patterns, v)."""
        n, raters = self.members.shape
        counts = np.zeros((n, len(self.values) + 1))
        np.add.at(counts, (np.repeat(np.arange(n), raters), self.members.ravel()), 1)
        return counts[:, :-1]

    def few(self, what: str, instead: str) -> None:
        """Refuse ratings whose values are too many for what compares each with each."""
        few_enough(len(self.values), len(self.members) * len(self.values), what, instead)

    def coincidences(self) -> tuple[Array, float]:
        """Return the pairs of values in an item over its ratings less one, times what makes them whole, and that.

        Shape (patterns, v * v).
        """
        n = self.counts
        others = n.sum(1) - 1
        scale = math.lcm(*np.unique(others).astype(int).tolist())
        pairs = n[:, :, None] * n[:, None, :] - n[:, :, None] * np.eye(n.shape[1])
        return np.asarray((pairs * (scale / others)[:, None, None]).reshape(len(n), -1)), float(scale)

    def within(self, distance: Array) -> Array:
        """Return the sum of the distances of all pairs in an item over its ratings less one; shape (patterns,)."""
        return np.asarray(((self.counts @ distance) * self.counts).sum(1) / (self.counts.sum(1) - 1))


def few_enough(values: int, counts: int, what: str, instead: str) -> None:
    """Refuse that many distinct values, or counts of them in all, for a statistic that compares each with each.

    Raises:
        NotEstimableError: always where they are too many; the message says what to do.
    """
    if values > VALUES or counts > COUNTS:
        raise NotEstimableError(
            f"{what} compares every value with every other, and {values} distinct values in so many items are too "
            f"many: round the ratings to fewer values, or take {instead}"
        )


def _patterns(place: Ints, size: int) -> tuple[Ints, Ints]:
    """Return the distinct columns of values in whatever order, sorted, as rows, and which of them each item has."""
    items = place.shape[1]
    ordered = np.sort(place, axis=0)
    code, most = np.zeros(items, dtype=np.int64), 1
    for row in ordered:
        if most * size >= 1 << 62:
            code = np.unique(code, return_inverse=True)[1]
            most = items
        code, most = code * size + row, most * size
    first, code = np.unique(code, return_index=True, return_inverse=True)[1:]
    return np.ascontiguousarray(ordered[:, first].T), code


def _distances(values: Array, level: Level) -> Array:
    one, two = values[:, None], values[None, :]
    if level == "nominal":
        return np.asarray(one != two, dtype=float)
    gap = one - two if level == "interval" else (one - two) / np.where(one + two == 0, 1, one + two)
    return np.asarray(gap**2)


def _fixed(sums: Array, distance: Array) -> Array:
    """Return alpha from the distances within items and the counts of the values."""
    within, counts = sums[:, 0], sums[:, 1:]
    n = counts.sum(1)
    expected = ((counts @ distance) * counts).sum(1) / (n - 1)
    return np.where(expected > 0, 1 - within / np.where(expected > 0, expected, 1), math.nan)


def _ordinal(sums: Array, v: int) -> Array:
    """Return alpha with the distances of the values in ranks, which depend on how often each was given."""
    tables = sums.reshape(-1, v, v)
    counts = tables.sum(2)
    rank = counts.cumsum(1) - counts / 2
    n = counts.sum(1)
    # The sum over pairs of (rank - rank)^2, written as moments, so that no v x v distances are needed.
    square = (counts * rank**2).sum(1)
    observed = square - (np.einsum("bij,bj->bi", tables, rank) * rank).sum(1)
    expected = (n * square - (counts * rank).sum(1) ** 2) / (n - 1)
    return np.where(expected > 1e-9 * square, 1 - observed / np.where(expected > 0, expected, 1), math.nan)
