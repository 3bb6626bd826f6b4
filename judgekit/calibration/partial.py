"""Probes that hold quality fixed. The humans say what it is, and the spread among them how noisy they are.

That noise is taken out; else whatever goes with quality would look like a bias (Fuller 1987, Measurement Error Models,
section 2.2).
"""

from __future__ import annotations

import math

import numpy as np

from judgekit.calibration.bootstrap import Bootstrap, Statistic
from judgekit.calibration.columns import JUDGE_SD, Sheet, moments, varies
from judgekit.calibration.estimate import Array, NotEstimableError
from judgekit.calibration.findings import Finding, find
from judgekit.calibration.humans import Humans, noise
from judgekit.calibration.units import Units

LEAST = 0.1  # share of the humans' variance, given the covariate, that must be quality and not noise


def slope(judge: Array, humans: Humans, units: Units, bootstrap: Bootstrap, band: float) -> Finding:
    """Does the judge make too little (below 0) of a difference in quality?  Its slope on the humans, less 1.

    Without the noise of the human means, which would flatten any slope.
    """
    sheet = Sheet([judge, humans.mean], units)
    scores, human = (column - column.mean() for column in sheet.columns)
    rows = np.column_stack([moments(human, scores), humans.noise(sheet.kept)])

    def excess(sums: Array) -> Array:
        n, h, y, hh, hy = sums[:, :5].T
        raw = hh - h * h / n
        quality = raw - noise(sums[:, 6:]) * (n - 1) / n
        return np.where(quality > LEAST * raw, (hy - h * y / n) / quality, math.nan) - 1

    _quality(excess, rows)
    return find(
        "slope",
        sheet,
        rows,
        excess,
        excess,
        bootstrap,
        band=band,
        unit="points for a point of the humans, less 1",
        standard="slope",
    )


def partial(
    name: str,
    judge: Array,
    humans: Humans,
    covariate: Array,
    units: Units,
    bootstrap: Bootstrap,
    band: float,
    unit: str,
) -> Finding:
    """Does something move the judge that does not move the humans?  The effect of a covariate given the quality.

    judge = a + b covariate + c quality. The points are b; standardised it is b times the standard deviation of the
    covariate, if that is more than 0 or 1, over that of the judge.

    Args:
        covariate: shape (items,); unit: what b is then.
    """
    sheet = Sheet([judge, humans.mean, covariate], units)
    yes_no = bool(np.isin(sheet.columns[2], (0, 1)).all())
    scores, human, x = (column - column.mean() for column in sheet.columns)
    varies(scores, "the judge's scores")
    varies(x, "the values of the covariate")
    rows = np.column_stack([moments(human, x, scores), humans.noise(sheet.kept)])

    def points(sums: Array) -> Array:
        return _partial(sums)[0]

    def standardised(sums: Array) -> Array:
        b, xx, yy = _partial(sums)
        return b / np.sqrt(yy) if yes_no else b * np.sqrt(xx / yy)

    _quality(points, rows)
    standard = JUDGE_SD if yes_no else f"{JUDGE_SD}, for one of the covariate"
    return find(name, sheet, rows, standardised, points, bootstrap, band=band, unit=unit, standard=standard)


def _partial(sums: Array) -> tuple[Array, Array, Array]:
    """Return the coefficient of the covariate, its variance, and that of the judge."""
    n, h, x, y, hh, hx, hy, xx, xy, yy = sums[:, :10].T
    hh, hx, hy, xx, xy, yy = (
        (both - one * two / n) / n
        for both, one, two in ((hh, h, h), (hx, h, x), (hy, h, y), (xx, x, x), (xy, x, y), (yy, y, y))
    )
    quality = hh - noise(sums[:, 10:]) * (n - 1) / n**2
    unique = quality * xx - hx * hx
    fine = unique > LEAST * hh * xx
    return np.where(fine, (xy * quality - hx * hy) / np.where(fine, unique, 1), math.nan), xx, yy


def _quality(statistic: Statistic, rows: Array) -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        found = statistic(rows.sum(0)[None])
    if np.isnan(found).any():
        raise NotEstimableError(
            "the humans agree too little, or do not vary: less than a tenth of what their means vary is quality"
        )
