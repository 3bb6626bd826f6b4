"""Rewards for reinforcement learning. They know the protocols of `judgekit.types`, and no judge."""

from judgekit.episodes.progress import own_progress
from judgekit.episodes.response import EpisodeTurn
from judgekit.rewards.alarms import WATCHES, Alarm, Watch
from judgekit.rewards.channel import Channel, Custom, Values
from judgekit.rewards.composite import CompositeReward, Gate, Rewards
from judgekit.rewards.cre import CREReward, information_flow
from judgekit.rewards.diversity import DPPDiversity
from judgekit.rewards.episode import JSONText, story_text
from judgekit.rewards.format import FormatReward
from judgekit.rewards.history import without_history
from judgekit.rewards.holdout import HoldOut
from judgekit.rewards.judged import JudgeReward, TournamentReward
from judgekit.rewards.length import LengthReward, effective_length
from judgekit.rewards.monitors import Monitor, StopTrainingError
from judgekit.rewards.record import read_record
from judgekit.rewards.repetition import BlankPenalty, RepetitionPenalty, ThinkingBudgetPenalty
from judgekit.rewards.requested import RequestedLengthReward
from judgekit.rewards.rollout import Rollout
from judgekit.rewards.schemes import Pivot, Reference, RoundRobin, Scheme, Swiss
from judgekit.rewards.tournament import Standing, Standings, tournament
from judgekit.rewards.transition import TransitionReward

__all__ = [
    "WATCHES",
    "Alarm",
    "BlankPenalty",
    "CREReward",
    "Channel",
    "CompositeReward",
    "Custom",
    "DPPDiversity",
    "EpisodeTurn",
    "FormatReward",
    "Gate",
    "HoldOut",
    "JSONText",
    "JudgeReward",
    "LengthReward",
    "Monitor",
    "Pivot",
    "Reference",
    "RepetitionPenalty",
    "RequestedLengthReward",
    "Rewards",
    "Rollout",
    "RoundRobin",
    "Scheme",
    "Standing",
    "Standings",
    "StopTrainingError",
    "Swiss",
    "ThinkingBudgetPenalty",
    "TournamentReward",
    "TransitionReward",
    "Values",
    "Watch",
    "effective_length",
    "information_flow",
    "own_progress",
    "read_record",
    "story_text",
    "tournament",
    "without_history",
]
