"""How far the level of a judge's scores depends on the wording of its prompt."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.columns import JUDGE_SD, Sheet, varies
from judgekit.calibration.estimate import Array, Estimate, NotEstimableError, number
from judgekit.calibration.findings import LEVEL, POWER, Finding, jackknife
from judgekit.calibration.humans import table
from judgekit.calibration.units import Crossed, Units
from judgekit.errors import require


def template_sensitivity(scores: ArrayLike, units: Units, bootstrap: Bootstrap, band: float) -> Finding:
    """Do the templates give the same mean on the same items?  The standard deviation of their means, without noise.

    F is the sum of squares of the means around their own mean, over what the jackknife expects of it by chance; its
    degrees of freedom are Box's (1954, Annals of Mathematical Statistics 25:484; Greenhouse & Geisser 1959). Interval
    and ``detectable`` come from the noncentral F, ``error`` is the spread that chance alone gives. Which items a
    template favours is not seen here: see `variance_components`.

    Args:
        scores: shape (templates, items), NaN is missing.

    Raises:
        NotEstimableError: a single template, or all scores of an item equal, in all items.
    """
    cells = table(scores)
    if len(cells) < 2:
        raise NotEstimableError("it needs two templates")
    sheet = Sheet(list(cells), units)
    kept = np.column_stack(sheet.columns)
    level = kept.mean(1)
    varies(level, "the judge's scores")
    shifts, covariance, df = jackknife(np.column_stack([kept, np.ones(len(kept))]), _shifts, sheet.units)
    noise = float(np.trace(covariance))
    if noise <= 1e-18:
        raise NotEstimableError("the templates differ by the same on every item, so that chance has no measure")
    f = _BoxF.of(covariance, df)
    ratio = float(shifts @ shifts) / noise
    scale = noise / f.first / (len(cells) - 1)  # turns the noncentrality into a variance of the means
    half = (1 - bootstrap.confidence) / 2
    low, high = (math.sqrt(f.noncentrality(ratio, share) * scale) for share in (1 - half, half))
    value = math.sqrt(max(0.0, ratio - 1) * noise / (len(cells) - 1))
    clusters = df + 1 if sheet.units is None or isinstance(sheet.units, Crossed) else int(number(sheet.units).max()) + 1
    points = Estimate(value, low, high, len(kept), clusters, "noncentral F")
    sd = float(level.std())
    return Finding(
        "template",
        Estimate(value / sd, low / sd, high / sd, len(kept), clusters, "noncentral F"),
        points,
        "standard deviation of the templates' means",
        JUDGE_SD,
        error=math.sqrt(noise / (len(cells) - 1)) / sd,
        p=f.beyond(ratio),
        detectable=math.sqrt(f.noncentrality(f.critical(), 1 - POWER) * scale) / sd,
        band=band,
        one_sided=True,
        left_out=sheet.left_out,
    )


class _BoxF:
    """The F distribution of a sum of squares of correlated normal values over its expectation."""

    def __init__(self, first: float, second: float) -> None:
        self.first, self.second = first, second
        self.special = require("scipy.special", "calibrate")

    @classmethod
    def of(cls, covariance: Array, df: int) -> _BoxF:
        first = float(np.trace(covariance) ** 2 / (covariance**2).sum())
        return cls(first, first * df)

    def beyond(self, ratio: float) -> float:
        return float(self.special.fdtrc(self.first, self.second, ratio))

    def critical(self) -> float:
        return float(self.special.fdtri(self.first, self.second, 1 - LEVEL))

    def noncentrality(self, ratio: float, share: float) -> float:
        """Return the noncentrality at which a share of the distribution lies below the ratio; 0 if there is none."""
        if self.special.fdtr(self.first, self.second, ratio) <= share:
            return 0.0
        return float(self.special.ncfdtrinc(self.first, self.second, share, ratio))


def _shifts(sums: Array) -> Array:
    means = sums[:, :-1] / sums[:, -1:]
    return np.asarray(means - means.mean(1, keepdims=True))
