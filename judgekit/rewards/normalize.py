"""Values of several channels on one scale: their z-scores in the group, or in the batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

Normalize = Literal["none", "group", "batch"]
FLOOR = 1e-6  # a standard deviation below it is rounding, not a difference


def z_scores(values: Sequence[float | None]) -> list[float | None]:
    """Return (x - mean) / s of the values that are known, s with n - 1; None stays None and counts nowhere.

    Where s is below 1e-6, or a single value is known, all are 0: there is nothing to tell apart, and rounding must not
    look like a difference. No epsilon is added to s, so that z-scores do not depend on the unit of the values. (TRL
    adds 1e-4; EpisodeBench does not say.)
    """
    known = [value for value in values if value is not None]
    if not known:
        return [None] * len(values)
    mean = math.fsum(known) / len(known)
    deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in known) / max(len(known) - 1, 1))
    if deviation < FLOOR:
        return [None if value is None else 0.0 for value in values]
    return [None if value is None else (value - mean) / deviation for value in values]


def normalized(values: Sequence[float | None], groups: Sequence[Sequence[int]], how: Normalize) -> list[float | None]:
    """Return the values as they are, or their z-scores over the places of each group, or over all."""
    if how == "none":
        return list(values)
    found: list[float | None] = [None] * len(values)
    for places in groups if how == "group" else [range(len(values))]:
        for place, z in zip(places, z_scores([values[i] for i in places]), strict=True):
            found[place] = z
    return found


def advantages(totals: Sequence[float | None], groups: Sequence[Sequence[int]], *, scaled: bool = True) -> list[float]:
    """Return what GRPO makes of rewards: (r - mean) / (s + 1e-4) over the known ones of a group, s with n - 1.

    As TRL has it with ``scale_rewards="group"`` (its default): 0 for what has no reward, and where one alone has.
    Without ``scaled`` r - mean, as with "none".
    """
    found = [0.0] * len(totals)
    for places in groups:
        known = {i: total for i in places if (total := totals[i]) is not None}
        mean = math.fsum(known.values()) / max(len(known), 1)
        deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in known.values()) / max(len(known) - 1, 1))
        for i, total in known.items():
            found[i] = (total - mean) / (deviation + 1e-4 if scaled else 1)
    return found
