"""Policy training: rewards from their files, and (to come) recipes."""

from judgekit.policy.reward import FileReward, load_reward

__all__ = ["FileReward", "load_reward"]
