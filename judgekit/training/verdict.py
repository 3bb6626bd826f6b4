"""What a written verdict earns while a judge is refined. The policy *is* the judge, so no verdict is a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import Field

from judgekit.config import Config
from judgekit.models.local import LocalModel
from judgekit.rubrics.reply import PairVerdict, read_preference
from judgekit.rubrics.rubric import Rubric
from judgekit.types import SWAPPED

Reward = Callable[..., list[float]]


class VerdictReward(Config):
    """The parts of the reward; +1 for the right verdict and -1 for a wrong or unreadable one are always there.

    Attributes:
        consistency: what a right verdict loses when the reply of the same number to the other order is wrong: 1 leaves
            0 of it, 2 leaves -1 ("only both orders count", J1).
        form: weight of +1 for a reply that can be read and gives its reasons first, else 0.
        margin: weight of the margin of the two scores over the rubric's range, times the verdict's +1 or -1: a judge
            earns more by a clear right verdict, and loses more by a clear wrong one (Writing-Zero has such a part; the
            form is ours).
    """

    consistency: Annotated[float, Field(ge=0, le=2)] = 0.0
    form: Annotated[float, Field(ge=0)] = 0.0
    margin: Annotated[float, Field(ge=0)] = 0.0


def verdict_rewards(rubric: Rubric, model: LocalModel, parts: VerdictReward) -> tuple[list[Reward], list[float]]:
    """Return TRL reward functions and their weights; the first is the verdict's.

    Each takes TRL's keyword arguments; the column ``label`` holds the better side as shown. A reply is read as the
    judge will read it: cut at the end of its turn, unreadable when it has none.
    """

    def read(completion_ids: Sequence[Sequence[int]]) -> list[PairVerdict]:
        replies = [model.reply(list(tokens), 0) for tokens in completion_ids]
        return [
            PairVerdict(None, error=reply.error) if reply.text is None else read_preference(rubric, reply.text)
            for reply in replies
        ]

    def verdict(completion_ids: Sequence[Sequence[int]], label: Sequence[str], **_: Any) -> list[float]:
        return [
            1.0 if found.winner == right else -1.0 for found, right in zip(read(completion_ids), label, strict=True)
        ]

    def form(completion_ids: Sequence[Sequence[int]], **_: Any) -> list[float]:
        return [float(found.winner is not None and found.reasons_first) for found in read(completion_ids)]

    def margin(completion_ids: Sequence[Sequence[int]], label: Sequence[str], **_: Any) -> list[float]:
        found = zip(read(completion_ids), label, strict=True)
        return [_margin(rubric, verdict) * (1 if verdict.winner == right else -1) for verdict, right in found]

    wanted: list[tuple[Reward, float]] = [(verdict, 1.0), (form, parts.form), (margin, parts.margin)]
    used = [(reward, weight) for reward, weight in wanted if weight > 0]
    return [reward for reward, _ in used], [weight for _, weight in used]


def _margin(rubric: Rubric, verdict: PairVerdict) -> float:
    a, b = verdict.scores
    low, high = rubric.scale
    return abs(a - b) / (high - low) if a is not None and b is not None else 0.0


def both_orders(verdicts: Any, size: int, consistency: float) -> Any:
    """Take ``consistency`` from each right verdict whose partner is wrong.

    Args:
        verdicts: +1 or -1, shape (pairs * 2 * size,): pair by pair, the group of one order, then that of the other. The
            partner is the reply of the same number in the other order.
    """
    grouped = verdicts.view(-1, 2, size)
    lost = (grouped > 0) & (grouped.flip(1) < 0)
    return (grouped - consistency * lost).reshape(verdicts.shape)


def label_shown(label: str, order: str) -> str:
    """Return the label in terms of A and B as they are shown in this order."""
    return SWAPPED[label] if order == "ba" else label  # type: ignore[index]
