"""Rewards whose values stand in the completion, so that a test can read off what has to come back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from judgekit.rewards import Channel, CompositeReward, Custom, Rollout, Values
from tests.integrations.two import Above


class Written(Channel):
    """Gives the word at a place of the completion as a number; "fail" is a judge without a verdict, "boom" raises.

    With a barrier each call waits for the others that come to it, and raises after a minute.
    """

    def __init__(self, name: str = "judge", place: int = 0, barrier: threading.Barrier | None = None) -> None:
        self.name, self.place, self.barrier = name, place, barrier
        self.seen: list[Rollout] = []

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        if self.barrier is not None:
            self.barrier.wait(60)
        self.seen += rollouts
        words = [rollout.completion.split()[self.place] for rollout in rollouts]
        if "boom" in words:
            raise ConnectionError("no route")
        values = [None if word == "fail" else float(word) for word in words]
        return Values(values, {i: "no verdict" for i, value in enumerate(values) if value is None})


def plain(**more: Any) -> CompositeReward:
    """Return a reward of two written values: that of a judge, and half that of the format."""
    return CompositeReward([Written("judge", 0), Written("format", 1)], [1.0, 0.5], **more)


def grouped() -> CompositeReward:
    return CompositeReward([Written("judge", 0), Above()])


def needy() -> list[CompositeReward]:
    """Return rewards that one rollout at a time cannot serve."""
    return [grouped(), plain(normalize="group"), plain(normalize="batch"), plain(optional=["format"])]


def named(name: str) -> CompositeReward:
    return CompositeReward([Custom(len, name)])  # type: ignore[arg-type]
