"""More preference pairs without people: unlabelled ones on which several judges agree, each in both orders.

RLCS (arXiv 2601.07149) enlarges its data for GRPO so: pairs are ranked by two models in both orders, a pair is dropped
for a ranker whose verdict flips with the order, and the rankers must agree. What weight such pairs got beside people's
is not published.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from judgekit.errors import InputError
from judgekit.judges import ClassifierJudge, GenRMJudge, Judge, PairwiseJudge, RubricJudge
from judgekit.types import Pair, Preference, Winner

WEIGHT = 0.5


@dataclass(frozen=True)
class Expanded:
    """The pairs that got a label, and for each reason how many did not; a pair counts once."""

    pairs: list[Pair]
    left_out: dict[str, int]


def as_ranker(judge: Judge) -> Judge:
    """Return a judge that can label pairs: no order of the two responses may sway it unseen.

    Raises:
        InputError: it asks one order only, or it is a panel, which does not say whether each member was consistent.
    """
    if isinstance(judge, PairwiseJudge) and not judge.both_orders:
        raise InputError("a ranker must see both orders; set both_orders: true")
    if not isinstance(judge, PairwiseJudge | GenRMJudge | ClassifierJudge | RubricJudge):
        raise InputError("a panel does not say whether each member was consistent; give its members as rankers")
    return judge


def candidates(pairs: Iterable[Pair]) -> tuple[list[Pair], dict[str, int]]:
    """Return the pairs that rankers are asked about, and how many others there are, by reason."""
    left_out = Counter[str]()
    open_pairs = []
    for pair in pairs:
        if pair.label is not None:
            left_out["a label already"] += 1
        elif pair.comparison.a == pair.comparison.b:
            left_out["the same text on both sides"] += 1
        else:
            open_pairs.append(pair)
    return open_pairs, dict(left_out)


def expand(
    pairs: Sequence[Pair], rankings: Sequence[Sequence[Preference]], rankers: Sequence[str], weight: float = WEIGHT
) -> Expanded:
    """Label the pairs on which every ranker is consistent and all prefer the same side.

    Each gets ``source="machine"``, the weight, and the rankers' fingerprints in ``metadata["rankers"]``. A judge of
    single responses has no order that could sway it (``consistent`` is None); one that was asked in both orders must
    have said the same in both.

    Args:
        rankings: of each ranker, a preference for each pair, in the order of the pairs.
        rankers: their fingerprints.

    Raises:
        InputError: no ranker, the same one twice, a ranking of other length, or a weight that is not above 0.
    """
    if not rankers or len(set(rankers)) < len(rankers):
        raise InputError("give one ranker at least, and each of them once: a judge always agrees with itself")
    if len(rankings) != len(rankers) or any(len(ranking) != len(pairs) for ranking in rankings):
        raise InputError(f"each of the {len(rankers)} rankers must have a preference on each of the {len(pairs)} pairs")
    if not 0 < weight < math.inf:
        raise InputError(f"weight is {weight!r}; it must be a number above 0")
    left_out, kept = Counter[str](), []
    for i, pair in enumerate(pairs):
        label = _agreed([ranking[i] for ranking in rankings])
        if label in ("a", "b"):
            kept.append(_labelled(pair, label, rankers, weight))
        else:
            left_out[label] += 1
    return Expanded(kept, dict(left_out.most_common()))


def _agreed(preferences: Sequence[Preference]) -> str:
    """Return the side that all prefer; else the first reason that holds."""
    if any(preference.winner is None for preference in preferences):
        return "no verdict of a ranker"
    if any(preference.consistent is False for preference in preferences):
        return "a ranker's verdict changes with the order"
    if any(preference.winner == "tie" for preference in preferences):
        return "a tie for a ranker"
    winners = {str(preference.winner) for preference in preferences}
    return winners.pop() if len(winners) == 1 else "the rankers disagree"


def _labelled(pair: Pair, label: str, rankers: Sequence[str], weight: float) -> Pair:
    winner: Winner = "a" if label == "a" else "b"
    metadata = {**pair.comparison.metadata, "rankers": list(rankers)}
    comparison = replace(pair.comparison, metadata=metadata)
    return replace(pair, comparison=comparison, label=winner, weight=weight, source="machine")
