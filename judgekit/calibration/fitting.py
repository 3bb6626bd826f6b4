"""Fitting a map of a given kind to labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array, NotEstimableError, one_of
from judgekit.calibration.gram import Gram, along, nonnegative, ridge
from judgekit.calibration.logit import Logits, cumulative_logits, logistic
from judgekit.calibration.maps import Curve, Linear, Logistic, Map, Ordinal, logs
from judgekit.calibration.monotone import centred_isotonic, equipercentile
from judgekit.errors import InputError

Kind = Literal[
    "shift", "linear", "covariate", "mean", "nnls", "stack", "ordinal", "isotonic", "pchip", "quantile", "platt", "beta"
]
SUMMED: tuple[Kind, ...] = ("shift", "linear", "mean", "nnls", "stack")  # that need no more of the items than sums
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
        InputError: an unknown kind, shapes that do not fit, an infinite value, weights that are not above 0, labels
            off the scale, or scores and labels that `platt` and `beta` are not for.
    """
    one_of("kind", kind, get_args(Kind))
    columns, y, w = _checked(judge, human, weights)
    known = ~np.isnan(columns).any(0) & ~np.isnan(y)
    x, y, w = columns[:, known], y[known], w[known]
    estimable(kind, x, y)
    low, high = (float(y.min()), float(y.max())) if scale is None else scale
    if not low <= y.min() <= y.max() <= high:
        raise InputError(f"labels from {y.min():g} to {y.max():g} are off the scale from {low:g} to {high:g}")
    return _fitted(kind, x, y, w, _common(x, (low, high)) | {"missing": len(known) - len(y)})


def ordinals(
    x: Array, y: Array, w: Array, kept: Sequence[NDArray[np.bool_]], scale: tuple[float, float] | None
) -> list[Ordinal]:
    """Fit the ordinal map to several parts of the items, all at once.

    Args:
        x: shape (1, items), y, w: (items,); kept: the masks of the parts. ``scale``: as in `fit`.

    Raises:
        NotEstimableError: as in `fit`, of any part.
    """
    for own in kept:
        estimable("ordinal", x[:, own], y[own])
    parts = [_common(x[:, own], scale or (float(y[own].min()), float(y[own].max()))) for own in kept]
    found = cumulative_logits(x[0], y, np.where(kept, w, 0.0))
    return [_ordinal(logits, part) for logits, part in zip(found, parts, strict=True)]


def _common(x: Array, scale: tuple[float, float]) -> dict[str, Any]:
    support = tuple(zip(x.min(1).tolist(), x.max(1).tolist(), strict=True))
    return {"scale": scale, "support": support, "n": x.shape[1]}


def _ordinal(logits: Logits, common: dict[str, Any]) -> Ordinal:
    slope, cuts, values = logits
    return Ordinal(type="ordinal", slope=slope, cuts=_plain(cuts), values=_plain(values), **common)


def _fitted(kind: Kind, x: Array, y: Array, w: Array, common: dict[str, Any]) -> Map:
    match kind:
        case "ordinal":
            return _ordinal(cumulative_logits(x[0], y, w[None])[0], common)
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
    return tuple(values.tolist())


def _slopes(kind: Kind, x: Array, y: Array, w: Array) -> Array:
    if kind != "covariate":
        return summed(kind, Gram.of(x, y, w))
    root = np.sqrt(w)  # from the items and not from their sums, for covariates differ widely in size
    dx, dy = ((v - ((v * w).sum(-1) / w.sum())[..., None]) * root for v in (x, y))
    return np.asarray(np.linalg.lstsq(dx.T, dy, rcond=None)[0])


def summed(kind: Kind, gram: Gram) -> Array:
    """Return the slopes of one of the `SUMMED` kinds."""
    columns = len(gram.xy)
    if kind == "shift":
        return np.asarray(np.eye(columns)[0])
    if kind in ("linear", "mean"):
        return along(gram, np.eye(columns)[0] if kind == "linear" else np.full(columns, 1 / columns))
    return nonnegative(gram) if kind == "nnls" else ridge(gram)


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


def estimable(kind: Kind, x: Array, y: Array) -> None:
    """Refuse labels (items,) and columns (columns, items) that a kind of map cannot be fitted to."""
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
