"""slime: the function for ``--custom-rm-path``, for one sample or, with ``--group-rm``, for a group.

How a missing reward is said: the sample is marked ``remove_sample``, so that it is not trained on, and
``metadata["unscored"]`` says why. Its number still enters the group's mean; with ``group=True`` it is the mean of the
others, which changes nothing there, else, and in a group without any reward, it is ``unscored``. What each channel gave
is in ``metadata["judgekit"]``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from judgekit.errors import InputError
from judgekit.integrations.answers import figures, in_thread, reason, single_rollouts, with_group_means
from judgekit.rewards import CompositeReward, Rollout


def custom_rm(
    reward: CompositeReward, *, unscored: float, group: bool = False
) -> Callable[..., Awaitable[float | list[float]]]:
    """Return ``async f(args, sample) -> float``, which also takes the samples of one rollout, as slime may give them.

    Args:
        group: for ``--group-rm``: ``async f(args, samples) -> list[float]``, where the samples are a group.

    Raises:
        InputError: the reward needs the group, and ``group`` is not set.
    """
    if not group:
        single_rollouts(reward, "slime without --group-rm (group=True)")

    async def custom_rm(args: Any, sample: Any, **_: Any) -> float | list[float]:
        if isinstance(sample, list):
            return await in_thread(_rewards, reward, sample, unscored, group)
        if group:
            raise InputError("one sample instead of a group: start slime with --group-rm")
        return (await in_thread(_rewards, reward, [sample], unscored, group))[0]

    return custom_rm


def _rewards(reward: CompositeReward, samples: list[Any], unscored: float, group: bool) -> list[float]:
    found = reward.score([_rollout(sample) for sample in samples])
    for i, sample in enumerate(samples):
        sample.metadata = {**(sample.metadata or {}), "judgekit": figures(found, i)}
        if found.totals[i] is None:
            sample.remove_sample = True
            sample.metadata["unscored"] = reason(found, i)
    places = list(range(len(samples)))
    return with_group_means(found.totals, [places] if group else [[i] for i in places], unscored)


def _rollout(sample: Any) -> Rollout:
    columns = {**(sample.metadata or {}), "label": sample.label, "reference": sample.label}
    return Rollout(sample.prompt, sample.response, "", columns)
