"""The pairwise judge: two responses, both orders, one preference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from judgekit.errors import InputError
from judgekit.judges.asking import Case, replies, rubric_identity
from judgekit.judges.base import POINTS, Judge, winner_of
from judgekit.judges.rubric import Vote
from judgekit.models.base import Decoding, Model, Reply
from judgekit.rubrics.prompt import Questions
from judgekit.rubrics.reply import PairVerdict, read_preference
from judgekit.rubrics.rubric import Rubric
from judgekit.types import SWAPPED, Comparison, Preference, Usage


@dataclass
class PairwiseJudge(Judge):
    """Compares two responses under a pairwise rubric, in both orders unless told otherwise.

    The probability that ``a`` is better is the mean over the orders of the share of votes for ``a``, a tie counting
    half; above one half ``a`` wins, below it ``b``, else it is a tie. Two orders that disagree are thus a tie
    with ``consistent=False``. If half of the replies of an order or more cannot be read, there is no preference.

    Attributes:
        samples: replies drawn for each order.
        vote: ``majority`` counts the verdicts; ``mean`` gives the win to the higher mean score.
    """

    rubric: Rubric
    model: Model
    both_orders: bool = True
    samples: int = 1
    vote: Vote = "majority"
    decoding: Decoding = field(default_factory=Decoding)

    def __post_init__(self) -> None:
        if self.rubric.mode != "pairwise":
            raise InputError(f"the rubric {self.rubric.id!r} is pointwise; use a rubric judge")
        if self.samples < 1:
            raise InputError("samples must be at least 1")
        if self.samples > 1 and self.decoding.temperature == 0:
            raise InputError("several samples need a temperature above 0: they would all be equal")

    @cached_property
    def _questions(self) -> Questions:
        return Questions(self.rubric)

    @property
    def identity(self) -> dict[str, Any]:
        parts = {"judge": "pairwise", "rubric": rubric_identity(self.rubric), "model": self.model.identity}
        how = {"both_orders": self.both_orders, "samples": self.samples, "vote": self.vote}
        return {**parts, **how, "decoding": self.decoding.model_dump()}

    def compare(self, comparisons: Sequence[Comparison]) -> list[Preference]:
        asked = [(c, swapped) for c in comparisons for swapped in ((False, True) if self.both_orders else (False,))]
        cases = [Case.of(self._questions, self.model, c.swap() if swapped else c) for c, swapped in asked]
        requests = [case.request(draw=d) for case in cases if not case.problem for d in range(self.samples)]
        answers = iter(replies(self.model, requests, self.decoding))
        orders = 2 if self.both_orders else 1
        preferences = []
        for i in range(0, len(asked), orders):
            problem = next((case.problem for case in cases[i : i + orders] if case.problem), None)
            if problem is None:
                votes = [[next(answers) for _ in range(self.samples)] for _ in range(orders)]
                preferences.append(self._decide(votes))
            else:
                preferences.append(Preference(None, error=problem, judge=self.fingerprint))
        return preferences

    def _decide(self, answers: list[list[Reply]]) -> Preference:
        usage = sum((reply.usage for order in answers for reply in order), Usage())
        orders = [[self._read(reply, swapped=i == 1) for reply in order] for i, order in enumerate(answers)]
        verdicts = [verdict for order in orders for verdict in order]
        rationale = "\n\n".join(verdict.rationale for verdict in verdicts if verdict.rationale)
        votes = tuple(tuple(verdict.winner for verdict in order) for order in orders)
        common: dict[str, Any] = {"rationale": rationale, "usage": usage, "judge": self.fingerprint, "votes": votes}
        for i, order in enumerate(orders):
            unread = [verdict for verdict in order if verdict.winner is None]
            if 2 * len(unread) >= len(order):
                name = ("order a, b", "order b, a")[i]
                return Preference(None, error=f"{name}: {unread[0].error}", **common)
        scores = _mean([v.scores[0] for v in verdicts]), _mean([v.scores[1] for v in verdicts])
        shares = [_share(order, self.vote) for order in orders]
        probability = math.fsum(shares) / len(shares)
        winners = [winner_of(share) for share in shares]
        consistent = winners[0] == winners[1] if self.both_orders else None
        return Preference(winner_of(probability), probability, scores, consistent, **common)

    def _read(self, reply: Reply, *, swapped: bool) -> PairVerdict:
        if reply.text is None:
            return PairVerdict(None, error=reply.error)
        verdict = read_preference(self.rubric, reply.text)
        if not swapped or verdict.winner is None:
            return verdict
        scores = (verdict.scores[1], verdict.scores[0])
        return PairVerdict(SWAPPED[verdict.winner], scores, verdict.rationale, None, verdict.reasons_first)


def _share(order: list[PairVerdict], vote: str) -> float:
    """Return the share of one order's votes that go to a: of the verdicts, or all to the higher mean score."""
    read = [verdict for verdict in order if verdict.winner is not None]
    if vote == "mean":
        a, b = _mean([v.scores[0] for v in read]), _mean([v.scores[1] for v in read])
        if a is not None and b is not None:
            return POINTS["a" if a > b else "b" if b > a else "tie"]
    return math.fsum(POINTS[v.winner] for v in read if v.winner) / len(read)


def _mean(scores: Sequence[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return math.fsum(known) / len(known) if known else None
