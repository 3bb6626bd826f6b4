"""Curves that do not fall: centred isotonic regression, the monotone cubic through points, equipercentile points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.estimate import Array

BINS = 1024
PERCENTILES = 101


def centred_isotonic(x: Array, y: Array, weights: Array) -> tuple[Array, Array]:
    """Return the points of centred isotonic regression (Oron & Flournoy 2017, Stat. Biopharm. Research 9:258).

    Neighbours that do not rise are pooled, as in isotonic regression; a pool becomes one point, at its mean x, and the
    curve is a line between points. So it has no steps, where plain isotonic regression is flat over every pool.

    Args:
        x, y, weights: shape (items,), finite, weights above 0.

    Returns:
        x and y of the points, both strictly rising, shape (points,).
    """
    values, w, total = _sums(x, y, weights)
    pools: list[tuple[float, float, float]] = []  # weight, and the weighted sums of x and y
    for own in zip(w.tolist(), (values * w).tolist(), total.tolist(), strict=True):
        pool = own
        while pools and pools[-1][2] * pool[0] >= pool[2] * pools[-1][0]:
            last = pools.pop()
            pool = (last[0] + pool[0], last[1] + pool[1], last[2] + pool[2])
        pools.append(pool)
    weight, first, second = np.array(pools).T
    return rising(first / weight, second / weight)


def rising(x: Array, y: Array) -> tuple[Array, Array]:
    """Return the points at which both series rise above all before; rounding can leave others."""
    kept = [0]
    for k in range(1, len(x)):
        if x[k] > x[kept[-1]] and y[k] > y[kept[-1]]:
            kept.append(k)
    return x[kept], y[kept]


def equipercentile(x: Array, y: Array, weights: Array) -> tuple[Array, Array]:
    """Return points that give a score the y of the same percentile rank (Kolen & Brennan 2014, section 2.2).

    The rank of a score is the share below it and half of the share at it; between ranks both sides are interpolated.

    Returns:
        x, strictly rising, and y, shape (points,); at most 101 of them.
    """
    (xs, ranks), (ys, others) = _ranked(x, weights), _ranked(y, weights)
    if len(xs) > PERCENTILES:
        asked = np.linspace(ranks[0], ranks[-1], PERCENTILES)
        xs, ranks = np.interp(asked, ranks, xs), asked
    return xs, np.interp(ranks, others, ys)


def slopes(x: Array, y: Array) -> Array:
    """Return the slopes at the points of the monotone cubic (Fritsch & Butland 1984, SIAM J. Sci. Stat. Comput. 5:300).

    Args:
        x: strictly rising, shape (points,); y does not fall.
    """
    if len(x) == 1:
        return np.zeros(1)
    h, rise = np.diff(x), np.diff(y) / np.diff(x)
    if len(x) == 2:
        return np.repeat(rise, 2)
    one, two = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    flat = (rise[:-1] <= 0) | (rise[1:] <= 0)
    before, after = np.where(flat, 1, rise[:-1]), np.where(flat, 1, rise[1:])
    inner = np.where(flat, 0.0, (one + two) / (one / before + two / after))
    return np.concatenate([[_end(h[0], h[1], rise[0], rise[1])], inner, [_end(h[-1], h[-2], rise[-1], rise[-2])]])


def lines(at: Array, x: Array, y: Array) -> Array:
    """Return the line through points, flat outside of them; shapes as in `cubic`. As ``np.interp``, faster on many."""
    if len(x) == 1:
        return np.asarray(y[0] + 0 * at)
    inside = np.clip(at, x[0], x[-1])
    k = _interval(inside, x)
    found = inside - x.take(k)
    found *= (np.diff(y) / np.diff(x)).take(k)
    found += y.take(k)
    return np.asarray(found)


def cubic(at: Array, x: Array, y: Array, slope: Array) -> Array:
    """Return the cubic through points with these slopes, flat outside of them.

    Args:
        at: shape (items,); NaN stays NaN. x, y, slope: shape (points,).
    """
    if len(x) == 1:
        return np.asarray(y[0] + 0 * at)
    second, third = bends(x, y, slope)
    inside = np.clip(at, x[0], x[-1])
    k = _interval(inside, x)
    inside -= x.take(k)
    found = third.take(k)
    for lower in (second, slope, y):
        found *= inside
        found += lower.take(k)
    return np.asarray(found)


def bends(x: Array, y: Array, slope: Array) -> tuple[Array, Array]:
    """Return the factors of the second and third powers of the cubics between points, shape (points - 1,) each."""
    h, rise = np.diff(x), np.diff(y) / np.diff(x)
    return (3 * rise - 2 * slope[:-1] - slope[1:]) / h, (slope[:-1] + slope[1:] - 2 * rise) / h**2


def _interval(inside: Array, x: Array) -> NDArray[np.intp]:
    """Return the interval between points that each value lies in; any for NaN.

    Many values are looked up in a table of equal bins, which spares the search that a processor cannot foresee.
    """
    many = len(inside) >= BINS
    edges = np.linspace(x[0], x[-1], BINS + 1)[:-1] if many else x
    first = np.searchsorted(x[1:-1], edges, side="right")
    most = int(np.bincount(np.searchsorted(edges, x[1:-1], side="left")).max(initial=0)) if many else BINS
    if most > 2:
        return np.asarray(np.searchsorted(x[1:-1], inside, side="right"))
    with np.errstate(invalid="ignore"):
        bins = ((inside - x[0]) * ((BINS - 1e-9) / (x[-1] - x[0]))).astype(np.intp)
    k = first.take(bins, mode="clip")
    k -= inside < x.take(k)  # a value that rounding put into the next bin
    for _ in range(most):
        k += inside >= x[1:].take(k)
    return np.asarray(np.clip(k, 0, len(x) - 2))


def _end(h: float, next_h: float, rise: float, next_rise: float) -> float:
    """Return the slope at an end: of the parabola through three points, held where it would bend the curve down."""
    slope = ((2 * h + next_h) * rise - h * next_rise) / (h + next_h)
    return float(min(max(slope, 0.0), 3 * rise))


def _sums(x: Array, y: Array, weights: Array) -> tuple[Array, Array, Array]:
    values, place = np.unique(x, return_inverse=True)
    own, total = (np.asarray(np.bincount(place.reshape(-1), w), dtype=float) for w in (weights, weights * y))
    return values, own, total


def _ranked(series: Array, weights: Array) -> tuple[Array, Array]:
    values, w, _ = _sums(series, series, weights)
    return values, (w.cumsum() - w / 2) / w.sum()
