"""OpenRLHF: ``reward_func`` for ``--reward.remote_url file.py``.

How a missing reward is said: OpenRLHF has no way. A None, or an exception, is logged at INFO and makes the step fail
later, or hands the batch to a local reward model. So the reward is the number ``unscored``, and ``unscored`` is 1 in
``extra_logs``. The number enters the group's mean: choose about what an average response gets.

OpenRLHF asks for one response at a time, so channels that look at the group are refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from judgekit.integrations.answers import figures, free_names, never_raises, reason, single_rollouts
from judgekit.rewards import CompositeReward, Rollout

LOG = logging.getLogger("judgekit.integrations")


def reward_func(
    reward: CompositeReward, *, unscored: float, ends: Sequence[str] = ()
) -> Callable[[Sequence[str], Sequence[str], Sequence[Any]], dict[str, Any]]:
    """Return OpenRLHF's ``reward_func``.

    It is given prompt and response as one text, with special tokens. A response that cannot be told from its prompt
    (one that was cut to fit) has no reward. Answers to a list of one are numbers, to others lists; all of
    ``extra_logs`` are numbers (NaN where a channel has no value), under the same keys each time.

    Args:
        ends: special tokens that may end a response, to be taken off: ``["<|im_end|>"]``.

    Raises:
        InputError: the reward needs the group, is to raise, or a channel has a name that OpenRLHF uses.
    """
    single_rollouts(reward, "OpenRLHF")
    never_raises(reward, "OpenRLHF", "loses the reward")
    free_names(reward, "reward", "score", "response_clip_ratio")

    def reward_func(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any]) -> dict[str, Any]:
        rows = list(zip(queries, prompts, labels, strict=True))
        told = [i for i, (query, prompt, _) in enumerate(rows) if query.startswith(prompt)]
        found = reward.score([_rollout(*rows[i], ends) for i in told])
        rewards = [unscored] * len(rows)
        logs = [{**dict.fromkeys(reward.channels, float("nan")), "unscored": 1.0} for _ in rows]
        for k, i in enumerate(told):
            logs[i] = figures(found, k)
            if (total := found.totals[k]) is not None:
                rewards[i] = total
            else:
                LOG.warning("no reward: %s", reason(found, k))
        if len(told) < len(rows):
            LOG.warning("no reward: %d queries do not begin with their prompt", len(rows) - len(told))
        keys = (*reward.channels, "unscored")
        return {"rewards": _plain(rewards), "extra_logs": {key: _plain([log[key] for log in logs]) for key in keys}}

    return reward_func


def _rollout(query: str, prompt: str, label: Any, ends: Sequence[str]) -> Rollout:
    response = query[len(prompt) :]
    for end in ends:
        response = response.removesuffix(end)
    return Rollout(prompt, response, "", {"label": label, "reference": label})


def _plain(values: list[float]) -> float | list[float]:
    """Return a list of one as the number, which the trainer makes a tensor of one dimension of."""
    return values[0] if len(values) == 1 else values
