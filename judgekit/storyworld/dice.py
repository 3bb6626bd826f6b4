"""Random choices that come out the same on every platform and every Python."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A source of random choices, fixed by its key: equal keys make equal choices in the same order.

    Only `random.Random.random` is promised to give the same numbers in later versions of Python, so every choice here
    is made from it, and the key becomes a number through SHA-256 rather than through ``hash``.
    """

    def __init__(self, *key: object) -> None:
        digest = hashlib.sha256("\n".join(map(str, key)).encode()).digest()
        self._roll = random.Random(int.from_bytes(digest[:8], "big")).random

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self._roll() < probability

    def between(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self._roll() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.between(0, len(options) - 1)]

    def pick_many(self, options: Sequence[T], n: int) -> list[T]:
        """Return n different options in random order."""
        return sorted(options, key=lambda _: self._roll())[:n]

    def uniform(self, low: float, high: float) -> float:
        """Return a number from low up to high."""
        return low + self._roll() * (high - low)

    def normal(self) -> float:
        """Return a nearly normal number, mean 0 and variance 1: twelve uniform ones added, which needs no libm."""
        return sum(self._roll() for _ in range(12)) - 6.0
