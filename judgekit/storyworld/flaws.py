"""The flaws that a story may carry, and what they cost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, get_args

Flaw = Literal["name", "item", "place", "order", "missing", "repetition"]

NAME: Final = "name"  # the story is about another hero
ITEM: Final = "item"  # the story is about another item
PLACE: Final = "place"  # the hero goes to another place
ORDER: Final = "order"  # the end is told before the beginning
MISSING: Final = "missing"  # the item is never brought home: a mishap takes the place of that
REPETITION: Final = "repetition"  # a sentence comes twice

FLAWS: Final[tuple[Flaw, ...]] = get_args(Flaw)
COST: Final = 3  # of each flaw, out of ten points


def points(flaws: int) -> int:
    """Return what a story with so many flaws is worth, of ten points: 10, 7, 4, 1, 0."""
    return max(0, 10 - COST * flaws)


def quality(flaws: Collection[Flaw]) -> float:
    """Return the true quality of a story, in [0, 1]: its `points` over ten."""
    return points(len(flaws)) / 10


def rating(quality: float) -> float:
    """Return the quality on the raters' scale, 1 to 5."""
    return 1 + 4 * quality
