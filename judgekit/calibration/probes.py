"""Probes for the biases of a judge, each a statistic of sums over the items; `audit` runs them together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.columns import JUDGE_SD, Sheet, moments, variance, varies
from judgekit.calibration.estimate import Array, NotEstimableError
from judgekit.calibration.findings import Finding, find
from judgekit.calibration.humans import Humans
from judgekit.calibration.units import Units
from judgekit.errors import InputError

HUMAN_SD = "standard deviation of the human means"


def position(orders: ArrayLike, units: Units, bootstrap: Bootstrap, band: float) -> Finding:
    """Does the response that is shown first win more often than the other?

    The share of wins of the first, over both orders of each pair, less one half. Standardised by the 1/2 that is the
    standard deviation of a fair coin it is primacy less recency, from -1 to 1, 0 being fair: of the pairs whose verdict
    turns with the order, those that favour the first less those that favour the second, as a share of all pairs.

    Args:
        orders: shape (pairs, 2): points for a (1, 1/2, 0) where a is shown first, and where it is second (`by_order`).
    """
    points = np.asarray(orders, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or ((points < 0) | (points > 1)).any():
        raise InputError("orders are points between 0 and 1, of shape (pairs, 2)")
    sheet = Sheet([points[:, 0], points[:, 1]], units)
    first, second = sheet.columns
    rows = np.column_stack([(first - second) / 2, np.ones(len(first))])
    return find(
        "position",
        sheet,
        rows,
        lambda s: 2 * s[:, 0] / s[:, 1],
        lambda s: s[:, 0] / s[:, 1],
        bootstrap,
        band=band,
        unit="share of wins of the first, less 1/2",
        standard="1/2, that of a fair coin",
    )


def padding(judge: Array, padded: Array, units: Units, bootstrap: Bootstrap, band: float) -> Finding:
    """Does the same text gain when it is padded?  The mean of padded less plain, on the same items."""
    sheet = Sheet([judge, padded], units)
    plain, longer = sheet.columns
    varies(plain, "the judge's scores")
    return find(
        "padding",
        sheet,
        moments(plain, longer - plain),
        _shift,
        _mean_of_second,
        bootstrap,
        band=band,
        unit="points from padding",
        standard=JUDGE_SD,
    )


def severity(judge: Array, humans: Humans, units: Units, bootstrap: Bootstrap, band: float) -> Finding:
    """Is the judge lenient (above 0) or severe?  The mean of judge less human."""
    sheet = Sheet([judge, humans.mean], units)
    scores, human = sheet.columns
    varies(human, "the human means")
    return find(
        "severity",
        sheet,
        moments(human, scores - human),
        _shift,
        _mean_of_second,
        bootstrap,
        band=band,
        unit="points above the humans",
        standard=HUMAN_SD,
    )


def spread(judge: Array, humans: Humans, units: Units, bootstrap: Bootstrap, band: float) -> Finding:
    """Does the judge keep to the middle (below 0)?  Its standard deviation over that of a single rater.

    A single one, since the mean of several people spreads less than any of them: a judge that is like one of them has
    the ratio 1. The standardised effect is the logarithm of the ratio.
    """
    sheet = Sheet([judge, humans.mean], units)
    scores, mean = sheet.columns
    varies(scores, "the judge's scores")
    varies(mean, "the human means")
    count, squares = humans.count[sheet.kept], humans.squares[sheet.kept]
    centre = mean.mean()
    human = np.column_stack([count, count * (mean - centre), squares + count * (mean - centre) ** 2])
    rows = np.column_stack([moments(scores - scores.mean()), human])

    def log_ratio(sums: Array) -> Array:
        return np.asarray(np.log(variance(sums[:, :3]) / variance(sums[:, 3:])) / 2)

    return find(
        "spread",
        sheet,
        rows,
        log_ratio,
        lambda s: np.expm1(log_ratio(s)),
        bootstrap,
        band=band,
        unit="ratio of the standard deviations, less 1",
        standard="logarithm of the ratio",
    )


def heaping(
    judge: ArrayLike, humans: ArrayLike, round_to: float, units: Units, bootstrap: Bootstrap, band: float
) -> Finding:
    """Does the judge prefer round values?  Its share of multiples of ``round_to``, beyond the humans'.

    Standardised as Cohen's h, the difference of 2 arcsin sqrt(share). The test has one side: fewer are no harm.

    Args:
        judge: shape (items,) or (items, criteria); humans: shape (raters, items) or (raters, items, criteria).
    """
    if not round_to > 0:
        raise InputError(f"round_to is above 0, not {round_to:g}")
    rows = np.column_stack([*_rounds(judge, round_to, 1), *_rounds(humans, round_to, 2).sum(1)])
    sheet = Sheet([np.where((rows[:, 1] > 0) & (rows[:, 3] > 0), 0.0, math.nan)], units)
    rows = rows[sheet.kept]
    if (rows[:, 2] == rows[:, 3]).all():
        raise NotEstimableError(f"the humans give multiples of {round_to:g} only; no judge can heap beyond that")

    def h(sums: Array) -> Array:
        one, two = (np.arcsin(np.sqrt(sums[:, i] / sums[:, i + 1])) for i in (0, 2))
        return np.asarray(2 * (one - two))

    def share(sums: Array) -> Array:
        return np.asarray(sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3])

    return find(
        "heaping",
        sheet,
        rows,
        h,
        share,
        bootstrap,
        band=band,
        unit="share of round values, beyond the humans'",
        standard="Cohen's h",
        one_sided=True,
    )


def _rounds(values: ArrayLike, to: float, axes: int) -> Array:
    """Return how many values are multiples of ``to``, and how many there are, summed over any criteria."""
    cells = np.asarray(values, dtype=float) / to
    both = np.stack([np.abs(cells - np.round(cells)) < 1e-9, ~np.isnan(cells)]) * 1.0
    return both if cells.ndim == axes else both.sum(-1)


def _mean_of_second(sums: Array) -> Array:
    return np.asarray(sums[:, 2] / sums[:, 0])


def _shift(sums: Array) -> Array:
    """Return the mean of the second column over the standard deviation of the first."""
    return _mean_of_second(sums) / np.sqrt(variance(sums[:, [0, 1, 3]]))
