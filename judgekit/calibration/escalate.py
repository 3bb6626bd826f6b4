"""Which items a judge may keep, which go to a human, and what it costs to be wrong (selective prediction)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.choice import folds_of
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number
from judgekit.errors import InputError

DEFAULT = Bootstrap()
LIMITS = 20  # thresholds that are tried, from the most careful
ROOM = 2  # a threshold is tried where no loss at all would show a risk below the limit by this factor


@dataclass(frozen=True, slots=True)
class Escalation:
    """The judge keeps the items whose doubt is at most ``limit``; the others go to a human.

    Attributes:
        limit: minus infinity where the judge may keep nothing.
        kept: which of the given items, shape (items,); an item without a doubt is never kept.
        share: of the items that the judge keeps.
        risk: the mean loss among those; None where there are none. Both on items that had no part in setting the limit.
        note: why the judge keeps nothing; else empty.
    """

    limit: float
    kept: NDArray[np.bool_]
    share: Estimate
    risk: Estimate | None
    note: str = ""


def escalate(
    doubt: ArrayLike,
    loss: ArrayLike,
    *,
    width: float | None = None,
    risk: float | None = None,
    groups: Clusters | None = None,
    bootstrap: Bootstrap = DEFAULT,
) -> Escalation:
    """Set the doubt up to which a judge may keep an item, by a limit on the doubt itself or on the risk.

    With ``risk``, thresholds are tried from the most careful, and the last one is taken before the upper end of the
    risk's interval passes the limit. Tested in that order, the true risk lies above the limit as often as one interval
    misses on this side (fixed-sequence testing: Angelopoulos et al. 2021, "Learn then test"; Jung, Brahman & Choi 2025,
    "Trust or escalate"). A small limit takes many labels. Share and risk come from the other half of the groups, each
    half in turn; the limit from all.

    Args:
        doubt: how unsure the judge is of an item, shape (items,): the width of its interval, its spread over samples;
            NaN where it gave no verdict: that item goes to a human.
        loss: what it costs to take the judge's word, in [0, 1], shape (items,), such as ``abs(error) > 1``; of items
            with labels that no map was fitted on. NaN only where there is no verdict.
        width: keep items whose doubt is at most this; or
        risk: keep as many items as this mean loss allows.

    Raises:
        InputError: not exactly one limit, shapes that do not fit, a loss outside of [0, 1].
        NotEstimableError: fewer than 4 groups, for a limit on the risk.
    """
    d, cost = np.asarray(doubt, dtype=float), np.asarray(loss, dtype=float)
    names = np.arange(len(d)) if groups is None else number(groups)
    if d.shape != cost.shape or len(names) != len(d) or np.isnan(cost[~np.isnan(d)]).any():
        raise InputError("every item with a doubt needs a loss and a group")
    if ((cost < 0) | (cost > 1)).any():
        raise InputError("a loss lies between 0 and 1")
    if width is not None and risk is None:
        return _found(d, cost, names, width, d <= width, bootstrap)
    if risk is not None and width is None:
        return _by_risk(d, cost, names, risk, bootstrap)
    raise InputError("give one limit, a width or a risk")


def _by_risk(d: Array, cost: Array, names: NDArray[np.int64], risk: float, bootstrap: Bootstrap) -> Escalation:
    if int(names.max(initial=-1)) + 1 < 4:
        raise NotEstimableError("a limit on the risk needs labels of 4 groups, better of 30")
    half = folds_of(names, bootstrap.seed, most=2)[names]
    held = np.zeros(len(d), dtype=bool)
    for one in (0, 1):
        own = half == one
        held[~own] = d[~own] <= _limit(d[own], cost[own], names[own], risk, bootstrap)
    limit = _limit(d, cost, names, risk, bootstrap)
    found = _found(d, cost, names, limit, held, bootstrap)
    note = found.note or ("" if limit > -np.inf else f"no share of the items is surely below a risk of {risk:g}")
    return replace(found, kept=d <= limit, note=note)


def _found(
    d: Array, cost: Array, names: NDArray[np.int64], limit: float, held: NDArray[np.bool_], bootstrap: Bootstrap
) -> Escalation:
    share = bootstrap.share(held.astype(float), names)
    if not held.any():
        return Escalation(limit, held, share, None, "the judge keeps nothing, so that there is no risk to speak of")
    return Escalation(limit, held, share, bootstrap.share(cost[held], names[held]))


def _limit(d: Array, cost: Array, names: NDArray[np.int64], risk: float, bootstrap: Bootstrap) -> float:
    known = d[~np.isnan(d)]
    limit = -np.inf
    shares = np.linspace(0, 1, LIMITS + 1)[1:]
    for threshold in np.unique(np.quantile(known, shares, method="higher")) if len(known) else ():
        kept = d <= threshold
        if ROOM * bootstrap.unseen(len(np.unique(names[kept]))) > risk:
            continue  # too few to say anything, whatever their losses
        upper = bootstrap.share(cost[kept], names[kept]).high
        if upper is None or upper > risk:
            break
        limit = float(threshold)
    return limit
