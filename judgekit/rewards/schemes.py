"""Who meets whom in a group, and what number comes of it.

=============  =============================  =====================================================================
scheme         comparisons for n responses    value
=============  =============================  =====================================================================
`Pivot`        n - 1                          +1, -1 or 0 against one random member, which gets 0
`Reference`    n for each reference           the same against given texts, the mean over them
`Swiss`        rounds * floor(n / 2)          win rate, or Bradley-Terry strength
`RoundRobin`   n (n - 1) / 2                  win rate, or Bradley-Terry strength
=============  =============================  =====================================================================

With ``soft=True`` the judge's P(a is better) takes the place of 1, 1/2 and 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from judgekit.errors import InputError
from judgekit.rewards.games import Games, Points, strengths, win_rates

Estimate = Literal["wins", "bradley-terry"]
Values = list[float | None]


class Scheme(Protocol):
    """A way to hold a tournament. It is told of every group alone, so that groups cannot touch each other."""

    @property
    def seed(self) -> int: ...
    @property
    def soft(self) -> bool: ...
    def calls(self, n: int) -> int:
        """Return how many comparisons a group of n different responses costs; equal ones cost less."""

    def ask(self, games: Games, turn: int) -> list[tuple[int, int]]:
        """Return the pairs of players to compare in this round, the first being 0; none when it is over."""

    def values(self, games: Games) -> Values:
        """Return the value of each member; None where nothing is known of it."""


@dataclass(frozen=True)
class Pivot:
    """One member, drawn by a hash of prompt and seed, is what all others are compared with (RLCS, Writing-Zero's BRPO).

    Better than the pivot is +1, worse -1, a tie 0; the pivot has 0. A blank response is no pivot, since no judge could
    compare anything with it. If no comparison with the pivot succeeds, the pivot has no value either: its 0 would say
    that it stands in the middle of a group of which nothing is known.
    """

    seed: int = 0
    soft: bool = False

    def calls(self, n: int) -> int:
        return max(n - 1, 0)

    def ask(self, games: Games, turn: int) -> list[tuple[int, int]]:
        pivot = self.pivot(games)
        return [(i, pivot) for i in games.members if i != pivot] if turn == 0 else []

    def values(self, games: Games) -> Values:
        return _known(2 * games.points[games.player, self.pivot(games)] - 1, games.answered() | _all_alike(games))

    def pivot(self, games: Games) -> int:
        """Return the player that the others are compared with."""
        sound = [i for i in games.player if games.texts[i].strip()] or games.player
        return sound[games.draw(self.seed, "pivot") % len(sound)]


@dataclass(frozen=True)
class Reference:
    """Every response is compared with a text from outside the group: +1 better, -1 worse, 0 tied.

    With several references the value is the mean over those that could be judged; a group without one has no values.
    """

    seed: int = 0
    soft: bool = False

    def calls(self, n: int) -> int:
        return n

    def ask(self, games: Games, turn: int) -> list[tuple[int, int]]:
        pairs = {tuple(sorted((i, j))): (i, j) for i in games.members for j in games.references if i != j}
        return list(pairs.values()) if turn == 0 else []

    def values(self, games: Games) -> Values:
        if not games.references:
            return [None] * len(games.player)
        values = 2 * win_rates(games.points[np.ix_(games.player, games.references)]) - 1
        return _known(values, np.full(len(values), True))  # one that is the reference ties with it, unasked


@dataclass(frozen=True)
class RoundRobin:
    """Everybody meets everybody.

    Attributes:
        estimate: ``wins``: mean points over the other members, in [0, 1]; ``bradley-terry``: strength in logits, which
            differs in its spacing, and where comparisons failed.
    """

    estimate: Estimate = "wins"
    seed: int = 0
    soft: bool = False

    def calls(self, n: int) -> int:
        return n * (n - 1) // 2

    def ask(self, games: Games, turn: int) -> list[tuple[int, int]]:
        members = games.members
        return [(i, j) for k, i in enumerate(members) for j in members[k + 1 :]] if turn == 0 else []

    def values(self, games: Games) -> Values:
        return _estimated(self.estimate, games)


@dataclass(frozen=True)
class Swiss:
    """Some rounds in which those of about equal score meet who have not met before.

    With an odd number, one of those with most comparisons sits out. A win rate flatters whoever met weak opponents; the
    Bradley-Terry strength takes that into account, but in the simulation of ``benchmarks/tournaments.py`` it did not
    order groups better, so it is not the default.

    Attributes:
        rounds: at least 2, so that nobody is left without an opponent; None for log2 of the number of responses,
            rounded up.
    """

    rounds: int | None = None
    estimate: Estimate = "wins"
    seed: int = 0
    soft: bool = False

    def __post_init__(self) -> None:
        if self.rounds is not None and self.rounds < 2:
            raise InputError(f"a Swiss tournament takes at least 2 rounds, not {self.rounds}")

    def calls(self, n: int) -> int:
        return min(self._rounds(n) * (n // 2), n * (n - 1) // 2)

    def ask(self, games: Games, turn: int) -> list[tuple[int, int]]:
        players = games.members
        if turn >= self._rounds(len(players)):
            return []
        scores = _scores(games)
        order = sorted(players, key=lambda i: (-scores[i], games.draw(self.seed, "order", games.texts[i])))
        if len(order) % 2:
            order.remove(max(reversed(order), key=lambda i: games.asked[i]))
        return _neighbours(order, games)

    def values(self, games: Games) -> Values:
        return _estimated(self.estimate, games)

    def _rounds(self, n: int) -> int:
        return self.rounds or max(2, math.ceil(math.log2(max(n, 1))))


def _scores(games: Games) -> list[float]:
    """Return each player's share of points, half a point to begin with: one lucky win is not yet a top place."""
    points = games.points.copy()
    np.fill_diagonal(points, np.nan)
    met = (~np.isnan(points)).sum(1)
    return [float(x) for x in (np.nansum(points, 1) + 0.5) / (met + 1)]


def _neighbours(order: list[int], games: Games) -> list[tuple[int, int]]:
    """Pair from the top down, each with the next who was not compared with it before; who finds nobody sits out."""
    pairs, left = [], list(order)
    while left:
        i = left.pop(0)
        j = next((j for j in left if not games.met[i, j]), None)
        if j is not None:
            left.remove(j)
            pairs.append((i, j))
    return pairs


def _estimated(estimate: Estimate, games: Games) -> Values:
    points = games.among_members()
    values = win_rates(points) if estimate == "wins" else strengths(points)
    return _known(values, games.answered() | _all_alike(games))


def _all_alike(games: Games) -> bool:
    """Return whether the group is one text several times: then nothing is asked, and all are tied for certain."""
    return len(games.members) == 1 < len(games.player)


def _known(values: Points, known: NDArray[np.bool_]) -> Values:
    pairs = zip(values, known, strict=True)
    return [float(value) if there and not math.isnan(value) else None for value, there in pairs]
