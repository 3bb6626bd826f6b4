"""Policy training: recipes, rewards from their files, human references in the groups, evaluation."""

from judgekit.policy.injection import ReferenceInjection
from judgekit.policy.reward import FileReward, load_reward

__all__ = ["FileReward", "ReferenceInjection", "load_reward"]
