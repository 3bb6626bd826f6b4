"""What several people say together of each item, and how far that is off what more of them would say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array, NotEstimableError
from judgekit.errors import InputError

ROUNDS = 50  # of alternating fits; a table without missing cells needs one


@dataclass(frozen=True, slots=True)
class Humans:
    """Ratings with the severity of each rater taken out.

    Attributes:
        cells: shape (raters, items), NaN where a rater did not rate.
        mean: of an item's raters, shape (items,); NaN where there is none.
        count: how many raters an item has, shape (items,).
        squares: squared distances of the ratings from their item's mean, summed, shape (items,).
        freedom: what to divide the sum of ``squares`` by for the variance of one rating, as shares of the items.
    """

    cells: Array
    mean: Array
    count: Array
    squares: Array
    freedom: Array

    @classmethod
    def of(cls, ratings: ArrayLike) -> Humans:
        """Fit item + rater by least squares; the raters' effects are taken out, and the mean of all cells stays.

        Args:
            ratings: shape (raters, items), NaN is missing.

        Raises:
            NotEstimableError: there are no ratings.
        """
        cells = table(ratings)
        known = ~np.isnan(cells)
        raters = known.any(1)
        if not raters.any():
            raise NotEstimableError("there are no human ratings")
        filled, count = np.where(known, cells, 0.0), known.sum(0)
        for _ in range(ROUNDS):
            mean = filled.sum(0) / np.maximum(count, 1)
            severity = ((filled - mean) * known).sum(1) / np.maximum(known.sum(1), 1)
            filled = np.where(known, filled - severity[:, None], 0.0)
            if np.abs(severity).max() < 1e-10:
                break
        mean = filled.sum(0) / np.maximum(count, 1)
        squares = ((filled - mean) ** 2 * known).sum(0)
        repeats = np.maximum(count - 1, 0)
        free = max(repeats.sum() - raters.sum() + 1, 0) / max(repeats.sum(), 1)
        return cls(
            np.where(known, filled, np.nan), np.where(count > 0, mean, np.nan), count * 1.0, squares, repeats * free
        )

    def noise(self, kept: NDArray[np.bool_]) -> Array:
        """Return what a variance of the noise in ``mean`` is made of, a row for each kept item: see `noise`.

        Raises:
            NotEstimableError: too few ratings of the same items to tell noise from quality.
        """
        if self.freedom[kept].sum() < 1:
            raise NotEstimableError("it needs items with two raters or more, to tell their noise from quality")
        return np.column_stack([self.squares, self.freedom, 1 / np.maximum(self.count, 1)])[kept]


def noise(sums: Array) -> Array:
    """Return the variance of the noise, summed over the items' means, from sums of the rows of `Humans.noise`."""
    return np.asarray(sums[:, 0] / sums[:, 1] * sums[:, 2])


def table(ratings: ArrayLike) -> Array:
    """Read an array of shape (raters, items)."""
    cells = np.asarray(ratings, dtype=float)
    if cells.ndim != 2 or np.isinf(cells).any():
        raise InputError(f"ratings have the shape (raters, items) and are finite or NaN, not {cells.shape}")
    return cells
