"""What several statistics make of the same resamples: an interval for each, and whether it may be some value."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from judgekit.calibration.estimate import Array, Estimate, NotEstimableError
from judgekit.calibration.interval import Tails, notes, standard_error, t_quantile, t_tail

Left = tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class Resamples(ABC):
    """Statistics on all of the items, and how far they vary.

    Attributes:
        values: on all items, shape (statistics,).
        items: how many; ``units``: in how many units, which are called ``unit``.
    """

    values: Array
    items: int
    units: int
    unit: str
    confidence: float

    def estimate(self, which: int = 0) -> Estimate:
        """Return one of the statistics with its interval.

        Raises:
            NotEstimableError: it has no value on all of the items.
        """
        value = float(self.values[which])
        if math.isnan(value):
            raise NotEstimableError("the statistic has no value on these data")
        if self.units < 2:
            return self._without(value, "no interval: it needs two clusters or more")
        return self._interval(value, which)

    def p(self, which: int = 0, null: float = 0.0) -> float | None:
        """Return the two-sided p of "the statistic is ``null``": 1 less the confidence whose interval ends there.

        So it is below .05 where the 95 % interval leaves the value out. None where there is no interval. Beyond the
        last draw it says no less, about 1 / draws, and more where BCa corrects for a skew.
        """
        value = float(self.values[which])
        return None if math.isnan(value) or self.units < 2 else self._p(value, which, null)

    @abstractmethod
    def _interval(self, value: float, which: int) -> Estimate: ...

    @abstractmethod
    def _p(self, value: float, which: int, null: float) -> float | None: ...

    def _without(self, value: float, note: str) -> Estimate:
        return Estimate(value, None, None, self.items, self.units, "", note)


@dataclass(frozen=True, slots=True)
class Drawn(Resamples):
    """By drawing units.

    Attributes:
        found: on the resamples, shape (draws, statistics), NaN where one has no value.
        left: without each kind of unit, shape (kinds, statistics), and how many units are of a kind; None for the
            percentile interval.
    """

    found: Array
    left: Left | None

    def _interval(self, value: float, which: int) -> Estimate:
        known = self._known(which)
        if not len(known):
            return self._without(value, "no interval: no resample has a value")
        low, high = np.quantile(known, self._tails(which, known).shares(self.confidence))
        kind = f"{self.unit} bootstrap, {'BCa' if self.left else 'percentile'}, {len(self.found)} draws"
        note = notes(known, len(self.found) - len(known), self.units)
        return Estimate(value, float(low), float(high), self.items, self.units, kind, note)

    def _p(self, value: float, which: int, null: float) -> float | None:
        known = self._known(which)
        return self._tails(which, known).p(known, null) if len(known) else None

    def _known(self, which: int) -> Array:
        found = self.found[:, which]
        return np.asarray(found[~np.isnan(found)])

    def _tails(self, which: int, known: Array) -> Tails:
        left = None if self.left is None else (self.left[0][:, which], self.left[1])
        return Tails.of(known, float(self.values[which]), self.units, left)


@dataclass(frozen=True, slots=True)
class Blocks(Resamples):
    """By leaving out blocks of units, one at a time.

    Attributes:
        left: without each block, shape (kinds, statistics), and how many blocks are of a kind.
    """

    left: Left

    def _interval(self, value: float, which: int) -> Estimate:
        error, df = self._error(which)
        reach = t_quantile(1 - (1 - self.confidence) / 2, df) * error
        kind = f"grouped jackknife, t, {len(self.left[0])} blocks of {self.unit}s"
        values = self.left[0][:, which]
        known = values[~np.isnan(values)]
        note = notes(known, len(values) - len(known), self.units)
        return Estimate(value, value - reach, value + reach, self.items, self.units, kind, note)

    def _p(self, value: float, which: int, null: float) -> float:
        error, df = self._error(which)
        away = abs(value - null)
        return 2 * t_tail(away / error, df) if error > 0 else float(away == 0)

    def _error(self, which: int) -> tuple[float, int]:
        values, count = self.left
        return standard_error(values[:, which], count), int(count.sum()) - 1
