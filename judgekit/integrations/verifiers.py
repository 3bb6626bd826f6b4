"""verifiers: a reward for a v1 task (``[env.taskset.task.rewards]``), and a group reward for the rubrics before it.

How a missing reward is said: v1 wants an exception, which marks the rollout as failed instead of scoring it, so
`UnscoredError` is raised. Rubrics before v1 make an exception 0.0, so the group reward never lets one out for a missing
verdict: a missing reward is the mean of its group, and ``unscored`` where the group has none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from judgekit.integrations.answers import in_thread, never_raises, single, single_rollouts, with_group_means
from judgekit.rewards import CompositeReward, Rollout
from judgekit.rewards.rollout import rollouts_of


def task_reward(reward: CompositeReward) -> Callable[..., Awaitable[dict[str, float]]]:
    """Return ``async f(task, trace)``: each channel's part, its weight included, which verifiers adds up.

    The fields of the task's data are the rollout's columns; ``answer``, if there is one, is its reference.

    Raises:
        InputError: the reward needs the group, which v1 does not show to a reward.
    """
    single_rollouts(reward, "verifiers")

    async def judged(task: Any, trace: Any) -> dict[str, float]:
        columns = {**vars(task), **(getattr(task, "model_extra", None) or {})}  # extra: of a trace read back
        columns.setdefault("reference", columns.get("answer"))
        _, found = await in_thread(single, reward, Rollout(task.prompt_text, trace.last_reply, "", columns), None)
        return {name: part[0] or 0.0 for name, part in found.parts.items()}

    return judged


def group_reward(reward: CompositeReward, *, unscored: float) -> Callable[..., Awaitable[list[float]]]:
    """Return a group reward for ``Rubric(funcs=[...])``; every channel can be used.

    Raises:
        InputError: the reward, or its monitor, is to stop the training.
    """
    never_raises(reward, "a rubric of verifiers", "scores 0")

    async def judged(
        prompts: Sequence[Any], completions: Sequence[Any], answers: Sequence[Any], infos: Sequence[Any]
    ) -> list[float]:
        columns = {"answer": answers, "reference": answers, "info": infos}
        rollouts = rollouts_of(prompts, completions, columns)
        found = await in_thread(reward.score, rollouts)
        return with_group_means(found.totals, found.groups, unscored)

    judged.__name__ = reward.__name__
    return judged
