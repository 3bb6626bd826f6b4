"""Maps, rewards and intervals of one score at a time, in plain floats: numpy's calls would cost more than its sums.

The arithmetic is that of `maps`, `monotone` and `conformal`, step by step, so that a score alone becomes what it
becomes among others.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from judgekit.calibration.conformal import Conformal, upper_quantile
from judgekit.calibration.estimate import Array
from judgekit.calibration.maps import Curve, Linear, Logistic, Map, Ordinal, Reward
from judgekit.calibration.monotone import bends, slopes

Single = Callable[[float], float]
Ends = tuple[float | None, float | None]


class Point(NamedTuple):
    """What becomes of one score; ``low`` and ``high`` are None where there is no interval."""

    score: float
    low: float | None
    high: float | None
    reward: float
    supported: bool


def single(fitted: Map) -> Single:
    """Return a map of one column as a function of one score."""
    low, high = fitted.scale
    raw = _raw(fitted)
    return lambda x: min(max(raw(x), low), high)


def single_reward(reward: Reward) -> Single:
    """Return a reward of one column as a function of one score."""
    x, y = np.array(reward.x), np.array(reward.y)
    d = slopes(x, y)
    inside = _pieces(x, y, d, *(bends(x, y, d) if len(x) > 1 else ()))
    (weight,), low, high, first, last = reward.slopes, *reward.x[:1], *reward.x[-1:], float(d[0]), float(d[-1])
    middle, tilt = float(x.mean()), reward.tilt

    def found(score: float) -> float:
        total = weight * score
        beyond = min(total - low, 0.0) * first + max(total - high, 0.0) * last
        return inside(total) + beyond + (total - middle) * tilt

    return found


def single_interval(interval: Conformal | None) -> Callable[[float], Ends]:
    """Return an interval as a function of one score."""
    if interval is None:
        return lambda _: (None, None)
    if interval.type == "cross":
        return lambda x: tuple(float(end[0]) for end in interval.interval([x]))  # type: ignore[return-value]
    middle, (low, high), step = single(interval.maps[0]), interval.scale, interval.step
    margin = upper_quantile(np.array(interval.residuals), np.array(interval.weights), interval.coverage)

    def found(score: float) -> Ends:
        at = middle(score)
        ends = min(max(at - margin, low), high), min(max(at + margin, low), high)
        return ends if step is None else _snapped(*ends, low, step)

    return found


def _snapped(start: float, end: float, low: float, step: float) -> Ends:
    first, last = (start - low) / step, (end - low) / step
    inner, outer = math.ceil(first - 1e-9), math.floor(last + 1e-9)
    if inner > outer:
        inner = outer = round((first + last) / 2)
    return low + inner * step, low + outer * step


def _raw(fitted: Map) -> Single:
    match fitted:
        case Linear(slopes=(slope,), intercept=intercept):
            return lambda x: slope * x + intercept
        case Curve():
            return _curve(fitted)
        case Ordinal():
            return _ordinal(fitted)
        case Logistic(type="platt", slopes=(slope,), intercept=intercept):
            return lambda x: _logistic(intercept + slope * x)
        case Logistic(slopes=(one, two), intercept=intercept):
            return lambda x: _logistic(intercept + one * math.log(_held(x)) + two * -math.log(1 - _held(x)))
    raise ValueError(f"a {fitted.type} map of {len(fitted.support)} columns is not of one score")


def _curve(fitted: Curve) -> Single:
    x, y = np.array(fitted.x), np.array(fitted.y)
    if len(x) == 1:
        return _pieces(x, y)
    if fitted.type == "pchip":
        d = slopes(x, y)
        return _pieces(x, y, d, *bends(x, y, d))
    return _pieces(x, y, np.diff(y) / np.diff(x))


def _pieces(x: Array, y: Array, *powers: Array) -> Single:
    """Return the polynomials between points, flat outside; ``powers``: the factors of the first power, the second..."""
    low, high, inner = float(x[0]), float(x[-1]), x[1:-1].tolist()
    starts: list[float] = x.tolist()
    lowest: list[float] = y.tolist()
    if len(starts) == 1:
        return lambda _: lowest[0]
    upper: list[list[float]] = [power.tolist() for power in reversed(powers)]

    def found(score: float) -> float:
        inside = min(max(score, low), high)
        k = bisect_right(inner, inside)
        inside -= starts[k]
        total = 0.0
        for power in upper:
            total = (total + power[k]) * inside
        return total + lowest[k]

    return found


def _ordinal(fitted: Ordinal) -> Single:
    middle = (fitted.cuts[0] + fitted.cuts[-1]) / 2
    cuts = np.exp(np.clip(np.array(fitted.cuts) - middle, -300, 300)).tolist()
    steps, top, slope = np.diff(fitted.values).tolist(), fitted.values[-1], fitted.slope

    def found(score: float) -> float:
        odds = math.exp(min(max(slope * score - middle, -300.0), 300.0))
        total = top
        for step, cut in zip(steps, cuts, strict=True):
            total -= step * cut / (odds + cut)
        return total

    return found


def _logistic(z: float) -> float:
    return 1 / (1 + math.exp(-min(max(z, -500.0), 500.0)))


def _held(x: float) -> float:
    return min(max(x, 1e-6), 1 - 1e-6)
