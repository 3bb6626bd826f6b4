"""How many groups of labels would settle the questions that a study leaves open."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from judgekit.calibration import Equivalence, Estimate, Finding
from judgekit.studies.analysis import Analysis
from judgekit.studies.answers import BEHIND, lights, ranking
from judgekit.studies.criterion import Criterion
from judgekit.studies.unknown import Unknown

MOST = 100.0  # times the groups that there are; more nobody collects
NORMAL = NormalDist()
LEVEL = 0.05


@dataclass(frozen=True)
class Needed:
    """What would settle an open answer.

    Attributes:
        question: of `QUESTIONS`; ``groups``: that there are.
        wanted: that it would take, if all figures stay where they are; None: more groups alone would not do, or not
            100 times as many, and ``why``.
    """

    criterion: str
    question: str
    groups: int
    wanted: int | None
    why: str = ""


def needed(analysis: Analysis) -> tuple[Needed, ...]:
    """Return what each open answer would take: an interval narrows with the root of the number of groups.

    Of several ways to settle it the cheapest counts, of several conditions of one way the dearest.
    """
    groups = len(set(analysis.ratings.groups))
    return tuple(
        _one(it, question, groups)
        for it in analysis.criteria.values()
        for question, light in lights(analysis, it).items()
        if light.answer == "open"
    )


def _one(it: Criterion, question: str, groups: int) -> Needed:
    found = {"replaceable": _replaceable, "rank": _rank, "level": _level, "reward": _reward}[question](it)
    if isinstance(found, str):
        return Needed(it.name, question, groups, None, f"not by more groups: {found}")
    times = min(found, default=math.inf)
    if times > MOST:
        return Needed(it.name, question, groups, None, f"more than {MOST:.0f} times as many")
    return Needed(it.name, question, groups, max(groups + 1, math.ceil(times * groups)))


def _times(found: Estimate, line: float) -> float:
    """Return how many times the groups would clear a line of the interval, on the side where the value lies."""
    if found.low is None or found.high is None or found.value == line:
        return math.inf
    half = found.high - found.value if found.value < line else found.value - found.low
    return (half / (found.value - line)) ** 2


def _within(found: Estimate, band: float) -> float:
    """Return how many times the groups would bring the interval into a band around 0."""
    if found.low is None or found.high is None or abs(found.value) >= band:
        return math.inf
    return max((found.high - found.value) / (band - found.value), (found.value - found.low) / (band + found.value)) ** 2


def _replaceable(it: Criterion) -> list[float] | str:
    """Return what it takes to be surely better than one score for every item."""
    tests = [it.alternative, it.served if isinstance(it.served, Unknown) else it.served.alternative]
    found = [test.advantage for test in tests if not isinstance(test, Unknown) and test.passed]
    if isinstance(it.constant, Unknown):
        return it.constant.reason
    line = it.constant.advantage.value
    better = [_times(one, line) for one in found if one.value > line]
    return better or "one score for every item does as well"


def _rank(it: Criterion) -> list[float] | str:
    own = ranking(it)[1]
    if isinstance(own, Unknown):
        return own.reason
    if isinstance(it.ceiling, Unknown):
        return f"what one person would reach is not known ({it.ceiling.reason}); it takes raters, or items a group"
    behind, ways = it.ceiling.difference, list[float]()
    if own.value > 0 and behind.value > -BEHIND:
        ways.append(max(_times(own, 0.0), _times(behind, -BEHIND)))
    ways += [_times(own, 0.0)] if own.value < 0 else []
    ways += [_times(behind, -BEHIND)] if behind.value < -BEHIND else []
    return ways


def _level(it: Criterion) -> list[float]:
    found = [it.level, it.served if isinstance(it.served, Unknown) else it.served.level]
    known = [one for one in found if isinstance(one, Equivalence)]
    inside = [_within(one.difference, one.high) for one in known]
    beyond = [
        _times(one.difference, math.copysign(one.high, one.difference.value))
        if abs(one.difference.value) > one.high
        else math.inf
        for one in known
    ]
    return [*inside, max(beyond)]


def _reward(it: Criterion) -> list[float] | str:
    own = ranking(it)[1]
    if isinstance(it.length, Unknown):
        return it.length.reason
    if isinstance(own, Unknown):
        return f"its ranks are not known ({own.reason})"
    ways = [max(_within(it.length.effect, it.length.band), _times(own, 0.0))] if own.value > 0 else [_times(own, 0.0)]
    return [*ways, _biased(it.length)]


def _biased(found: Finding) -> float:
    """Return what makes q of an effect outside of its band fall below .05, the number of tests being what it is."""
    if found.q is None or abs(found.effect.value) <= found.band or not 0 < found.p < 1:
        return math.inf
    wanted = LEVEL * found.p / found.q
    return (NORMAL.inv_cdf(1 - wanted / 2) / NORMAL.inv_cdf(1 - found.p / 2)) ** 2
