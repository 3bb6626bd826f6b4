"""Whether one impression colours all criteria."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.columns import Sheet, moments
from judgekit.calibration.estimate import Array
from judgekit.calibration.findings import Finding, find
from judgekit.calibration.humans import Humans
from judgekit.calibration.units import Units
from judgekit.errors import InputError


def halo(judge: ArrayLike, humans: ArrayLike, units: Units, bootstrap: Bootstrap, band: float) -> Finding:
    """Does one impression colour all criteria?  The mean correlation between the judge's criteria, beyond a human's.

    Of single raters, pooled over them, each rater's severity taken out. The standardised effect is the difference of
    Fisher's z (Cohen's q). A judge with less halo than people is no worse for it: the test has one side.

    Args:
        judge: shape (items, criteria); humans: shape (raters, items, criteria).
    """
    own, them = np.asarray(judge, dtype=float), np.asarray(humans, dtype=float)
    if own.ndim != 2 or own.shape[1] < 2 or them.ndim != 3 or them.shape[1:] != own.shape:
        raise InputError(f"halo needs two criteria of judge and raters, not {own.shape} and {them.shape}")
    cells = np.stack([Humans.of(them[:, :, c]).cells for c in range(own.shape[1])], axis=2)
    complete = np.asarray(~np.isnan(cells).any(2))
    rated = np.where(complete.any(0), 0.0, math.nan)
    sheet = Sheet([*own.T, rated], units)
    mine = moments(*(column - column.mean() for column in sheet.columns[:-1]))
    cells -= np.nanmean(cells, axis=(0, 1))
    theirs = np.where(complete[:, :, None], moments(*np.moveaxis(cells, 2, 0)), 0.0).sum(0)[sheet.kept]
    m = mine.shape[1]

    def both(sums: Array) -> tuple[Array, Array]:
        return _mean_correlation(sums[:, :m], own.shape[1]), _mean_correlation(sums[:, m:], own.shape[1])

    def difference(sums: Array) -> Array:
        one, two = both(sums)
        return one - two

    def z(sums: Array) -> Array:
        one, two = both(sums)
        return np.arctanh(np.clip(one, -0.9999, 0.9999)) - np.arctanh(np.clip(two, -0.9999, 0.9999))

    return find(
        "halo",
        sheet,
        np.column_stack([mine, theirs]),
        z,
        difference,
        bootstrap,
        band=band,
        unit="mean correlation between criteria, beyond a human's",
        standard="Fisher's z",
        one_sided=True,
    )


def _mean_correlation(sums: Array, criteria: int) -> Array:
    """Return the mean of the correlations between every two of the columns, from their summed moments."""
    n, first = sums[:, 0], sums[:, 1 : 1 + criteria]
    matrix = np.zeros((len(sums), criteria, criteria))
    upper = np.triu_indices(criteria)
    matrix[:, *upper] = sums[:, 1 + criteria :] - first[:, upper[0]] * first[:, upper[1]] / n[:, None]
    spread = np.sqrt(np.diagonal(matrix, axis1=1, axis2=2))
    pairs = [matrix[:, i, j] / (spread[:, i] * spread[:, j]) for i, j in combinations(range(criteria), 2)]
    return np.asarray(np.mean(pairs, axis=0))
