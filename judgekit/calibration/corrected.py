"""Which estimate of a mean goes with how the labels were chosen; and where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, one_of
from judgekit.calibration.interval import FEW
from judgekit.calibration.rates import Items, labels_mean, mean
from judgekit.calibration.rogan_gladen import LEAST, rogan_gladen
from judgekit.errors import InputError

Sampling = Literal["random", "by_truth", "unknown"]


@dataclass(frozen=True, slots=True)
class Corrected:
    """A mean on the human scale, how it was found, and what it is worth beside the alternatives.

    Attributes:
        estimate: the mean; ``kind`` and ``why``: which way was taken, and for what reason.
        judge: the mean of the judge's own verdicts, uncorrected; None where it gave none.
        labels: from the labels alone; None where they are no random sample.
        worth: how many labels alone would give an interval as narrow; None where ``labels`` is.
    """

    estimate: Estimate
    kind: Literal["PPI++", "Rogan-Gladen", "labels alone"]
    why: str
    judge: float | None
    labels: Estimate | None
    worth: float | None


def corrected_mean(
    human: ArrayLike,
    judge: ArrayLike,
    sampling: Sampling,
    *,
    strata: Clusters | None = None,
    units: Clusters | None = None,
    confidence: float = 0.95,
) -> Corrected:
    """Choose the estimate that goes with how the labelled items were chosen, or refuse.

    ``random``: at random from all items, or within ``strata``: PPI++, or the labels alone where those give the narrower
    interval, or where a judge of pass or fail errs on fewer than 5 labels, so that its errors are not known.
    ``by_truth``: not at random, but so that the judge errs on them as on the others: chosen elsewhere, or by what the
    label is; then Rogan-Gladen, of pass or fail, for the items without a label. ``unknown``: nothing corrects that.

    Args:
        strata, units: as in `ppi_mean`.

    Raises:
        NotEstimableError: nothing is known of the sampling; fewer than 15 labels (or clusters of them); a judge whose
            verdicts say nothing of the truth, where they must.
        InputError: as in `ppi_mean` and `rogan_gladen`; strata or units where the labels are not at random.
    """
    one_of("sampling", sampling, get_args(Sampling))
    if sampling == "random":
        return _of_random(human, judge, strata, units, confidence)
    if sampling == "by_truth":
        if strata is not None or units is not None:
            raise InputError("Rogan-Gladen takes the items as independent and in one stratum: leave out strata, units")
        found = rogan_gladen(human, judge, confidence=confidence)
        why = "the labels are no random sample, but the judge's error rates carry over"
        return Corrected(found, "Rogan-Gladen", why, _raw(judge), None, None)
    raise NotEstimableError("how the labelled items were chosen is not known, and any correction rests on it")


def _of_random(
    human: ArrayLike, judge: ArrayLike, strata: Clusters | None, units: Clusters | None, confidence: float
) -> Corrected:
    items = Items.of(human, judge, strata, units)
    k = len(np.unique(items.units[items.labelled]))
    if k < FEW:
        raise NotEstimableError(f"labels of {k} independent items or clusters: too few; label {FEW} at least")
    alone = labels_mean(human, strata=strata, units=units, confidence=confidence)
    try:
        _enough_errors(items.human[items.labelled], np.asarray(judge, dtype=float)[items.labelled])
        found = mean(items, True, confidence)
    except NotEstimableError as reason:
        return Corrected(alone, "labels alone", str(reason), _raw(judge), alone, float(k))
    worth = k * (_width(alone) / _width(found)) ** 2
    if worth <= k:
        why = "the labels alone give the narrower interval: the judge adds noise"
        return Corrected(alone, "labels alone", why, _raw(judge), alone, float(k))
    why = f"as narrow as {worth:.0f} labels alone, from {k}" + (" clusters" if units is not None else "")
    return Corrected(found, "PPI++", why, _raw(judge), alone, worth)


def _enough_errors(human: Array, judge: Array) -> None:
    """Refuse a judge of pass or fail that errs too seldom among the labels for a t interval to know how often."""
    wrong = int((human != judge).sum())
    if wrong < LEAST and np.isin(np.concatenate([human, judge]), (0.0, 1.0)).all():
        raise NotEstimableError(
            f"the judge errs on {wrong} of {len(human)} labels: too few to know how often it does; it needs {LEAST}"
        )


def _raw(judge: ArrayLike) -> float | None:
    said = np.asarray(judge, dtype=float)
    return None if np.isnan(said).all() else float(np.nanmean(said))


def _width(estimate: Estimate) -> float:
    if estimate.low is None or estimate.high is None:
        raise NotEstimableError(estimate.note)
    return estimate.high - estimate.low
