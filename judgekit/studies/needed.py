"""How many groups of labels would settle the questions that a study leaves open."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from judgekit.calibration import Equivalence, Estimate
from judgekit.studies.analysis import Analysis
from judgekit.studies.answers import BEHIND, lights, ranking
from judgekit.studies.criterion import Criterion
from judgekit.studies.unknown import Unknown

MOST = 100  # times the labels that there are; more nobody collects


@dataclass(frozen=True)
class Needed:
    """What would settle an open answer.

    Attributes:
        question: of `QUESTIONS`; ``groups``: that there are.
        wanted: that it would take if the figures stay where they are; None: ``why`` not any number would do.
    """

    criterion: str
    question: str
    groups: int
    wanted: int | None
    why: str = ""


def needed(analysis: Analysis) -> tuple[Needed, ...]:
    """Return what each open answer would take: an interval narrows with the root of the number of groups."""
    return tuple(
        _one(it, question)
        for it in analysis.criteria.values()
        for question, light in lights(analysis, it).items()
        if light.answer == "open"
    )


def _one(it: Criterion, question: str) -> Needed:
    found, line = {"replaceable": _replaceable, "rank": _rank, "level": _level, "reward": _reward}[question](it)
    if found is None or found.low is None or found.high is None:
        return Needed(it.name, question, 0 if found is None else found.clusters, None, "there is no interval to narrow")
    told = partial(Needed, it.name, question, found.clusters)
    if question == "replaceable" and found.value <= line:
        return told(None, "one score for every item does as well")
    gap = abs(found.value - line)
    half = found.high - found.value if found.value < line else found.value - found.low
    times = max(1.0, (half / gap) ** 2) if gap else math.inf
    return told(math.ceil(times * found.clusters)) if times <= MOST else told(None, f"above {MOST} times as many")


def _replaceable(it: Criterion) -> tuple[Estimate | None, float]:
    """Return the better advantage of the two, and that of one score for every item, which it must surely beat."""
    tests = [it.alternative, it.served if isinstance(it.served, Unknown) else it.served.alternative]
    found = [test.advantage for test in tests if not isinstance(test, Unknown) and test.passed]
    if not found or isinstance(it.constant, Unknown):
        return None, 0.0
    return max(found, key=lambda one: one.value), it.constant.advantage.value


def _rank(it: Criterion) -> tuple[Estimate | None, float]:
    """Return what is not yet sure: how far the judge is behind one person, or that its rho is above 0."""
    own = ranking(it)[1]
    if isinstance(it.ceiling, Unknown):
        return (None if isinstance(own, Unknown) else own), 0.0
    behind = it.ceiling.difference
    if not isinstance(own, Unknown) and own.low is not None and own.low <= 0 and behind.low is not None:
        return (own, 0.0) if behind.low >= -BEHIND else (behind, -BEHIND)
    return behind, -BEHIND


def _level(it: Criterion) -> tuple[Estimate | None, float]:
    """Return the mean difference that is undecided, that with the map first, and the nearer end of the margin."""
    found = [it.served if isinstance(it.served, Unknown) else it.served.level, it.level]
    known = [one for one in found if isinstance(one, Equivalence) and one.verdict == "undecided"]
    if not known:
        return None, 0.0
    off = known[0].difference
    return off, math.copysign(known[0].high, off.value)


def _reward(it: Criterion) -> tuple[Estimate | None, float]:
    """Return the effect of length and its band, or 0 where it lies beyond; where it is innocent, the rho and 0."""
    if isinstance(it.length, Unknown):
        return None, 0.0
    if it.length.verdict == "innocent":
        own = ranking(it)[1]
        return (None if isinstance(own, Unknown) else own), 0.0
    effect, band = it.length.effect, it.length.band
    return effect, math.copysign(band, effect.value) if abs(effect.value) < band else 0.0
