"""The flaws that a story may carry, and what they cost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

Flaw = Literal["name", "item", "place", "order", "missing", "repetition"]

NAME: Final = "name"  # another hero takes over, midway or from the start
ITEM: Final = "item"  # the story is about another item
PLACE: Final = "place"  # the hero goes to another place
ORDER: Final = "order"  # the steps come in an order that makes no sense
MISSING: Final = "missing"  # the item is never found, or never brought home (a lost ending)
REPETITION: Final = "repetition"  # a sentence comes twice in a row

# What each flaw costs, of ten points. One flaw always costs less than any two together.
SEVERITY: Final[dict[Flaw, int]] = {NAME: 3, ITEM: 2, PLACE: 2, ORDER: 3, MISSING: 3, REPETITION: 2}
FLAWS: Final = tuple(SEVERITY)


def quality(flaws: Collection[Flaw]) -> float:
    """Return the true quality of a story, in [0, 1]: ten points less the `SEVERITY` of each flaw, over ten."""
    return max(0, 10 - sum(SEVERITY[flaw] for flaw in flaws)) / 10


def rating(quality: float) -> float:
    """Return the quality on the raters' scale, 1 to 5."""
    return 1 + 4 * quality
