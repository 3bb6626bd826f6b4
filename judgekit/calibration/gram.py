"""Least squares from sums: what weights of several columns need to know of the items, however many there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.estimate import Array

SURE = 1e6  # times the right side: a solution so large that rounding may have made it
FLAT = 1e-7  # of a column's largest value: a standard deviation below it is what rounding leaves of none


@dataclass(frozen=True, slots=True)
class Gram:
    """Weighted sums over items of columns and labels.

    Attributes:
        products: of the deviations from the means, the labels last, shape (columns + 1, columns + 1).
        means: of the columns, and of the labels, shape (columns + 1,).
        weight: of all items; ``items``: how many.
        largest: the largest size of a value in each column, shape (columns,).
    """

    products: Array
    means: Array
    weight: float
    items: int
    largest: Array

    @classmethod
    def of(cls, x: Array, y: Array, w: Array) -> Gram:
        """Return the sums of columns (columns, items), labels (items,) and weights (items,)."""
        both, total = np.vstack([x, y]), float(w.sum())
        means = (both * w).sum(1) / total
        away = both - means[:, None]
        return cls((away * w) @ away.T, means, total, len(y), np.abs(x).max(1, initial=0))

    @property
    def spread(self) -> Array:
        """Roots of the columns' sums of squares; infinite for a column that does not vary. Shape (columns,)."""
        found = np.sqrt(np.maximum(np.diag(self.xx), 0))
        return np.where(found > FLAT * self.largest * np.sqrt(self.weight), found, np.inf)

    @property
    def xx(self) -> Array:
        """Products of the columns, shape (columns, columns)."""
        return self.products[:-1, :-1]

    @property
    def xy(self) -> Array:
        """Products of the columns with the labels, shape (columns,)."""
        return self.products[:-1, -1]

    def intercept(self, slopes: Array) -> float:
        """Return what takes the mean of the columns to that of the labels."""
        return float(self.means[-1] - slopes @ self.means[:-1])

    def minus(self, part: Gram) -> Gram:
        """Return the sums without some of the items (Chan, Golub & LeVeque 1983, The American Statistician 37:242)."""
        weight = self.weight - part.weight
        means = (self.weight * self.means - part.weight * part.means) / weight
        away = part.means - means
        products = self.products - part.products - np.outer(away, away) * (part.weight * weight / self.weight)
        return Gram(products, means, weight, self.items - part.items, self.largest)

    def drop(self, column: int) -> Gram:
        """Return the sums without one column."""
        kept = np.arange(len(self.means)) != column
        return Gram(
            self.products[np.ix_(kept, kept)], self.means[kept], self.weight, self.items, self.largest[kept[:-1]]
        )


def along(gram: Gram, direction: Array) -> Array:
    """Return least squares slopes that are all on one line, shape (columns,)."""
    square, most = float(direction @ gram.xx @ direction), float(np.abs(direction) @ gram.largest)
    varies = square > (FLAT * most) ** 2 * gram.weight
    return np.asarray(direction * (float(direction @ gram.xy) / square if varies else 0.0))


def nonnegative(gram: Gram) -> Array:
    """Return the least squares slopes of which none is below 0 (Lawson & Hanson 1974, ch. 23); shape (columns,)."""
    xx, xy = gram.xx, gram.xy
    least = 1e-10 * (gram.spread * np.sqrt(gram.products[-1, -1]) + 1e-300)  # infinite for a column without spread
    slopes, free = _start(np.isfinite(least), xx, xy)
    for _ in range(30 * len(xy)):
        gain = np.where(free, -np.inf, xy - xx @ slopes - least)
        if free.all() or gain.max() <= 0:
            break
        free[np.argmax(gain)] = True
        slopes = _held(slopes, free, xx, xy)
    return slopes


def _start(free: NDArray[np.bool_], xx: Array, xy: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return a solution on some columns with slopes above 0 alone: all of them, less those below, again and again."""
    while True:
        slopes = _solved(free, xx, xy)
        if (slopes[free] > 0).all():
            return slopes, free
        free = free & (slopes > 0)


def _held(slopes: Array, free: NDArray[np.bool_], xx: Array, xy: Array) -> Array:
    """Return the solution on the free columns; a column that it takes below 0 is held at 0 again."""
    while True:
        wanted = _solved(free, xx, xy)
        below = free & (wanted <= 0)
        if not below.any():
            return wanted
        step = (slopes[below] / np.maximum(slopes[below] - wanted[below], 1e-300)).min()
        slopes = slopes + step * (wanted - slopes)
        free &= slopes > 1e-15 * np.abs(slopes).max(initial=0)
        slopes = np.where(free, slopes, 0)


def _solved(free: NDArray[np.bool_], xx: Array, xy: Array) -> Array:
    """Return the solution on the free columns; of the many that alike columns have, the shortest."""
    slopes, square, side = np.zeros(len(xy)), xx[np.ix_(free, free)], xy[free]
    try:
        found = np.linalg.solve(square, side)
        sure = np.abs(found).max(initial=0) * np.abs(square).max(initial=0) < SURE * np.abs(side).max(initial=1e-300)
    except np.linalg.LinAlgError:
        sure = False
    slopes[free] = found if sure else np.linalg.lstsq(square, side, rcond=None)[0]
    return slopes


def ridge(gram: Gram) -> Array:
    """Return ridge slopes of standardised columns, the penalty by generalised cross-validation (Golub et al. 1979)."""
    spread = gram.spread  # a column that does not vary gets no weight
    square, vectors = np.linalg.eigh(gram.xx / np.outer(spread, spread))
    square, pull = np.maximum(square, 0), vectors.T @ (gram.xy / spread)
    explained = np.where(square > 1e-12, pull**2 / np.where(square > 1e-12, square, 1), 0)
    penalties = np.logspace(-6, 2, 41)[:, None]
    kept = square / (square + penalties)
    error = gram.products[-1, -1] - explained.sum() + ((1 - kept) ** 2 * explained).sum(1)
    score = error / np.maximum(gram.items - 1 - kept.sum(1), 1e-3) ** 2
    best = penalties[np.argmin(score), 0]
    return np.asarray((vectors @ (pull / (square + best))) / spread)
