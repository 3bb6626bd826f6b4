"""Pairwise verdicts as numbers: the responses of a group meet, and each gets a value that a trainer can use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from judgekit.errors import InputError
from judgekit.rewards.games import Games
from judgekit.rewards.schemes import Reference, Scheme
from judgekit.types import ComparativeJudge, Sample, Usage


@dataclass(frozen=True, slots=True)
class Standing:
    """What a tournament makes of one response.

    Attributes:
        value: on the scheme's scale; None when no comparison of it could be judged, and then ``error`` says why.
        comparisons: verdicts on it; ``failed``: comparisons of it that gave none.
    """

    value: float | None
    error: str | None = None
    comparisons: int = 0
    failed: int = 0

    def __post_init__(self) -> None:
        if (self.value is None) != bool(self.error):
            raise ValueError("a value and an error exclude each other, and one of the two is needed")


@dataclass(frozen=True)
class Standings:
    """The outcome of a tournament: a `Standing` for each response of each group, and what it cost.

    Attributes:
        comparisons: all that the judge was asked; ``failed``: those without a verdict.
    """

    groups: list[list[Standing]]
    comparisons: int
    failed: int
    usage: Usage


def tournament(
    judge: ComparativeJudge,
    groups: Sequence[Sequence[Sample]],
    scheme: Scheme,
    references: Sequence[Sequence[str]] | None = None,
) -> Standings:
    """Give every response of every group a value, from comparisons within its group.

    All groups' comparisons of one round go to the judge in one call; what it costs, ``scheme.calls(n)`` says. Responses
    that are the same text get the same value, tie with each other without a comparison, and are compared with the
    others once. A hash decides which of two is shown first. A failed comparison is left out of the estimate, never
    counted as a tie or a loss; a response of which nothing is left has no value. The outcome depends on prompts,
    responses, seed and verdicts alone.

    Args:
        groups: each holds the responses to one prompt.
        references: the texts of each group for the scheme `Reference`; by default the samples' own.

    Raises:
        InputError: different prompts in one group, no reference in any group where one is needed, or ``soft`` and a
            judge that gives no probabilities.
    """
    if references is not None and len(references) != len(groups):
        raise InputError(f"{len(groups)} groups need as many lists of references, not {len(references)}")
    all_ = [
        Games.of(group, _references(group, None if references is None else references[i]))
        for i, group in enumerate(groups)
    ]
    if isinstance(scheme, Reference) and all_ and not any(games.references for games in all_):
        raise InputError("no group has a reference: give references, or samples that carry one")
    comparisons, failed, turn, usage = 0, 0, 0, Usage()
    while asked := [
        (k, *games.sides(i, j, scheme.seed)) for k, games in enumerate(all_) for i, j in _asked(scheme, games, turn)
    ]:
        verdicts = judge.compare([all_[k].comparison(i, j, f"{k}.{turn}") for k, i, j in asked])
        for (k, i, j), verdict in zip(asked, verdicts, strict=True):
            all_[k].record(i, j, verdict, soft=scheme.soft)
            usage += verdict.usage
            failed += verdict.winner is None
        comparisons, turn = comparisons + len(asked), turn + 1
    return Standings([_standings(scheme, games) for games in all_], comparisons, failed, usage)


def _references(group: Sequence[Sample], given: Sequence[str] | None) -> list[str]:
    return list(given) if given is not None else [s.reference for s in group if s.reference is not None]


def _asked(scheme: Scheme, games: Games, turn: int) -> list[tuple[int, int]]:
    return scheme.ask(games, turn) if games.samples else []


def _standings(scheme: Scheme, games: Games) -> list[Standing]:
    values = scheme.values(games) if games.samples else []
    alone = "its group has no reference" if isinstance(scheme, Reference) else "it was compared with nothing"
    return [_standing(value, games, i, alone) for value, i in zip(values, games.player, strict=True)]


def _standing(value: float | None, games: Games, player: int, alone: str) -> Standing:
    failed = int(games.failures[player])
    answered = int(games.asked[player]) - failed
    if value is not None:
        return Standing(value, None, answered, failed)
    reason = f"no comparison of it could be judged: {games.errors[player]}" if failed else alone
    return Standing(None, reason, answered, failed)
