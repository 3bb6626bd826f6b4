"""Rewards for reinforcement learning. They know the protocols of `judgekit.types`, and no judge."""

from judgekit.rewards.channel import Channel, Custom, Values
from judgekit.rewards.composite import CompositeReward, Gate, Rewards
from judgekit.rewards.diversity import DPPDiversity
from judgekit.rewards.judged import JudgeReward, TournamentReward
from judgekit.rewards.rollout import Rollout
from judgekit.rewards.schemes import Pivot, Reference, RoundRobin, Scheme, Swiss
from judgekit.rewards.tournament import Standing, Standings, tournament

__all__ = [
    "Channel",
    "CompositeReward",
    "Custom",
    "DPPDiversity",
    "Gate",
    "JudgeReward",
    "Pivot",
    "Reference",
    "Rewards",
    "Rollout",
    "RoundRobin",
    "Scheme",
    "Standing",
    "Standings",
    "Swiss",
    "TournamentReward",
    "Values",
    "tournament",
]
