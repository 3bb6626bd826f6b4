"""How sure the judge is of each item, and what it costs to take its word for the surest ones only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration import Bootstrap, Escalation, Estimate, NotEstimableError, escalate

Array = NDArray[np.float64]
SHARES = np.linspace(0.1, 1, 10)


@dataclass(frozen=True)
class Kept:
    """What is kept of the judge where its least sure items go to people.

    Attributes:
        doubt: by what it was told how sure the judge is.
        steps: one for each share of the items that is kept, the smallest first; their ``risk`` is the mean absolute
            error after the map, on groups that it was not fitted on, over the range of the scale.
    """

    doubt: str
    steps: tuple[Escalation, ...]


def keep(
    judge: Array,
    others: Sequence[Array],
    predicted: Array,
    human: Array,
    scale: tuple[float, float],
    groups: NDArray[np.int64],
    bootstrap: Bootstrap,
) -> Kept:
    """Keep more and more of the items, the surest first.

    The doubt of an item is the spread of the judge's own scores where it gave several, else that of all judges; an item
    without one (scored once, where others were scored again) is never kept. Items of one doubt are kept together.

    Args:
        judge: its scores, shape (repeats, items); others: of each judge beside it on the same scale, (items,).
        predicted: the mapped score, held out; human: the mean rating; both (items,).

    Raises:
        NotEstimableError: a judge that was asked once and alone, or no item with a doubt, a map and a rating.
    """
    if len(judge) < 2 and not others:
        raise NotEstimableError("the judge was asked once and alone: nothing says how sure it is of an item")
    named = "the spread of its own scores" if len(judge) > 1 else "how far the judges lie apart"
    doubt = _spread(judge if len(judge) > 1 else np.stack([judge[0], *others]))
    doubt = np.round(doubt / (scale[1] - scale[0]), 9)  # rounding must not split items of one doubt by their level
    loss = np.minimum(np.abs(predicted - human) / (scale[1] - scale[0]), 1)
    known = ~np.isnan(loss)
    if np.isnan(doubt[known]).all():
        raise NotEstimableError("no item has a doubt, a mapped score and a rating")
    d, cost, own = doubt[known], loss[known], groups[known]
    limits = dict.fromkeys(np.quantile(d[~np.isnan(d)], SHARES, method="inverted_cdf").tolist())
    return Kept(named, tuple(escalate(d, cost, width=limit, groups=own, bootstrap=bootstrap) for limit in limits))


def _spread(rows: Array) -> Array:
    """Return the standard deviation of each item's scores, NaN where it has fewer than two."""
    known = ~np.isnan(rows)
    count = known.sum(0)
    middle = np.where(known, rows, 0).sum(0) / np.maximum(count, 1)
    square = np.where(known, (rows - middle) ** 2, 0).sum(0) / np.maximum(count - 1, 1)
    return np.where(count > 1, np.sqrt(square), np.nan)


def kept_of(found: Kept) -> list[tuple[float, Estimate]]:
    """Return of each step the share that is kept and the risk."""
    return [(one.share.value, one.risk) for one in found.steps if one.risk is not None]
