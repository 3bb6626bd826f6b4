"""GRPO refinement of a pointwise judge: it earns more, the nearer its scores come to those that people gave."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from judgekit.config import Config
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.rubrics.reply import read_scores
from judgekit.rubrics.rubric import Rubric
from judgekit.training.arguments import Arguments
from judgekit.training.grpo import GRPOSettings, grpo
from judgekit.training.questions import Task, Writer
from judgekit.training.verdict import Reward
from judgekit.training.weights import Lora, Trained
from judgekit.types import Rated

Say = Callable[[str], None]
WORST = -1.0


class DistanceSettings(Config):
    """``trl`` takes any field of TRL's ``GRPOConfig`` under its own name.

    There is no ``shaping`` here: entropy shaping tells right replies from wrong ones, and a distance is neither.
    """

    trl: Arguments = {}


def distance_tasks(rows: Sequence[Rated], writer: Writer) -> list[Task]:
    """Return the question about each row, with the scores it was given in the order of the rubric's criteria.

    Every row must have a score for every criterion.
    """
    names = [criterion.id for criterion in writer.rubric.criteria]
    return [Task(writer.prompt(row.sample), {"scores": [row.scores[name] for name in names]}) for row in rows]


def distance_reward(rubric: Rubric, model: LocalModel) -> Reward:
    """Return a TRL reward function; it takes TRL's keyword arguments and the column ``scores``.

    A reply earns the mean over the criteria of ``1 - 2 |score - given| / (highest - lowest)``: 1 for the given score,
    -1 for the far end of the scale. A criterion without a readable score counts -1, so a reply that cannot be read
    at all, or never ends, earns -1: it never pays to leave a score out. Criteria count alike, whatever their weights.
    """

    def distance(completion_ids: Sequence[Sequence[int]], scores: Sequence[Sequence[float]], **_: Any) -> list[float]:
        replies = [model.reply(list(tokens), 0).text for tokens in completion_ids]
        return [closeness(rubric, reply, given) for reply, given in zip(replies, scores, strict=True)]

    return distance


def closeness(rubric: Rubric, reply: str | None, given: Sequence[float]) -> float:
    """Return what one reply earns; see `distance_reward`."""
    if reply is None:
        return WORST
    values = read_scores(rubric, reply).values
    parts = []
    for criterion, right in zip(rubric.criteria, given, strict=True):
        value, (low, high) = values[criterion.id], criterion.scale
        parts.append(WORST if value is None else 1 - 2 * abs(value - right) / (high - low))
    return math.fsum(parts) / len(parts)


def refine(
    start: LocalConfig,
    rows: Sequence[Rated],
    rubric: Rubric,
    settings: DistanceSettings,
    folder: Path,
    *,
    lora: Lora | None = None,
    seed: int = 0,
    say: Say = lambda _: None,
) -> Trained:
    """Refine a pointwise judge by the distance of its scores; continue from the newest whole checkpoint.

    Raises:
        InputError: no question leaves room for a reply.
    """
    model = LocalModel(start)
    tasks = distance_tasks(rows, Writer(rubric, model, seed))
    rewards = ([distance_reward(rubric, model)], [1.0])
    common: dict[str, Any] = {"block": 1, "lora": lora, "seed": seed, "say": say}
    return grpo(start, tasks, rewards, GRPOSettings(trl=settings.trl), folder, **common)
