"""Maps from a judge's scores to the human scale. They are plain numbers: JSON in a profile, NumPy alone to apply.

How they are fitted is in `judgekit.calibration.fitting`; which of them the data call for, in `choice`.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array
from judgekit.calibration.monotone import cubic, lines, rising, slopes
from judgekit.errors import InputError, nearest

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

Numbers = tuple[float, ...]
STRICT = {"extra": "forbid", "allow_inf_nan": False}
TILT = 0.02  # the slope that a reward has at least, where scale and support are both taken to have length 1
BLOCK = 1 << 14  # scores at a time, which stay in the cache; changes nothing in the result
POINTS = 33  # at which a curve that has no points of its own is read for its reward


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted(ABC):
    """What all maps have in common.

    Attributes:
        scale: the lowest and the highest human score; a mapped score does not leave it.
        support: the lowest and the highest score of each column among the labels; elsewhere the map is a guess.
        n: labels that it was fitted on; ``missing``: items left out because a score or a label was missing.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    scale: tuple[float, float]
    support: tuple[tuple[float, float], ...]
    n: int
    missing: int = 0

    def apply(self, judge: ArrayLike) -> Array:
        """Return the scores on the human scale; NaN stays NaN.

        Args:
            judge: shape (items,), or (columns, items) for a map of several columns.

        Raises:
            InputError: not as many columns as the map has.
        """
        return in_blocks(lambda columns: np.clip(self.raw(columns), *self.scale), self.columns(judge))

    def supported(self, judge: ArrayLike) -> NDArray[np.bool_]:
        """Return which items lie where the map was fitted, in every column; shape (items,). A missing one does not."""
        low, high = np.array(self.support).T[:, :, None]
        columns = self.columns(judge)
        return np.asarray(((columns >= low) & (columns <= high)).all(0))

    def columns(self, judge: ArrayLike) -> Array:
        """Return the scores as (columns, items)."""
        found = np.atleast_2d(np.asarray(judge, dtype=float))
        if found.shape[0] != len(self.support) or found.ndim != 2:
            raise InputError(f"the map is of {len(self.support)} columns, but the scores have the shape {found.shape}")
        return found

    @abstractmethod
    def raw(self, columns: Array) -> Array:
        """Return the mapped scores before they are held to the scale; shape (items,)."""

    def to_dict(self) -> dict[str, Any]:
        """Return the map as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear(Fitted):
    """``intercept + slopes . columns``: one judge, a judge with covariates, or a panel."""

    type: Literal["shift", "linear", "covariate", "mean", "nnls", "stack"]
    intercept: float
    slopes: Numbers

    def __post_init__(self) -> None:
        if len(self.slopes) != len(self.support):
            raise InputError(f"{len(self.slopes)} slopes for {len(self.support)} columns")

    def raw(self, columns: Array) -> Array:
        found = self.slopes[0] * columns[0] + self.intercept
        for slope, column in zip(self.slopes[1:], columns[1:], strict=True):
            found += slope * column
        return np.asarray(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve(Fitted):
    """A curve through points: lines between them (isotonic, quantile) or the monotone cubic (pchip); flat outside."""

    type: Literal["isotonic", "quantile", "pchip"]
    x: Numbers
    y: Numbers

    def __post_init__(self) -> None:
        _risen(self.x, self.y)

    def raw(self, columns: Array) -> Array:
        x, y = np.array(self.x), np.array(self.y)
        if self.type == "pchip":
            return cubic(columns[0], x, y, slopes(x, y))
        return lines(columns[0], x, y)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordinal(Fitted):
    """The expected score of a cumulative logit model: P(human >= values[k + 1]) is the logistic of slope x - cut k."""

    type: Literal["ordinal"]
    slope: float
    cuts: Numbers
    values: Numbers

    def __post_init__(self) -> None:
        if len(self.values) != len(self.cuts) + 1 or len(self.cuts) == 0:
            raise InputError(f"{len(self.values)} values need {len(self.values) - 1} cuts, not {len(self.cuts)}")

    def raw(self, columns: Array) -> Array:
        middle = (self.cuts[0] + self.cuts[-1]) / 2
        cuts = np.exp(np.clip(np.array(self.cuts) - middle, -300, 300))
        odds = np.exp(np.clip(self.slope * columns[0] - middle, -300, 300))
        found, below = np.full(len(odds), self.values[-1]), np.empty(len(odds))
        for step, cut in zip(np.diff(self.values), cuts, strict=True):
            np.add(odds, cut, out=below)
            np.divide(step * cut, below, out=below)
            found -= below
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic(Fitted):
    """A probability from a score in [0, 1]: Platt's, or the beta map.

    Platt (1999): the logistic of ``slopes[0] x + intercept``. Beta (Kull, Silva Filho & Flach 2017): of
    ``slopes[0] log x - slopes[1] log(1 - x) + intercept``, with scores held a millionth inside of 0 and 1.
    """

    type: Literal["platt", "beta"]
    slopes: Numbers
    intercept: float

    def __post_init__(self) -> None:
        if len(self.slopes) != (1 if self.type == "platt" else 2):
            raise InputError(f"a {self.type} map has not {len(self.slopes)} slopes")

    def raw(self, columns: Array) -> Array:
        x = logs(columns[0]) if self.type == "beta" else columns
        z = self.intercept + sum(slope * column for slope, column in zip(self.slopes, x, strict=True))
        return np.asarray(1 / (1 + np.exp(-np.clip(z, -500, 500))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """A map whose value strictly rises with the score, also beyond what was seen: no pair of a GRPO group is tied.

    The columns are added up as ``slopes . columns``; a monotone cubic through the points follows, which goes on with
    its last slope outside of them; ``tilt`` times the sum is added. What differs by at least a billionth of the largest
    of both scores and of the support keeps its order; below that a float cannot promise it.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    type: Literal["reward"]
    slopes: Numbers
    x: Numbers
    y: Numbers
    tilt: float

    def __post_init__(self) -> None:
        _risen(self.x, self.y)
        if not self.tilt > 0:
            raise InputError(f"the tilt of a reward is above 0, not {self.tilt}")

    def apply(self, judge: ArrayLike) -> Array:
        """Return the rewards, about on the human scale; NaN stays NaN. Shapes as in `Fitted.apply`."""
        columns = np.atleast_2d(np.asarray(judge, dtype=float))
        if columns.shape[0] != len(self.slopes) or columns.ndim != 2:
            raise InputError(f"the reward is of {len(self.slopes)} columns, not of the shape {columns.shape}")
        return in_blocks(self._raw, columns)

    def _raw(self, columns: Array) -> Array:
        total = self.slopes[0] * columns[0]
        for slope, column in zip(self.slopes[1:], columns[1:], strict=True):
            total += slope * column
        x, y = np.array(self.x), np.array(self.y)
        d = slopes(x, y)
        found = cubic(total, x, y, d)
        if total.min(initial=x[0]) < x[0] or total.max(initial=x[-1]) > x[-1] or np.isnan(total).any():
            found += np.minimum(total - x[0], 0) * d[0] + np.maximum(total - x[-1], 0) * d[-1]
        total -= x.mean()
        total *= self.tilt
        return np.asarray(found + total)

    def to_dict(self) -> dict[str, Any]:
        """Return the reward as JSON values."""
        return asdict(self)


Map = Linear | Curve | Ordinal | Logistic


def reward_map(fitted: Map) -> Reward:
    """Return the strictly rising reward of a fitted map.

    Step maps tie pairs within a group, and a policy leaves the support: so the reward is the monotone cubic through the
    rising points of the map, plus a small slope. Where a judge falls as people rise, the small slope is all there is.
    A linear map of several columns keeps its weights, and its reward rises with their sum; with a judge's score too,
    where that score has a weight above 0.
    """
    reach = fitted.scale[1] - fitted.scale[0] or 1.0
    if isinstance(fitted, Linear) and len(fitted.slopes) > 1:
        ends = np.array(fitted.slopes) @ np.array(fitted.support)
        return _line(fitted.slopes, fitted.intercept, float(ends.mean()))
    low, high = fitted.support[0]
    x = np.array(fitted.x) if isinstance(fitted, Curve) else np.linspace(low, high, POINTS if high > low else 1)
    x, y = rising(x, fitted.raw(x[None]))
    return Reward(
        type="reward", slopes=(1.0,), x=tuple(x.tolist()), y=tuple(y.tolist()), tilt=TILT * reach / ((high - low) or 1)
    )


def _line(weights: Numbers, intercept: float, middle: float) -> Reward:
    """Return ``intercept + weights . columns`` as a reward: the tilt is part of its slope of 1."""
    at = (middle - 0.5, middle + 0.5)
    y = tuple(intercept + middle + (1 - TILT) * (value - middle) for value in at)
    return Reward(type="reward", slopes=weights, x=at, y=y, tilt=TILT)


def from_dict(data: dict[str, Any]) -> Map | Reward:
    """Return the map or the reward that ``to_dict`` gave.

    Raises:
        InputError: an unknown type, a key too many or too few, a number that is not one, or points that fall.
    """
    from pydantic import ValidationError

    try:
        return _adapter().validate_python(data)
    except ValidationError as error:
        known = {name for kind in get_args(Map | Reward) if data.get("type") in _types(kind) for name in names(kind)}
        raise InputError(f"not a calibration map: {refusal(error, known)}") from error


def refusal(error: ValidationError, known: Iterable[str]) -> str:
    """Say in one line what a validator has against a map; ``known``: the keys that it may have."""
    for fault in error.errors():
        if fault["type"] == "unexpected_keyword_argument":
            return f"unknown key {fault['loc'][-1]!r}{nearest(str(fault['loc'][-1]), known)}"
    first = error.errors()[0]
    return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))


def names(kind: type[Any]) -> tuple[str, ...]:
    """Return the keys of a map of this class."""
    return tuple(field.name for field in fields(kind))


def _types(kind: type[Any]) -> tuple[str, ...]:
    return get_args(get_type_hints(kind)["type"])


@cache
def _adapter() -> TypeAdapter[Map | Reward]:
    from typing import Annotated

    from pydantic import Field, TypeAdapter

    return TypeAdapter(Annotated[Linear | Curve | Ordinal | Logistic | Reward, Field(discriminator="type")])


def in_blocks(curve: Callable[[Array], Array], columns: Array) -> Array:
    """Return ``curve`` of (columns, items), block by block; shape (items,)."""
    found = np.empty(columns.shape[1])
    for start in range(0, len(found), BLOCK):
        own = slice(start, start + BLOCK)
        found[own] = curve(columns[:, own])
    return found


def logs(x: Array) -> Array:
    """Return log x and -log(1 - x), shape (2, items), of scores held inside of 0 and 1."""
    held = np.clip(x, 1e-6, 1 - 1e-6)
    return np.stack([np.log(held), -np.log(1 - held)])


def _risen(x: Numbers, y: Numbers) -> None:
    if len(x) != len(y) or not x or any(math.isinf(v) or math.isnan(v) for v in (*x, *y)):
        raise InputError(f"a curve needs as many x as y, all finite: {len(x)} and {len(y)}")
    if any(b <= a for a, b in itertools.pairwise(x)) or any(b < a for a, b in itertools.pairwise(y)):
        raise InputError("the points of a curve rise in x and do not fall in y")
