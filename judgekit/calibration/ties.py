"""Does a judge order pairs of items as people do, ties and all? Accuracy over pairs, and how near is a tie."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number
from judgekit.calibration.interval import expanded, few
from judgekit.errors import InputError

Ints = NDArray[np.int64]
DEFAULT = Bootstrap()
KINDS = 4000  # different pairs of scores up to which every gap between two is tried as epsilon
PAIRS = 20_000_000  # of different items within groups, up to which an epsilon is fitted on them
FEW_ITEMS = 100  # of a group, up to which comparing each with each is faster than counting equal ones first
ROUNDING = 1e-9  # of the largest score: what rounding may take from a gap


@dataclass(frozen=True)
class TieCalibration:
    """Accuracy where a judge's scores count as tied if they differ by epsilon or less.

    Attributes:
        accuracy: each half of the items at the epsilon that was fitted on the other half.
        epsilons: of the two halves: fitted on the second and reported on the first, and the other way round.
        plain: at epsilon 0.
        optimistic: fitted and reported on the same items; not to be quoted.
        epsilon: fitted on all items: the one to use from now on.
    """

    accuracy: Estimate
    epsilons: tuple[float, float]
    plain: Estimate
    optimistic: float
    epsilon: float


def pairwise_accuracy(
    judge: ArrayLike,
    human: ArrayLike,
    epsilon: float = 0.0,
    *,
    groups: Clusters | None = None,
    units: Clusters | None = None,
    bootstrap: Bootstrap = DEFAULT,
) -> Estimate:
    """Return the share of pairs of items that a judge orders as people do (Deutsch, Foster & Freitag 2023, EMNLP).

    A pair that people tie is right if the judge ties it too, that is if its scores differ by ``epsilon`` or less. With
    ``groups``, the mean over the groups of the accuracy among the items of one, as WMT's acc_eq; else over all pairs.
    The interval of the mean is the bootstrap's; that of all pairs is Student's t with the jackknife over items or
    clusters (Arvesen 1969, Annals of Mathematical Statistics 40:2076), on the logit scale.

    Args:
        judge, human: scores, shape (items,); an item that lacks either (NaN) is left out, and ``n`` counts the others.
        groups: the prompt of each item; units: the cluster of each, without it the group, or the item.

    Raises:
        NotEstimableError: no two items to compare.
        InputError: series of different shapes, an infinite value, an epsilon below 0.
    """
    if not 0 <= epsilon < math.inf:
        raise InputError(f"epsilon is {epsilon}; it is 0 or above")
    table = _Scores.of(judge, human, groups, units)
    return table.accuracy(np.full(len(table.judge), epsilon), bootstrap)


def fit_epsilon(judge: ArrayLike, human: ArrayLike, *, groups: Clusters | None = None) -> float:
    """Return the epsilon at which `pairwise_accuracy` is highest, the smallest if there are several.

    Report it on other items than these: see `tie_calibration`.

    Raises:
        NotEstimableError: no two items to compare, or more than 4000 different pairs of scores without groups.
        InputError: as `pairwise_accuracy`.
    """
    return _Scores.of(judge, human, groups, None).best()[0]


def tie_calibration(
    judge: ArrayLike,
    human: ArrayLike,
    *,
    groups: Clusters | None = None,
    units: Clusters | None = None,
    bootstrap: Bootstrap = DEFAULT,
) -> TieCalibration:
    """Return acc_eq (Deutsch, Foster & Freitag 2023, section 5), with epsilon fitted on other items than it is used on.

    The units (the groups, or the items, where there are none) are halved at random. Without groups, only pairs within
    a half count.

    Args: as `pairwise_accuracy`.

    Raises:
        NotEstimableError: fewer than two units in a half, or more than 4000 different pairs of scores without groups.
    """
    table = _Scores.of(judge, human, groups, units)
    k = int(table.units.max()) + 1
    if k < 4:
        raise NotEstimableError(f"{k} units cannot be halved; fit an epsilon elsewhere")
    half = (np.random.default_rng(bootstrap.seed).permutation(k) % 2)[table.units]
    fitted = [table.part(half != side).best()[0] for side in (0, 1)]
    epsilons = np.where(half == 0, *fitted)
    epsilon, optimistic = table.best()
    if not table.grouped:
        table = _Scores(table.judge, table.human, half, table.units, False)
    plain = table.accuracy(np.zeros(len(half)), bootstrap)
    return TieCalibration(table.accuracy(epsilons, bootstrap), (fitted[0], fitted[1]), plain, optimistic, epsilon)


@dataclass(frozen=True)
class _Scores:
    """Items that have both scores.

    ``group``: within which pairs are made; ``grouped``: whether each group's accuracy counts alike, or each pair's.
    """

    judge: Array
    human: Array
    group: Ints
    units: Ints
    grouped: bool

    @classmethod
    def of(cls, judge: ArrayLike, human: ArrayLike, groups: Clusters | None, units: Clusters | None) -> _Scores:
        j, h = np.asarray(judge, dtype=float), np.asarray(human, dtype=float)
        if j.shape != h.shape or j.ndim != 1 or np.isinf(j).any() or np.isinf(h).any():
            raise InputError(f"scores have one shape, (items,), and are finite; these have {j.shape} and {h.shape}")
        for names in (groups, units):
            if names is not None and len(names) != len(j):
                raise InputError(f"{len(j)} items, but {len(names)} groups or units")
        known = np.flatnonzero(~np.isnan(j + h))
        if len(known) < 2:
            raise NotEstimableError(f"{len(known)} items have both scores, so that there are no pairs")
        group = np.zeros(len(known), dtype=np.int64) if groups is None else number(number(groups)[known])
        own = units if units is not None else groups
        unit = np.arange(len(known)) if own is None else number(number(own)[known])
        return cls(j[known], h[known], group, unit, groups is not None)

    def part(self, mask: NDArray[np.bool_]) -> _Scores:
        """Return the items of a mask."""
        group, units = number(self.group[mask]), number(self.units[mask])
        return _Scores(self.judge[mask], self.human[mask], group, units, self.grouped)

    def accuracy(self, epsilon: Array, bootstrap: Bootstrap) -> Estimate:
        """Return the accuracy at each item's epsilon (the same within a group)."""
        agreed, sizes = np.empty(len(self.judge)), np.bincount(self.group)
        for own in _members(self.group):
            agreed[own] = agreeing(self.judge[own], self.human[own], float(epsilon[own[0]]))
        if not sizes.max() > 1:
            raise NotEstimableError("no group has two items to compare")
        if not self.grouped:
            return self._jackknife(agreed, epsilon, sizes, bootstrap)
        there = sizes > 1
        values = (np.bincount(self.group, agreed) / np.maximum(sizes * (sizes - 1.0), 1))[there]
        first = np.unique(self.group, return_index=True)[1][there]
        units = self.units[first]
        if (self.units != self.units[np.unique(self.group, return_index=True)[1]][self.group]).any():
            raise InputError("a group is in two units; units hold whole groups")
        found = bootstrap.mean(values, units)
        lost = f"{(~there).sum()} of {len(sizes)} groups have one item, and no pair"
        note = "; ".join(part for part in (found.note, lost if (~there).any() else "") if part)
        return Estimate(found.value, found.low, found.high, len(self.judge), found.clusters, found.method, note)

    def _jackknife(self, agreed: Array, epsilon: Array, sizes: Ints, bootstrap: Bootstrap) -> Estimate:
        """Return the accuracy over all pairs, from how many items each agrees with; pairs count twice throughout."""
        k = int(self.units.max()) + 1
        within = np.zeros(len(self.judge))
        both = self.group * k + self.units
        if len(np.unique(both)) < len(both):
            for own in _members(both):
                within[own] = agreeing(self.judge[own], self.human[own], float(epsilon[own[0]]))
        cells = np.bincount(both, minlength=len(sizes) * k).reshape(-1, k).astype(float)
        left = sizes[:, None] - cells  # items of each group without the unit
        right = agreed.sum() - 2 * np.bincount(self.units, agreed) + np.bincount(self.units, within)
        pairs = (left * (left - 1)).sum(0)
        value = float(agreed.sum() / (sizes * (sizes - 1.0)).sum())
        if k < 2 or (pairs <= 0).any():
            return Estimate(value, None, None, len(agreed), k, "", "no interval: it needs three units or more")
        without = right / pairs
        error = math.sqrt((k - 1) / k * ((without - without.mean()) ** 2).sum())
        low, high = _logit_interval(value, error, expanded(1 - (1 - bootstrap.confidence) / 2, k))
        return Estimate(value, low, high, len(agreed), k, "jackknife, logit scale", few(k))

    def best(self) -> tuple[float, float]:
        """Return the best epsilon and the accuracy there."""
        gaps, gains, weight, value, pairs = [], [], 0.0, 0.0, 0
        for own in _members(self.group):
            if len(own) > 1:
                gap, gain, right = _flips(self.judge[own], self.human[own])
                if (pairs := pairs + len(gap)) > PAIRS:
                    raise NotEstimableError(f"more than {PAIRS:,} pairs of items within groups are too many to fit on")
                share = 2 / (len(own) * (len(own) - 1.0))
                gaps.append(gap)
                gains.append(gain * share)
                value, weight = value + right * share, weight + 1
        if not weight:
            raise NotEstimableError("no group has two items to compare")
        gap, gain = np.concatenate(gaps), np.concatenate(gains)
        order = np.argsort(gap, kind="stable")
        gap, total = gap[order], gain[order].cumsum() + value
        last = np.append(np.diff(gap) > _rounding(self.judge), True) if len(gap) else np.zeros(0, dtype=bool)
        steps, totals = np.append(0.0, gap[last]), np.append(value, total[last])
        place = int(np.argmax(totals > totals.max() - 1e-12 * weight))
        return float(steps[place]), float(totals[place] / weight)


def agreeing(judge: Array, human: Array, epsilon: float) -> Array:
    """Return with how many of the other items each item's order is the same for both; shape (items,).

    An item agrees with those that are higher for both, with those that are lower for both, and with those that are
    tied for both. Few items are compared each with each; else O(n log(n)^2): those before a place in one order and
    below a value in the other are counted in a tree of sorted blocks.
    """
    n = len(judge)
    if n <= FEW_ITEMS:
        gap = judge[:, None] - judge
        gap[np.abs(gap) <= epsilon + _rounding(judge)] = 0
        return np.asarray((np.sign(gap) == np.sign(human[:, None] - human)).sum(1) - 1.0)
    order = np.argsort(human, kind="stable")
    x, y = judge[order], human[order]
    start, stop = np.searchsorted(y, y, "left"), np.searchsorted(y, y, "right")
    levels = np.sort(x)
    rank = np.searchsorted(levels, x, "left")
    reach = epsilon + _rounding(x)
    below, above = np.searchsorted(levels, x - reach, "left"), np.searchsorted(levels, x + reach, "right")
    lower = _before(rank, start, below)
    higher = (n - above) - (stop - _before(rank, stop, above))
    tied = _before(rank, stop, above) - _before(rank, start, above)
    tied -= _before(rank, stop, below) - _before(rank, start, below)
    found = np.empty(n)
    found[order] = lower + higher + tied - 1
    return found


def _before(rank: Ints, place: Ints, limit: Ints) -> Ints:
    """Return how many of the first ``place[i]`` ranks are below ``limit[i]``, for each i."""
    n = len(rank)
    found = np.zeros(n, dtype=np.int64)
    position = np.arange(n)
    for bit in range(n.bit_length()):
        asked = np.flatnonzero((place >> bit) & 1)
        if len(asked):
            keys = np.sort((position >> bit) * (n + 1) + rank)
            block = (place[asked] >> bit) - 1
            at = np.searchsorted(keys, block * (n + 1) + limit[asked], "left")
            found[asked] += at - (block << bit)
    return found


def _flips(judge: Array, human: Array) -> tuple[Array, Array, float]:
    """Return at which gaps pairs become right or wrong as epsilon grows, how many, and how many are right at 0.

    Equal pairs of scores are counted together where there are many.
    """
    kinds, times = np.stack([judge, human], axis=1), np.ones(len(judge), dtype=np.int64)
    if len(kinds) > FEW_ITEMS:
        kinds, times = np.unique(kinds, axis=0, return_counts=True)
    if len(kinds) > KINDS:
        raise NotEstimableError(f"{len(kinds)} different items are too many to fit on: take {KINDS}")
    i, j = np.triu_indices(len(kinds), 1)
    dx, dy = kinds[i, 0] - kinds[j, 0], kinds[i, 1] - kinds[j, 1]
    dx[np.abs(dx) <= _rounding(judge)] = 0
    pairs = times[i] * times[j].astype(float)
    right = np.sign(dx) == np.sign(dy)
    gain = pairs * ((dy == 0) * 1.0 - right)
    used = (gain != 0) & (dx != 0)
    at_0 = (pairs * right).sum() + (times * (times - 1.0) / 2).sum()
    return np.abs(dx[used]), gain[used], float(at_0)


def _rounding(judge: Array) -> float:
    """Return how far apart two gaps may be that are equal but for rounding."""
    return ROUNDING * float(np.abs(judge).max())


def _logit_interval(value: float, error: float, point: float) -> tuple[float, float]:
    """Return an interval that stays between 0 and 1: on the logit scale, where the error is error / (p (1 - p))."""
    if not 0 < value < 1 or error == 0:
        return value, value
    middle, reach = math.log(value / (1 - value)), point * error / (value * (1 - value))
    return 1 / (1 + math.exp(reach - middle)), 1 / (1 + math.exp(-reach - middle))


def _members(group: Ints) -> list[Ints]:
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
