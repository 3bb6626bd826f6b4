"""Logistic and cumulative logit regression by Newton steps with the expected information (Fisher scoring).

Both hold the slopes of standardised columns by a penalty too small to be seen, so that data without an overlap between
the labels have a finite answer. Several fits climb side by side: their arrays have the fits as first axis.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from judgekit.calibration.estimate import Array

PENALTY = 1e-6
STEPS = 100
SMALL = 1e-12
CELLS = 1 << 18  # of tables that climb side by side
Climb = tuple[Array, Array, Array]  # value (fits,), gradient (fits, parameters), information (fits, that, that)
Steps = Callable[[Array], Climb]
Logits = tuple[float, Array, Array]


def logistic(x: Array, y: Array, w: Array) -> tuple[float, Array]:
    """Return intercept and slopes of P(y = 1), fitted to Platt's targets (1999): (n1 + 1) / (n1 + 2), 1 / (n0 + 2).

    Args:
        x: shape (columns, items); y: 0 or 1; w: weights above 0.
    """
    ones, zeros = float((w * y).sum()), float((w * (1 - y)).sum())
    target = np.where(y > 0, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    middle, spread = x.mean(1), np.maximum(x.std(1), 1e-300)
    design = np.vstack([np.ones(len(y)), (x - middle[:, None]) / spread[:, None]])
    penalty = PENALTY * np.append(0, np.ones(len(x)))

    def at(theta: Array) -> Climb:
        z = theta @ design
        p = 1 / (1 + np.exp(-np.clip(z, -500, 500)))
        value = (w * (target * z - np.logaddexp(0, z))).sum(1) - (penalty * theta**2).sum(1) / 2
        information = (design * (w * p * (1 - p))[:, None]) @ design.T + np.diag(penalty)
        return value, (w * (target - p)) @ design.T - penalty * theta, information

    theta = _climb(at, np.zeros((1, len(design))))[0]
    slopes = theta[1:] / spread
    return float(theta[0] - slopes @ middle), slopes


def cumulative_logits(x: Array, y: Array, w: Array) -> list[Logits]:
    """Return slope, cuts and values of P(y >= values[k + 1]) = logistic(slope x - cuts[k]) (McCullagh 1980, JRSS-B 42).

    Args:
        x, y: shape (items,); w: a row of weights for each fit, shape (fits, items), 0 for an item that it does without;
            among the others y has at least two distinct values.
    """
    (xs, row), (values, column) = (np.unique(series, return_inverse=True) for series in (x, y))
    cell, size = row.reshape(-1) * len(values) + column.reshape(-1), len(xs) * len(values)
    counts = np.array([np.bincount(cell, own, size) for own in w], dtype=float).reshape(len(w), len(xs), len(values))
    given = counts.sum(1) > 0
    found: list[Logits | None] = [None] * len(w)
    for own in np.unique(given, axis=0):  # fits that have the same values
        alike = np.flatnonzero((given == own).all(1))
        for some in np.array_split(alike, min(len(alike), 1 + len(alike) * size // CELLS)):
            for i, (slope, cuts) in zip(some, zip(*_fit(xs, counts[some][:, :, own]), strict=True), strict=True):
                found[i] = float(slope), cuts, values[own]
    return [one for one in found if one]


def _fit(xs: Array, counts: Array) -> tuple[Array, Array]:
    """Return slopes (fits,) and cuts (fits, values - 1) from tables (fits, xs, values)."""
    n = counts.sum(2)
    total = n.sum(1)
    middle = n @ xs / total
    away = xs - middle[:, None]
    spread = np.sqrt((n * away**2).sum(1) / total)
    above = 1 - counts.sum(1).cumsum(1)[:, :-1] / total[:, None]
    start = np.column_stack([-np.log(above / (1 - above)), np.zeros(len(n))])
    z = away / spread[:, None]
    theta = _climb(lambda t: _cumulative(t, z, counts, n), start)
    slopes = theta[:, -1] / spread
    return slopes, theta[:, :-1] + (slopes * middle)[:, None]


def _cumulative(theta: Array, z: Array, counts: Array, n: Array) -> Climb:
    """Return log likelihood, gradient and expected information; theta holds the cuts and the slope."""
    cuts, slope = theta[:, :-1], theta[:, -1]
    fits, rows, values = counts.shape
    inner = 1 / (1 + np.exp(-np.clip(cuts[:, None, :] - slope[:, None, None] * z[:, :, None], -500, 500)))
    f, reached = np.zeros((2, fits, rows, values + 1))
    f[:, :, 1:-1], reached[:, :, 1:-1], reached[:, :, -1] = inner * (1 - inner), inner, 1
    raw, df, edge = reached[:, :, 1:] - reached[:, :, :-1], f[:, :, 1:] - f[:, :, :-1], f[:, :, 1:-1]
    p = np.maximum(raw, SMALL)
    ratio, each = counts / p, n[:, :, None] / p
    by_cut = (edge * (ratio[:, :, :-1] - ratio[:, :, 1:])).sum(1)
    by_slope = -np.einsum("fx,fxk,fxk->f", z, ratio, df) - PENALTY * slope
    drawn = each * df
    information = np.zeros((fits, values, values))
    at = np.arange(values - 1)
    information[:, at, at] = (edge**2 * (each[:, :, :-1] + each[:, :, 1:])).sum(1)
    beside = -(edge[:, :, 1:] * edge[:, :, :-1] * each[:, :, 1:-1]).sum(1)
    information[:, at[1:], at[:-1]] = information[:, at[:-1], at[1:]] = beside
    cross = (z[:, :, None] * edge * (drawn[:, :, 1:] - drawn[:, :, :-1])).sum(1)
    information[:, -1, :-1] = information[:, :-1, -1] = cross
    information[:, -1, -1] = np.einsum("fx,fxk,fxk->f", z**2, drawn, df) + PENALTY
    value = (counts * np.log(p)).sum((1, 2)) - PENALTY * slope**2 / 2
    impossible = ((raw <= 0) & (counts > 0)).any((1, 2))
    return np.where(impossible, -np.inf, value), np.column_stack([by_cut, by_slope]), information


def _climb(at: Steps, theta: Array) -> Array:
    """Return where each concave function is highest; a step that does not climb is halved."""
    now = at(theta)
    climbing = np.ones(len(theta), dtype=np.bool_)
    for _ in range(STEPS):
        step = np.where(climbing[:, None], _solved(now[2], now[1]), 0)
        for _ in range(40):
            found = at(theta + step)
            fell = found[0] < now[0]
            if not fell.any():
                break
            step[fell] /= 2
        up = climbing & ~fell
        climbing = up & (found[0] - now[0] >= 1e-12 * (1 + np.abs(now[0])))
        theta = np.where(up[:, None], theta + step, theta)
        now = found[0], found[1], found[2]
        if not climbing.any():
            return theta
    return theta


def _solved(information: Array, gradient: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(information, gradient[:, :, None])[:, :, 0])
    except np.linalg.LinAlgError:
        return np.asarray((np.linalg.pinv(information, hermitian=True) @ gradient[:, :, None])[:, :, 0])
