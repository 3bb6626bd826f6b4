"""Which models comparisons connect, and where they alone leave a strength without an end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def parts(models: int, i: Ints, j: Ints) -> Ints:
    """Return the part of each model, numbered from 0: models of one part are joined by a chain of edges i - j."""
    label = np.arange(models)
    while True:
        low = np.minimum(label[i], label[j])
        new = label.copy()
        np.minimum.at(new, i, low)
        np.minimum.at(new, j, low)
        new = new[new]  # a label is a model of the same part: follow it
        if (new == label).all():
            return np.unique(label, return_inverse=True)[1].reshape(-1)
        label = new


def unbeaten(part: Ints, winner: Ints, loser: Ints) -> Mask:
    """Return which parts hold models that never lost, or never won, a point against the others of the part.

    There the likelihood grows without end as those models move away (Ford 1957, American Mathematical Monthly 64:28).

    Args:
        part: of each model; winner, loser: the ends of an edge for each win, and of two, one each way, for a tie.
    """
    roots = np.unique(part, return_index=True)[1]
    both = _reached(len(part), roots, winner, loser) & _reached(len(part), roots, loser, winner)
    found = np.zeros(len(roots), dtype=bool)
    found[part[~both]] = True
    return found


def _reached(models: int, roots: Ints, start: Ints, end: Ints) -> Mask:
    seen = np.zeros(models, dtype=bool)
    seen[roots] = True
    while True:
        new = end[seen[start] & ~seen[end]]
        if not len(new):
            return seen
        seen[new] = True
