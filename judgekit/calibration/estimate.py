"""A number with its interval."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judgekit.errors import InputError, nearest

Array = NDArray[np.float64]
Clusters = Sequence[Hashable] | NDArray[Any]


class NotEstimableError(InputError):
    """The data do not say: a series that does not vary, a single rater; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval, 95 % unless the method says otherwise.

    Attributes:
        low, high: None where there is no interval; ``note`` says why.
        n: how many items it rests on; ``clusters``: in how many independent groups.
        note: what to know before trusting it; empty where there is nothing.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    clusters: int
    method: str
    note: str = ""

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def one_of(what: str, name: object, known: Iterable[str]) -> None:
    """Refuse a name that is not known: a misspelt choice must not pass for another one.

    Raises:
        InputError: always where it is not known; the message gives the known names, and the nearest.
    """
    names = sorted(known)
    if not isinstance(name, str) or name not in names:
        every = f"; known: {', '.join(names)}"
        raise InputError(f"{what} {name!r}{every}{nearest(str(name).lower(), names).removeprefix(every)}")


def number(names: Iterable[Hashable] | NDArray[Any]) -> NDArray[np.int64]:
    """Number names from 0; of an array in sorted order, else in the order of their first appearance."""
    if isinstance(names, np.ndarray):
        return np.unique(names, return_inverse=True)[1].reshape(-1)
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
