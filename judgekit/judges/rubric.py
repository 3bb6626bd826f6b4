"""The pointwise judge: a rubric, a language model, a score."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

from judgekit.errors import InputError
from judgekit.judges.asking import Case, readouts, replies, rubric_identity
from judgekit.judges.base import Judge
from judgekit.models.base import Decoding, Model, Readout, Reply
from judgekit.rubrics.prompt import Questions
from judgekit.rubrics.reply import Verdict, read_scores
from judgekit.rubrics.rubric import Criterion, Rubric
from judgekit.types import Sample, Score, Usage

Ask = Literal["all", "each", "expected"]
Vote = Literal["majority", "mean"]
T = TypeVar("T")


@dataclass
class RubricJudge(Judge):
    """Scores one response on every criterion of a rubric.

    Attributes:
        ask: ``all`` criteria in one reply; ``each`` in a reply of its own; ``expected``: no reply is written, the
            score is the expectation over the probabilities of the menu (local models only). Nothing is written, so no
            quote is asked for, and gates act on the expectations.
        samples: replies drawn for each question (with a temperature above 0). ``spread`` is the standard deviation of
            the totals of those that could be read; with half of them or fewer there is no score.
        vote: how the samples become one value a criterion: their ``mean``, or the ``majority``'s value (the mean of
            the most frequent ones where several are).
    """

    rubric: Rubric
    model: Model
    ask: Ask = "all"
    samples: int = 1
    vote: Vote = "mean"
    decoding: Decoding = field(default_factory=Decoding)

    def __post_init__(self) -> None:
        if self.rubric.mode != "pointwise":
            raise InputError(f"the rubric {self.rubric.id!r} is pairwise; use a pairwise judge")
        if self.samples < 1:
            raise InputError("samples must be at least 1")
        if self.samples > 1 and (self.ask == "expected" or self.decoding.temperature == 0):
            raise InputError("several samples need a written reply and a temperature above 0: they would all be equal")

    @cached_property
    def _questions(self) -> Questions:
        return Questions(self.rubric)

    @property
    def identity(self) -> dict[str, Any]:
        decoding = self.decoding.model_dump() if self.ask != "expected" else None
        rubric = rubric_identity(self.rubric)
        parts = {"judge": "rubric", "rubric": rubric, "model": self.model.identity, "decoding": decoding}
        return {**parts, "ask": self.ask, "samples": self.samples, "vote": self.vote}

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        cases = [Case.of(self._questions, self.model, sample) for sample in samples]
        sound = [case for case in cases if case.problem is None]
        scored = iter(self._expected(sound) if self.ask == "expected" else self._written(sound))
        return [
            Score(None, self.rubric.scale, error=case.problem, judge=self.fingerprint) if case.problem else next(scored)
            for case in cases
        ]

    # --- written replies --------------------------------------------------------------------------------------

    def _written(self, cases: Sequence[Case]) -> list[Score]:
        criteria: list[Criterion | None] = [None] if self.ask == "all" else list(self.rubric.criteria)
        questions = [(case, c, draw) for case in cases for draw in range(self.samples) for c in criteria]
        answers = replies(self.model, [case.request(c, draw) for case, c, draw in questions], self.decoding)
        verdicts = [self._read(answer, c) for answer, (_, c, _) in zip(answers, questions, strict=True)]
        whole = [_merge(part) for part in _split(verdicts, len(criteria))]
        by_case = zip(_split(whole, self.samples), _split(answers, len(criteria) * self.samples), strict=True)
        return [self._score(part, sum((answer.usage for answer in own), Usage())) for part, own in by_case]

    def _read(self, reply: Reply, criterion: Criterion | None) -> Verdict:
        if reply.text is not None:
            return read_scores(self.rubric, reply.text, criterion)
        asked = [criterion] if criterion else self.rubric.criteria
        return Verdict({c.id: None for c in asked}, {c.id: str(reply.error) for c in asked})

    def _score(self, verdicts: list[Verdict], usage: Usage) -> Score:
        read = [verdict for verdict in verdicts if verdict.error is None]
        common: dict[str, Any] = {"scale": self.rubric.scale, "usage": usage, "judge": self.fingerprint}
        common["rationale"] = "\n\n".join(verdict.rationale for verdict in (read or verdicts)).strip()
        if 2 * len(read) <= len(verdicts):
            first = next(verdict for verdict in verdicts if verdict.error)
            share = f"{len(verdicts) - len(read)} of {len(verdicts)} replies unread: " if self.samples > 1 else ""
            return Score(None, criteria=first.values, error=f"{share}{first.error}", **common)
        drawn = [_complete(verdict) for verdict in read]
        totals = [self.rubric.total(values) for values in drawn]
        spread = statistics.stdev(totals) if len(totals) > 1 else None
        pooled = {c.id: _pool([values[c.id] for values in drawn], self.vote) for c in self.rubric.criteria}
        # The mean of totals is not the total of means where a gate cuts in; each sample is gated for itself.
        total = math.fsum(totals) / len(totals) if self.vote == "mean" else self.rubric.total(pooled)
        return Score(total, criteria=pooled, spread=spread, **common)

    # --- read-out ---------------------------------------------------------------------------------------------

    def _expected(self, cases: Sequence[Case]) -> list[Score]:
        criteria = self.rubric.criteria
        answers = readouts(self.model, [case.question(criterion) for case in cases for criterion in criteria])
        return [self._expectation(part) for part in _split(answers, len(criteria))]

    def _expectation(self, answers: list[Readout]) -> Score:
        values = {c.id: _mean(c, answer) for c, answer in zip(self.rubric.criteria, answers, strict=True)}
        problems = {c.id: answer.error for c, answer in zip(self.rubric.criteria, answers, strict=True) if answer.error}
        verdict = Verdict(values, problems)
        return self._score([verdict], sum((answer.usage for answer in answers), Usage()))


def _mean(criterion: Criterion, answer: Readout) -> float | None:
    if answer.probabilities is None:
        return None
    return math.fsum(p * value for p, value in zip(answer.probabilities, criterion.menu.values(), strict=True))


def _pool(values: list[float], vote: Vote) -> float:
    if vote == "majority":
        values = statistics.multimode(values)
    return math.fsum(values) / len(values)


def _merge(verdicts: list[Verdict]) -> Verdict:
    """Put the replies about single criteria together."""
    values = {name: value for verdict in verdicts for name, value in verdict.values.items()}
    problems = {name: text for verdict in verdicts for name, text in verdict.problems.items()}
    rationale = "\n".join(verdict.rationale for verdict in verdicts)
    return Verdict(values, problems, rationale, all(verdict.reasons_first for verdict in verdicts))


def _complete(verdict: Verdict) -> dict[str, float]:
    return {name: value for name, value in verdict.values.items() if value is not None}


def _split(items: list[T], size: int) -> list[list[T]]:
    return [items[i : i + size] for i in range(0, len(items), size)]
