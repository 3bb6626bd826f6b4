"""McNemar's test: do two judges get the same share of the same items right?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.estimate import Array, Clusters, NotEstimableError, number
from judgekit.errors import InputError


@dataclass(frozen=True, slots=True)
class McNemar:
    """What McNemar's test says.

    Attributes:
        p: two-sided, of "both are right equally often".
        difference: the share that the second gets right minus that of the first.
        only_one, only_two: how many items only the first, only the second gets right.
        n: how many items have a verdict of both; ``left_out``: how many have not.
        clusters: how many groups the n items are of.
    """

    p: float
    difference: float
    only_one: int
    only_two: int
    n: int
    left_out: int
    clusters: int
    method: str


def mcnemar_test(
    one: ArrayLike,
    two: ArrayLike,
    clusters: Clusters | None = None,
    method: Literal["mid-p", "exact", "clustered"] | None = None,
) -> McNemar:
    """Test whether two judges (or systems) are right equally often on the same items; two-sided.

    ``exact`` asks how often a fair coin would part the items that only one gets right as unevenly (McNemar 1947,
    Psychometrika 12:153); ``mid-p`` counts half of the chance of just this parting, and so is not too careful
    (Fagerland et al. 2013, BMC Med. Res. Methodol. 13:91). Both take the items as independent. ``clustered`` is the
    test of Obuchowski (1998, Stat. Med. 17:1495): the squared sum of the clusters' differences over the sum of their
    squares, times (K - 1) / K, against chi-squared with 1 degree of freedom. Below some 15 clusters prefer
    `sign_flip_test`, which is exact.

    Args:
        one, two: shape (items,): 1 right, 0 wrong, NaN no verdict (left out, and counted).
        clusters: the group of each item.
        method: default ``clustered`` where there are clusters, else ``mid-p``.

    Raises:
        InputError: other values, not as many, or a method that does not go with the clusters.
        NotEstimableError: no item has both verdicts, or (clustered) they are all of one cluster.
    """
    first, second = np.asarray(one, dtype=float), np.asarray(two, dtype=float)
    how = method or ("mid-p" if clusters is None else "clustered")
    if how not in ("mid-p", "exact", "clustered") or (how == "clustered") == (clusters is None):
        raise InputError(f"method {how!r}: mid-p and exact are for items without clusters, clustered for those with")
    if first.ndim != 1 or first.shape != second.shape or (clusters is not None and len(clusters) != len(first)):
        raise InputError(f"verdicts of the shapes {first.shape} and {second.shape}: one of each for every item")
    known = ~np.isnan(first + second)
    gain = second[known] - first[known]
    if not np.isin(np.concatenate([first[known], second[known]]), (0.0, 1.0)).all():
        raise InputError("a verdict is 1 (right), 0 (wrong) or NaN (none)")
    if not len(gain):
        raise NotEstimableError("no item has a verdict of both")
    only_one, only_two = int((gain < 0).sum()), int((gain > 0).sum())
    names = np.arange(len(gain)) if clusters is None else number(number(clusters)[known])
    p = (
        _clustered(np.bincount(names, gain).astype(float))
        if how == "clustered"
        else _coin(only_one, only_two, how == "mid-p")
    )
    groups = int(names.max()) + 1
    lost = len(first) - len(gain)
    return McNemar(p, float(gain.mean()), only_one, only_two, len(gain), lost, groups, how)


def _coin(b: int, c: int, middle: bool) -> float:
    """Return how often a fair coin parts b + c as unevenly as b and c."""
    n, least = b + c, min(b, c)
    if b == c:
        return 1.0
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    chances = np.exp(logs[n] - logs[: least + 1] - logs[n - least :][::-1] - n * math.log(2))
    return float(2 * chances.sum() - (chances[-1] if middle else 0.0))


def _clustered(sums: Array) -> float:
    square = float(sums @ sums)
    if len(sums) < 2:
        raise NotEstimableError("all items are of one cluster; the test needs two")
    if square == 0:
        return 1.0
    return math.erfc(math.sqrt((len(sums) - 1) / len(sums) * float(sums.sum()) ** 2 / square / 2))
