"""The generative reward model: a trained judge that writes its reasons, then its scores and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from judgekit.judges.base import Judge
from judgekit.judges.pairwise import PairwiseJudge
from judgekit.judges.rubric import RubricJudge, Vote
from judgekit.models.base import Decoding, Model
from judgekit.rubrics.rubric import Rubric
from judgekit.types import Comparison, Preference, Sample, Score


@dataclass
class GenRMJudge(Judge):
    """Judges as its rubric says, pairwise (both orders) or pointwise, by a vote over k replies to each question.

    Attributes:
        samples: replies drawn for each question, and for each order of a pair.
        vote: ``majority`` of the verdicts, or ``mean`` of the scores.
    """

    rubric: Rubric
    model: Model
    samples: int = 1
    vote: Vote = "majority"
    decoding: Decoding = field(default_factory=Decoding)

    @cached_property
    def _asker(self) -> PairwiseJudge | RubricJudge:
        kind = PairwiseJudge if self.rubric.mode == "pairwise" else RubricJudge
        return kind(self.rubric, self.model, samples=self.samples, vote=self.vote, decoding=self.decoding)

    def __post_init__(self) -> None:
        _ = self._asker  # refuses what cannot be, at once

    @property
    def identity(self) -> dict[str, Any]:
        return {**self._asker.identity, "judge": "genrm"}

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        return [replace(score, judge=self.fingerprint) for score in self._asker.score(samples)]

    def compare(self, comparisons: Sequence[Comparison]) -> list[Preference]:
        return [replace(preference, judge=self.fingerprint) for preference in self._asker.compare(comparisons)]
