"""The panel: several judges, one verdict, and a view of how far they part."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from judgekit.errors import InputError
from judgekit.judges.base import POINTS, Judge, winner_of
from judgekit.types import Comparison, Preference, Sample, Score, Usage

Combine = Literal["mean", "median", "majority", "weighted"]


@dataclass
class PanelJudge(Judge):
    """Puts the verdicts of several judges together.

    A member that fails is left out and named in the rationale; with half of the members or fewer there is no verdict.
    Members on one scale keep it; otherwise all are mapped to [0, 1] (`Score.unit`). ``Score.criteria`` holds each
    member's value. Where every member that gave a verdict has a profile's reward, the panel has theirs, put together as
    the values are; an interval it has none.

    Attributes:
        combine: ``mean``, ``median``, ``weighted`` mean, or ``majority``: the most frequent value (mean of the most
            frequent ones where several are). For pairs ``majority`` counts winners, the others pool P(a is better).
        weights: one for each member, for ``weighted`` alone.
    """

    judges: Sequence[Judge]
    combine: Combine = "mean"
    weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not self.judges:
            raise InputError("a panel needs at least one judge")
        if (self.combine == "weighted") != (self.weights is not None):
            raise InputError("weights go with 'combine: weighted', and that needs them")
        if self.weights is not None and (len(self.weights) != len(self.judges) or min(self.weights) <= 0):
            raise InputError(f"a panel of {len(self.judges)} needs as many weights, all above 0")

    @property
    def identity(self) -> dict[str, Any]:
        members = [judge.identity for judge in self.judges]
        return {"judge": "panel", "members": members, "combine": self.combine, "weights": list(self.weights or [])}

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        by_judge = [judge.score(samples) for judge in self.judges]
        return [self._score(list(members)) for members in zip(*by_judge, strict=True)]

    def compare(self, comparisons: Sequence[Comparison]) -> list[Preference]:
        by_judge = [judge.compare(comparisons) for judge in self.judges]
        return [self._preference(list(members)) for members in zip(*by_judge, strict=True)]

    def _score(self, members: list[Score]) -> Score:
        scales = {member.scale for member in members}
        common = len(scales) == 1
        values = [member.value if common else member.unit for member in members]
        vouched = [member.supported for member in members if member.supported is not None]
        result: dict[str, Any] = {
            "scale": scales.pop() if common else (0.0, 1.0),
            "criteria": {f"judge_{i}": value for i, value in enumerate(values, 1)},
            "rationale": _rationale(members),
            "usage": sum((member.usage for member in members), Usage()),
            "judge": self.fingerprint,
            "supported": all(vouched) if vouched else None,
        }
        known = [value for value in values if value is not None]
        if 2 * len(known) <= len(members):
            return Score(None, error=_failures(members), **result)
        spread = statistics.stdev(known) if len(known) > 1 else None
        return Score(self._pool(values), spread=spread, reward=self._reward(members, common), **result)

    def _reward(self, members: list[Score], common: bool) -> float | None:
        """Return the members' calibrated rewards as one: a value may be flat where a reward still tells."""
        judged = [member for member in members if member.value is not None]
        if any(member.reward is None for member in judged):
            return None
        rewards = [member.reward if common else _unit(member) for member in members]
        return self._pool([None if m.value is None else reward for m, reward in zip(members, rewards, strict=True)])

    def _preference(self, members: list[Preference]) -> Preference:
        result: dict[str, Any] = {
            "rationale": _rationale(members),
            "usage": sum((member.usage for member in members), Usage()),
            "judge": self.fingerprint,
        }
        votes = [None if m.winner is None else self._vote(m) for m in members]
        if 2 * sum(vote is not None for vote in votes) <= len(members):
            return Preference(None, error=_failures(members), **result)
        probability = self._pool(votes)
        winner = winner_of(probability)
        consistent = len({member.winner for member in members if member.winner}) == 1
        return Preference(winner, probability, consistent=consistent, **result)

    def _vote(self, member: Preference) -> float:
        if member.probability is None or self.combine == "majority":
            return POINTS[member.winner or "tie"]
        return member.probability

    def _pool(self, values: Sequence[float | None]) -> float:
        weights = self.weights or [1.0] * len(values)
        known = [(value, weight) for value, weight in zip(values, weights, strict=True) if value is not None]
        return POOLS[self.combine]([value for value, _ in known], [weight for _, weight in known])


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    total = math.fsum(value * weight for value, weight in zip(values, weights, strict=True))
    return total / math.fsum(weights)


def _median(values: Sequence[float], weights: Sequence[float]) -> float:
    return statistics.median(values)


def _majority(values: Sequence[float], weights: Sequence[float]) -> float:
    return statistics.fmean(statistics.multimode(values))


POOLS: dict[Combine, Callable[[Sequence[float], Sequence[float]], float]] = {
    "mean": _mean,
    "median": _median,
    "majority": _majority,
    "weighted": _mean,
}


def _unit(member: Score) -> float | None:
    """Return a reward on [0, 1] by the member's scale; beyond it where the judge's score lies beyond its profile's."""
    if member.reward is None or member.scale is None:
        return member.reward
    low, high = member.scale
    return (member.reward - low) / (high - low)


def _rationale(members: Sequence[Score | Preference]) -> str:
    texts = [(i, member.error or member.rationale) for i, member in enumerate(members, 1)]
    return "\n\n".join(f"judge_{i}: {text}" for i, text in texts if text)


def _failures(members: Sequence[Score | Preference]) -> str:
    failed = [f"judge_{i}: {member.error}" for i, member in enumerate(members, 1) if member.error]
    return f"{len(failed)} of {len(members)} judges failed: " + "; ".join(failed)
