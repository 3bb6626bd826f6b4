"""ms-swift: classes for ``orms`` (``--external_plugins p.py --reward_funcs name``).

How a missing reward is said: ms-swift (4.6) takes None, but sums it as 0, alone as well as beside other functions. So
the adapter never gives None: a missing reward is the mean of its group, over all processes, which GRPO makes advantage
0; ``unscored`` is for a group without any. The log names the channel and the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from judgekit.errors import InputError
from judgekit.integrations.answers import in_thread, one_process, with_group_means
from judgekit.rewards import CompositeReward
from judgekit.rewards.ranks import Ranks
from judgekit.rewards.rollout import rollouts_of

OF_ONE = frozenset({"request_id", "rollout_infos", "response_token_ids"})  # differ where the responses are equal


def orm(reward: CompositeReward, *, unscored: float) -> type:
    """Return a class in the shape of ``swift.rewards.ORM``: ``orms["name"] = orm(reward, unscored=0.5)``."""

    class Reward:
        def __init__(self, args: Any = None, **_: Any) -> None:
            self.args = args

        def __call__(self, completions: Sequence[Any], **columns: Any) -> list[float]:
            return _rewards(reward, unscored, completions, columns)

    Reward.__name__ = Reward.__qualname__ = reward.__name__
    return Reward


def async_orm(reward: CompositeReward, *, unscored: float) -> type:
    """Return the same in the shape of ``swift.rewards.AsyncORM``, for one process; it keeps nothing of an event loop.

    Its calls raise `InputError` in one of several processes: the exchange of values must not run beside the trainer's.
    """

    class Reward:
        def __init__(self, args: Any = None, **_: Any) -> None:
            self.args = args

        async def __call__(self, completions: Sequence[Any], **columns: Any) -> list[float]:
            one_process()
            return await in_thread(_rewards, reward, unscored, completions, columns)

    Reward.__name__ = Reward.__qualname__ = reward.__name__
    return Reward


def _rewards(
    reward: CompositeReward, unscored: float, completions: Sequence[Any], columns: dict[str, Any]
) -> list[float]:
    """Score what is in all processes, and return this one's part."""
    if (messages := columns.pop("messages", None)) is None:
        raise InputError("ms-swift gives rewards a column 'messages', from which the prompt is taken; there is none")
    prompts = [turns[:-1] if turns and turns[-1]["role"] == "assistant" else turns for turns in messages]
    ranks = Ranks.current()
    kept = {name: values for name, values in columns.items() if name not in OF_ONE}
    own = rollouts_of(prompts, completions, kept, columns.get("prompt_id"))
    before = sum(ranks.gather(len(own))[: ranks.rank])
    found = reward.score(own, ranks)
    return with_group_means(found.totals, found.groups, unscored)[before : before + len(own)]
