"""Several judges: how alike they err, how many of them there really are, what each is worth, and their best weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.choice import PANEL, Choice, Ints, choose, folds_of
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number, one_of
from judgekit.calibration.fitting import Kind
from judgekit.calibration.interval import SAME
from judgekit.calibration.maps import Linear
from judgekit.calibration.refits import Refits
from judgekit.errors import InputError

DEFAULT = Bootstrap()


@dataclass(frozen=True, slots=True)
class Panel:
    """What a panel of judges is worth on labels that it was not fitted on.

    Attributes:
        choice: the chosen weights as a map, with its honest error and its predictions on held-out groups.
        weights: of each judge, shape (judges,): by how much of a standard deviation the panel moves when this judge
            moves by one of its own, over the sum of the sizes of these; below 0 where a judge corrects others.
        correlation: of the judges' errors, shape (judges, judges).
        effective: how many judges with independent errors they are worth.
        worth: of each judge, by how much the mean squared error grows without it.
        missing: items left out because a score or a label is missing.
    """

    choice: Choice
    weights: Array
    correlation: Array
    effective: Estimate
    worth: tuple[Estimate, ...]
    missing: int


def fit_panel(
    judges: ArrayLike,
    human: ArrayLike,
    *,
    groups: Clusters | None = None,
    kinds: Sequence[Kind] = PANEL,
    scale: tuple[float, float] | None = None,
    bootstrap: Bootstrap = DEFAULT,
) -> Panel:
    """Fit weights of several judges, and judge them by nested cross-validation over whole groups.

    Of the plain mean, weights of 0 and above (a simplex and a slope) and ridge regression the simplest is taken that is
    not worse than the best by more than one standard error.

    Args:
        judges: shape (judges, items), two judges or more; human: shape (items,). NaN is missing; an item counts where
            all judges and the human have a score.
        groups: the prompt of each item; without it every item is its own.

    Raises:
        NotEstimableError: fewer than three groups, or a judge that does not vary.
        InputError: shapes that do not fit.
    """
    x, y = _shaped(judges, human)
    known, own = _known(x, y, groups)
    choice = choose(x, y, groups, kinds=kinds, scale=scale, bootstrap=bootstrap)
    fitted = choice.map
    if not isinstance(fitted, Linear):
        raise InputError(f"a panel is a weighted sum of its judges, not a {choice.kind} map")
    pull = np.array(fitted.slopes) * x[:, known].std(1)
    return Panel(
        choice,
        pull / (np.abs(pull).sum() or 1),
        error_correlation(x, y),
        effective_judges(x, y, units=groups, bootstrap=bootstrap),
        judge_worth(choice.kind, x[:, known], y[known], groups=own, scale=scale, bootstrap=bootstrap),
        len(y) - len(known),
    )


def error_correlation(judges: ArrayLike, human: ArrayLike) -> Array:
    """Return how the errors of the judges go together, shape (judges, judges).

    An error is the judge's score, brought to the mean and the spread of the human scores, less the human score; so
    severity is none. The noise of the human scores is part of every error, and adds to the correlations.

    Raises:
        NotEstimableError: fewer than three items with all scores, or a judge that does not vary.
    """
    x, y = _complete(judges, human)
    covariance = np.cov(_errors(x, y), bias=True)
    spread = np.sqrt(np.diag(covariance))
    errs = spread > SAME * y.std()
    scale = np.where(errs, spread, 1)
    return np.where(np.logical_and.outer(errs, errs), covariance / np.outer(scale, scale), math.nan)


def effective_judges(
    judges: ArrayLike, human: ArrayLike, *, units: Clusters | None = None, bootstrap: Bootstrap = DEFAULT
) -> Estimate:
    """Return the number of judges with independent errors that would be worth as many: k / (1 + (k - 1) r).

    With r the mean correlation of the errors (Kish 1965, Survey Sampling, section 5.4). It passes k where errors
    cancel. The interval takes mean and spread of the judges for known.

    Args:
        units: the cluster of each item, shape (items,).
    """
    x, y = _shaped(judges, human)
    known, own = _known(x, y, units)
    errors, k = _errors(*_complete(x, y)), len(x)
    i, j = np.triu_indices(k)
    beside = i != j
    rows = np.vstack([np.ones((1, errors.shape[1])), errors, errors[i] * errors[j]]).T

    def statistic(sums: Array) -> Array:
        n, mean = sums[:, :1], sums[:, 1 : k + 1] / sums[:, :1]
        covariance = sums[:, k + 1 :] / n - mean[:, i] * mean[:, j]
        inverse = 1 / np.sqrt(np.maximum(covariance[:, ~beside], 1e-300))
        r = (covariance[:, beside] * inverse[:, i[beside]] * inverse[:, j[beside]]).mean(1)
        return np.asarray(k / np.maximum(1 + (k - 1) * r, 1e-12))

    found = bootstrap.of_sums(rows, statistic, None if units is None else own)
    lost = len(y) - len(known)
    left = f"{lost} items without all scores were left out" if lost else ""
    return replace(found, note="; ".join(note for note in (found.note, left) if note))


def judge_worth(
    kind: Kind,
    judges: ArrayLike,
    human: ArrayLike,
    *,
    groups: Clusters | None = None,
    scale: tuple[float, float] | None = None,
    bootstrap: Bootstrap = DEFAULT,
) -> tuple[Estimate, ...]:
    """Return by how much the mean squared error on held-out groups grows without each judge; above 0 it is of use.

    The intervals take the kind for given. Where the same labels chose it, and narrowly, that is too much to take: they
    then hold what a judge is worth to the panel in 75 to 90 % (of two judges, simulated).
    """
    one_of("kind", kind, get_args(Kind))
    x, y = _shaped(judges, human)
    known, own = _known(x, y, groups)
    x, y = x[:, known], y[known]
    refits = Refits.of(x, y, np.ones(len(y)), folds_of(own, bootstrap.seed)[own], scale)
    whole = (refits.held_out(kind) - y) ** 2
    return tuple(bootstrap.mean((refits.drop(j).held_out(kind) - y) ** 2 - whole, own) for j in range(len(x)))


def _shaped(judges: ArrayLike, human: ArrayLike) -> tuple[Array, Array]:
    x, y = np.asarray(judges, dtype=float), np.asarray(human, dtype=float)
    if x.ndim != 2 or len(x) < 2 or y.shape != x.shape[1:]:
        raise InputError(f"a panel has two judges or more, (judges, items), and labels (items,): {x.shape}, {y.shape}")
    return x, y


def _known(x: Array, y: Array, groups: Clusters | None) -> tuple[Ints, Ints]:
    known = np.flatnonzero(~np.isnan(x).any(0) & ~np.isnan(y))
    if groups is not None and len(groups) != len(y):
        raise InputError(f"{len(y)} items, but {len(groups)} groups")
    return known, known if groups is None else number(number(groups)[known])


def _complete(judges: ArrayLike, human: ArrayLike) -> tuple[Array, Array]:
    x, y = _shaped(judges, human)
    known, _ = _known(x, y, None)
    if len(known) < 3:
        raise NotEstimableError(f"{len(known)} items have the scores of all judges and a label; it needs three")
    return x[:, known], y[known]


def _errors(x: Array, y: Array) -> Array:
    if (np.ptp(x, axis=1) == 0).any():
        raise NotEstimableError("a judge gives every item the same score: " + str(int(np.argmin(np.ptp(x, axis=1)))))
    centred = x - x.mean(1, keepdims=True)
    return np.asarray(centred * (y.std() / x.std(1, keepdims=True)) - (y - y.mean()))
