"""TRL: `CompositeReward` is a reward function of `GRPOTrainer` and `RLOOTrainer` as it stands; this is its async form.

How a missing reward is said: None, which TRL (1.16) leaves out of the group's mean and deviation, and gives advantage
0, where *no* reward function has a value. Beside a second function, None counts as 0 in TRL's default aggregation: make
the second one a channel of the same reward.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from judgekit.integrations.answers import in_thread, one_process
from judgekit.rewards import CompositeReward
from judgekit.types import Prompt


async def judged(
    reward: CompositeReward, /, prompts: Sequence[Prompt], completions: Sequence[Any], **columns: Any
) -> list[float | None]:
    """Return the reward of each completion, None where there is none; other reward functions can go on meanwhile.

    Raises:
        InputError: one of several processes, whose exchange of values must not run beside that of the trainer.
    """
    one_process()
    return await in_thread(reward, prompts, completions, **columns)


def asynchronous(reward: CompositeReward) -> Callable[..., Awaitable[list[float | None]]]:
    """Return the reward as an ``async def`` function, which TRL runs beside others of its kind.

    It is a `functools.partial` of a function of this module: every TRL knows it as async, and it can be pickled where
    the reward can, as `AsyncGRPOTrainer` needs. In TRL's logs it is called ``judged``; its channels log under the
    reward's own name.
    """
    return partial(judged, reward)
