"""What is measured on one turn and on one played episode, before anything is averaged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.episodes.data import Turn
from judgekit.episodes.response import EpisodeTurn, parse_response
from judgekit.episodes.rollout import Played, Visit
from judgekit.errors import InputError

STAY, JUMP = "stay recall", "jump recall"
TIMING: Final = ("too fast", "on time", "too slow", "failure")
TOTAL: Final = "total"
UNKNOWN: Final = "the current episode is not known"
FIRST: Final = "the first rollout is missing"


@dataclass(frozen=True, slots=True)
class Value:
    """One metric on one item.

    Attributes:
        value: None where there is none; ``reason`` says why.
        always_stay: what a policy gets here that always stays; None where that is not known or no accuracy is asked.
        hit: whether the metric is right or wrong, 1 or 0, on every item.
        span: the lowest and the highest value that it can have.
    """

    value: float | None
    reason: str = ""
    always_stay: float | None = None
    hit: bool = False
    span: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Item:
    """What was measured on one turn or one played episode.

    Attributes:
        id: equal for what two systems are compared on.
        story: None where it is not known; then the conversation is the unit that is resampled.
        behaviour: the player's; None where it is not known.
        values: by metric. A metric that does not apply (the recall of jumps, where to stay is right) is not there.
        counts: what else is to be told, as ``rollouts``, ``missing`` and ``invalid``.
    """

    id: str
    story: str | None
    conversation: str
    language: str
    behaviour: str | None
    values: Mapping[str, Value]
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """A turn, and K responses of a policy to it, without their reasoning; None for a rollout that is missing."""

    turn: Turn
    responses: tuple[str | None, ...]


def measure_turns(answered: Sequence[Answered]) -> list[Item]:
    """Measure answers: ``acc@1``, ``pass@K``, ``json@K``, and the recall of stays and of jumps in the first rollout.

    A response is right where it is valid and names the right next episode. An invalid one is wrong, and counted. A
    missing rollout is neither: ``acc@1`` has no value without the first one, ``pass@K`` none without all, and
    ``json@K`` is the valid share of those that are there.

    Raises:
        InputError: no answers, or not as many rollouts of one turn as of another.
    """
    sizes = {len(one.responses) for one in answered}
    if len(sizes) != 1 or 0 in sizes:
        raise InputError(
            f"rollouts for each turn: {sorted(sizes) or 'none'}; give as many for all, None for a missing one"
        )
    return [_answered(one) for one in answered]


def _answered(one: Answered) -> Item:
    turn, k = one.turn, len(one.responses)
    parsed = [None if text is None else parse_response(text) for text in one.responses]
    there = [found for found in parsed if found is not None]
    right = [_right(found, turn.next_episode) for found in there]
    stays = None if turn.stays is None else float(turn.stays)
    first = Value(None, FIRST) if parsed[0] is None else Value(right[0], always_stay=stays, hit=True)
    values = {
        "acc@1": first,
        f"pass@{k}": _pass(right, k, stays),
        f"json@{k}": _mean([float(isinstance(found, EpisodeTurn)) for found in there], "all rollouts are missing"),
        **_recalls(first, turn.stays),
    }
    invalid = sum(isinstance(found, str) for found in there)
    return _item(turn, values, {"rollouts": k, "missing": k - len(there), "invalid": invalid})


def _right(found: EpisodeTurn | str, expected: str) -> float:
    return float(isinstance(found, EpisodeTurn) and found.next_episode.strip() == expected.strip())


def _pass(right: Sequence[float], k: int, stays: float | None) -> Value:
    if len(right) < k:
        return Value(None, "not all rollouts are there", hit=True)
    return Value(max(right), always_stay=stays, hit=True)


def _recalls(first: Value, stays: bool | None) -> dict[str, Value]:
    if stays is None:
        return {name: Value(None, UNKNOWN, hit=True) for name in (STAY, JUMP)}
    return {STAY if stays else JUMP: Value(first.value, first.reason, hit=True)}


def _mean(values: Sequence[float] | NDArray[np.float64], reason: str, span: tuple[float, float] = (0.0, 1.0)) -> Value:
    return Value(float(np.mean(values)), span=span) if len(values) else Value(None, reason, span=span)


def _item(turn: Turn, values: Mapping[str, Value], counts: Mapping[str, int]) -> Item:
    behaviour = turn.metadata.get("behaviour")
    return Item(turn.id, turn.story, turn.conversation, turn.language, behaviour, values, counts)


def measure_timing(played: Sequence[Played]) -> list[Item]:
    """Measure when each played episode was left, of its own budget T: `timing`, as a hit in one of four.

    An episode that was cut off before it can be known has no value, and is counted. One that the play never came to is
    no item.
    """
    return [_visited(one, visit, n) for one in played for visit, n in zip(one.visits, _numbers(one), strict=True)]


def _numbers(one: Played) -> list[int]:
    """Return which visit of its episode each one is, from 1."""
    seen: Counter[str] = Counter()
    numbers = []
    for visit in one.visits:
        seen[visit.episode] += 1
        numbers.append(seen[visit.episode])
    return numbers


def _visited(one: Played, visit: Visit, number: int) -> Item:
    found = timing(visit.turns, visit.budget, visit.left)
    reason = "" if found else f"cut off: {one.stopped}"
    values = {name: Value(float(found == name) if found else None, reason, hit=True) for name in TIMING}
    name = f"{one.conversation}/{visit.episode}/{number}"
    return Item(name, one.graph.story, one.conversation, one.graph.language, visit.behaviour, values, {"episodes": 1})


def timing(turns: int, budget: int, left: bool) -> str | None:
    """Return how an episode of a budget was timed; None where it was not left, and might still have been in time.

    ``too fast`` below 80 % of the budget, ``on time`` to 100 %, ``too slow`` to 150 %, ``failure`` beyond or never
    (EpisodeBench's card, which takes 10 for every budget). The turn that leaves the episode counts.

    Raises:
        InputError: a budget or a number of turns below 1.
    """
    if turns < 1 or budget < 1:
        raise InputError(f"{turns} turns of a budget of {budget}: both are 1 or more")
    if not left:
        return "failure" if 2 * (turns + 1) > 3 * budget else None
    if 5 * turns < 4 * budget:
        return "too fast"
    return "on time" if turns <= budget else "too slow" if 2 * turns <= 3 * budget else "failure"


def measure_scores(
    turns: Sequence[Turn], scores: Mapping[str, ArrayLike], scale: tuple[float, float] = (0.0, 5.0)
) -> list[Item]:
    """Measure a judge's scores: ``<dimension> rollout@1`` and ``<dimension> avg@K``, and the same of ``total``.

    The total of a rollout is the mean of its dimensions, where it has all of them. (The Total that EpisodeBench prints
    lies about 1.1 of 100 above that, for a reason that is not given.) avg@K is the mean of the scores that are there.

    Args:
        scores: for each dimension an array of shape (turns, K); None or NaN for a missing score, which is counted.

    Raises:
        InputError: no dimensions or one called ``total``, another shape, a score that is not on the scale.
    """
    if not scores or TOTAL in scores or not turns:
        raise InputError(
            f"scores of {len(turns)} turns: give turns and dimensions, and none called {TOTAL!r}: it is made"
        )
    table = {name: _scores(name, given, scale) for name, given in scores.items()}
    shapes = {held.shape for held in table.values()}
    if len(shapes) != 1 or next(iter(shapes))[0] != len(turns):
        raise InputError(f"scores of the shapes {sorted(shapes)}: each dimension needs ({len(turns)}, K)")
    table[TOTAL] = np.mean(list(table.values()), axis=0)
    return [_scored(turn, {name: held[i] for name, held in table.items()}, scale) for i, turn in enumerate(turns)]


def _scores(name: str, given: ArrayLike, scale: tuple[float, float]) -> NDArray[np.float64]:
    try:
        held = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise InputError(
            f"the scores of {name!r} are no table of numbers: give one for each turn and rollout"
        ) from None
    if held.ndim != 2 or not held.size:
        raise InputError(f"the scores of {name!r} have the shape {held.shape}: it is (turns, K)")
    wrong = held[~np.isnan(held) & ~((held >= scale[0]) & (held <= scale[1]))]
    if len(wrong):
        raise InputError(f"{name!r} has the score {wrong[0]:g}, which is not on the scale {scale[0]:g} to {scale[1]:g}")
    return held


def _scored(turn: Turn, scores: Mapping[str, NDArray[np.float64]], scale: tuple[float, float]) -> Item:
    values: dict[str, Value] = {}
    for name, row in scores.items():
        values[f"{name} rollout@1"] = _mean(
            row[:1][~np.isnan(row[:1])], "the score of the first rollout is missing", scale
        )
        values[f"{name} avg@{len(row)}"] = _mean(row[~np.isnan(row)], "all scores are missing", scale)
    own = [row for name, row in scores.items() if name != TOTAL]
    missing = int(sum(np.isnan(row).sum() for row in own))
    return _item(turn, values, {"scores": sum(map(len, own)), "missing": missing})
