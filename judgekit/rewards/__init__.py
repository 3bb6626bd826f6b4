"""Rewards for reinforcement learning. They know the protocols of `judgekit.types`, and no judge."""

from judgekit.rewards.schemes import Pivot, Reference, RoundRobin, Scheme, Swiss
from judgekit.rewards.tournament import Standing, Standings, tournament

__all__ = ["Pivot", "Reference", "RoundRobin", "Scheme", "Standing", "Standings", "Swiss", "tournament"]
