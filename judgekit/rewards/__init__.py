"""Rewards for reinforcement learning. They know the protocols of `judgekit.types`, and no judge."""

from judgekit.rewards.alarms import WATCHES, Alarm, Watch
from judgekit.rewards.channel import Channel, Custom, Values
from judgekit.rewards.composite import CompositeReward, Gate, Rewards
from judgekit.rewards.holdout import HoldOut
from judgekit.rewards.judged import JudgeReward, TournamentReward
from judgekit.rewards.monitors import Monitor, StopTrainingError
from judgekit.rewards.record import read_record
from judgekit.rewards.rollout import Rollout
from judgekit.rewards.schemes import Pivot, Reference, RoundRobin, Scheme, Swiss
from judgekit.rewards.tournament import Standing, Standings, tournament

__all__ = [
    "WATCHES",
    "Alarm",
    "Channel",
    "CompositeReward",
    "Custom",
    "Gate",
    "HoldOut",
    "JudgeReward",
    "Monitor",
    "Pivot",
    "Reference",
    "Rewards",
    "Rollout",
    "RoundRobin",
    "Scheme",
    "Standing",
    "Standings",
    "StopTrainingError",
    "Swiss",
    "TournamentReward",
    "Values",
    "Watch",
    "read_record",
    "tournament",
]
