"""Which map the data call for: nested grouped cross-validation with the one-standard-error rule."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number, one_of
from judgekit.calibration.fitting import Kind, fit
from judgekit.calibration.maps import Map
from judgekit.calibration.refits import Refits
from judgekit.errors import InputError

# From the simplest: of two maps that predict alike, the earlier is taken.
SIMPLICITY: tuple[Kind, ...] = (
    "shift", "linear", "mean", "platt", "covariate", "nnls", "stack", "ordinal", "isotonic", "pchip", "beta", "quantile"
)  # fmt: skip
ONE_JUDGE: tuple[Kind, ...] = ("shift", "linear", "ordinal", "isotonic", "pchip", "quantile")
PROBABILITY: tuple[Kind, ...] = ("linear", "platt", "isotonic", "pchip", "beta")
PANEL: tuple[Kind, ...] = ("mean", "nnls", "stack")
FOLDS = 10
DEFAULT = Bootstrap()
Ints = NDArray[np.int64]
Scale = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """How a kind of map did on labels that it was not fitted on.

    Attributes:
        error: root mean squared error, in points of the human scale; ``se`` its standard error over groups. None where
            the kind cannot be fitted; ``note`` says why.
        behind: mean squared error less that of the best kind, and ``behind_se`` its standard error over groups.
    """

    kind: Kind
    error: float | None
    se: float | None
    behind: float | None
    behind_se: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen map, and what can be expected of choosing and fitting like this.

    Attributes:
        map: of the chosen kind, fitted to all labels.
        candidates: every kind that was asked for, from the simplest.
        error: the honest root mean squared error: of items that had no part in fitting *or choosing*.
        predicted: what those items were mapped to, shape (items,); NaN where a score or a label is missing.
        picked: the kind that was chosen without each fold.
    """

    map: Map
    candidates: tuple[Candidate, ...]
    error: Estimate
    predicted: Array
    picked: tuple[Kind, ...]

    @property
    def kind(self) -> Kind:
        """The kind of the chosen map."""
        return self.map.type


def choose(
    judge: ArrayLike,
    human: ArrayLike,
    groups: Clusters | None = None,
    *,
    kinds: Sequence[Kind] | None = None,
    weights: ArrayLike | None = None,
    scale: tuple[float, float] | None = None,
    bootstrap: Bootstrap = DEFAULT,
) -> Choice:
    """Choose a kind of map by cross-validated squared error, and say how well such a choice does on new groups.

    The simplest kind is taken whose error is at most one standard error above the lowest (Breiman et al. 1984, 3.4.3);
    the error of the *difference*, over groups, since the kinds are judged on the same items. Ten folds of whole groups
    (fewer where there are not ten groups). The honest error comes from choosing again without each fold. For that, each
    map is fitted once without every two folds, which serves both of them: 56 fits a kind, not 111.

    The interval of the error counts the items that happened to be there, not the labels that were fitted on.

    Args:
        judge: shape (items,), or (columns, items) for several judges or a judge with covariates; NaN is missing.
        groups: the prompt of each item; a group is never split. Without it every item is its own group.
        kinds: of ONE_JUDGE without it; of PROBABILITY where all labels are 0 and 1 and scores lie in [0, 1]; of PANEL
            for several columns. With covariates ask for ``("shift", "linear", "covariate")``.

    Raises:
        NotEstimableError: fewer than three groups, or no kind can be fitted.
        InputError: as in `fit`.
    """
    columns, labels = np.atleast_2d(np.asarray(judge, dtype=float)), np.asarray(human, dtype=float)
    names = np.arange(len(labels)) if groups is None else number(groups)
    counts = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=float)
    if columns.shape[-1] != len(labels) or len(names) != len(labels) or counts.shape != labels.shape:
        raise InputError(f"scores {columns.shape}, labels {labels.shape} and {len(names)} groups are not of one length")
    known = np.flatnonzero(~np.isnan(columns).any(0) & ~np.isnan(labels))
    x, y, w, own = columns[:, known], labels[known], counts[known], number(names[known])
    held = Held.out(_ordered(kinds, x, y), x, y, w, own, scale, bootstrap.seed)
    picks = [held.pick(fold) for fold in range(held.once.shape[0])]
    found = np.array([held.predicted[pick] for pick in picks])[held.folds[own], np.arange(len(y))]
    predicted = np.full(len(labels), np.nan)
    predicted[known] = found
    error = bootstrap.of_sums(np.stack([w * (found - y) ** 2, w], axis=1), _root, own)
    chosen = replace(fit(held.kinds[held.pick(None)], x, y, w, scale=scale), missing=len(labels) - len(y))
    return Choice(chosen, held.candidates(), error, predicted, tuple(held.kinds[pick] for pick in picks))


def folds_of(groups: Ints, seed: int, most: int = FOLDS) -> Ints:
    """Return the fold of each group: as even in items as can be, the same for the same seed. Shape (groups,)."""
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    folds, filled = np.empty(len(sizes), dtype=np.int64), [(0, k) for k in range(min(most, len(sizes)))]
    for group in order.tolist():
        held, fold = heapq.heappop(filled)
        folds[group] = fold
        heapq.heappush(filled, (held + int(sizes[group]), fold))
    return folds


@dataclass(frozen=True, slots=True)
class Held:
    """Squared errors on items that were held out, summed over groups.

    Attributes:
        kinds: those that could be fitted on every part; ``refused``: why the others could not.
        folds: of each group; ``size``: the weight of each group.
        predicted: of each kind, by the map without the item's own fold, shape (kinds, items); ``errors`` its squared
            errors, shape (kinds, groups).
        once: of each fold and kind, the squared errors of maps that saw neither that fold nor the group's own, shape
            (folds, kinds, groups).
    """

    kinds: tuple[Kind, ...]
    refused: dict[Kind, str]
    folds: Ints
    size: Array
    predicted: Array
    errors: Array
    once: Array

    @classmethod
    def out(cls, kinds: Sequence[Kind], x: Array, y: Array, w: Array, groups: Ints, scale: Scale, seed: int) -> Held:
        """Fit every kind without each fold and without every two folds."""
        folds = folds_of(groups, seed)
        k, count = int(folds.max(initial=0)) + 1, len(folds)
        if count < 3:
            raise NotEstimableError(
                f"{count} groups have a score and a label; choosing a map needs three, better thirty"
            )
        refits, found, refused = Refits.of(x, y, w, folds[groups], scale), {}, {}
        for kind in kinds:
            try:
                found[kind] = _without(kind, refits)
            except NotEstimableError as error:
                refused[kind] = str(error)
        if not found:
            raise NotEstimableError("no kind of map can be fitted: " + "; ".join(refused.values()))

        def summed(predicted: Array) -> Array:
            return np.asarray(np.bincount(groups, w * (predicted - y) ** 2), dtype=float)

        errors = np.array([summed(own) for own, _ in found.values()])
        once = np.array([[summed(pairs[fold]) for _, pairs in found.values()] for fold in range(k)])
        predicted = np.array([own for own, _ in found.values()])
        size = np.asarray(np.bincount(groups, w), dtype=float)
        return cls(tuple(found), refused, folds, size, predicted, errors, once)

    def pick(self, fold: int | None) -> int:
        """Return the kind that the one-standard-error rule takes without a fold; without none, for None."""
        behind, se = self.behind(fold)
        return int(np.flatnonzero(behind <= se)[0])

    def behind(self, fold: int | None) -> tuple[Array, Array]:
        """Return how far the mean squared error of each kind lies above the lowest, and the standard error of that."""
        errors, kept = (
            (self.errors, np.ones(len(self.folds), bool)) if fold is None else (self.once[fold], self.folds != fold)
        )
        errors, size = errors[:, kept], self.size[kept]
        gaps = errors - errors[np.argmin(errors.sum(1))]
        return gaps.sum(1) / size.sum(), _standard_error(gaps, size)

    def candidates(self) -> tuple[Candidate, ...]:
        """Return what is to be said of every kind."""
        mse = self.errors.sum(1) / self.size.sum()
        se, (behind, behind_se) = _standard_error(self.errors, self.size), self.behind(None)
        rows = np.stack([np.sqrt(mse), se / (2 * np.sqrt(np.maximum(mse, 1e-300))), behind, behind_se], axis=1).tolist()
        found = {kind: Candidate(kind, *row) for kind, row in zip(self.kinds, rows, strict=True)}
        found |= {kind: Candidate(kind, None, None, None, None, why) for kind, why in self.refused.items()}
        return tuple(found[kind] for kind in SIMPLICITY if kind in found)


def _without(kind: Kind, refits: Refits) -> tuple[Array, Array]:
    """Return the predictions without the own fold, (items,), and without it and another, (folds, items)."""
    y, k = refits.y, len(refits.parts)
    own, pairs = np.empty(len(y)), np.tile(y, (k, 1))  # items of the other fold itself: no error, never read
    at = [refits.folds == fold for fold in range(k)]
    outs = list(itertools.combinations_with_replacement(range(k), 2))
    for (one, two), predict in zip(outs, refits.each(kind, outs), strict=True):
        if one == two:
            own[at[one]] = predict(at[one])
        else:
            pairs[one, at[two]], pairs[two, at[one]] = predict(at[two]), predict(at[one])
    return own, pairs


def _standard_error(sums: Array, size: Array) -> Array:
    """Return the standard error over groups of sums / size, for sums of shape (any, groups)."""
    away = sums - sums.sum(1, keepdims=True) / size.sum() * size
    g = len(size)
    return np.asarray(np.sqrt((away**2).sum(1) * g / (g - 1)) / size.sum())


def _ordered(kinds: Sequence[Kind] | None, x: Array, y: Array) -> tuple[Kind, ...]:
    if kinds is None:
        binary = len(x) == 1 and bool(np.isin(y, (0, 1)).all()) and x.min(initial=0) >= 0 and x.max(initial=1) <= 1
        kinds = PANEL if len(x) > 1 else PROBABILITY if binary else ONE_JUDGE
    for kind in kinds:
        one_of("kind", kind, SIMPLICITY)
    if not kinds:
        raise InputError(f"ask for one kind of map at least, of {', '.join(SIMPLICITY)}")
    return tuple(kind for kind in SIMPLICITY if kind in kinds)


def _root(sums: Array) -> Array:
    return np.asarray(np.sqrt(sums[:, 0] / sums[:, 1]))
