"""What a probe for a bias finds: the effect with its interval, its p, what could have been found, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.bootstrap import Bootstrap, Statistic
from judgekit.calibration.columns import Sheet
from judgekit.calibration.estimate import Array, Estimate, NotEstimableError, number
from judgekit.calibration.multiple import adjust_pvalues
from judgekit.calibration.units import Units, kinds
from judgekit.errors import require

Verdict = Literal["innocent", "biased", "undecided"]
LEVEL = 0.05
POWER = 0.8
ALIKE = "every cluster says the same"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one probe found. An effect of 0 is no bias; ``q`` and ``verdict`` come with `judge_together`.

    Attributes:
        effect: standardised; ``standard`` says by what.
        points: the same effect in the units that ``unit`` names.
        error: the standard error of the effect, by the jackknife over the clusters; None if all clusters say the same.
        p: of "there is no effect".
        detectable: the smallest effect that a test at .05 finds with a probability of 80 %; None as for ``error``.
        band: effects within it, plus or minus, do no harm; with ``one_sided`` all effects below it.
        left_out: items that lack something which the probe needs.
        q: p after Benjamini & Hochberg (1995, JRSS-B 57:289) over all probes that were judged together.
        verdict: ``innocent`` if the interval lies in the band; else ``biased`` if q is below .05 and the effect lies
            outside the band; else ``undecided``.
    """

    name: str
    effect: Estimate
    points: Estimate
    unit: str
    standard: str
    error: float | None
    p: float
    detectable: float | None
    band: float
    one_sided: bool = False
    left_out: int = 0
    q: float | None = None
    verdict: Verdict | None = None


def find(
    name: str,
    sheet: Sheet,
    rows: Array,
    standardised: Statistic,
    points: Statistic,
    bootstrap: Bootstrap,
    *,
    band: float,
    unit: str,
    standard: str,
    one_sided: bool = False,
) -> Finding:
    """Estimate an effect that is a statistic of sums (as `Bootstrap.of_sums`), and test it.

    p is Student's t of the effect over its jackknife error, with one degree of freedom less than there are clusters.
    Where all clusters say the same there is no error to divide by: then p is that of so many equal signs, and the
    interval reaches as far as clusters would bring it that differ by one standard unit and were not seen
    (`Bootstrap.unseen`).

    Args:
        rows: of the items that the sheet kept.
    """
    effect = bootstrap.of_sums(rows, standardised, sheet.units)
    raw = bootstrap.of_sums(rows, points, sheet.units)
    _, covariance, df = jackknife(rows, standardised, sheet.units)
    error, sides = math.sqrt(covariance[0, 0]), 1 if one_sided else 2
    finding = Finding(name, effect, raw, unit, standard, None, 1.0, None, band, one_sided, sheet.left_out)
    if error <= 1e-9 * max(1.0, abs(effect.value)):
        raw = replace(raw, low=None, high=None, note=ALIKE)
        return replace(finding, effect=_alike(effect, bootstrap), points=raw, p=_signs(effect, sides))
    t = require("scipy.special", "calibrate")
    size = effect.value / error
    p = float(t.stdtr(df, -size if one_sided else -abs(size))) * sides
    detectable = float(t.stdtrit(df, 1 - LEVEL / sides) + t.stdtrit(df, POWER)) * error
    return replace(finding, error=error, p=p, detectable=detectable)


def jackknife(rows: Array, statistic: Statistic, units: Units = None) -> tuple[Array, Array, int]:
    """Return a statistic of sums, its covariance from leaving out one cluster at a time, and the degrees of freedom.

    The covariance is (k - 1) / k times the sum of squares around their mean (Tukey 1958; for clusters Bell & McCaffrey
    2002, Survey Methodology 28:169). Of two crossed kinds of clusters it is the sum of both, which is never too small.

    Args:
        rows: shape (items, m); statistic: maps sums of shape (any, m) to shape (any,) or (any, s).

    Raises:
        NotEstimableError: there is one cluster alone, or no value without any of them.

    Returns:
        The values, shape (s,); the covariance, shape (s, s); the clusters (of the rarer kind) less one.
    """
    total = rows.sum(0)
    value = np.atleast_2d(np.asarray(statistic(total[None])).T).T[0]
    covariance, k = np.zeros((len(value), len(value))), len(rows)
    for kind in kinds(units, len(rows)) or (None,):
        own = rows if kind is None else _by_cluster(rows, number(kind))
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.asarray(statistic(total - own)).reshape(len(own), -1)
        found = found[~np.isnan(found).any(1)]
        if not len(found):
            raise NotEstimableError(f"{len(own)} clusters: what the effect is without one of them is not known")
        away = found - found.mean(0)
        covariance += away.T @ away * (len(found) - 1) / len(found)
        k = min(k, len(found))
    return value, covariance, k - 1


def judge_together(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings with their q-values and verdicts; give all that are read together."""
    qs = adjust_pvalues([finding.p for finding in findings], "bh")
    return tuple(replace(f, q=q, verdict=_verdict(f, q)) for f, q in zip(findings, qs, strict=True))


def _verdict(finding: Finding, q: float | None) -> Verdict:
    effect, band = finding.effect, finding.band
    if effect.low is None or effect.high is None:
        return "undecided"
    if effect.high < band and (finding.one_sided or effect.low > -band):
        return "innocent"
    outside = effect.value > band or (effect.value < -band and not finding.one_sided)
    return "biased" if q is not None and q < LEVEL and outside else "undecided"


def _by_cluster(rows: Array, index: NDArray[np.int64]) -> Array:
    return np.stack([np.bincount(index, column) for column in rows.T], axis=1)


def _signs(effect: Estimate, sides: int) -> float:
    """Return p of an effect that all clusters agree on: of as many tosses of a coin that fall alike."""
    if abs(effect.value) < 1e-9 or (sides == 1 and effect.value < 0):
        return 1.0
    return float(sides * 0.5**effect.clusters)


def _alike(effect: Estimate, bootstrap: Bootstrap) -> Estimate:
    """Return the effect with an interval that allows for clusters of another kind which were not seen."""
    reach = bootstrap.unseen(effect.clusters)
    low, high = effect.value - reach, effect.value + reach
    return replace(effect, low=low, high=high, method="Clopper-Pearson", note=ALIKE)
