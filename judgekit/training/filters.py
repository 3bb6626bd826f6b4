"""Which chains are good enough to learn from: every one that is left out is counted under its reason."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated

from pydantic import Field

from judgekit.config import Config
from judgekit.errors import InputError
from judgekit.training.chains import ORDERS, Chain, in_order, texts_hash
from judgekit.types import Pair, Winner

VERDICT_LINE = re.compile(r"(?im)^\W{0,8}(?:score(?:s|_?[ab])?|verdict)\b.{0,80}$")
LEAST_SPREAD = 0.1  # of the logarithm of the length: texts of equal length have no outliers at a tenth


class Filters(Config):
    """What a chain must satisfy.

    Attributes:
        both_orders: the majority of the teacher's verdicts must be the same in both orders, and the chain's as well.
        label: where the pair has a label, the verdict must be that one.
        margin: least difference of the two scores; a chain without scores passes only a margin of 0.
        length: how many deviations (1.4826 times the median absolute one) the logarithm of a chain's length may be
            from the median; null: any.
        duplicates: a reasoning that stands in an earlier chain, word for word, is left out.
        reasons_first: the verdict must not stand before its reasons.
    """

    both_orders: bool = True
    label: bool = True
    margin: Annotated[float, Field(ge=0)] = 0.0
    length: Annotated[float, Field(gt=0)] | None = 5.0
    duplicates: bool = True
    reasons_first: bool = True


@dataclass(frozen=True)
class Filtered:
    """The chains that passed, and for each reason how many did not; a chain counts once, under its first reason."""

    kept: list[Chain]
    left_out: dict[str, int]


Keep = Callable[[Chain], bool]


def filter_chains(pairs: Sequence[Pair], chains: Sequence[Chain], filters: Filters) -> Filtered:
    """Apply the filters, one after the other, each to what the earlier ones left.

    Raises:
        InputError: a chain is about other texts than the pair of its name, or nothing is left; the message says what
            went where.
    """
    by_id = {pair.id: pair for pair in pairs}
    kept, left_out = list(chains), dict[str, int]()
    for reason, wanted, build in _steps(filters):
        if wanted:
            keep = build(kept, by_id)
            passed = [chain for chain in kept if keep(chain)]
            left_out[reason] = len(kept) - len(passed)
            kept = passed
    if not kept:
        raise InputError(f"no chain is left of {len(chains)}: {_story(chains, left_out)}")
    return Filtered(kept, left_out)


def _steps(filters: Filters) -> list[tuple[str, bool, Callable[[list[Chain], Mapping[str, Pair]], Keep]]]:
    return [
        ("of another pair, or a held-out one", True, lambda _, pairs: lambda chain: _known(chain, pairs)),
        ("no readable verdict", True, lambda _, __: lambda chain: chain.winner is not None),
        ("the orders disagree", filters.both_orders, lambda chains, _: _consistent(chains)),
        ("against the label", filters.label, lambda _, pairs: lambda chain: _agrees(chain, pairs[chain.pair])),
        ("margin too small", filters.margin > 0, lambda _, __: lambda chain: _margin(chain) >= filters.margin),
        ("verdict before reasons", filters.reasons_first, lambda _, __: lambda chain: chain.reasons_first),
        ("unusual length", filters.length is not None, lambda chains, _: _usual(chains, filters.length or 0.0)),
        ("the same reasoning again", filters.duplicates, lambda chains, _: _first(chains)),
    ]


def _known(chain: Chain, pairs: Mapping[str, Pair]) -> bool:
    pair = pairs.get(chain.pair)
    if pair is not None and texts_hash(in_order(pair.comparison, chain.order)) != chain.texts:
        raise InputError(
            f"the chain of {chain.pair!r} is about other texts than the pair of that id; distil these pairs"
        )
    return pair is not None


def _consistent(chains: Sequence[Chain]) -> Keep:
    votes: dict[tuple[str, str], Counter[Winner]] = {}
    for chain in chains:
        if chain.winner is not None:
            votes.setdefault((chain.pair, chain.order), Counter())[chain.winner] += 1
    agreed = {pair: _agreed([votes.get((pair, order), Counter()) for order in ORDERS]) for pair, _ in votes}
    return lambda chain: chain.winner == agreed[chain.pair]


def _agreed(orders: Sequence[Counter[Winner]]) -> Winner | None:
    """Return what the majority says in every order, if it is the same and no other verdict has as many votes."""
    most = [[winner for winner in votes if votes[winner] == max(votes.values())] for votes in orders]
    return most[0][0] if len(most[0]) == 1 and all(found == most[0] for found in most) else None


def _agrees(chain: Chain, pair: Pair) -> bool:
    return pair.label is None or chain.winner == pair.label


def _margin(chain: Chain) -> float:
    a, b = chain.scores
    return abs(a - b) if a is not None and b is not None else 0.0


def _usual(chains: Sequence[Chain], deviations: float) -> Keep:
    def size(chain: Chain) -> float:
        return math.log(len(chain.text or "") or 1)

    sizes = [size(chain) for chain in chains]
    centre = median(sizes) if sizes else 0.0
    spread = max(LEAST_SPREAD, 1.4826 * median([abs(s - centre) for s in sizes])) if sizes else 1.0
    return lambda chain: abs(size(chain) - centre) <= deviations * spread


def _first(chains: Sequence[Chain]) -> Keep:
    first: dict[str, Chain] = {}
    for chain in chains:
        first.setdefault(reasoning(chain), chain)
    return lambda chain: first[reasoning(chain)] is chain


def reasoning(chain: Chain) -> str:
    """Return the text without its lines of scores and verdict, case and spaces folded."""
    return " ".join(VERDICT_LINE.sub("", chain.text or "").casefold().split())


def _story(chains: Sequence[Chain], left_out: Mapping[str, int]) -> str:
    said = Counter(chain.shown or "nothing readable" for chain in chains)
    verdicts = ", ".join(f"{name} {count} times" for name, count in said.most_common())
    reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
    return f"{reasons or 'there were none'}; as shown, the teacher said {verdicts or 'nothing'}"
