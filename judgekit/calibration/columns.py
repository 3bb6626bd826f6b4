"""The columns that a probe needs, and their moments."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.estimate import Array, NotEstimableError
from judgekit.calibration.units import Units, kept_units
from judgekit.errors import InputError

JUDGE_SD = "standard deviation of the judge's scores"


class Sheet:
    """The columns of one statistic without the items that lack a value.

    Attributes:
        kept: which items, shape (items,); ``columns`` and ``units`` are theirs.
    """

    def __init__(self, columns: list[Array], units: Units) -> None:
        lengths = {len(column) for column in columns}
        if len(lengths) > 1:
            raise InputError(f"the columns are of {sorted(lengths)} items")
        self.kept: NDArray[np.bool_] = np.asarray(~np.isnan(np.column_stack(columns)).any(1))
        if self.kept.sum() < 3:
            raise NotEstimableError(f"only {self.kept.sum()} items have all that it needs")
        self.columns = [column[self.kept] for column in columns]
        self.units = kept_units(units, self.kept, len(self.kept))

    @property
    def left_out(self) -> int:
        """How many items lack a value."""
        return int((~self.kept).sum())


def varies(column: Array, whose: str) -> None:
    """Refuse a column whose values are all equal."""
    if np.ptp(column) == 0:
        raise NotEstimableError(f"{whose} are all equal")


def moments(*columns: Array) -> Array:
    """Return 1, the columns, and the products of every two of them, each once; shape (..., m) of columns (...)."""
    first = [np.ones_like(columns[0]), *columns]
    return np.stack([*first, *(a * b for i, a in enumerate(columns) for b in columns[i:])], axis=-1)


def variance(sums: Array) -> Array:
    """Return the variance from the summed `moments` of one column; NaN where there is none."""
    n, x, xx = sums.T
    found = (xx - x * x / n) / n
    return np.where(found > 1e-12 * xx / n, found, math.nan)
