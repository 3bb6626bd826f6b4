"""Maps fitted again and again, each time without some folds of the items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.estimate import Array
from judgekit.calibration.fitting import SUMMED, Kind, estimable, fit, ordinals, summed
from judgekit.calibration.gram import Gram
from judgekit.calibration.maps import Map

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Predict = Callable[[Mask], Array]


@dataclass(frozen=True, slots=True)
class Refits:
    """Columns (columns, items), labels and weights (items,) in folds; kinds that need only sums get those of a fold.

    Attributes:
        folds: the fold of each item, from 0, none empty; ``parts``: the sums of each, ``whole``: of all.
        scale: as in `fit`.
    """

    x: Array
    y: Array
    w: Array
    folds: Ints
    scale: tuple[float, float] | None
    whole: Gram
    parts: tuple[Gram, ...]

    @classmethod
    def of(cls, x: Array, y: Array, w: Array, folds: Ints, scale: tuple[float, float] | None) -> Self:
        """Sum up every fold."""
        own = [folds == fold for fold in range(int(folds.max()) + 1)]
        return cls(
            x, y, w, folds, scale, Gram.of(x, y, w), tuple(Gram.of(x[:, part], y[part], w[part]) for part in own)
        )

    def drop(self, column: int) -> Self:
        """Return the same without a column."""
        parts = tuple(part.drop(column) for part in self.parts)
        return replace(self, x=np.delete(self.x, column, axis=0), whole=self.whole.drop(column), parts=parts)

    def without(self, kind: Kind, *out: int) -> Predict:
        """Fit a map without some folds, and return what maps the items of a mask.

        Raises:
            NotEstimableError: as in `fit`.
        """
        rest = self._rest(out)
        if kind not in SUMMED:
            found = fit(kind, self.x[:, rest], self.y[rest], self.w[rest], scale=self.scale)
            return partial(self._mapped, found)
        gram = self.whole
        for fold in dict.fromkeys(out):
            gram = gram.minus(self.parts[fold])
        if np.isinf(gram.spread).all():
            estimable(kind, self.x[:, rest], self.y[rest])
        slopes = summed(kind, gram)
        ends = self.scale or (float(self.y[rest].min()), float(self.y[rest].max()))
        return lambda at: np.clip(gram.intercept(slopes) + slopes @ self.x[:, at], *ends)

    def each(self, kind: Kind, outs: Sequence[tuple[int, ...]]) -> Iterator[Predict]:
        """Yield what `without` returns for each of several choices of folds."""
        if kind != "ordinal":
            yield from (self.without(kind, *out) for out in outs)
            return
        kept = [self._rest(out) for out in outs]
        for found in ordinals(self.x, self.y, self.w, kept, self.scale):
            yield partial(self._mapped, found)

    def held_out(self, kind: Kind) -> Array:
        """Return what each item is mapped to by the map without its fold, shape (items,)."""
        found = np.empty(len(self.y))
        for fold in range(len(self.parts)):
            own = self.folds == fold
            found[own] = self.without(kind, fold)(own)
        return found

    def _rest(self, out: tuple[int, ...]) -> Mask:
        return np.asarray(np.logical_and.reduce([self.folds != fold for fold in out]))

    def _mapped(self, found: Map, at: Mask) -> Array:
        return found.apply(self.x[:, at])
