"""The win rate that two models would have if their responses were equally long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number
from judgekit.errors import InputError

DEFAULT = Bootstrap(draws=1000)
STEPS = 25
RUNAWAY = 30.0  # logits: a slope this large means that its regressor decides every comparison


@dataclass(frozen=True)
class LengthControlled:
    """Win rates of a, ties counting half.

    Attributes:
        win_rate: at equal lengths; ``plain``: as found.
        length: the slope of tanh(longer / standard deviation), in logits: above 0 the judge likes long responses.
        missing: comparisons without a verdict, which were left out.
    """

    win_rate: Estimate
    plain: Estimate
    length: Estimate
    missing: int


def length_controlled_win_rate(
    preferences: ArrayLike,
    longer: ArrayLike,
    *,
    difficulty: ArrayLike | None = None,
    units: Clusters | None = None,
    bootstrap: Bootstrap = DEFAULT,
) -> LengthControlled:
    """Return AlpacaEval 2's length-controlled win rate (Dubois et al. 2024, arXiv 2404.04475, section 3).

    A logistic model: logit P(a wins) = c + s tanh(longer / its standard deviation) + e difficulty; the win rate is the
    mean of its predictions with the length term 0. Without ``difficulty``, which AlpacaEval takes from its whole
    leaderboard, it is the logistic of c. Fitted by maximum likelihood; AlpacaEval adds a small L1 penalty and two
    gamed baselines. The interval refits every resample.

    Args:
        preferences: of a: 1 won, 0 lost, 1/2 tied, or a probability; NaN for no verdict. Shape (comparisons,).
        longer: by how much a is longer than b, in any unit.
        difficulty: how hard each prompt is for a, as a logit.
        units: the cluster of each comparison, such as its prompt.

    Raises:
        NotEstimableError: no verdict, one side wins all, lengths that do not vary or decide every comparison.
        InputError: arrays of different lengths, a preference outside [0, 1], a length that is not finite.
    """
    y, gap = np.asarray(preferences, dtype=float), np.asarray(longer, dtype=float)
    hard = np.zeros((len(y), 0)) if difficulty is None else np.asarray(difficulty, dtype=float).reshape(-1, 1)
    if not len(y) == len(gap) == len(hard) or y.ndim != 1 or gap.ndim != 1:
        raise InputError(f"{len(y)} preferences, but {len(gap)} lengths and {len(hard)} difficulties")
    if units is not None and len(units) != len(y):
        raise InputError(f"{len(y)} comparisons, but {len(units)} clusters")
    kept = np.flatnonzero(~np.isnan(y))
    y, gap, hard = y[kept], gap[kept], hard[kept]
    if (y < 0).any() or (y > 1).any() or not np.isfinite(gap).all() or not np.isfinite(hard).all():
        raise InputError("preferences are from 0 to 1, and lengths and difficulties finite")
    _check(y, gap)
    x = np.column_stack([np.ones(len(y)), np.tanh(gap / gap.std(ddof=1)), hard])
    names = None if units is None else number(number(units)[kept])
    return LengthControlled(
        bootstrap.of_weights(len(y), lambda w: _win_rate(_fit(x, y, w), x, w), names),
        bootstrap.share(y, names),
        bootstrap.of_weights(len(y), lambda w: _fit(x, y, w)[:, 1], names),
        len(np.asarray(preferences)) - len(kept),
    )


def _check(y: Array, gap: Array) -> None:
    if not len(y):
        raise NotEstimableError("no comparison has a verdict")
    if (y == y[0]).all() and y[0] in (0, 1):
        raise NotEstimableError(f"a {'wins' if y[0] else 'loses'} every comparison, at any length")
    if np.ptp(gap) == 0:
        raise NotEstimableError("the lengths differ by the same in every comparison")


def _fit(x: Array, y: Array, weights: Array) -> Array:
    """Return the coefficients under each row of weights, by Newton's method; NaN where there is no end to them.

    Shapes: x (items, q), weights (any, items) -> (any, q).
    """
    q = x.shape[1]
    products = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    at = np.zeros((len(weights), q))
    ridge = 1e-9 * np.eye(q)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(at @ x.T, -50, 50)))
        slope = (weights * (y - p)) @ x
        curve = ((weights * p * (1 - p)) @ products).reshape(-1, q, q)
        step = np.linalg.solve(curve + ridge, slope[:, :, None])[:, :, 0]
        size = np.abs(step).max(1, keepdims=True)
        at += step / np.maximum(size, 1)  # no further than 1 at once: beyond lies a flat likelihood
        if size.max() < 1e-9:
            break
    lost = (np.abs(at).max(1) > RUNAWAY) | (size[:, 0] > 1e-6)
    at[lost] = np.nan
    return at


def _win_rate(at: Array, x: Array, weights: Array) -> Array:
    if x.shape[1] == 2:
        return np.asarray(1 / (1 + np.exp(-at[:, 0])))
    equal = np.delete(x, 1, axis=1)
    p = 1 / (1 + np.exp(-np.delete(at, 1, axis=1) @ equal.T))
    return np.asarray((weights * p).sum(1) / weights.sum(1))
