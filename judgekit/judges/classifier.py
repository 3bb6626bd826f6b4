"""The classifier judge: a scalar reward model, one number a response."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from judgekit.judges.base import Judge
from judgekit.rubrics.prompt import without_thinking
from judgekit.types import Sample, Score, Usage


class ScalarModel(Protocol):
    """What stands behind a classifier: Bradley-Terry strengths, in logits."""

    @property
    def identity(self) -> dict[str, Any]: ...

    def strengths(self, samples: Sequence[Sample]) -> list[float | str]:
        """Return a strength for each sample, or why there is none."""

    def save(self, folder: Path) -> dict[str, Any]:
        """Write what belongs to the model into ``folder``; return the ``model:`` entry of a judge.yaml."""


def shown_to_classifier(sample: Sample) -> Sample:
    """Return a sample as a scalar model sees it, in training and in use: with the thinking cut from the response."""
    return replace(sample, response=without_thinking(sample.response))


@dataclass
class ClassifierJudge(Judge):
    """Scores a response by its Bradley-Terry strength; the scale is unbounded.

    P(a is better) is the logistic function of the difference of two strengths. Thinking is cut from the responses.
    """

    model: ScalarModel

    @property
    def identity(self) -> dict[str, Any]:
        return {"judge": "classifier", "model": self.model.identity}

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        shown = [shown_to_classifier(sample) for sample in samples]
        sound = [i for i, sample in enumerate(shown) if sample.response.strip()]
        strengths = dict(zip(sound, self.model.strengths([shown[i] for i in sound]), strict=True))
        return [self._score(strengths.get(i, "the response is empty")) for i in range(len(samples))]

    def _score(self, strength: float | str) -> Score:
        usage, judge = Usage(calls=1), self.fingerprint
        if isinstance(strength, str):
            return Score(None, None, error=strength, judge=judge)
        if not math.isfinite(strength):
            return Score(None, None, error=f"the model answered {strength}", usage=usage, judge=judge)
        return Score(strength, None, usage=usage, judge=judge)
