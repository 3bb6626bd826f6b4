"""RLCS' table: which of two policies a judge prefers, in both orders; and Elo of several, as POLARIS counts games."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration import (
    Bootstrap,
    Elo,
    NotEstimableError,
    elo,
    length_controlled_win_rate,
    polaris,
    sign_flip_test,
)
from judgekit.calibration.estimate import Array
from judgekit.calibration.votes import by_order
from judgekit.episodes.metrics import Row
from judgekit.errors import InputError
from judgekit.files import preference_row, recorded
from judgekit.judges import Judge
from judgekit.judges.base import POINTS
from judgekit.policy.asked import cluster
from judgekit.policy.evaluation.filling import Progress, fill, silent
from judgekit.policy.evaluation.responses import Responded
from judgekit.policy.evaluation.scoring import prompt_of, shown_to_judges
from judgekit.rewards.requested import count_words
from judgekit.types import Comparison, Preference, prompt_text

Mask = NDArray[np.bool_]
NO_VERDICT: Final = "no verdict in both orders"
ORDERS: Final = "the judge scores each side: it is asked in no order"
WIN_RATE, AGREED, EQUAL_LENGTH = "win rate", "win rate, orders agree", "win rate at equal lengths"
WON, TIED, LOST, FLIPPED, UNSCORED = "won", "tied", "lost", "order disagreement", "unscored"


@dataclass(frozen=True)
class Meeting:
    """Two policies on the same prompts, before a judge: response k of one against response k of the other.

    Attributes:
        comparisons: ``a`` is of the first policy; ``clusters``: the group of each.
        missing: pairs of which a response is missing; ``unpaired``: responses that the other has no fellow for, having
            fewer to a prompt; ``alone``: prompts that only one of the two has.
    """

    comparisons: tuple[Comparison, ...]
    clusters: tuple[str, ...]
    missing: int
    unpaired: int
    alone: int


def meeting(one: Sequence[Responded], two: Sequence[Responded]) -> Meeting:
    """Pair the responses of two policies.

    Raises:
        InputError: they have no prompt or no response in common, or an id with different prompts.
    """
    second = {it.id: it for it in two}
    both = [(it, second[it.id]) for it in one if it.id in second]
    if not both:
        raise InputError("the two policies have no prompt in common; evaluate them on the same data")
    for a, b in both:
        if prompt_text(a.asked.prompt) != prompt_text(b.asked.prompt):
            raise InputError(f"the id {a.id!r} has another prompt in one than in the other")
    pairs = [(a, k, texts) for a, b in both for k, texts in enumerate(zip(a.visible, b.visible, strict=False), 1)]
    known = [(it, k, x, y) for it, k, (x, y) in pairs if x is not None and y is not None]
    if not known:
        raise InputError("to no prompt do both policies have a response; there is nothing to compare")
    return Meeting(
        tuple(Comparison(prompt_of(it), x, y, f"{it.id}#{k}", shown_to_judges(it)) for it, k, x, y in known),
        tuple(cluster(it.asked) for it, *_ in known),
        len(pairs) - len(known),
        sum(abs(len(a.responses) - len(b.responses)) for a, b in both),
        len(one) + len(two) - 2 * len(both),
    )


def judge_meeting(
    judge: Judge, met: Meeting, path: Path, size: int = 64, progress: Progress = silent
) -> list[Preference]:
    """Let a judge compare, but for what the file has already.

    Raises:
        InputError: a judge that asks one order alone, or a file of another judge or of other texts.
    """
    if not getattr(judge, "both_orders", True):
        raise InputError("the judge asks one order alone, and which it asks may decide; take out 'both_orders: false'")

    def rows_of(batch: list[Comparison]) -> list[dict[str, Any]]:
        return [preference_row(item, found) for item, found in zip(batch, judge.compare(batch), strict=True)]

    fill(path, ("judge", judge.fingerprint), met.comparisons, rows_of, size, progress)
    return recorded(path, met.comparisons)[0]


@dataclass(frozen=True)
class HeadToHead:
    """What a judge makes of two policies; everything is from the side of the second.

    Attributes:
        rows: ``win rate``, the mean over both orders, where a tie, and orders that name different winners, count half;
            the same where the orders agree, and at equal lengths (AlpacaEval 2); the shares of comparisons that were
            won, tied, lost, in which the orders name different winners, and without a verdict.
        p: of "neither wins more often", two-sided; None where it cannot be tested. ``test``: how it was found.
        reasons: why comparisons have no verdict.
    """

    met: Meeting
    rows: Mapping[str, Row]
    p: float | None
    test: str
    reasons: Mapping[str, int]


def head_to_head(met: Meeting, preferences: Sequence[Preference], bootstrap: Bootstrap | None = None) -> HeadToHead:
    """Count what a judge prefers; groups of prompts are drawn, and flipped, whole.

    Raises:
        InputError: no comparisons, or not one preference for each.
    """
    if not preferences or len(preferences) != len(met.comparisons):
        raise InputError(f"{len(preferences)} preferences for {len(met.comparisons)} comparisons; give one for each")
    boot = bootstrap or Bootstrap()
    points = 1 - both_orders(preferences)
    known: Mask = ~np.isnan(points[:, 0] + points[:, 1])
    share, signs = points.mean(1), np.sign(points - 0.5)
    agreed: Mask = known & np.equal(*signs.T)
    lost = _count(NO_VERDICT, ~known)
    rows = {
        WIN_RATE: _row(share, known, met, boot, lost),
        AGREED: _row(share, agreed, met, boot, lost | _count("the orders do not agree", known & ~agreed)),
        EQUAL_LENGTH: _equal_length(met, share, boot, lost),
        **{name: _row(kind, known, met, boot, lost) for name, kind in _kinds(share, signs).items()},
        UNSCORED: _row(~known, np.ones_like(known), met, boot, {}),
    }
    if not any(preference.votes for preference in preferences):
        rows |= {name: Row(None, ORDERS) for name in (AGREED, FLIPPED)}
    p, test = _tested(share[known] - 0.5, [c for c, k in zip(met.clusters, known, strict=True) if k])
    reasons = Counter(it.error for it in preferences if it.error)
    return HeadToHead(met, rows, p, test, dict(reasons))


def _kinds(share: Array, signs: Array) -> dict[str, Mask]:
    flipped: Mask = np.prod(signs, axis=1) < 0
    return {WON: share > 0.5, TIED: (share == 0.5) & ~flipped, LOST: share < 0.5, FLIPPED: flipped}


def _row(values: Array | Mask, where: Mask, met: Meeting, boot: Bootstrap, left_out: Mapping[str, int]) -> Row:
    if not where.any():
        return Row(None, "no comparison has a value", left_out)
    clusters = [cluster for cluster, there in zip(met.clusters, where, strict=True) if there]
    return Row(boot.share(values[where].astype(float), clusters), "", left_out)


def both_orders(preferences: Sequence[Preference]) -> Array:
    """Return the points of a in each of the two orders: 1, 1/2, 0; NaN for none. Shape (comparisons, 2).

    A judge that scores each side has no order: both have its verdict.
    """
    points = by_order([it.votes for it in preferences])
    for i, it in enumerate(preferences):
        if it.winner is None:
            points[i] = math.nan
        elif not it.votes:
            points[i] = POINTS[it.winner]
    return points


def _count(reason: str, where: Mask) -> dict[str, int]:
    return {reason: int(where.sum())} if where.any() else {}


def _equal_length(met: Meeting, share: Array, boot: Bootstrap, lost: Mapping[str, int]) -> Row:
    longer = [count_words(it.b) - count_words(it.a) for it in met.comparisons]
    try:
        found = length_controlled_win_rate(share, longer, units=met.clusters, bootstrap=boot)
    except NotEstimableError as reason:
        return Row(None, str(reason), lost)
    return Row(found.win_rate, "", lost)


def _tested(away: Array, clusters: Sequence[str]) -> tuple[float | None, str]:
    if len(set(clusters)) < 2:
        return None, "all comparisons are of one group; the test needs two"
    found = sign_flip_test(away, clusters)
    return found.p, f"sign flip by group, {found.method}"


# --- several policies ------------------------------------------------------------------------------------------------


def ratings(names: Sequence[str], met: Mapping[tuple[int, int], tuple[Meeting, Sequence[Preference]]]) -> Elo:
    """Rate policies by their games against each other, of which each order of a comparison is one, as in POLARIS.

    Args:
        names: of the policies, each its own; met: the comparisons of two of them, by their places.

    Raises:
        NotEstimableError: not one comparison has a verdict in both orders.
    """
    games: list[tuple[str, str, float, str]] = []
    for (i, j), (each, preferences) in met.items():
        two = polaris(2 * both_orders(preferences).T - 1)
        for k, points in zip(*two.unrolled(), strict=True):
            games.append((names[i], names[j], float(points), each.clusters[k]))
        for k in np.flatnonzero(np.isnan(two.share)):  # no game; the rating counts it as missing
            games.append((names[i], names[j], math.nan, each.clusters[k]))
    a, b, points, groups = zip(*games, strict=True)
    return elo(a, b, points, units=groups)
