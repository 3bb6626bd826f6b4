"""How well a person does what is asked of the judge: the mark that a judge is held against.

Each person is correlated with the mean of the others, and the judge with the very same means on the very same items;
a reference that held the person's own rating, or more raters, would favour one of the two.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from itertools import permutations
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.correlation import Ints, Method, by_group, needed
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, one_of
from judgekit.calibration.jointly import correlations
from judgekit.calibration.resamples import Resamples
from judgekit.calibration.units import Units, kept_units
from judgekit.errors import InputError

DEFAULT = Bootstrap()
LEAST = 3  # items below which a rater's correlation says nothing
CURVE = 10  # raters up to which the curve goes
ORDERS = 24  # splits in halves; all of them up to 4 raters


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """People and a judge against the same references: the mean of all raters of an item but one.

    Attributes:
        human: the correlation of that one with the reference, averaged over the raters by their number of items.
        judge: the judge's with the same references; ``difference``: judge minus human, with ``p`` of none.
        equals: how many raters the judge is worth: the mean of so many would correlate with the references as it does.
            Infinite (as the upper end may be) where no number of them would; the note says so.
        curve: what the mean of 1, 2, ... 10 raters would have as their correlation with these references.
        limit: the same of endlessly many raters, or of a judge without error.
        raters: how many counted; ``left_out``: how many have fewer than 3 such items, or not any that vary.

    Where people do not agree at all (``human`` is 0 or below) there is no curve, and ``limit`` is None; ``equals`` is
    None where the judge does not agree with them either.
    """

    human: Estimate
    judge: Estimate
    difference: Estimate
    p: float | None
    equals: Estimate | None
    curve: tuple[Estimate, ...]
    limit: Estimate | None
    raters: int
    left_out: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One rater, the judge and the mean of the other raters, shape (items,); NaN where one of the three is missing."""

    human: Array
    judge: Array
    reference: Array
    others: Array

    def vary(self) -> bool:
        known = ~np.isnan(self.human)
        series = (self.human, self.judge, self.reference)
        return known.sum() >= LEAST and all(np.ptp(values[known]) for values in series)


def leave_one_out(
    judge: ArrayLike,
    ratings: ArrayLike,
    method: Method = "spearman",
    *,
    groups: Clusters | None = None,
    units: Units = None,
    bootstrap: Bootstrap = DEFAULT,
) -> LeaveOneOut:
    """Hold each rater, and the judge, against the mean of the item's other raters.

    ``equals``, ``curve`` and ``limit`` rest on Spearman and Brown (1910, British Journal of Psychology 3:271): with r
    the reliability of one rater, the mean of k has k r / (1 + (k - 1) r), and two means correlate as the root of the
    product of theirs. r is the one that gives ``human``; so a judge as good as a human is worth one rater.

    In 15 to 25 clusters of 3 items with 3 raters, simulated, the intervals of ``difference`` and ``equals`` hold the
    truth in 94 %, those of ``human`` and ``judge`` alone (and that of `split_half`) in 92 to 94 %.

    Args:
        judge: shape (items,); ``ratings``: shape (raters, items); NaN is missing. An item counts for a rater where the
            judge, the rater and another have a value.
        groups: the prompt of each item. With it, the correlations are those among the items of one group, averaged by
            their number of items; the groups are what is resampled.
        units: what the interval resamples; without it the items.

    Raises:
        NotEstimableError: no rater with 3 such items among which all vary.
        InputError: other shapes, an infinite value, or an unknown method.
    """
    one_of("method", method, get_args(Method))
    scores, table = judge_and_ratings(judge, ratings)
    parts = [part for rater in range(len(table)) if (part := _part(scores, table, rater)).vary()]
    if not parts:
        raise NotEstimableError(f"none of {len(table)} raters shares {LEAST} items with another where all vary")
    known = np.flatnonzero(~np.isnan([part.human for part in parts]).all(0))
    others = 1 / float(np.mean(np.concatenate([1 / part.others[~np.isnan(part.others)] for part in parts])))
    if groups is None:
        found = _overall(parts, known, method, others, kept_units(units, known, len(scores)), bootstrap)
    else:
        found = _within(parts, known, method, others, needed(groups, known, "groups"), bootstrap)
    return _result(found, len(known), len(parts), len(table))


def split_half(
    ratings: ArrayLike, method: Method = "spearman", *, units: Units = None, bootstrap: Bootstrap = DEFAULT
) -> Estimate:
    """Return the reliability of the raters' mean from the correlation of one half of them with the other.

    The raters are put in an order, and those of an item go to the halves by turns; the correlations of all orders, or
    of 24 random ones above 4 raters, are averaged, then stepped up from halves to the whole as Horst (1951,
    Psychometrika 16:368) does it, which for equal halves is Spearman and Brown's 2 r / (1 + r).

    Args:
        ratings: shape (raters, items); NaN is missing. An item needs two ratings.
        units: what the interval resamples; without it the items.

    Raises:
        NotEstimableError: fewer than 3 items with two ratings, or none that vary.
        InputError: another shape, an infinite value, or an unknown method.
    """
    one_of("method", method, get_args(Method))
    _, table = judge_and_ratings(None, ratings)
    items = table.shape[1]
    table = table[(~np.isnan(table)).any(1)]
    known = np.flatnonzero((~np.isnan(table)).sum(0) >= 2)
    if len(known) < LEAST:
        raise NotEstimableError(f"{len(known)} items have two ratings; a split in halves needs {LEAST}")
    table = table[:, known]
    orders = list(permutations(range(len(table)))) if len(table) <= 4 else _shuffled(len(table), bootstrap.seed)
    split = [_halves(table[list(order)]) for order in orders]
    bits = [np.stack(halves).tobytes() for halves in split]  # an order and its reverse often make the same halves
    times, halves = Counter(bits), list(dict(zip(bits, split, strict=True)).values())
    count = (~np.isnan(table)).sum(0)
    share = float(((count + 1) // 2).sum() / count.sum())
    weights = np.array(list(times.values())) / len(orders)

    def combine(values: Array, _: Array) -> Array:
        return _whole(values @ weights, share)[:, None]

    found = correlations(halves, method, combine, kept_units(units, known, items), bootstrap).estimate()
    mean = f"reliability of the mean of {count.mean():.3g} raters"
    return replace(found, note="; ".join(filter(None, [mean, found.note])))


def judge_and_ratings(judge: ArrayLike | None, ratings: ArrayLike) -> tuple[Array, Array]:
    """Read a judge's scores of shape (items,), zeros without one, and ratings of shape (raters, items)."""
    table = np.asarray(ratings, dtype=float)
    if table.ndim != 2:
        raise InputError(f"ratings have the shape (raters, items), not {table.shape}")
    scores = np.zeros(table.shape[1]) if judge is None else np.asarray(judge, dtype=float)
    if scores.shape != table.shape[1:]:
        raise InputError(f"a judge of shape {scores.shape} and ratings of {table.shape}, not (items,), (raters, items)")
    if np.isinf(table).any() or np.isinf(scores).any():
        raise InputError("a value is infinite")
    return scores, table


def _part(scores: Array, table: Array, rater: int) -> _Part:
    rest = np.delete(table, rater, axis=0)
    others = (~np.isnan(rest)).sum(0).astype(float)
    # Rounded, for the same ratings summed in another order are the same mean.
    mean = np.round(np.nansum(rest, axis=0) / np.where(others > 0, others, 1), 9)
    there = ~np.isnan(table[rater]) & ~np.isnan(scores) & (others > 0)
    return _Part(*(np.where(there, series, math.nan) for series in (table[rater], scores, mean, others)))


def _overall(
    parts: list[_Part], known: Ints, method: Method, others: float, units: Units, bootstrap: Bootstrap
) -> Resamples:
    pairs = [(part.human[known], part.reference[known]) for part in parts]
    pairs += [(part.judge[known], part.reference[known]) for part in parts]

    def combine(values: Array, items: Array) -> Array:
        human, judge = np.split(values, 2, axis=1)
        there = ~np.isnan(human + judge)
        weight = np.where(there, items[:, : len(parts)], 0)
        human, judge = ((np.where(there, side, 0) * weight).sum(1) / weight.sum(1) for side in (human, judge))
        return _statistics(human, judge, others)

    return correlations(pairs, method, combine, units, bootstrap)


def _within(
    parts: list[_Part], known: Ints, method: Method, others: float, groups: Ints, bootstrap: Bootstrap
) -> Resamples:
    rows = np.zeros((int(groups.max()) + 1, 3))
    for part in parts:
        series = np.stack([part.human, part.judge, part.reference])[:, known]
        there = ~np.isnan(series[0])
        (human, judge, reference), own = series[:, there], groups[there]
        sizes = np.bincount(own)
        both = np.stack([by_group(side, reference, method, own) for side in (human, judge)], axis=1)
        fine = (sizes >= LEAST) & ~np.isnan(both).any(1)
        rows[: len(sizes)][fine] += sizes[fine, None] * np.column_stack([both[fine], np.ones(fine.sum())])
    rows = rows[rows[:, 2] > 0]
    if not len(rows):
        raise NotEstimableError(f"in none of the groups do {LEAST} items of a rater vary")

    def statistic(sums: Array) -> Array:
        return _statistics(sums[:, 0] / sums[:, 2], sums[:, 1] / sums[:, 2], others)

    return bootstrap.resampled_sums(rows, statistic, np.arange(len(rows)))


def _statistics(human: Array, judge: Array, others: float) -> Array:
    """Return difference, human, judge, the judge's worth, the limit and the curve; shape (any, 5 + 10)."""
    one = _single(human, others)
    reference = _stepped(one, others)
    curve = [np.sqrt(_stepped(one, k) * reference) for k in range(1, CURVE + 1)]
    return np.stack([judge - human, human, judge, _worth(human, judge, one), np.sqrt(reference), *curve], axis=1)


def _stepped(one: Array, k: float) -> Array:
    return k * one / (1 + (k - 1) * one)


def _single(human: Array, others: float) -> Array:
    """Return the reliability r of one rater: human^2 = r m r / (1 + (m - 1) r), m the number of the others."""
    square = np.where(human > 0, human, math.nan) ** 2
    half = square * (others - 1)
    return np.asarray((half + np.sqrt(half**2 + 4 * others * square)) / (2 * others))


def _worth(human: Array, judge: Array, one: Array) -> Array:
    """Return k / (1 + k) of the k raters that a judge is worth, so that endlessly many are 1.

    With q = (judge / human)^2 the judge's own reliability is q r, and k = q (1 - r) / (1 - q r).
    """
    q = (judge / human) ** 2
    above = (judge > 0) & ~(q * one < 1)
    share = np.where(above, 1.0, q * (1 - one) / (1 + q - 2 * q * one))
    share = np.where(judge <= 0, np.where(human > 0, 0.0, math.nan), share)
    return np.where((judge == human) & (human > 0), 0.5, share)


def _result(found: Resamples, items: int, raters: int, of: int) -> LeaveOneOut:
    def known(which: int) -> Estimate | None:
        return None if math.isnan(found.values[which]) else replace(found.estimate(which), n=items)

    difference, human, judge = (replace(found.estimate(which), n=items) for which in range(3))
    curve = tuple(point for k in range(CURVE) if (point := known(5 + k)))
    worth = known(3)
    return LeaveOneOut(
        human, judge, difference, found.p(), worth and _raters(worth), curve, known(4), raters, of - raters
    )


def _raters(worth: Estimate) -> Estimate:
    """Return an estimate of k / (1 + k) as one of k."""

    value, *ends = (_odds(share) for share in (worth.value, worth.low or 0.0, worth.high or 0.0))
    low, high = (None, None) if worth.low is None else ends
    notes = [worth.note]
    if value == math.inf:
        notes.append("unbounded: no number of raters would correlate with the others as the judge does")
    elif high == math.inf:
        notes.append("the upper end is unbounded")
    if value < 1:
        notes.append("less than one rater")
    return replace(worth, value=value, low=low, high=high, note="; ".join(filter(None, notes)))


def _odds(share: float) -> float:
    return math.inf if share >= 1 else share / (1 - share)


def _shuffled(raters: int, seed: int) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(seed)
    return [tuple(rng.permutation(raters).tolist()) for _ in range(ORDERS)]


def _halves(table: Array) -> tuple[Array, Array]:
    """Return the means of the first, third, ... and of the second, fourth, ... rating of each item."""
    there = ~np.isnan(table)
    turn = there.cumsum(0) % 2
    parts = [there & (turn == first) for first in (1, 0)]
    one, two = (np.round(np.where(part, table, 0).sum(0) / part.sum(0), 9) for part in parts)
    return one, two


def _whole(half: Array, share: float) -> Array:
    """Return the reliability of the whole from the correlation of parts that have ``share`` and 1 - ``share`` of it."""
    rest = 1 - half**2
    both = share * (1 - share)
    stepped = half * (np.sqrt(half**2 + 4 * both * rest) - half) / (2 * both * np.where(rest > 1e-12, rest, 1))
    return np.where(rest > 1e-12, stepped, np.where(half > 0, 1.0, math.nan))
