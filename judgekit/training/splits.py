"""Pairs into train, dev and test, group by group; and pairs in both orders."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import numpy as np

from judgekit.errors import InputError
from judgekit.types import Pair, Winner

SWAPPED: dict[Winner | None, Winner | None] = {"a": "b", "b": "a", "tie": "tie", None: None}


class Grouped(Protocol):
    """What is split by its group: pairs, rated samples."""

    @property
    def cluster(self) -> str: ...


T = TypeVar("T", bound=Grouped)


def split(rows: Sequence[T], shares: Sequence[float], seed: int = 0) -> list[list[T]]:
    """Deal whole groups (``cluster``) into parts of about these shares of the rows.

    The groups come in an order that depends on their names and the seed alone, and each goes to the part that is
    furthest from full. Within a part the rows keep their order. A part with the share 0 stays empty.

    Raises:
        InputError: the shares do not add up to 1, there is one group only, or a part would be empty.
    """
    if min(shares, default=-1) < 0 or not math.isclose(math.fsum(shares), 1, abs_tol=1e-6):
        raise InputError(f"shares must be 0 or more and add up to 1, not {', '.join(f'{s:g}' for s in shares)}")
    sizes = Counter(row.cluster for row in rows)
    if len(sizes) < 2:
        raise InputError(
            f"{len(rows)} rows of {len(sizes)} group cannot be split: parts must share no group (prompt); give test "
            "rows of their own (--test)"
        )
    names = sorted(sizes)
    wanted = np.array(shares) * len(rows)
    part = {}
    for i in np.random.default_rng(seed).permutation(len(names)):
        part[names[i]] = emptiest = int(wanted.argmax())
        wanted[emptiest] -= sizes[names[i]]
    parts: list[list[T]] = [[] for _ in shares]
    for row in rows:
        parts[part[row.cluster]].append(row)
    for share, found in zip(shares, parts, strict=True):
        if share and not found:
            raise InputError(
                f"the part with the share {share:g} would be empty: {len(sizes)} groups are too few for it"
            )
    return parts


def both_orders(pairs: Sequence[Pair]) -> list[Pair]:
    """Return every pair twice: as it is, and with its sides and its label swapped.

    The ids end in ``:ab`` and ``:ba``; group and metadata stay, so that both fall into one part of a split.
    """
    return [order for pair in pairs for order in (_marked(pair, "ab"), swap(_marked(pair, "ba")))]


def swap(pair: Pair) -> Pair:
    """Return the pair with its sides and its label swapped."""
    return replace(pair, comparison=pair.comparison.swap(), label=SWAPPED[pair.label])


def _marked(pair: Pair, order: str) -> Pair:
    return replace(pair, comparison=replace(pair.comparison, id=f"{pair.id}:{order}"))
