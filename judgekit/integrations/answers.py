"""What the adapters share: figures for a log, what stands in for a missing reward, and a thread to wait in."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from judgekit.errors import InputError, JudgekitError
from judgekit.rewards import CompositeReward, Rewards, Rollout
from judgekit.rewards.ranks import Ranks

T = TypeVar("T")
WAITING = ThreadPoolExecutor(64, "judgekit")  # an event loop's own has about as many threads as the machine has cores


class UnscoredError(JudgekitError):
    """A rollout has no reward; raised where a trainer can be told so in no other way."""


async def in_thread(function: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Call a function that waits, without keeping the event loop from going on."""
    return await asyncio.get_running_loop().run_in_executor(WAITING, partial(function, *arguments, **named))


def one_process() -> None:
    """Refuse to go on beside a trainer whose processes have to exchange values in one order.

    Raises:
        InputError: this is one of several processes.
    """
    if (count := Ranks.current().count) > 1:
        raise InputError(
            f"an async reward cannot exchange values among {count} processes: use the synchronous form, whose channels"
            " wait at the same time anyway"
        )


def free_names(reward: CompositeReward, *taken: str) -> None:
    """Refuse channels whose names the trainer, or the adapter, uses for something else.

    Raises:
        InputError: there are such channels.
    """
    if both := reward.channels.keys() & {"unscored", *taken}:
        raise InputError(f"{', '.join(sorted(both))} has a meaning of its own here: give the channel another name")


def single_rollouts(reward: CompositeReward, trainer: str) -> None:
    """Refuse a reward that needs the group, for a trainer that gives one rollout at a time.

    Raises:
        InputError: a channel compares rollouts, values are normalised, or a missing value counts as the group's mean.
    """
    grouped = [channel.name for channel in reward.channels.values() if channel.grouped]
    why = {
        f"{' and '.join(grouped)} needs the rollouts of a group": bool(grouped),
        "the z-score of one rollout is always 0 (normalize='none': the trainer normalises)": reward.normalize != "none",
        "an optional channel counts as the mean of its group where it has no value": bool(reward.optional),
    }
    if any(why.values()):
        reasons = "; ".join(reason for reason, holds in why.items() if holds)
        raise InputError(f"{trainer} gives a reward one rollout at a time, but {reasons}")


def never_raises(reward: CompositeReward, trainer: str, what: str) -> None:
    """Refuse a reward that raises for a trainer that makes something else of an exception.

    Raises:
        InputError: the reward, or its monitor, is to stop the training.
    """
    if reward.on_error == "raise":
        raise InputError(f"{trainer} {what} when a reward raises, it does not stop: use on_error='unscored'")
    if reward.monitor is not None and reward.monitor.stop:
        raise InputError(f"{trainer} {what} when a reward raises, it does not stop: use Monitor(..., stop=())")


def figures(found: Rewards, i: int) -> dict[str, float]:
    """Return a rollout's value of every channel, NaN where there is none, and ``unscored``, 0 or 1: always all keys."""
    values = {name: math.nan if (value := values[i]) is None else value for name, values in found.values.items()}
    return {**values, "unscored": float(found.totals[i] is None)}


def reason(found: Rewards, i: int) -> str:
    """Return why a rollout has no reward, empty where it has one."""
    if found.totals[i] is not None:
        return ""
    return "; ".join(f"{name}: {reasons[i]}" for name, reasons in found.reasons.items() if i in reasons) or "no value"


def single(reward: CompositeReward, rollout: Rollout, unscored: float | None) -> tuple[float, Rewards]:
    """Return the reward of one rollout, ``unscored`` where it has none, and all that is known of it.

    Raises:
        UnscoredError: it has none, and nothing stands in for it.
    """
    found = reward.score([rollout])
    total = found.totals[0]
    if total is None and unscored is None:
        raise UnscoredError(f"a rollout has no reward: {reason(found, 0)}")
    return (unscored or 0.0) if total is None else total, found


def with_group_means(totals: Sequence[float | None], groups: Sequence[Sequence[int]], unscored: float) -> list[float]:
    """Return the rewards with the mean of its group for each that is missing, so that GRPO gives it no advantage.

    The mean of the group stays what it was; its standard deviation shrinks by sqrt((k - 1) / (n - 1)) for k rewards
    among n, so a trainer that divides by it makes the others' advantages that much larger.

    Args:
        groups: the places of each group's rollouts.
        unscored: for a group without any reward. Its rollouts all get it, and so no advantage either.
    """
    filled = [unscored if total is None else total for total in totals]
    for places in groups:
        known = [total for i in places if (total := totals[i]) is not None]
        for i in places:
            if known and totals[i] is None:
                filled[i] = math.fsum(known) / len(known)
    return filled
