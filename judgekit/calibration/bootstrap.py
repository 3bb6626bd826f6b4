"""Intervals for any statistic, by resampling items, whole clusters, or two crossed kinds of clusters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array, Clusters, Estimate, number, one_of
from judgekit.calibration.resamples import Blocks, Drawn, Resamples
from judgekit.calibration.units import Crossed, Units, kinds
from judgekit.errors import InputError

CELLS = 1 << 17  # numbers held at a time, about what a cache holds: changes nothing in the result
KEPT = 1 << 21  # numbers drawn that are kept
WORK = 1 << 26  # numbers drawn in all, beyond which the jackknife's interval is as good and much cheaper
BLOCKS = 200  # units left out one at a time; more are left out in as many random blocks, which says the same
Ints = NDArray[np.int64]
Left = tuple[Iterator[Array], Array]
Statistic = Callable[[Array], Array]
IntervalMethod = Literal["bca", "percentile"]


@dataclass(frozen=True, slots=True)
class _Job:
    """What is estimated: a statistic, its argument for all items, and how many items and units there are."""

    statistic: Statistic
    total: Array
    items: int
    units: int
    unit: str


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How an interval is made; the same object makes the same draws, so that two statistics can be held together.

    Whole units are drawn with replacement. ``bca`` is the bias-corrected and accelerated interval (Efron 1987, JASA
    82:171), ``percentile`` the plain one. Both are read at the tails of Hesterberg's expanded interval (2015, The
    American Statistician 69:371), which makes up for the narrowness at few units; ``bca`` has fewer degrees of freedom
    there where some units weigh more than others (Johnson & Rust 1992, as `interval.degrees`). Two crossed kinds of
    units are drawn apart, and an item counts as often as the product says (Owen 2007, Annals of Applied Statistics
    1:386); there the interval is always the percentile one, at the tails of the smaller number of units.

    Where the draws would be too many to make, of a million items that all differ, the interval is the value -+ t times
    the standard error of the jackknife that leaves out one of 200 random blocks of units at a time; ``method`` says so.

    Attributes:
        draws: how many resamples.
        confidence: what share of such intervals should hold the truth.
    """

    draws: int = 2000
    method: IntervalMethod = "bca"
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("method", self.method, get_args(IntervalMethod))
        if self.draws < 100 or not 0.5 <= self.confidence < 1:
            raise InputError(f"{self}: ask for at least 100 draws, and a confidence from .5 to below 1")

    def of_sums(self, rows: Array, statistic: Statistic, units: Units = None, codes: Ints | None = None) -> Estimate:
        """Estimate a statistic of sums over the items.

        Args:
            rows: shape (items, m), finite: what is summed. With ``codes``, shape (items,), what item i adds is
                ``rows[codes[i]]``: much faster where many items are alike.
            statistic: maps sums of shape (any, m) to values of shape (any,); NaN where there is none.
            units: what is drawn: the cluster of each item, or two of them as `Crossed`; without it the items.

        Raises:
            NotEstimableError: the statistic has no value on all of the items.
            InputError: there are no items, not as many units as items, or rows that are not finite.
        """
        return self.resampled_sums(rows, statistic, units, codes).estimate()

    def resampled_sums(
        self, rows: Array, statistic: Statistic, units: Units = None, codes: Ints | None = None
    ) -> Resamples:
        """Return what several statistics of sums make of the same resamples.

        Args:
            rows, units, codes: as in `of_sums`; ``statistic``: maps sums of shape (any, m) to (any, statistics).
        """
        items = len(rows) if codes is None else len(codes)
        _check(rows, items, units)
        if isinstance(units, Crossed):
            return self._crossed(rows if codes is None else rows[codes], statistic, units)
        sums, count = _by_unit(rows, units, codes)
        total = (sums * count[:, None]).sum(0)
        job = _Job(statistic, total, items, int(count.sum()), _unit(units))
        left = iter([total - sums]), count.astype(np.float64)
        if len(sums) > BLOCKS:
            left = self._blocks_of_sums(sums, count, total)
        if self.draws * len(sums) > WORK:
            return self._resamples(job, None, left)
        exact = _exact(sums, job.units)
        return self._resamples(job, (weights @ exact for weights in self._draws(count)), left)

    def mean(self, values: ArrayLike, units: Units = None, weights: ArrayLike | None = None) -> Estimate:
        """Estimate a mean: of the drawn clusters, their sums over their counts (Field & Welsh 2007, JRSS-B 69:369).

        For a paired difference, give the differences.

        Args:
            values: shape (items,), finite; ``weights``: what each counts, shape (items,), above 0; default 1.
        """
        items = np.asarray(values, dtype=float)
        heavy = np.ones(len(items)) if weights is None else np.asarray(weights, dtype=float)
        return self.of_sums(np.stack([items * heavy, heavy], axis=1), _ratio, units)

    def share(
        self, hits: ArrayLike, units: Units = None, weights: ArrayLike | None = None, least: float = 0.0
    ) -> Estimate:
        """Estimate a mean of ``hits`` in [0, 1] (1 right, 0 wrong, 1/2 for a tie).

        Where all hits are equal, resampling would claim certainty; there the interval says how many units of another
        kind there may be, unseen in as many trials as there are units (Clopper & Pearson 1934), and takes those to lie
        at the end of the range.

        Args:
            least: the lower end of the range; -1 for differences of hits.

        Raises:
            InputError: as in `of_sums`, or a hit outside the range.
        """
        values = np.asarray(hits, dtype=float)
        if ((values < least) | (values > 1)).any():
            raise InputError(f"a share is of hits between {least:g} and 1")
        found = self.mean(values, units, weights)
        if np.ptp(values) or found.low is None:
            return found
        value, reach = float(values[0]), self.unseen(found.clusters)
        low, high = value - reach * (value - least), value + reach * (1 - value)
        return Estimate(value, low, high, found.n, found.clusters, "Clopper-Pearson", "every item has the same value")

    def unseen(self, units: int) -> float:
        """Return the share that a kind may have which is not among this many units (Clopper & Pearson 1934)."""
        return 1 - float(((1 - self.confidence) / 2) ** (1 / units))

    def of_weights(self, items: int, statistic: Statistic, units: Units = None, costly: bool = False) -> Estimate:
        """Estimate a statistic that wants the weight of every item, such as one of ranks.

        Args:
            statistic: maps weights of shape (any, items), which count how often an item was drawn, to shape (any,).
            costly: take the jackknife's interval, however few the items.

        Raises:
            NotEstimableError, InputError: as in `of_sums`.
        """
        return self.resampled(items, statistic, units, costly).estimate()

    def resampled(self, items: int, statistic: Statistic, units: Units = None, costly: bool = False) -> Resamples:
        """Return what several statistics of weights make of the same resamples.

        Args:
            units, costly: as in `of_weights`; ``statistic``: maps weights of shape (any, items) to (any, statistics).
        """
        _check(np.empty((items, 0)), items, units)
        if isinstance(units, Crossed):
            return self._crossed_weights(items, statistic, units)
        index = np.arange(items) if units is None else number(units)
        k = int(index.max()) + 1
        block = _blocks(k, self.seed)
        of, g = block[index], int(block.max()) + 1
        tried = np.array_split(np.arange(g), min(g, math.ceil(g * items / CELLS)))
        left = (np.not_equal.outer(some, of).astype(np.float64) for some in tried), np.ones(g)
        job = _Job(statistic, np.ones(items), items, k, _unit(units))
        if costly or self.draws * items > WORK:
            return self._resamples(job, None, left)
        drawn = (weights[:, index] for weights in self._draws(np.ones(k, dtype=np.int64), items))
        return self._resamples(job, drawn, left)

    def _draws(self, count: Ints, width: int = 0) -> Iterator[Array]:
        """Yield how often each kind of unit is drawn, shape (some, kinds); ``count``: how many units are of a kind."""
        rng, kinds, k = np.random.default_rng(self.seed), len(count), int(count.sum())
        one_by_one = 8 * kinds > k
        if self.draws * (k if one_by_one else kinds) <= KEPT:
            make = _picked if one_by_one else _multinomial
            drawn = make(self.seed, self.draws, tuple(count.tolist()))
            step = max(1, CELLS // max(width, kinds))
            yield from (drawn[start : start + step] for start in range(0, self.draws, step))
            return
        owner = np.repeat(np.arange(kinds), count)
        for size in self._chunks(max(width, k if one_by_one else kinds)):
            if one_by_one:
                yield _counted(rng, owner, kinds, size)
            else:
                yield rng.multinomial(k, count / k, size=size).astype(np.float64)

    def _chunks(self, width: int, draws: int = 0) -> Iterator[int]:
        step, draws = max(1, CELLS // max(1, width)), draws or self.draws
        for start in range(0, draws, step):
            yield min(step, draws - start)

    def _blocks_of_sums(self, sums: Array, count: Ints, total: Array) -> tuple[Iterator[Array], Array]:
        block, kind = _blocks(int(count.sum()), self.seed), np.repeat(np.arange(len(count)), count)
        own = np.stack([np.bincount(block, column[kind]) for column in sums.T], axis=1)
        return iter([total - own]), np.ones(len(own))

    def _crossed(self, rows: Array, statistic: Statistic, units: Crossed) -> Resamples:
        one, two = number(units[0]), number(units[1])
        k, s, m = int(one.max()) + 1, int(two.max()) + 1, rows.shape[1]
        if k * s > 4 * len(rows):  # most cells of the table are empty
            exact = _exact(rows, k * s)
            return self._crossed_weights(len(rows), lambda weights: statistic(weights @ exact), units)
        cells = np.stack([np.bincount(one * s + two, column, k * s) for column in rows.T], axis=-1).astype(np.float64)
        table = _exact(cells, k * s).reshape(k, s * m)

        def drawn() -> Iterator[Array]:
            first, second = self._both(k, s, max(k, s * m), self.draws)
            for a, b in zip(first, second, strict=True):
                yield np.einsum("bsm,bs->bm", (a @ table).reshape(-1, s, m), b)

        return self._resamples(_Job(statistic, rows.sum(0), len(rows), min(k, s), "cluster"), drawn(), None)

    def _crossed_weights(self, items: int, statistic: Statistic, units: Crossed) -> Resamples:
        one, two = number(units[0]), number(units[1])
        k, s = int(one.max()) + 1, int(two.max()) + 1
        draws = min(self.draws, max(200, WORK // items))
        both = zip(*self._both(k, s, items, draws), strict=True)
        drawn = (first[:, one] * second[:, two] for first, second in both)
        return self._resamples(_Job(statistic, np.ones(items), items, min(k, s), "cluster"), drawn, None)

    def _both(self, k: int, s: int, width: int, draws: int) -> tuple[Iterator[Array], Iterator[Array]]:
        """Draw two kinds of units, each from a stream of its own."""

        def stream(size: int, which: int) -> Iterator[Array]:
            rng = np.random.default_rng([self.seed, which])
            return (_drawn(size, b, rng) for b in self._chunks(width, draws))

        return stream(k, 1), stream(s, 2)

    def _resamples(self, job: _Job, drawn: Iterator[Array] | None, left: Left | None) -> Resamples:
        values = _values(job.statistic, iter([job.total[None]]))[0]
        about = values, job.items, job.units, job.unit, self.confidence
        if drawn is None and left:
            return Blocks(*about, (_values(job.statistic, left[0]), left[1]))
        found = _values(job.statistic, drawn if drawn and job.units > 1 else iter(()), len(values))
        without = (_values(job.statistic, left[0]), left[1]) if left and self.method == "bca" else None
        return Drawn(*about, found, without)


@lru_cache(maxsize=8)
def _picked(seed: int, draws: int, count: tuple[int, ...]) -> Array:
    """Return all draws of units one by one, shape (draws, kinds), kept for the next statistic of the same units."""
    owner = np.repeat(np.arange(len(count)), count)
    drawn = _counted(np.random.default_rng(seed), owner, len(count), draws)
    drawn.flags.writeable = False
    return drawn


def _counted(rng: np.random.Generator, owner: Ints, kinds: int, draws: int) -> Array:
    """Draw units one by one, and count those of each kind; ``owner`` is the kind of each. Shape (draws, kinds)."""
    picks = owner[rng.integers(len(owner), size=(draws, len(owner)))] + kinds * np.arange(draws)[:, None]
    return np.bincount(picks.ravel(), minlength=draws * kinds).reshape(draws, kinds).astype(np.float64)


@lru_cache(maxsize=2)
def _multinomial(seed: int, draws: int, count: tuple[int, ...]) -> Array:
    """Return all draws of kinds of units, shape (draws, kinds), kept for the next statistic of the same table."""
    k = sum(count)
    drawn = np.random.default_rng(seed).multinomial(k, np.array(count) / k, size=draws).astype(np.float64)
    drawn.flags.writeable = False
    return drawn


def _values(statistic: Statistic, sums: Iterator[Array], width: int = 1) -> Array:
    """Return the statistics of every resample, shape (resamples, statistics)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = [statistic(some) for some in sums]
    return np.concatenate([some.reshape(len(some), -1) for some in found]) if found else np.empty((0, width))


def _ratio(sums: Array) -> Array:
    return np.asarray(sums[:, 0] / sums[:, 1])


def _unit(units: Clusters | None) -> str:
    return "item" if units is None else "cluster"


def _check(rows: Array, items: int, units: Units) -> None:
    if not items or not np.isfinite(rows).all():
        raise InputError("an interval needs values, all of them finite; leave out what has no verdict, and count it")
    kinds(units, items)


def _by_unit(rows: Array, units: Clusters | None, codes: Ints | None) -> tuple[Array, Ints]:
    """Return the distinct sums of a unit, and how many units have them: equal units are drawn together."""
    if units is None and codes is not None:
        count = np.bincount(codes, minlength=len(rows))
        return rows[count > 0], count[count > 0]
    if units is None:
        return _alike(rows)
    index = number(units)
    k = int(index.max()) + 1
    if codes is None:
        return _alike(np.stack([np.bincount(index, column) for column in rows.T], axis=1))
    times = np.bincount(index * len(rows) + codes, minlength=k * len(rows)).reshape(k, len(rows))
    return times.astype(np.float64) @ _exact(rows, len(codes)), np.ones(k, dtype=np.int64)


def _alike(sums: Array) -> tuple[Array, Ints]:
    """Return the distinct rows, and how often each is there; of few rows, all of them."""
    if len(sums) <= BLOCKS:
        return sums, np.ones(len(sums), dtype=np.int64)
    code = np.zeros(len(sums), dtype=np.int64)
    for column in sums.T:
        values, place = np.unique(column, return_inverse=True)
        code = np.unique(code * len(values) + place, return_inverse=True)[1]
    first, count = np.unique(code, return_index=True, return_counts=True)[1:]
    return sums[first], count


def _blocks(units: int, seed: int) -> Ints:
    """Return the block of each unit, by chance, since neighbours may be alike."""
    if units <= BLOCKS:
        return np.arange(units)
    return np.random.default_rng([seed, 0]).permutation(units) % BLOCKS


def _exact(sums: Array, most: int) -> Array:
    """Round each column so that a sum of ``most`` of its values is exact, whatever the order in which threads add.

    The step is a power of two, 2 ** -52 of the largest value times ``most``; whole numbers stay what they are.
    """
    largest = np.abs(sums).max(0)
    step = 2.0 ** (np.ceil(np.log2(np.where(largest > 0, largest, 1))) + math.ceil(math.log2(most)) - 52)
    return np.where((sums == np.round(sums)).all(0) & (step <= 1), sums, np.round(sums / step) * step)


def _drawn(k: int, size: int, rng: np.random.Generator) -> Array:
    """Return how often each of k units is drawn in k draws; shape (size, k)."""
    return _counted(rng, np.arange(k), k, size)
