"""Fitting a map of a given kind to labels."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array, NotEstimableError
from judgekit.calibration.logit import cumulative_logit, logistic
from judgekit.calibration.maps import Curve, Linear, Logistic, Map, Ordinal, logs
from judgekit.calibration.monotone import centred_isotonic, equipercentile
from judgekit.errors import InputError

Kind = Literal[
    "shift", "linear", "covariate", "mean", "nnls", "stack", "ordinal", "isotonic", "pchip", "quantile", "platt", "beta"
]
LEVELS = 100  # distinct labels up to which the ordinal model is one of categories


def fit(
    kind: Kind,
    judge: ArrayLike,
    human: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    scale: tuple[float, float] | None = None,
) -> Map:
    """Fit one map from a judge's scores to human ones; an item that lacks a score or a label is left out and counted.

    ``shift`` and ``linear`` move, and stretch, the scores. ``covariate`` is least squares on the score and further
    columns, such as length. ``isotonic`` is centred isotonic regression, ``pchip`` the monotone cubic through its
    points, ``ordinal`` the expected score of a cumulative logit model, ``quantile`` the equipercentile map, which keeps
    the spread of the human scores and pays for it in error. ``platt`` and ``beta`` make probabilities out of scores in
    [0, 1], for labels 0 and 1. Of a panel: ``mean`` is a line on the plain mean, ``nnls`` gives weights of 0 and above
    (shares on a simplex, and a slope), ``stack`` is ridge regression, its penalty by generalised cross-validation.

    Args:
        judge: shape (items,); for covariate, mean, nnls and stack (columns, items), a judge's own score first.
        human: shape (items,).
        weights: what each label counts, above 0; default 1.
        scale: the lowest and the highest human score; without it those among the labels.

    Raises:
        NotEstimableError: fewer than two labels, scores or labels that do not vary.
        InputError: shapes that do not fit, an infinite value, weights that are not above 0, labels off the scale, or
            scores and labels that `platt` and `beta` are not for.
    """
    columns, y, w = _checked(judge, human, weights)
    known = ~np.isnan(columns).any(0) & ~np.isnan(y)
    x, y, w = columns[:, known], y[known], w[known]
    _estimable(kind, x, y)
    low, high = (float(y.min()), float(y.max())) if scale is None else scale
    if not low <= y.min() <= y.max() <= high:
        raise InputError(f"labels from {y.min():g} to {y.max():g} are off the scale from {low:g} to {high:g}")
    common = {
        "scale": (low, high),
        "support": tuple((float(column.min()), float(column.max())) for column in x),
        "n": len(y),
        "missing": len(known) - len(y),
    }
    return _fitted(kind, x, y, w, common)


def _fitted(kind: Kind, x: Array, y: Array, w: Array, common: dict[str, Any]) -> Map:
    match kind:
        case "ordinal":
            slope, cuts, values = cumulative_logit(x[0], y, w)
            return Ordinal(type=kind, slope=slope, cuts=_plain(cuts), values=_plain(values), **common)
        case "platt" | "beta":
            intercept, slopes = _logistic(kind, x[0], y, w)
            return Logistic(type=kind, slopes=_plain(slopes), intercept=intercept, **common | {"scale": (0.0, 1.0)})
        case "isotonic" | "pchip" | "quantile":
            a, b = (equipercentile if kind == "quantile" else centred_isotonic)(x[0], y, w)
            return Curve(type=kind, x=_plain(a), y=_plain(b), **common)
        case _:
            slopes = _slopes(kind, x, y, w)
            intercept = float(((y - slopes @ x) * w).sum() / w.sum())
            return Linear(type=kind, intercept=intercept, slopes=_plain(slopes), **common)


def _plain(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _slopes(kind: Kind, x: Array, y: Array, w: Array) -> Array:
    own: Array = np.eye(len(x))[0]
    if kind == "shift":
        return own
    if kind in ("linear", "mean"):
        along = own if kind == "linear" else np.full(len(x), 1 / len(x))
        return np.asarray(along * least_squares((along @ x)[None], y, w)[0])
    solve = {"covariate": least_squares, "nnls": nonnegative, "stack": ridge}[kind]
    return np.asarray(solve(x, y, w))


def least_squares(x: Array, y: Array, w: Array) -> Array:
    """Return the slopes of weighted least squares with an intercept; x has the shape (columns, items)."""
    dx, dy = _centred(x, y, w)
    return np.asarray(np.linalg.lstsq(dx.T, dy, rcond=None)[0])


def nonnegative(x: Array, y: Array, w: Array) -> Array:
    """Return the slopes, none below 0, of weighted least squares (Lawson & Hanson 1974, ch. 23), with an intercept."""
    dx, dy = _centred(x, y, w)
    gram, moment = dx @ dx.T, dx @ dy
    least = 1e-10 * (np.sqrt(np.diag(gram)) * np.sqrt(dy @ dy) + 1e-300)
    slopes, free = np.zeros(len(x)), np.zeros(len(x), dtype=np.bool_)
    for _ in range(30 * len(x)):
        gain = np.where(free, -np.inf, moment - gram @ slopes - least)
        if free.all() or gain.max() <= 0:
            break
        free[np.argmax(gain)] = True
        slopes = _held(slopes, free, gram, moment)
    return slopes


def _held(slopes: Array, free: NDArray[np.bool_], gram: Array, moment: Array) -> Array:
    """Return the solution on the free columns; a column that it takes below 0 is held at 0 again."""
    while True:
        wanted = np.zeros(len(slopes))
        wanted[free] = np.linalg.lstsq(gram[np.ix_(free, free)], moment[free], rcond=None)[0]
        below = free & (wanted <= 0)
        if not below.any():
            return wanted
        step = (slopes[below] / np.maximum(slopes[below] - wanted[below], 1e-300)).min()
        slopes = slopes + step * (wanted - slopes)
        free &= slopes > 1e-15 * np.abs(slopes).max(initial=0)
        slopes = np.where(free, slopes, 0)


def ridge(x: Array, y: Array, w: Array) -> Array:
    """Return ridge slopes of standardised columns, the penalty by generalised cross-validation (Golub et al. 1979)."""
    dx, dy = _centred(x, y, w)
    spread = np.sqrt((dx**2).sum(1))
    spread[spread <= 1e-12 * np.abs(x).max(1)] = np.inf  # a column that does not vary gets no weight
    u, s, v = np.linalg.svd((dx / spread[:, None]).T, full_matrices=False)
    along, n = u.T @ dy, len(y)
    penalties = np.logspace(-6, 2, 41)[:, None]
    kept = s**2 / (s**2 + penalties)
    error = dy @ dy - along @ along + (((1 - kept) * along) ** 2).sum(1)
    score = error / np.maximum(n - 1 - kept.sum(1), 1e-3) ** 2
    best = penalties[np.argmin(score), 0]
    return np.asarray((v.T @ (s / (s**2 + best) * along)) / spread)


def _centred(x: Array, y: Array, w: Array) -> tuple[Array, Array]:
    """Return both less their means, times the root of the weights."""
    total, root = w.sum(), np.sqrt(w)
    return (x - ((x * w).sum(1) / total)[:, None]) * root, (y - (y * w).sum() / total) * root


def _logistic(kind: Kind, x: Array, y: Array, w: Array) -> tuple[float, Array]:
    """Return intercept and slopes; a negative slope of the beta map is held at 0, as Kull et al. (2017) do."""
    if kind == "platt":
        return logistic(x[None], y, w)
    columns = logs(x)
    intercept, slopes = logistic(columns, y, w)
    if (slopes >= 0).all():
        return intercept, slopes
    one = int(np.argmax(slopes))
    intercept, kept = logistic(columns[one : one + 1], y, w)
    return intercept, np.where(np.arange(2) == one, max(kept[0], 0.0), 0.0)


def _checked(judge: ArrayLike, human: ArrayLike, weights: ArrayLike | None) -> tuple[Array, Array, Array]:
    x, y = np.atleast_2d(np.asarray(judge, dtype=float)), np.asarray(human, dtype=float)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
    if y.ndim != 1 or x.ndim != 2 or x.shape[1] != len(y) or w.shape != y.shape:
        raise InputError(f"scores {x.shape}, labels {y.shape} and weights {w.shape} are not of the same items")
    if np.isinf(x).any() or np.isinf(y).any():
        raise InputError("a value is infinite")
    if not (np.isfinite(w) & (w > 0)).all():
        raise InputError("weights are finite and above 0; leave out an item that should not count")
    return x, y, w


def _estimable(kind: Kind, x: Array, y: Array) -> None:
    if len(y) < 2:
        raise NotEstimableError(f"{len(y)} items have a score and a label; a map needs two, and better thirty")
    if kind in ("isotonic", "pchip", "quantile", "ordinal", "platt", "beta") and len(x) > 1:
        raise InputError(f"the {kind} map is of one judge, not of {len(x)} columns")
    if kind != "shift" and (np.ptp(x[0]) == 0 if kind in ("linear", "covariate") or len(x) == 1 else not np.ptp(x)):
        raise NotEstimableError("the judge gives every item the same score")
    if kind in ("ordinal", "platt", "beta") and np.ptp(y) == 0:
        raise NotEstimableError(f"all labels are {y[0]:g}")
    if kind == "ordinal" and len(np.unique(y)) > LEVELS:
        raise NotEstimableError(f"the ordinal map is of at most {LEVELS} distinct labels")
    if kind in ("platt", "beta") and (not np.isin(y, (0, 1)).all() or x.min() < 0 or x.max() > 1):
        raise InputError(f"the {kind} map is of scores in [0, 1] and labels 0 and 1")
