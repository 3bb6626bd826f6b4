"""What the replies of a judge say when they are counted again: by order of the responses, and by fewer of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from judgekit.types import Votes, Winner

Array = NDArray[np.float64]
Index = NDArray[np.int64]
POINTS: dict[Winner | None, float] = {"a": 1.0, "tie": 0.5, "b": 0.0, None: math.nan}  # for a
KINDS: tuple[Winner | None, ...] = ("a", "tie", "b", None)
TIE: tuple[Winner | None, ...] = ("tie",)
CELLS = 1 << 22  # numbers held at a time: bounds memory, changes nothing in the result
MOST = 64  # votes of an order that the curve goes up to


def by_order(votes: Sequence[Votes]) -> Array:
    """Return what each order alone says, as points for a: 1, 1/2 for a tie, 0; shape (pairs, 2).

    NaN where an order was not asked, or where half of its replies or more could not be read.
    """
    known: dict[tuple[Winner | None, ...], float] = {}
    found = np.full((len(votes), 2), math.nan)
    for i, pair in enumerate(votes):
        for j, order in enumerate(pair):
            if order not in known:
                known[order] = _majority(order)
            found[i, j] = known[order]
    return found


def _majority(order: Iterable[Winner | None]) -> float:
    told = list(order)
    read = [POINTS[vote] for vote in told if vote is not None]
    if 2 * len(read) <= len(told):
        return math.nan
    return (1 + float(np.sign(2 * math.fsum(read) - len(read)))) / 2


def curve(votes: Sequence[Votes]) -> dict[int, tuple[Array, Array]]:
    """Return what to expect of fewer votes an order, drawn from those there are: the exact mean over all subsets.

    A subset decides as the pairwise judge does: by the mean over the orders of the share of votes for a, a tie
    counting half; it gives no verdict if half of an order's votes or more cannot be read.

    Args:
        votes: one or two orders for each pair.

    Returns:
        By the number of votes an order: the expected points for a (0 where there is no verdict), and the probability
        of a verdict; shape (pairs,) each. The numbers are 1 to 8, then powers of 2, up to what every order has; none
        where that is 1.
    """
    least = min((len(order) for pair in votes for order in pair), default=0)
    last = min(least, MOST)
    if last < 2:
        return {}
    counts, places = _counts(votes)
    kinds, which = np.unique(places, axis=0, return_inverse=True)
    sizes = [size for size in range(1, last + 1) if size <= 8 or size == last or not size & (size - 1)]
    found = {size: _decided(*_chances(counts, size), kinds) for size in sizes}
    return {size: (points[which.reshape(-1)], read[which.reshape(-1)]) for size, (points, read) in found.items()}


def _decided(chances: Array, shares: Array, kinds: Index) -> tuple[Array, Array]:
    """Return expected points for a and the probability of a verdict, for the two orders of each row of ``kinds``."""
    both = shares[:, None] + shares[None] - 1
    points = chances @ np.where(np.abs(both) < 1e-9, 0.5, both > 0)
    found = np.empty(len(kinds))
    step = max(1, CELLS // max(1, len(shares)))
    for i in range(0, len(kinds), step):
        one, two = kinds[i : i + step].T
        found[i : i + step] = (points[one] * chances[two]).sum(1)
    read = chances.sum(1)
    return found, read[kinds[:, 0]] * read[kinds[:, 1]]


def _counts(votes: Sequence[Votes]) -> tuple[Index, Index]:
    """Return the distinct counts of votes in an order, by `KINDS`, and which two of them each pair has.

    An order that was not asked stands as one with ties alone: it leaves the decision to the other.
    """
    known: dict[tuple[int, ...], int] = {}
    counted: dict[tuple[Winner | None, ...], int] = {}
    places = np.empty((len(votes), 2), dtype=np.int64)
    for i, pair in enumerate(votes):
        for j in (0, 1):
            order = pair[j] if j < len(pair) else TIE * len(pair[0])
            if order not in counted:
                counted[order] = known.setdefault(tuple(order.count(kind) for kind in KINDS), len(known))
            places[i, j] = counted[order]
    return np.array(list(known), dtype=np.int64), places


def _chances(counts: Index, size: int) -> tuple[Array, Array]:
    """Return how likely each share of votes for a is in a subset of an order; shape (distinct orders, shares).

    Multivariate hypergeometric: prod(C(votes of a kind, drawn of it)) / C(votes, size).
    """
    choose = np.array([[float(math.comb(n, m)) for m in range(size + 1)] for n in range(int(counts.sum(1).max()) + 1)])
    most = np.minimum(counts.max(0), size)
    drawn = np.array([d for d in product(*(range(m + 1) for m in most)) if sum(d) == size and 2 * d[3] < size])
    if not len(drawn):
        return np.zeros((len(counts), 0)), np.zeros(0)
    shares, column = np.unique(
        np.round((2 * drawn[:, 0] + drawn[:, 1]) / (2 * drawn[:, :3].sum(1)), 12), return_inverse=True
    )
    chances = np.zeros((len(counts), len(shares)))
    for i, count in enumerate(counts):
        ways = choose[count, drawn].prod(1) / choose[count.sum(), size]
        chances[i] = np.bincount(column.reshape(-1), ways, len(shares))
    return chances, shares
