"""The mean on the human scale from few labels and many judged items, where the labelled are a random sample: PPI++.

``human`` and ``judge`` are arrays of shape (items,), NaN where an item has no label, or no verdict of the judge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number
from judgekit.calibration.interval import FEW, SAME, t_quantile
from judgekit.errors import InputError

Ints = NDArray[np.int64]


def ppi_mean(
    human: ArrayLike,
    judge: ArrayLike,
    *,
    strata: Clusters | None = None,
    units: Clusters | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Return the mean label of all items by PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv 2311.01453).

    mean(human) + weight * (mean of the judge without labels - with labels), where the weight that makes the variance
    least is cov(human, judge) / ((1 + labelled / others) * var(judge)). Ours is not cut off at 0 and 1, so that the
    judge may use another scale. The interval is t with labels - 2 degrees of freedom, and the variance of human -
    weight * judge is over as many: two means fewer are known than the paper's normal interval says, which is too narrow
    at few labels. Of labels of 0 and 1 it is Wilson's (1927, JASA 22:209) for as many labels as alone would have that
    variance, which holds near 0 and 1 too: our choice, by simulation. Strata each have their own weight and count by
    their share of the items (Fisch et al. 2024, arXiv 2406.04291), with Satterthwaite's degrees of freedom; of
    clusters, sums are counted.

    Any guess of an item's label is allowed here; so an item without a verdict of the judge gets the mean of the others,
    and nothing is left out.

    Args:
        human, judge: shape (items,), NaN is missing; the labelled items are a random sample, in each stratum.
        strata, units: the stratum, the cluster of each item.

    Raises:
        NotEstimableError: fewer than 3 labels (or clusters of them) in a stratum, or the judge predicts every label.
        InputError: arrays of other shapes, an infinite value.
    """
    return mean(Items.of(human, judge, strata, units), True, confidence)


def labels_mean(
    human: ArrayLike, *, strata: Clusters | None = None, units: Clusters | None = None, confidence: float = 0.95
) -> Estimate:
    """Return the mean label from the labels alone: what a judge has to be better than.

    The interval is t; of labels of 0 and 1 that of Wilson, which holds where few or none of them are of one kind; where
    in clusters all are of one kind, that of Clopper & Pearson (1934).

    Args, Raises: as in `ppi_mean`; at least 2 labels in a stratum.
    """
    items = Items.of(human, np.zeros(np.shape(human)), strata, units)
    known = items.human[items.labelled]
    binary = len(known) > 1 and bool(np.isin(known, (0.0, 1.0)).all())
    if binary and strata is None and units is None:
        n, p = len(known), float(known.mean())
        low, high = _wilson(p, n, NormalDist().inv_cdf(1 - (1 - confidence) / 2))
        return Estimate(p, low, high, n, n, "labels alone, Wilson")
    if binary and np.ptp(known) == 0:
        return Bootstrap(confidence=confidence).share(known, items.units[items.labelled])
    return mean(items, False, confidence)


@dataclass(frozen=True, slots=True)
class Items:
    """Items as arrays of shape (items,); a verdict that is missing is the mean of the others."""

    human: Array
    judge: Array
    strata: Ints
    units: Ints
    guessed: int

    @classmethod
    def of(cls, human: ArrayLike, judge: ArrayLike, strata: Clusters | None, units: Clusters | None) -> Items:
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


def mean(items: Items, tuned: bool, confidence: float) -> Estimate:
    """Return the mean over strata; ``tuned``: with the help of the judge."""
    influence, value = np.zeros(len(items.human)), 0.0
    parts: list[tuple[float, int]] = []
    for stratum in range(int(items.strata.max()) + 1):
        here = np.flatnonzero(items.strata == stratum)
        share = len(here) / len(items.human)
        middle, pull, freedom = _stratum(items.human[here], items.judge[here], items.units[here], tuned)
        value += share * middle
        influence[here] = share * pull
        parts.append((_variance(share * pull, items.units[here]), freedom))
    variance = _variance(influence, items.units)
    # Satterthwaite 1946, Biometrics Bulletin 2:110.
    df = sum(v for v, _ in parts) ** 2 / sum(v**2 / f for v, f in parts)
    reach = t_quantile(1 - (1 - confidence) / 2, df) * math.sqrt(variance)
    labels, k = int(items.labelled.sum()), len(np.unique(items.units[items.labelled]))
    method = f"{'PPI++' if tuned else 'labels alone'}, t with {df:.3g} degrees of freedom"
    found = Estimate(value, value - reach, value + reach, labels, k, method, _notes(items, tuned, k))
    if np.isin(items.human[items.labelled], (0.0, 1.0)).all():
        return _of_rate(found, variance, reach / math.sqrt(variance))
    return found


def _of_rate(found: Estimate, variance: float, t: float) -> Estimate:
    """Return a rate between 0 and 1 with Wilson's interval for as many labels as would give this variance."""
    p = min(max(found.value, 0.0), 1.0)
    n = max(p * (1 - p), variance) / variance
    low, high = _wilson(p, n, t)
    return replace(found, value=p, low=low, high=high, method=f"{found.method}, Wilson")


def _wilson(p: float, n: float, z: float) -> tuple[float, float]:
    """Return the interval of Wilson (1927, JASA 22:209) for a rate of n trials."""
    middle = (n * p + z**2 / 2) / (n + z**2)
    reach = z * math.sqrt(n * p * (1 - p) + z**2 / 4) / (n + z**2)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


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
    if n * np.abs(pull).max() <= SAME * float(np.abs(y).max()):
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


def _notes(items: Items, tuned: bool, k: int) -> str:
    notes = [f"only {k} labels or clusters of them: it may hold the truth less often than it says"] if k < FEW else []
    if tuned and items.guessed:
        notes.append(f"{items.guessed} items without a verdict of the judge count as its mean")
    return "; ".join(notes)
