"""Logistic and cumulative logit regression by Newton steps with the expected information (Fisher scoring).

Both hold the slopes of standardised columns by a penalty too small to be seen, so that data without an overlap between
the labels have a finite answer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from judgekit.calibration.estimate import Array

PENALTY = 1e-6
STEPS = 100
SMALL = 1e-12
Steps = Callable[[Array], tuple[float, Array, Array]]


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

    def at(theta: Array) -> tuple[float, Array, Array]:
        z = theta @ design
        p = 1 / (1 + np.exp(-np.clip(z, -500, 500)))
        value = (w * (target * z - np.logaddexp(0, z))).sum() - (penalty * theta**2).sum() / 2
        return (
            float(value),
            design @ (w * (target - p)) - penalty * theta,
            _information(design, w * p * (1 - p), penalty),
        )

    theta = _climb(at, np.zeros(len(design)))
    slopes = theta[1:] / spread
    return float(theta[0] - slopes @ middle), slopes


def cumulative_logit(x: Array, y: Array, w: Array) -> tuple[float, Array, Array]:
    """Return slope, cuts and values of P(y >= values[k + 1]) = logistic(slope x - cuts[k]) (McCullagh 1980, JRSS-B 42).

    Args:
        x, y, w: shape (items,); y has at least two distinct values.
    """
    (xs, row), (values, column) = (np.unique(series, return_inverse=True) for series in (x, y))
    k = len(values)
    cells = np.bincount(row.reshape(-1) * k + column.reshape(-1), w, len(xs) * k)
    counts = np.asarray(cells, dtype=float).reshape(len(xs), k)
    n = counts.sum(1)
    middle = (n * xs).sum() / n.sum()
    spread = np.sqrt((n * (xs - middle) ** 2).sum() / n.sum())
    above = 1 - counts.sum(0).cumsum()[:-1] / n.sum()
    start = np.append(-np.log(above / (1 - above)), 0.0)
    theta = _climb(lambda t: _cumulative(t, (xs - middle) / spread, counts), start)
    slope = theta[-1] / spread
    return float(slope), theta[:-1] + slope * middle, values


def _cumulative(theta: Array, z: Array, counts: Array) -> tuple[float, Array, Array]:
    """Return log likelihood, gradient and expected information; theta holds the cuts and the slope."""
    cuts, slope, n = theta[:-1], theta[-1], counts.sum(1)
    inner = 1 / (1 + np.exp(-np.clip(cuts[None, :] - slope * z[:, None], -500, 500)))
    f = np.pad(inner * (1 - inner), ((0, 0), (1, 1)))
    raw = np.diff(np.pad(inner, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1))), axis=1)
    if (raw[counts > 0] <= 0).any():
        return -np.inf, theta, np.eye(len(theta))
    p = np.maximum(raw, SMALL)
    ratio, df = counts / p, np.diff(f, axis=1)
    edge = f[:, 1:-1]
    by_cut = (edge * (ratio[:, :-1] - ratio[:, 1:])).sum(0)
    by_slope = -(z[:, None] * ratio * df).sum() - PENALTY * slope
    each = n[:, None] / p
    information = np.zeros((len(theta), len(theta)))
    at = np.arange(len(cuts))
    information[at, at] = (edge**2 * (each[:, :-1] + each[:, 1:])).sum(0)
    information[at[1:], at[:-1]] = -(edge[:, 1:] * edge[:, :-1] * each[:, 1:-1]).sum(0)
    information[-1, :-1] = (z[:, None] * edge * (each[:, 1:] * df[:, 1:] - each[:, :-1] * df[:, :-1])).sum(0)
    information += np.tril(information, -1).T
    information[-1, -1] = (z[:, None] ** 2 * each * df**2).sum() + PENALTY
    value = (counts * np.log(p)).sum() - PENALTY * slope**2 / 2
    return float(value), np.append(by_cut, by_slope), information


def _climb(at: Steps, theta: Array) -> Array:
    """Return where the concave function is highest; a step that does not climb is halved."""
    value, gradient, information = at(theta)
    for _ in range(STEPS):
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        for _ in range(40):
            found = at(theta + step)
            if found[0] >= value:
                break
            step = step / 2
        else:
            return theta
        done = found[0] - value < 1e-12 * (1 + abs(value))
        theta, (value, gradient, information) = theta + step, found
        if done:
            return theta
    return theta


def _information(design: Array, w: Array, penalty: Array) -> Array:
    return np.asarray((design * w) @ design.T + np.diag(penalty))
