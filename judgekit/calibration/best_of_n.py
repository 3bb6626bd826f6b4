"""What one loses by taking a judge's best of n responses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number
from judgekit.errors import InputError

DEFAULT = Bootstrap()


@dataclass(frozen=True)
class BestOfN:
    """The mean human score of what is taken out of n responses, over the groups that have n.

    Attributes:
        judge: of the judge's best; ``best``: of the truly best; ``random``: of any.
        regret: what the judge loses: best - judge.
    """

    n: int
    judge: Estimate
    best: Estimate
    random: Estimate
    regret: Estimate


def best_of_n_regret(
    judge: ArrayLike,
    human: ArrayLike,
    groups: Clusters,
    *,
    units: Clusters | None = None,
    bootstrap: Bootstrap = DEFAULT,
) -> tuple[BestOfN, ...]:
    """Return, for n from 1 to the size of the largest group, what the judge's best of n is worth.

    The expectation is exact, over all subsets of n of a group: of m responses the k-th lowest is the best of n in
    C(k - 1, n - 1) of C(m, n) subsets. Responses that a judge ties are taken with equal chance.

    Args:
        judge, human: scores, shape (items,); an item that lacks either (NaN) is left out of its group.
        groups: the prompt of each item; units: the cluster of each, without it its group.

    Raises:
        NotEstimableError: no item has both scores.
        InputError: series of different lengths, an infinite value, a group in two units.
    """
    j, h = np.asarray(judge, dtype=float), np.asarray(human, dtype=float)
    if j.shape != h.shape or j.ndim != 1 or len(groups) != len(j) or np.isinf(j).any() or np.isinf(h).any():
        raise InputError("scores are finite and have one shape, (items,), with a group for each item")
    if units is not None and len(units) != len(j):
        raise InputError(f"{len(j)} items, but {len(units)} units")
    known = np.flatnonzero(~np.isnan(j + h))
    if not len(known):
        raise NotEstimableError("no item has both scores")
    j, h, group = j[known], h[known], number(number(groups)[known])
    unit = group if units is None else number(number(units)[known])
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    if any(np.ptp(unit[own]) for own in members):
        raise InputError("a group is in two units; units hold whole groups")
    tables = [_group(j[own], h[own]) for own in members]
    owners = np.array([unit[own[0]] for own in members])
    largest = max(len(table) for table in tables)
    return tuple(_at(n, tables, owners, bootstrap) for n in range(1, largest + 1))


def _at(n: int, tables: list[Array], owners: Array, bootstrap: Bootstrap) -> BestOfN:
    there = np.array([len(table) >= n for table in tables])
    rows = np.array([table[n - 1] for table in tables if len(table) >= n])
    units = owners[there]
    columns = (rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 1] - rows[:, 0])
    found = [bootstrap.mean(column, units) for column in columns]
    if not there.all():
        lost = f"{(~there).sum()} of {len(tables)} groups have fewer than {n} items"
        found = [replace(e, note="; ".join(part for part in (e.note, lost) if part)) for e in found]
    return BestOfN(n, *found)


def _group(judge: Array, human: Array) -> Array:
    """Return the expected human score of the judge's best, of the best and of any of n; shape (m, 3), n from 1."""
    m = len(judge)
    first = _first(m)
    taken = [first @ _level(series, human) for series in (judge, human)]
    return np.stack([*taken, np.full(m, human.mean())], axis=1)


def _first(m: int) -> Array:
    """Return the chance that the k-th lowest is the highest of n: row n - 1, column k - 1.

    C(k - 1, n - 1) / C(m, n) is built up from n / m at the top, since the binomials of large groups overflow.
    """
    n, k = np.arange(1, m + 1)[:, None], np.arange(1, m)[None, ::-1]
    ratio = np.maximum(k - n + 1, 0) / k  # of the chance of the k-th to that of the one above it
    return np.cumprod(np.concatenate([n / m, ratio], axis=1), axis=1)[:, ::-1]


def _level(series: Array, human: Array) -> Array:
    """Return the human scores from the lowest to the highest of a series; ties have the mean of theirs."""
    place = np.unique(series, return_inverse=True)[1].reshape(-1)
    mean = np.bincount(place, human) / np.bincount(place)
    return np.asarray(mean[np.sort(place)])
