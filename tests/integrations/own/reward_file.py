"""A reward as its user writes it: a file that each trainer's own code loads.

The judge's value is the first word of a response, the format's the second; "fail" is a judge without a verdict.
"""

from __future__ import annotations

from seen import SEEN

from judgekit.integrations import nemo_gym, openrlhf, swift, verifiers, verl
from judgekit.rewards import CompositeReward, Custom, Rollout


def judge(rollout: Rollout) -> float | None:
    SEEN.append(rollout)
    return value(rollout.completion.split()[0])


def value(word: str) -> float | None:
    if word == "boom":
        raise ConnectionError("no route")
    return None if word == "fail" else float(word)


reward = CompositeReward(
    [Custom(judge), Custom(lambda rollout: value(rollout.completion.split()[1]), "format")], [1.0, 0.5], name="story"
)

# verl
compute_score = verl.compute_score(reward, unscored=0.6)
strict = verl.compute_score(reward, unscored=None)
Stories = verl.reward_manager(reward, unscored=0.6)
# OpenRLHF
reward_func = openrlhf.reward_func(reward, unscored=0.5, ends=["<|im_end|>"])
# ms-swift
Story = swift.orm(reward, unscored=0.5)
AsyncStory = swift.async_orm(reward, unscored=0.5)
# verifiers
story = verifiers.task_reward(reward)
# NeMo-Gym
verified = nemo_gym.verify(reward)
