"""Intervals for any statistic, by resampling items, whole clusters, or two crossed kinds of clusters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number
from judgekit.errors import InputError

CELLS = 1 << 21  # numbers held at a time: bounds memory, changes nothing in the result
FEW = 15  # clusters below which no bootstrap interval keeps its promise
JACKKNIFE = 1000  # units left out one at a time for BCa; more are left out in groups, which gives the same acceleration
Ints = NDArray[np.int64]
Statistic = Callable[[Array], Array]
Units = Clusters | tuple[Clusters, Clusters] | None
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How an interval is made; the same object makes the same draws, so that two statistics can be held together.

    Whole units are drawn with replacement. ``bca`` is the bias-corrected and accelerated interval (Efron 1987, JASA
    82:171), ``percentile`` the plain one. Both are read at the tails of Hesterberg's expanded interval (2015, The
    American Statistician 69:371), which makes up for the narrowness at few units. Two crossed kinds of units are drawn
    apart, and an item counts as often as the product says (Owen 2007, Annals of Applied Statistics 1:386); there the
    interval is always the percentile one, at the tails of the smaller number of units.

    Attributes:
        draws: how many resamples.
        confidence: what share of such intervals should hold the truth.
    """

    draws: int = 2000
    method: Literal["bca", "percentile"] = "bca"
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.draws < 100 or not 0.5 <= self.confidence < 1:
            raise InputError(f"{self}: ask for at least 100 draws, and a confidence from .5 to below 1")

    def of_sums(self, rows: Array, statistic: Statistic, units: Units = None, codes: Ints | None = None) -> Estimate:
        """Estimate a statistic of sums over the items.

        Args:
            rows: shape (items, m), finite: what is summed. With ``codes``, shape (items,), what item i adds is
                ``rows[codes[i]]``: much faster where many items are alike.
            statistic: maps sums of shape (any, m) to values of shape (any,); NaN where there is none.
            units: what is drawn: the cluster of each item, two of them for crossed kinds; without it the items.

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
        if isinstance(units, tuple):
            return self._crossed(rows if codes is None else rows[codes], statistic, units)
        sums, count = _by_unit(rows, units, codes)
        total = (sums * count[:, None]).sum(0)
        drawn = (_combined(weights, sums) for weights in self._draws(count))
        return self._resamples(
            statistic, total, drawn, _left_out(sums, count, total), items, int(count.sum()), units is None
        )

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

    def of_weights(self, items: int, statistic: Statistic, units: Units = None) -> Estimate:
        """Estimate a statistic that wants the weight of every item, such as one of ranks.

        Args:
            statistic: maps weights of shape (any, items), which count how often an item was drawn, to shape (any,).

        Raises:
            NotEstimableError, InputError: as in `of_sums`.
        """
        return self.resampled(items, statistic, units).estimate()

    def resampled(self, items: int, statistic: Statistic, units: Units = None) -> Resamples:
        """Return what several statistics of weights make of the same resamples.

        Args:
            statistic: maps weights of shape (any, items) to shape (any, statistics).

        Raises:
            InputError: as in `of_sums`.
        """
        _check(np.empty((items, 0)), items, units)
        rng = np.random.default_rng(self.seed)
        if isinstance(units, tuple):
            names = [number(kind) for kind in units]
            sizes = [int(kind.max()) + 1 for kind in names]
            chunks = (
                _drawn(sizes[0], b, rng)[:, names[0]] * _drawn(sizes[1], b, rng)[:, names[1]]
                for b in self._chunks(items)
            )
            return self._resamples(statistic, np.ones(items), chunks, None, items, min(sizes), False)
        index = np.arange(items) if units is None else number(units)
        k = int(index.max()) + 1
        drawn = (_drawn(k, b, rng)[:, index] for b in self._chunks(items))
        block = np.arange(k) * min(k, JACKKNIFE) // k
        left = (block[index][None] != np.arange(block[-1] + 1)[:, None]).astype(np.float64)
        return self._resamples(statistic, np.ones(items), drawn, (left, np.ones(len(left))), items, k, units is None)

    def _crossed(self, rows: Array, statistic: Statistic, units: tuple[Clusters, Clusters]) -> Resamples:
        one, two = number(units[0]), number(units[1])
        k, s, m = int(one.max()) + 1, int(two.max()) + 1, rows.shape[1]
        cells = np.stack([np.bincount(one * s + two, column, k * s) for column in rows.T], axis=-1).reshape(k, s, m)
        rng = np.random.default_rng(self.seed)

        def drawn() -> Iterator[Array]:
            for b in self._chunks(max(k, s) * m):
                first, second = _drawn(k, b, rng), _drawn(s, b, rng)
                yield np.einsum("bk,bs,ksm->bm", first, second, cells, optimize=True)

        return self._resamples(statistic, rows.sum(0), drawn(), None, len(rows), min(k, s), False)

    def _chunks(self, width: int) -> Iterator[int]:
        step = max(1, CELLS // max(1, width))
        for start in range(0, self.draws, step):
            yield min(step, self.draws - start)

    def _draws(self, count: Ints) -> Iterator[Array]:
        rng, k = np.random.default_rng(self.seed), int(count.sum())
        for size in self._chunks(len(count)):
            yield rng.multinomial(k, count / k, size=size).astype(np.float64)

    def _resamples(
        self,
        statistic: Statistic,
        total: Array,
        drawn: Iterator[Array],
        left: tuple[Array, Array] | None,
        items: int,
        k: int,
        single: bool,
    ) -> Resamples:
        def of(weights: Array) -> Array:
            values = statistic(weights)
            return values.reshape(len(values), -1)

        with np.errstate(invalid="ignore", divide="ignore"):
            values = of(total[None])[0]
            found = np.empty((0, len(values))) if k < 2 else np.concatenate([of(sums) for sums in drawn])
            jackknife = None if left is None or k < 2 or self.method == "percentile" else (of(left[0]), left[1])
        return Resamples(self, values, found, jackknife, items, k, "item" if single else "cluster")


@dataclass(frozen=True, slots=True)
class Resamples:
    """Statistics on all of the items, on every resample, and with units left out.

    Attributes:
        values: shape (statistics,); ``found``: shape (draws, statistics), NaN where a resample has no value.
        jackknife: values without some units, shape (any, statistics), and how many units each stands for.
        items: how many; ``units``: in how many units; ``unit``: what they are called.
    """

    bootstrap: Bootstrap
    values: Array
    found: Array
    jackknife: tuple[Array, Array] | None
    items: int
    units: int
    unit: str

    def estimate(self, which: int = 0) -> Estimate:
        """Return one of the statistics with its interval.

        Raises:
            NotEstimableError: it has no value on all of the items.
        """
        value, found = float(self.values[which]), self.found[:, which]
        if math.isnan(value):
            raise NotEstimableError("the statistic has no value on these data")
        if self.units < 2:
            return self._without(value, "no interval: it needs two clusters or more")
        known = found[~np.isnan(found)]
        if not len(known):
            return self._without(value, "no interval: no resample has a value")
        share = (1 + self.bootstrap.confidence) / 2
        low, high = np.quantile(known, [self._tail(which, sign * expanded(share, self.units)) for sign in (-1, 1)])
        kind = "percentile" if self.jackknife is None else "BCa"
        method = f"{self.unit} bootstrap, {kind}, {self.bootstrap.draws} draws"
        notes = _notes(known, len(found) - len(known), self.units)
        return Estimate(value, float(low), float(high), self.items, self.units, method, notes)

    def p(self, which: int = 0, null: float = 0.0) -> float | None:
        """Return the two-sided p of "the statistic is ``null``": 1 less the confidence whose interval ends there.

        So it is below .05 where the 95 % interval leaves the value out. None where there is no interval. Beyond the
        last draw it says no less, about 1 / draws, and more where BCa corrects for a skew.
        """
        found = self.found[~np.isnan(self.found[:, which]), which]
        if math.isnan(self.values[which]) or not len(found):
            return None
        at = _normal_share(found, null)
        shift, a = self._bias(which)
        away = at - shift
        at = away / max(1 + a * away, 1e-9) - shift
        low, high = 0.5, 1.0 - 1e-12
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if expanded(middle, self.units) < abs(at) else (low, middle)
        return float(2 * (1 - low))

    def _without(self, value: float, note: str) -> Estimate:
        return Estimate(value, None, None, self.items, self.units, "", note)

    def _tail(self, which: int, at: float) -> float:
        """Return the share of the draws at which the interval ends that a normal one would end at ``at``."""
        shift, a = self._bias(which)
        return NORMAL.cdf(shift + (shift + at) / (1 - a * (shift + at)))

    def _bias(self, which: int) -> tuple[float, float]:
        """Return the bias correction and the acceleration, which the percentile interval does without."""
        if self.jackknife is None:
            return 0.0, 0.0
        found, (left, count) = self.found[:, which], self.jackknife
        return _normal_share(found[~np.isnan(found)], float(self.values[which])), _acceleration(left[:, which], count)


def expanded(share: float, units: int) -> float:
    """Return the point at which a normal interval is read: t / sqrt((k - 1) / k) for k units.

    The t quantile is the expansion of Abramowitz & Stegun 26.7.5, good to 1e-3 from 4 degrees of freedom.
    """
    z, v = NORMAL.inv_cdf(share), units - 1
    t = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    t += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    return t * math.sqrt(units / v)


def _normal_share(found: Array, value: float) -> float:
    """Return the normal quantile of the share of draws below a value, half of the equal ones among them."""
    below = ((found < value).sum() + (found == value).sum() / 2) / len(found)
    return NORMAL.inv_cdf(min(max(below, 0.5 / len(found)), 1 - 0.5 / len(found)))


def _ratio(sums: Array) -> Array:
    return np.asarray(sums[:, 0] / sums[:, 1])


def _check(rows: Array, items: int, units: Units) -> None:
    if not items or not np.isfinite(rows).all():
        raise InputError("an interval needs values, all of them finite; leave out what has no verdict, and count it")
    for names in units if isinstance(units, tuple) else () if units is None else (units,):
        if len(names) != items:
            raise InputError(f"{items} values, but {len(names)} clusters")


def _by_unit(rows: Array, units: Clusters | None, codes: Ints | None) -> tuple[Array, Ints]:
    """Return the distinct sums of a unit, and how many units have them: equal units are drawn together."""
    if units is None:
        count = np.ones(len(rows), dtype=np.int64) if codes is None else np.bincount(codes, minlength=len(rows))
        return rows[count > 0], count[count > 0]
    index = number(units)
    k = int(index.max()) + 1
    if codes is None:
        return np.stack([np.bincount(index, column) for column in rows.T], axis=1), np.ones(k, dtype=np.int64)
    times = np.bincount(index * len(rows) + codes, minlength=k * len(rows)).reshape(k, len(rows))
    return _combined(times.astype(np.float64), rows), np.ones(k, dtype=np.int64)


def _left_out(sums: Array, count: Ints, total: Array) -> tuple[Array, Array]:
    """Return the sums without one unit, for each kind of unit, and how many units are of that kind."""
    if len(sums) <= JACKKNIFE:
        return total - sums, count.astype(np.float64)
    block = np.arange(len(sums)) * JACKKNIFE // len(sums)
    own = np.stack([np.bincount(block, column * count) for column in sums.T], axis=1)
    return total - own, np.ones(JACKKNIFE)


def _acceleration(values: Array, count: Array) -> float:
    """Return the acceleration from the values without one unit each (Efron 1987)."""
    known = ~np.isnan(values)
    values, count = values[known], count[known]
    if not len(values):
        return 0.0
    away = (values * count).sum() / count.sum() - values
    spread = (count * away**2).sum() ** 1.5
    return float((count * away**3).sum() / (6 * spread)) if spread > 0 else 0.0


def _combined(weights: Array, sums: Array) -> Array:
    """Return the sums of the drawn units; a product of whole numbers is exact, whatever the threads do."""
    if (sums == np.round(sums)).all():
        return weights @ sums
    return np.stack([(weights * column).sum(1) for column in sums.T], axis=1)


def _drawn(k: int, size: int, rng: np.random.Generator) -> Array:
    """Return how often each of k units is drawn in k draws; shape (size, k)."""
    picks = rng.integers(k, size=(size, k)) + k * np.arange(size)[:, None]
    return np.bincount(picks.ravel(), minlength=size * k).reshape(size, k).astype(np.float64)


def _notes(known: Array, lost: int, k: int) -> str:
    notes = []
    if k < FEW:
        notes.append(f"only {k} clusters: the interval may hold the truth less often than it says")
    if np.ptp(known) == 0:
        notes.append("every resample has the same value: the interval says nothing about what was not seen")
    if lost:
        notes.append(f"{lost} of {len(known) + lost} resamples have no value and were left out")
    return "; ".join(notes)
