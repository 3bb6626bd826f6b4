"""What a study says of the systems that wrote the items: do people and the judge put them in the same order?"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration import Bootstrap, Estimate, Standings, soft_pairwise_accuracy, standings
from judgekit.calibration.estimate import number
from judgekit.studies.unknown import Unknown, attempt

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
LEVEL = 0.05


@dataclass(frozen=True)
class Systems:
    """The systems by people's scores and by the judge's, on the items that have both.

    Attributes:
        soft: soft pairwise accuracy of the judge.
        pairs: of systems; ``apart``: how many of them people's scores tell apart; and of those ``same``: the judge's
            scores do too, in the same order; ``opposite``: in the other order. ``alone``: pairs that the judge's scores
            tell apart and people's do not.
    """

    people: Standings
    judge: Standings
    soft: Estimate | Unknown
    pairs: int
    apart: int
    same: int
    opposite: int
    alone: int


def systems_of(
    judge: Array, human: Array, groups: Ints, systems: tuple[str, ...] | None, bootstrap: Bootstrap
) -> Systems | Unknown:
    """Rank the systems; the scores and groups of shape (items,)."""
    if systems is None:
        return Unknown("the data do not say what wrote an item")
    known = np.flatnonzero(~np.isnan(judge + human))
    names, own = [systems[i] for i in known], groups[known]
    ranked = partial(standings, systems=names, units=own, confidence=bootstrap.confidence, seed=bootstrap.seed)
    found = attempt(lambda: (ranked(human[known]), ranked(judge[known])))
    if isinstance(found, Unknown):
        return found
    people, ours = found
    ranked_names = set(people.names)
    kept = np.array([name in ranked_names for name in names])
    soft = attempt(partial(_soft, judge[known][kept], human[known][kept], own[kept], _only(names, kept), bootstrap))
    return _compared(people, ours, soft)


def _only(names: list[str], kept: NDArray[np.bool_]) -> Ints:
    return number([name for name, used in zip(names, kept, strict=True) if used])


def _soft(judge: Array, human: Array, groups: Ints, systems: Ints, bootstrap: Bootstrap) -> Estimate:
    both = [_table(scores, groups, systems) for scores in (judge, human)]
    return soft_pairwise_accuracy(*both, bootstrap=bootstrap)


def _table(scores: Array, groups: Ints, systems: Ints) -> Array:
    """Return the mean score of each system in each group, shape (systems, groups); NaN where it has none."""
    group = number(groups)
    k = int(group.max()) + 1
    cell, size = systems * k + group, (int(systems.max()) + 1) * k
    count = np.bincount(cell, minlength=size)
    sums = np.bincount(cell, scores, size)
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan).reshape(-1, k)


def _compared(people: Standings, judge: Standings, soft: Estimate | Unknown) -> Systems:
    order = {name: k for k, name in enumerate(judge.names)}
    tally = dict.fromkeys(("apart", "same", "opposite", "alone"), 0)
    for i, j in combinations(range(len(people.names)), 2):  # people's first is the higher one
        one, two = order[people.names[i]], order[people.names[j]]
        for what in _said(bool(people.adjusted[i, j] < LEVEL), bool(judge.adjusted[one, two] < LEVEL), one < two):
            tally[what] += 1
    count = len(people.names)
    return Systems(people, judge, soft, count * (count - 1) // 2, **tally)


def _said(people: bool, judge: bool, same: bool) -> tuple[str, ...]:
    if not people:
        return ("alone",) if judge else ()
    return ("apart", "same" if same else "opposite") if judge else ("apart",)


def rank_of(table: Standings, name: Hashable) -> Estimate:
    """Return where a system stands."""
    return table.ranks[table.names.index(name)]


def mean_of(table: Standings, name: Hashable) -> Estimate:
    """Return its mean score."""
    return table.means[table.names.index(name)]
