"""Comparisons as arrays: who met whom, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array, Clusters, NotEstimableError
from judgekit.errors import InputError

POINTS = {"a": 1.0, "tie": 0.5, "b": 0.0, None: math.nan}
SMALL = 1 << 20  # numbers up to which models are counted in a table
Ints = NDArray[np.int64]
Outcomes = ArrayLike | Sequence[str | None]


@dataclass(frozen=True)
class Games:
    """The comparisons that have a verdict.

    Attributes:
        names: the models; ``a``, ``b``: the place of each side among them, shape (comparisons,).
        points: what a got: 1 won, 1/2 tied, 0 lost, or a share between; shape (comparisons,).
        kept: which of the given comparisons have a verdict: all, as a slice, or their places.
        missing: how many have none; ``unseen``: the models that only those hold, which are not among the names.
    """

    names: list[Hashable]
    a: Ints
    b: Ints
    points: Array
    kept: slice | Ints
    missing: int
    unseen: tuple[Hashable, ...] = ()

    @classmethod
    def of(cls, a: Clusters, b: Clusters, outcomes: Outcomes) -> Games:
        """Read comparisons.

        Raises:
            NotEstimableError: no comparison has a verdict.
            InputError: not one outcome for each comparison, a model against itself, an outcome of another kind.
        """
        points = points_of(outcomes)
        if not len(a) == len(b) == len(points):
            raise InputError(f"{len(a)} and {len(b)} models, but {len(points)} outcomes")
        names, one, two = _numbered(a, b)
        if (one == two).any():
            same = int((one == two).argmax())
            raise InputError(f"comparison {same} holds {names[one[same]]!r} against itself")
        if len(points) and not math.isnan(points.min()):
            return cls(names, one, two, points, slice(None), 0)
        kept = np.flatnonzero(~np.isnan(points))
        if not len(kept):
            raise NotEstimableError("no comparison has a verdict")
        there = np.bincount(np.concatenate([one[kept], two[kept]]), minlength=len(names)) > 0
        place = there.cumsum() - 1
        seen, unseen = ([name for name, t in zip(names, there, strict=True) if t == which] for which in (True, False))
        missing = len(points) - len(kept)
        return cls(seen, place[one[kept]], place[two[kept]], points[kept], kept, missing, tuple(unseen))


def points_of(outcomes: Outcomes) -> Array:
    """Return what a got: of "a", "b", "tie" and None, or of numbers from 0 to 1 with NaN for none."""
    values = np.asarray(outcomes)
    if values.ndim != 1:
        raise InputError(f"outcomes have the shape (comparisons,), not {values.shape}")
    if values.dtype.kind not in "fiub":
        try:
            return np.array([POINTS[outcome] for outcome in values.tolist()], dtype=np.float64)
        except KeyError as error:
            raise InputError(f'an outcome is {error}; it is "a", "b", "tie" or None, or the points of a') from None
    points = values.astype(np.float64, copy=False)
    if len(points) and (np.fmin.reduce(points) < 0 or np.fmax.reduce(points) > 1):
        raise InputError("the points of a are from 0 to 1: 1 won, 1/2 tied, 0 lost")
    return points


def _numbered(a: Clusters, b: Clusters) -> tuple[list[Hashable], Ints, Ints]:
    """Return the names, and the place of each side among them; of small whole numbers without looking each one up."""
    if all(isinstance(side, np.ndarray) and side.dtype.kind in "iu" and len(side) for side in (a, b)):
        one, two = np.asarray(a).astype(np.int64, copy=False), np.asarray(b).astype(np.int64, copy=False)
        size = int(max(side.view(np.uint64).max() for side in (one, two))) + 1  # a number below 0 is then a huge one
        if size <= SMALL:
            there = np.bincount(one, minlength=size) > 0
            if not there.all():
                there |= np.bincount(two, minlength=size) > 0
            names: list[Hashable] = list(np.flatnonzero(there).tolist())
            if len(names) == size:
                return names, one, two
            place: Ints = there.cumsum() - 1
            return names, place[one], place[two]
    sides = [side.tolist() if isinstance(side, np.ndarray) else side for side in (a, b)]
    place_of = {name: place for place, name in enumerate(dict.fromkeys(chain(*sides)))}
    codes: list[Ints] = [np.fromiter(map(place_of.__getitem__, side), np.int64, len(side)) for side in sides]
    return list(place_of), codes[0], codes[1]
