"""The mean on the human scale, or a pass rate, from few labels and many judged items.

``human`` and ``judge`` are arrays of shape (items,), NaN where an item has no label, or no verdict of the judge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.bootstrap import FEW, Bootstrap
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number
from judgekit.errors import InputError, require

Ints = NDArray[np.int64]
LEAST = 5  # labels of each truth below which a judge's error rates are not known well enough to correct by


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
    sampling: Literal["random", "by_truth", "unknown"],
    *,
    strata: Clusters | None = None,
    units: Clusters | None = None,
    confidence: float = 0.95,
) -> Corrected:
    """Choose the estimate that goes with how the labelled items were chosen, or refuse.

    ``random``: at random from all items, or within ``strata``: PPI++, or the labels alone where those give the narrower
    interval, or where a judge of pass or fail errs on fewer than 5 labels, so that its errors are not known. ``by_truth``: not at random, but so that the judge errs on them as on the others: chosen elsewhere, or by
    what the label is; then Rogan-Gladen, of pass or fail, for the items without a label. ``unknown``: nothing corrects
    that.

    Args:
        strata, units: as in `ppi_mean`.

    Raises:
        NotEstimableError: nothing is known of the sampling; fewer than 15 labels (or clusters of them); a judge whose
            verdicts say nothing of the truth, where they must.
        InputError: as in `ppi_mean` and `rogan_gladen`; strata or units where the labels are not at random.
    """
    if sampling == "random":
        return _of_random(human, judge, strata, units, confidence)
    if sampling == "by_truth":
        if strata is not None or units is not None:
            raise InputError("Rogan-Gladen takes the items as independent and in one stratum: leave out strata, units")
        found = rogan_gladen(human, judge, confidence=confidence)
        why = "the labels are no random sample, but the judge's error rates carry over"
        return Corrected(found, "Rogan-Gladen", why, _raw(judge), None, None)
    if sampling == "unknown":
        raise NotEstimableError("how the labelled items were chosen is not known, and any correction rests on it")
    raise InputError(f"sampling {sampling!r}; known: random, by_truth, unknown")


def ppi_mean(
    human: ArrayLike,
    judge: ArrayLike,
    *,
    strata: Clusters | None = None,
    units: Clusters | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the mean label of all items by PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv 2311.01453, section 6).

    mean(human) + weight * (mean of the judge without labels - with labels), where the weight that makes the variance
    least is cov(human, judge) / ((1 + labelled / others) * var(judge)). Ours is not cut off at 0 and 1, so that the
    judge may use another scale. The interval is t with labels - 2 degrees of freedom, and the variance of human -
    weight * judge is over as many: two means fewer are known than the paper's normal interval says, which is too narrow
    at few labels. Strata each have their own weight and count by their share of the items (Fisch et al. 2024, arXiv
    2406.04291), with Satterthwaite's degrees of freedom; of clusters, sums are counted.

    Any guess of an item's label is allowed here; so an item without a verdict of the judge gets the mean of the others,
    and nothing is left out.

    Args:
        human, judge: shape (items,), NaN is missing; the labelled items are a random sample, in each stratum.
        strata, units: the stratum, the cluster of each item.

    Raises:
        NotEstimableError: fewer than 3 labels (or clusters of them) in a stratum, or the judge predicts every label.
        InputError: arrays of other shapes, an infinite value.
    """
    return _mean(_Items.of(human, judge, strata, units), True, confidence)


def labels_mean(
    human: ArrayLike, *, strata: Clusters | None = None, units: Clusters | None = None, confidence: float = 0.95
) -> Estimate:
    """Return the mean label from the labels alone: what a judge has to be better than.

    The interval is t; of labels of 0 and 1 without strata or clusters that of Wilson (1927, JASA 22:209), which holds
    where few or none of them are of one kind; where all clusters are of one kind, that of Clopper & Pearson (1934).

    Args, Raises: as in `ppi_mean`; at least 2 labels in a stratum.
    """
    items = _Items.of(human, np.zeros(np.shape(human)), strata, units)
    known = items.human[items.labelled]
    binary = len(known) > 1 and bool(np.isin(known, (0.0, 1.0)).all())
    if binary and strata is None and units is None:
        return _wilson(known, NormalDist().inv_cdf(1 - (1 - confidence) / 2))
    if binary and np.ptp(known) == 0:
        return Bootstrap(confidence=confidence).share(known, items.units[items.labelled])
    return _mean(items, False, confidence)


def _wilson(hits: Array, z: float) -> Estimate:
    n, p = len(hits), float(hits.mean())
    middle = (n * p + z**2 / 2) / (n + z**2)
    reach = z * math.sqrt(n * p * (1 - p) + z**2 / 4) / (n + z**2)
    return Estimate(p, max(middle - reach, 0.0), min(middle + reach, 1.0), n, n, "labels alone, Wilson")


def rogan_gladen(human: ArrayLike, judge: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Return the pass rate of the items without a label (Rogan & Gladen 1978, Am. J. Epidemiol. 107:71).

    (passed by the judge + specificity - 1) / (sensitivity + specificity - 1), the two from the labelled items, which
    need not be like the others but for how the judge errs on them. The interval is that of Lee et al. (2025, arXiv
    2511.21140, section 4): all three rates smoothed, and the middle moved by their covariance.

    Args:
        human, judge: shape (items,): 1 passed, 0 failed, NaN missing. An item without a verdict cannot be used; the
            note says how many.

    Raises:
        NotEstimableError: no items without a label, fewer than 5 labels of either kind, or sensitivity + specificity
            that may be 1 at this confidence: then the verdicts say nothing of the truth.
        InputError: other values, arrays of other shapes.
    """
    items = _Items.of(human, judge, None, None)
    truth, said = items.human, np.asarray(judge, dtype=float)
    seen = np.concatenate([truth[~np.isnan(truth)], said[~np.isnan(said)]])
    if not np.isin(seen, (0.0, 1.0)).all():
        raise InputError("Rogan-Gladen is of 1 (passed) and 0 (failed)")
    test, failed, passed = (said[part & ~np.isnan(said)] for part in (np.isnan(truth), truth == 0, truth == 1))
    if not len(test) or min(len(failed), len(passed)) < LEAST:
        raise NotEstimableError(
            f"{len(test)} judged items without a label, {len(passed)} labelled as passed and {len(failed)} as failed: "
            f"the judge's error rates need {LEAST} of each"
        )
    z = NormalDist().inv_cdf(1 - (1 - confidence) / 2)
    lost = int(np.isnan(said).sum())
    note = f"{lost} items without a verdict are not in it" if lost else ""
    value, low, high = _lee(test, 1 - failed, passed, z)
    method = f"Rogan-Gladen, {len(passed)} + {len(failed)} labels"
    return Estimate(value, low, high, len(test), len(test), method, note)


def _lee(test: Array, rejected: Array, accepted: Array, z: float) -> tuple[float, float, float]:
    rates = [float(part.mean()) for part in (test, rejected, accepted)]
    n, m0, m1 = len(test) + z**2, len(rejected) + 2, len(accepted) + 2
    p, q0, q1 = (float(test.sum()) + z**2 / 2) / n, float(rejected.sum() + 1) / m0, float(accepted.sum() + 1) / m1
    v, v0, v1 = p * (1 - p) / n, q0 * (1 - q0) / m0, q1 * (1 - q1) / m1
    skill = q0 + q1 - 1
    if skill <= z * math.sqrt(v0 + v1):
        raise NotEstimableError(
            f"sensitivity {rates[2]:.2f} and specificity {rates[1]:.2f} of the judge do not surely exceed 1 together: "
            "its verdicts may say nothing of the truth"
        )
    rate = (p + q0 - 1) / skill
    middle = rate + 2 * z**2 * (rate * v1 - (1 - rate) * v0)
    reach = z * math.sqrt(v + (1 - rate) ** 2 * v0 + rate**2 * v1) / skill
    plain = (rates[0] + rates[1] - 1) / (rates[1] + rates[2] - 1)
    value, low, high = np.clip([plain, middle - reach, middle + reach], 0, 1).tolist()
    return value, low, high


@dataclass(frozen=True, slots=True)
class _Items:
    """Items as arrays of shape (items,); a verdict that is missing is the mean of the others."""

    human: Array
    judge: Array
    strata: Ints
    units: Ints
    guessed: int

    @classmethod
    def of(cls, human: ArrayLike, judge: ArrayLike, strata: Clusters | None, units: Clusters | None) -> _Items:
        labels, said = np.asarray(human, dtype=float), np.asarray(judge, dtype=float)
        n = len(labels) if labels.ndim == 1 else 0
        layers = np.zeros(n, dtype=np.int64) if strata is None else number(strata)
        owners = np.arange(n) if units is None else number(units)
        if not n or not labels.shape == said.shape == layers.shape == owners.shape:
            raise InputError(
                f"{labels.shape} labels, {said.shape} verdicts, {len(layers)} strata and {len(owners)} units: one of "
                "each for every item"
            )
        if np.isinf(labels).any() or np.isinf(said).any():
            raise InputError("a label or a verdict is infinite")
        missing = np.isnan(said)
        middle = float(said[~missing].mean()) if not missing.all() else 0.0
        return cls(labels, np.where(missing, middle, said), layers, owners, int(missing.sum()))

    @property
    def labelled(self) -> NDArray[np.bool_]:
        return np.asarray(~np.isnan(self.human))


def _of_random(
    human: ArrayLike, judge: ArrayLike, strata: Clusters | None, units: Clusters | None, confidence: float
) -> Corrected:
    items = _Items.of(human, judge, strata, units)
    k = len(np.unique(items.units[items.labelled]))
    if k < FEW:
        raise NotEstimableError(f"labels of {k} independent items or clusters: too few; label {FEW} at least")
    alone = labels_mean(human, strata=strata, units=units, confidence=confidence)
    try:
        _enough_errors(items.human[items.labelled], np.asarray(judge, dtype=float)[items.labelled])
        found = _mean(items, True, confidence)
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


def _mean(items: _Items, tuned: bool, confidence: float) -> Estimate:
    """Return the mean over strata; ``tuned``: with the help of the judge."""
    influence, value = np.zeros(len(items.human)), 0.0
    parts: list[tuple[float, int]] = []
    for stratum in range(int(items.strata.max()) + 1):
        here = np.flatnonzero(items.strata == stratum)
        share = len(here) / len(items.human)
        mean, pull, freedom = _stratum(items.human[here], items.judge[here], items.units[here], tuned)
        value += share * mean
        influence[here] = share * pull
        parts.append((_variance(share * pull, items.units[here]), freedom))
    variance = _variance(influence, items.units)
    # Satterthwaite 1946, Biometrics Bulletin 2:110.
    df = sum(v for v, _ in parts) ** 2 / sum(v**2 / f for v, f in parts)
    reach = float(require("scipy.special", "calibrate").stdtrit(df, 1 - (1 - confidence) / 2)) * math.sqrt(variance)
    labels, k = int(items.labelled.sum()), len(np.unique(items.units[items.labelled]))
    method = f"{'PPI++' if tuned else 'labels alone'}, t with {df:.3g} degrees of freedom"
    found = Estimate(value, value - reach, value + reach, labels, k, method, _notes(items, tuned, k))
    if np.isin(items.human[items.labelled], (0.0, 1.0)).all():
        low, high = np.clip([value - reach, value + reach], 0, 1).tolist()
        return replace(found, value=min(max(value, 0.0), 1.0), low=low, high=high)
    return found


def _stratum(human: Array, judge: Array, units: Ints, tuned: bool) -> tuple[float, Array, int]:
    """Return the mean, what each item contributes to its error, and the degrees of freedom."""
    known = ~np.isnan(human)
    n, others, lost = int(known.sum()), int((~known).sum()), 1 + tuned
    k = len(np.unique(units[known]))
    if k <= lost:
        raise NotEstimableError(f"a stratum has labels of {k} independent items or clusters; it needs {lost + 1}")
    spread = float(np.var(judge, ddof=1)) if tuned and others else 0.0
    y, f = human[known], judge[known]
    weight = float((y - y.mean()) @ (f - f.mean())) / n / ((1 + n / others) * spread) if spread > 0 else 0.0
    rest = y - weight * f
    pull = np.zeros(len(human))
    pull[known] = (rest - rest.mean()) / n * math.sqrt(k / (k - lost))
    if np.abs(pull).max() <= 1e-12 * max(1.0, float(np.abs(y).max())):
        raise NotEstimableError(
            "the labels do not differ from what the judge predicts: how often it errs was not seen, and is not 0"
            if np.ptp(y)
            else "all labels of a stratum are equal: how often they differ was not seen, and is not 0"
        )
    mean = float(rest.mean())
    if weight:
        free = judge[~known]
        groups = len(np.unique(units[~known]))
        pull[~known] = weight * (free - free.mean()) / others * math.sqrt(groups / max(groups - 1, 1))
        mean += weight * float(free.mean())
    return mean, pull, k - lost


def _variance(influence: Array, units: Ints) -> float:
    return float((np.bincount(units, influence) ** 2).sum())


def _notes(items: _Items, tuned: bool, k: int) -> str:
    notes = [f"only {k} labels or clusters of them: it may hold the truth less often than it says"] if k < FEW else []
    if tuned and items.guessed:
        notes.append(f"{items.guessed} items without a verdict of the judge count as its mean")
    return "; ".join(notes)


def _raw(judge: ArrayLike) -> float | None:
    said = np.asarray(judge, dtype=float)
    return None if np.isnan(said).all() else float(np.nanmean(said))


def _width(estimate: Estimate) -> float:
    if estimate.low is None or estimate.high is None:
        raise NotEstimableError(estimate.note)
    return estimate.high - estimate.low
