"""Intervals for the human score of one item (conformal prediction), and which items a judge may keep."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.choice import folds_of
from judgekit.calibration.estimate import Array, Clusters, NotEstimableError, number, one_of
from judgekit.calibration.fitting import Kind, fit
from judgekit.calibration.maps import STRICT, Map, from_dict, names, refusal
from judgekit.errors import InputError

FEW = 150  # labels below which none is kept aside: the maps without each fold say how far they miss
BLOCK = 1 << 12  # items at a time, each with all residuals
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformal:
    """Intervals that hold the human score of an item of a new group as often as ``coverage`` says.

    ``split``: one map, and how far it missed on labels that it did not see (Vovk, Gammerman & Shafer 2005). ``cross``:
    for few labels, a map without each fold, and how far it missed on that fold (CV+; Barber et al. 2021, Annals of
    Statistics 49:486), whose promise is 1 - 2 (1 - coverage), and whose practice is ``coverage``.

    The rank is of n + 1, one place for the new item. Items of one group are missed together; with groups, the place is
    as large as the design effect of being missed (Kish 1965), estimated from the labels: between 1 and the size of a
    group. Without groups the promise is exact; with them it is what the simulations in the tests show.

    Attributes:
        maps: one, or one a fold.
        fold: the map of each residual, by number; ``residuals``: how far it missed, and ``weights``: what each counts,
            summing to 1 in a category together with the place of the new item; ``categories``: of each
            residual, empty where they are not ``by_category``. Of a split only what makes its interval is kept.
        step: of the rating grid from the lowest score of the scale; an interval is drawn in to the outermost grid
            points that it holds, which no score on the grid can tell from it. None: no grid.
        labels: that the residuals come from; ``groups``: of them.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    type: Literal["split", "cross"]
    by_category: bool
    maps: tuple[Map, ...]
    fold: tuple[int, ...]
    residuals: tuple[float, ...]
    weights: tuple[float, ...]
    categories: tuple[str, ...]
    coverage: float
    scale: tuple[float, float]
    step: float | None
    labels: int
    groups: int

    def __post_init__(self) -> None:
        if not len(self.fold) == len(self.residuals) == len(self.weights) == len(self.categories):
            raise InputError("each residual has its fold, its weight and its category")
        if not self.maps or not set(self.fold) <= set(range(len(self.maps))):
            raise InputError(f"the folds of residuals are numbers of {len(self.maps)} maps")

    def interval(self, judge: ArrayLike, categories: Sequence[str] | None = None) -> tuple[Array, Array]:
        """Return the lower and upper ends, shape (items,); NaN for a missing score.

        A category without enough labels, or unknown, has the whole scale for its interval.

        Args:
            judge: as in the maps; ``categories``: of each item, where the intervals were made by category.
        """
        if (categories is None) == self.by_category:
            raise InputError("give the category of each item where, and only where, the intervals are by category")
        middle = np.stack([one.apply(judge) for one in self.maps])
        low, high = self._by_category(middle, list(categories)) if categories is not None else self._ends(middle)
        low, high = self._snapped(np.clip(low, *self.scale), np.clip(high, *self.scale))
        missing = np.isnan(middle[0])
        low[missing], high[missing] = np.nan, np.nan
        return low, high

    def _by_category(self, middle: Array, names: list[str]) -> tuple[Array, Array]:
        if len(names) != middle.shape[1]:
            raise InputError(f"{len(names)} categories for {middle.shape[1]} scores")
        low, high = np.repeat(np.array(self.scale, dtype=float)[:, None], middle.shape[1], axis=1)
        wanted, own = np.array(names, dtype=str), np.array(self.categories, dtype=str)
        for name in np.unique(wanted):
            at = wanted == name
            low[at], high[at] = self._ends(middle[:, at], np.flatnonzero(own == name))
        return low, high

    def _ends(self, middle: Array, of: Ints | slice = slice(None)) -> tuple[Array, Array]:
        """Return the ends of unclipped intervals from the residuals ``of`` one category."""
        residuals, weights = np.array(self.residuals)[of], np.array(self.weights)[of]
        if self.type == "split":
            margin = upper_quantile(residuals, weights, self.coverage)
            return middle[0] - margin, middle[0] + margin
        fold = np.array(self.fold, dtype=int)[of]
        ends = np.empty((2, middle.shape[1]))
        for start in range(0, middle.shape[1], BLOCK):
            own = slice(start, start + BLOCK)
            centres = middle[fold, own]
            for end, sign in zip(ends, (-1, 1), strict=True):
                end[own] = sign * _upper_quantiles(sign * centres + residuals[:, None], weights, self.coverage)
        return ends[0], ends[1]

    def _snapped(self, low: Array, high: Array) -> tuple[Array, Array]:
        if self.step is None:
            return low, high
        first, last = (low - self.scale[0]) / self.step, (high - self.scale[0]) / self.step
        inner, outer = np.ceil(first - 1e-9), np.floor(last + 1e-9)
        nearest = np.rint((first + last) / 2)
        empty = inner > outer  # between two grid points; no score can lie there
        a, b = np.where(empty, nearest, inner), np.where(empty, nearest, outer)
        return self.scale[0] + a * self.step, self.scale[0] + b * self.step

    def to_dict(self) -> dict[str, Any]:
        """Return the intervals as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Conformal:
        """Return the intervals that ``to_dict`` gave.

        Raises:
            InputError: a key too many or too few, or a value that is not of its kind.
        """
        from pydantic import TypeAdapter, ValidationError

        if isinstance(data.get("maps"), list | tuple):
            data = data | {"maps": tuple(from_dict(one) if isinstance(one, dict) else one for one in data["maps"])}
        try:
            return TypeAdapter(cls).validate_python(data)
        except ValidationError as error:
            raise InputError(f"not conformal intervals: {refusal(error, names(cls))}") from error


def upper_quantile(residuals: Array, weights: Array, coverage: float) -> float:
    """Return the least residual below or at which there is a weight of ``coverage``; infinite where there is none."""
    order = np.argsort(residuals)
    reached = np.flatnonzero(weights[order].cumsum() >= coverage - 1e-12)
    return float(residuals[order[reached[0]]]) if len(reached) else float("inf")


def _upper_quantiles(columns: Array, weights: Array, coverage: float) -> Array:
    """Return `upper_quantile` of each column; shape (residuals, items) to (items,)."""
    order = np.argsort(columns, axis=0)
    reached = weights[order].cumsum(0) >= coverage - 1e-12
    ranked = np.vstack([np.take_along_axis(columns, order, 0), np.full(columns.shape[1], np.inf)])
    rank = np.where(reached.any(0), reached.argmax(0) if len(reached) else 0, len(columns))
    return np.asarray(ranked[rank, np.arange(columns.shape[1])])


def design_effect(residuals: Array, groups: Ints, coverage: float) -> float:
    """Return by how much more the share of missed items varies than if groups did not matter, 1 to a group's size."""
    n, sizes = len(residuals), np.bincount(groups)
    most = float((sizes**2).sum() / n)
    missed = residuals > upper_quantile(residuals, np.full(n, 1 / (n + 1)), coverage)
    away = missed - missed.mean()
    if not missed.any() or len(sizes) < 2:
        return most
    together = (np.bincount(groups, away) ** 2).sum() * len(sizes) / (len(sizes) - 1)
    return min(max(float(together / (away**2).sum()), 1.0), most)


def conformal(
    kind: Kind,
    judge: ArrayLike,
    human: ArrayLike,
    *,
    groups: Clusters | None = None,
    categories: Sequence[str] | None = None,
    coverage: float = 0.9,
    scale: tuple[float, float],
    step: float | None = None,
    seed: int = 0,
) -> Conformal:
    """Fit a map of a kind and make its intervals: by split from 150 labels up, by cross-fitting below.

    Args:
        judge: shape (items,) or (columns, items); NaN is missing, as in ``human``.
        groups: the prompt of each item; without it every item is its own.
        categories: Mondrian intervals: each category keeps the promise for itself, and needs labels of its own.
        coverage: at least so often an interval is to hold the human score.
        scale: the lowest and highest human score; ``step``: of the grid that human scores lie on.

    Raises:
        NotEstimableError: fewer than 4 groups.
        InputError: an unknown kind, shapes that do not fit, or a coverage outside of 0 and 1.
    """
    one_of("kind", kind, get_args(Kind))
    x, y, names, kinds = _known(judge, human, groups, categories)
    if not 0 < coverage < 1:
        raise InputError(f"a coverage lies between 0 and 1, not {coverage}")
    _on_grid(y, scale[0], step)
    k = int(names.max(initial=-1)) + 1
    if k < 4:
        raise NotEstimableError(f"{k} groups have a score and a label; an interval needs 4, better 30")
    if len(y) >= FEW:
        half = np.isin(folds_of(names, seed, most=2)[names], 0)
        fitted = fit(kind, x[:, half], y[half], scale=scale)
        rest = ~half
        return split_conformal(
            fitted, x[:, rest], y[rest], groups=names[rest],
            categories=None if categories is None else kinds[rest].tolist(), coverage=coverage, step=step,
        )  # fmt: skip
    folds = folds_of(names, seed)[names]
    maps = tuple(fit(kind, x[:, folds != f], y[folds != f], scale=scale) for f in range(int(folds.max()) + 1))
    centre = np.array([one.apply(x) for one in maps])[folds, np.arange(len(y))]
    return _made("cross", maps, folds, np.abs(y - centre), names, kinds, categories is not None, coverage, scale, step)


def split_conformal(
    fitted: Map,
    judge: ArrayLike,
    human: ArrayLike,
    *,
    groups: Clusters | None = None,
    categories: Sequence[str] | None = None,
    coverage: float = 0.9,
    step: float | None = None,
) -> Conformal:
    """Return the intervals of a fitted map, from labels that it was not fitted on; the arguments as in `conformal`."""
    x, y, names, kinds = _known(judge, human, groups, categories)
    _on_grid(y, fitted.scale[0], step)
    residuals = np.abs(y - fitted.apply(x))
    zeros = np.zeros(len(y), dtype=np.int64)
    return _made(
        "split", (fitted,), zeros, residuals, names, kinds, categories is not None, coverage, fitted.scale, step
    )


def _made(
    kind: Literal["split", "cross"],
    maps: tuple[Map, ...],
    folds: Ints,
    residuals: Array,
    names: Ints,
    kinds: NDArray[np.str_],
    by_category: bool,
    coverage: float,
    scale: tuple[float, float],
    step: float | None,
) -> Conformal:
    weights = np.empty(len(residuals))
    for category in np.unique(kinds):
        own = kinds == category
        weights[own] = 1 / (own.sum() + design_effect(residuals[own], number(names[own]), coverage))
    found = Conformal(
        type=kind, by_category=by_category, maps=maps, fold=tuple(folds.tolist()), residuals=tuple(residuals.tolist()),
        weights=tuple(weights.tolist()), categories=tuple(kinds.tolist()), coverage=coverage, scale=scale, step=step,
        labels=len(residuals), groups=len(np.unique(names)),
    )  # fmt: skip
    return found if kind == "cross" else _short(found)


def _short(split: Conformal) -> Conformal:
    """Return the same intervals from one residual a category, none where the interval is the whole scale."""
    margins = {}
    for name in sorted(set(split.categories)):
        own = np.array(split.categories) == name
        margins[name] = upper_quantile(np.array(split.residuals)[own], np.array(split.weights)[own], split.coverage)
    finite = {name: margin for name, margin in margins.items() if margin < np.inf}
    ones = len(finite)
    return replace(
        split, fold=(0,) * ones, residuals=tuple(finite.values()), weights=(1.0,) * ones, categories=tuple(finite)
    )


def _on_grid(human: Array, low: float, step: float | None) -> None:
    """Refuse labels between the points of the grid: an interval drawn in to those points would lose them."""
    steps = (human - low) / step if step else np.zeros(0)
    if np.abs(steps - np.rint(steps)).max(initial=0) > 1e-6:
        raise InputError(f"labels lie between the points of a grid of {step:g}, as means of raters do; give no step")


def _known(
    judge: ArrayLike, human: ArrayLike, groups: Clusters | None, categories: Sequence[Hashable] | None
) -> tuple[Array, Array, Ints, NDArray[np.str_]]:
    x, y = np.atleast_2d(np.asarray(judge, dtype=float)), np.asarray(human, dtype=float)
    names = np.arange(len(y)) if groups is None else number(groups)
    kinds = np.array([""] * len(y) if categories is None else [str(name) for name in categories])
    if not x.shape[-1] == len(y) == len(names) == len(kinds):
        raise InputError(f"{x.shape[-1]} scores, {len(y)} labels, {len(names)} groups and {len(kinds)} categories")
    known = ~np.isnan(x).any(0) & ~np.isnan(y)
    return x[:, known], y[known], number(names[known]), kinds[known]
