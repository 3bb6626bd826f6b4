"""EasyR1: the reward functions of both ``REWARD_TYPE``, and what has to be packed into the answer column for them.

How a missing reward is said: EasyR1 has no way. ``batch`` sees all responses of a step and gives a missing reward the
mean of its group, which GRPO makes advantage 0; ``unscored`` is for a group without any, and for ``sequential``, which
sees one response at a time (there it enters the group's mean: choose about what an average response gets, or None to
raise `UnscoredError` and stop). The key ``unscored`` is 1 in either case. Every answer has the same keys: ``overall``,
one for each channel (NaN where it has no value) and ``unscored``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from judgekit.errors import InputError
from judgekit.integrations.answers import figures, free_names, single, single_rollouts, with_group_means
from judgekit.rewards import CompositeReward, Rollout
from judgekit.types import Prompt


def packed(prompt: Prompt, group: str | int, **columns: Any) -> str:
    """Return what the answer column of a row has to hold: EasyR1 tells a reward neither prompt nor group.

    Args:
        group: of its own for each row of the data set; the responses to one row are one group.
        columns: what else channels need, such as ``reference``; anything that JSON can hold.
    """
    return json.dumps({"prompt": prompt, "group": group, "columns": columns}, ensure_ascii=False)


def batch(
    reward: CompositeReward, *, unscored: float
) -> Callable[[Sequence[Mapping[str, Any]]], list[dict[str, float]]]:
    """Return the function for ``REWARD_TYPE = "batch"``; every channel can be used.

    Raises:
        InputError: a channel is called overall or unscored.
    """
    free_names(reward, "overall")

    def compute_score(reward_inputs: Sequence[Mapping[str, Any]], **_: Any) -> list[dict[str, float]]:
        rollouts = [_rollout(row) for row in reward_inputs]
        found = reward.score(rollouts)
        overall = with_group_means(found.totals, found.groups, unscored)
        return [{"overall": value, **figures(found, i)} for i, value in enumerate(overall)]

    return compute_score


def sequential(reward: CompositeReward, *, unscored: float | None) -> Callable[[Mapping[str, Any]], dict[str, float]]:
    """Return the function for ``REWARD_TYPE = "sequential"``.

    Raises:
        InputError: the reward needs the group, or a channel is called overall or unscored.
    """
    single_rollouts(reward, "EasyR1's sequential form")
    free_names(reward, "overall")

    def compute_score(reward_input: Mapping[str, Any], **_: Any) -> dict[str, float]:
        overall, found = single(reward, _rollout(reward_input), unscored)
        return {"overall": overall, **figures(found, 0)}

    return compute_score


def _rollout(row: Mapping[str, Any]) -> Rollout:
    try:
        about = json.loads(row["ground_truth"])
        return Rollout(about["prompt"], row["response"], about["group"], about["columns"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"the answer column holds {str(row.get('ground_truth'))!r:.80}; fill it with judgekit.integrations.easyr1."
            f"packed(prompt, group, ...)"
        ) from error
