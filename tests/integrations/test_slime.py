"""slime's `async_rm`, `batched_async_rm` and what it makes of rewards: their place, the group's norm, the loss mask.

No release of slime is on the package index (what is called so there is 0.0.0): its calls are repeated here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from judgekit import InputError
from judgekit.integrations.slime import custom_rm
from judgekit.rewards import CompositeReward
from tests.integrations.rewards import Written, grouped, needy, plain

ARGS = SimpleNamespace(custom_rm_path="m.f", group_rm=True, reward_key=None)


@dataclass
class Sample:
    """The fields of slime's own that count here."""

    response: str
    prompt: str | list[dict[str, str]] = "p"
    label: str | None = "truth"
    reward: Any = None
    remove_sample: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)


def one_by_one(function: Any, samples: list[Sample]) -> list[float]:
    async def all_() -> None:
        async def generate_and_rm(sample: Sample) -> None:
            sample.reward = await function(ARGS, sample)

        await asyncio.gather(*map(generate_and_rm, samples))

    asyncio.run(all_())
    return [sample.reward for sample in samples]


def as_a_group(function: Any, samples: list[Sample]) -> list[float]:
    for sample, reward in zip(samples, asyncio.run(function(ARGS, samples)), strict=False):
        sample.reward = reward
    return [sample.reward for sample in samples]


def written(*texts: str) -> list[Sample]:
    return [Sample(text) for text in texts]


def test_one_sample_at_a_time() -> None:
    samples = written("0.7 1", "fail 1", "boom 1", "0.1 0")

    assert one_by_one(custom_rm(plain(), unscored=0.5), samples) == [1.2, 0.5, 0.5, 0.1]
    assert [sample.remove_sample for sample in samples] == [False, True, True, False]
    assert samples[1].metadata["unscored"] == "judge: no verdict" and "no route" in samples[2].metadata["unscored"]
    assert samples[0].metadata["judgekit"] == {"judge": 0.7, "format": 1.0, "unscored": 0.0}


def test_the_samples_of_one_rollout_without_group_rm() -> None:
    """A custom generate function may give several; slime then calls the same function with the list."""
    assert as_a_group(custom_rm(plain(), unscored=0.5), written("0.7 1", "fail 1")) == [1.2, 0.5]


def test_a_group_with_one_failed_judge_in_slimes_norm() -> None:
    """1.2, 0.4 and the missing one as 0.8: after the mean is taken off 0.4, -0.4 and 0."""
    samples = written("0.7 1", "fail 1", "0.4 0")
    rewards = as_a_group(custom_rm(plain(), unscored=0.5, group=True), samples)
    mean = sum(rewards) / 3

    assert [reward - mean for reward in rewards] == pytest.approx([0.4, 0, -0.4])
    assert [sample.remove_sample for sample in samples] == [False, True, False]


def test_a_group_without_any_reward_and_an_empty_one() -> None:
    samples = written("fail 1", "fail 1")
    assert as_a_group(custom_rm(plain(), unscored=0.5, group=True), samples) == [0.5, 0.5]
    assert all(sample.remove_sample for sample in samples)
    assert as_a_group(custom_rm(plain(), unscored=0.5, group=True), []) == []


def test_channels_that_need_the_group() -> None:
    assert as_a_group(custom_rm(grouped(), unscored=0, group=True), written("0 short", "0 a longer one")) == [0.5, 0]


def test_what_a_channel_sees() -> None:
    judge = Written()
    one_by_one(custom_rm(CompositeReward([judge]), unscored=0), [Sample("0.5", metadata={"level": 3})])

    assert judge.seen[0].sample.reference == "truth" and judge.seen[0].sample.metadata["level"] == 3


def test_refusals() -> None:
    for reward in needy():
        with pytest.raises(InputError, match="without --group-rm"):
            custom_rm(reward, unscored=0)
    with pytest.raises(InputError, match="start slime with --group-rm"):
        one_by_one(custom_rm(plain(), unscored=0, group=True), written("0.5 1"))
