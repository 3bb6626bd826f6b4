"""Several correlations on the same resamples, so that they can be held together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from judgekit.calibration.bootstrap import BLOCKS, Bootstrap
from judgekit.calibration.correlation import Ints, Method, Table, tabled, weighted
from judgekit.calibration.estimate import Array, number
from judgekit.calibration.resamples import Resamples
from judgekit.calibration.units import Crossed, Units

ROWS = 1 << 25  # numbers up to which the kinds of items are held as rows of tables
Combine = Callable[[Array, Array], Array]


def correlations(
    pairs: Sequence[tuple[Array, Array]], method: Method, combine: Combine, units: Units, bootstrap: Bootstrap
) -> Resamples:
    """Return what ``combine`` makes of the correlations of several pairs of series.

    Args:
        pairs: two series of shape (items,) each, NaN where an item is not of this pair.
        combine: maps the correlations and the weights of the items that they rest on, both of shape (any, pairs), to
            statistics of shape (any, statistics). A correlation is NaN where a series does not vary.
    """
    known = [np.flatnonzero(~np.isnan(x + y)) for x, y in pairs]
    short = [(x[own], y[own]) for (x, y), own in zip(pairs, known, strict=True)]
    tables = [table for x, y in short if (table := tabled(x, y, method))]
    items = len(pairs[0][0])
    if len(tables) == len(pairs):

        def of_sums(sums: Array) -> Array:
            return combine(*_of_sums(sums, tables))

        clusters = _of_clusters(tables, known, units)
        if clusters is not None:
            return replace(bootstrap.resampled_sums(clusters, of_sums, np.arange(len(clusters))), items=items)
        kinds = _kinds(tables, known, items)
        if kinds:
            return bootstrap.resampled_sums(kinds[0], of_sums, units, kinds[1])
    statistics = [weighted(x, y, method) for x, y in short]

    def statistic(weights: Array) -> Array:
        by_item, found, counts = np.ascontiguousarray(weights.T), [], []
        for of, own in zip(statistics, known, strict=True):
            part = (by_item if len(own) == len(by_item) else by_item[own]).T
            found.append(of(part))
            counts.append(part.sum(1))
        return combine(np.stack(found, axis=1), np.stack(counts, axis=1))

    return bootstrap.resampled(items, statistic, units)


def _of_clusters(tables: Sequence[Table], known: Sequence[Ints], units: Units) -> Array | None:
    """Return what each cluster adds to all sums, or None where there are no clusters, or more than `BLOCKS`."""
    if units is None or isinstance(units, Crossed):
        return None
    index = number(units)
    k = int(index.max()) + 1
    if k > BLOCKS:
        return None
    parts = []
    for table, own in zip(tables, known, strict=True):
        m = len(table.rows)
        counts = np.bincount(index[own] * m + table.codes, minlength=k * m).reshape(k, m)
        parts.append(counts @ table.rows)
    return np.concatenate(parts, axis=1)


def _kinds(tables: Sequence[Table], known: Sequence[Ints], items: int) -> tuple[Array, Ints] | None:
    """Return what an item of each kind adds to all sums, and the kind of each item, or None where that is too much."""
    codes, own_codes = np.zeros(items, dtype=np.int64), []
    for table, own in zip(tables, known, strict=True):
        code = np.full(items, len(table.rows))
        code[own] = table.codes
        own_codes.append(code)
        codes = np.unique(codes * (len(table.rows) + 1) + code, return_inverse=True)[1].reshape(-1)
    first = np.unique(codes, return_index=True)[1]
    if len(first) * sum(table.rows.shape[1] for table in tables) > ROWS:
        return None
    parts = [
        np.concatenate([table.rows, np.zeros((1, table.rows.shape[1]))])[code[first]]
        for table, code in zip(tables, own_codes, strict=True)
    ]
    return np.concatenate(parts, axis=1), codes


def _of_sums(sums: Array, tables: Sequence[Table]) -> tuple[Array, Array]:
    ends = np.cumsum([table.rows.shape[1] for table in tables])[:-1]
    parts = list(zip(tables, np.split(sums, ends, axis=1), strict=True))
    found = [table.statistic(part) for table, part in parts]
    return np.stack(found, axis=1), np.stack([part @ table.counted for table, part in parts], axis=1)
