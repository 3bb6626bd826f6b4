"""Judges as channels: one that scores each response, and one that holds a tournament in each group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Literal

from judgekit.errors import InputError
from judgekit.rewards.channel import Channel, Values
from judgekit.rewards.rollout import Rollout, members
from judgekit.rewards.schemes import Pivot, Reference, Scheme
from judgekit.rewards.tournament import tournament
from judgekit.types import ComparativeJudge, PointwiseJudge, Sample, Score, Usage


class JudgeReward(Channel):
    """A pointwise judge's score of what a reader sees of the response, on [0, 1].

    With a calibration profile it is the profile's reward, which rises strictly with the judge's own score and is about
    on the human scale (beyond [0, 1] where the score lies beyond what the profile has seen); else the score itself.

    Args:
        bound: ``value``, or ``lower``: the lower end of the calibrated interval for the human score, which pays only
            for what is surely good.
        criterion: one criterion of the rubric instead of the value as a whole, on [0, 1] by ``scale``, its own.
        at_a_time: samples in one call of the judge. A call that raises, or is too late, leaves all of its samples
            without a value: 1 for a judge that is asked over a network, None (all at once) for one that batches.
        text: what of a rollout the judge reads instead of what a reader sees, such as
            `judgekit.rewards.JSONText("story")`. Where it gives None there is nothing to judge: the value is 0.
    """

    def __init__(
        self,
        judge: PointwiseJudge,
        name: str = "judge",
        *,
        bound: Literal["value", "lower"] = "value",
        criterion: str | None = None,
        scale: tuple[float, float] | None = None,
        at_a_time: int | None = None,
        text: Callable[[Rollout], str | None] | None = None,
    ) -> None:
        if (
            bound not in ("value", "lower")
            or (criterion is None) != (scale is None)
            or (criterion and bound == "lower")
        ):
            raise InputError("a judge's bound is value or lower; a criterion goes with its scale, and without a bound")
        self.judge, self.name, self.bound = judge, name, bound
        self.criterion, self.scale, self.at_a_time, self.text = criterion, scale, at_a_time, text

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        told = [self._sample(rollout) for rollout in rollouts]
        asked = [i for i, sample in enumerate(told) if sample is not None]
        scores = self.judge.score([sample for sample in told if sample is not None]) if asked else []
        values = Values([0.0] * len(rollouts), usage=sum((score.usage for score in scores), Usage()))
        for i, score in zip(asked, scores, strict=True):
            values[i] = self._value(score)
            if values[i] is None:
                values.reasons[i] = score.error or self._missing()
        return values

    def looks_at(self, rollout: Rollout) -> tuple[str | None, Mapping[str, Any]]:
        """Return what the judge is shown: of responses that differ in their reasoning alone it judges one."""
        sample = self._sample(rollout)
        return (None, {}) if sample is None else (sample.response, {**sample.metadata, "reference": sample.reference})

    def _sample(self, rollout: Rollout) -> Sample | None:
        if self.text is None:
            return rollout.sample
        text = self.text(rollout)
        return None if text is None else replace(rollout.sample, response=text)

    def _value(self, score: Score) -> float | None:
        if score.value is None:
            return None
        if self.criterion is not None:
            return _unit(score.criteria.get(self.criterion), self.scale)
        if self.bound == "lower":
            return None if score.interval is None else _unit(score.interval[0], score.scale)
        return score.unit if score.reward is None else _unit(score.reward, score.scale)

    def _missing(self) -> str:
        if self.criterion is not None:
            return f"the judge gave no {self.criterion}"
        return "the judge has no interval: its profile gives one (judgekit calibrate)"


def _unit(value: float | None, scale: tuple[float, float] | None) -> float | None:
    return value if value is None or scale is None else (value - scale[0]) / (scale[1] - scale[0])


class TournamentReward(Channel):
    """A pairwise judge inside the group: RLCS's pivot without further words, or another scheme.

    Equal responses are one player, and both orders are the judge's own business. The values are the scheme's, see
    `judgekit.rewards.schemes`; for `Reference` each rollout has a column ``reference``. ``comparisons`` and ``failed``
    count over all batches.
    """

    grouped = True

    def __init__(self, judge: ComparativeJudge, scheme: Scheme | None = None, name: str = "tournament") -> None:
        self.judge, self.scheme, self.name = judge, scheme or Pivot(), name
        self.lowest = _lowest(self.scheme)
        self.comparisons = self.failed = 0

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        groups = members(rollouts)
        found = tournament(self.judge, [[rollouts[i].sample for i in group] for group in groups], self.scheme)
        self.comparisons += found.comparisons
        self.failed += found.failed
        placed = dict(zip(chain(*groups), chain(*found.groups), strict=True))
        reasons = {i: str(it.error) for i, it in placed.items() if it.value is None}
        return Values([placed[i].value for i in range(len(rollouts))], reasons, found.usage)


def _lowest(scheme: Scheme) -> float | None:
    """Return the lowest value of a scheme; strengths have none."""
    if isinstance(scheme, Pivot | Reference):
        return -1.0
    return None if getattr(scheme, "estimate", "wins") == "bradley-terry" else 0.0
