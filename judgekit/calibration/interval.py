"""Where an interval begins and ends, given what resampling found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from judgekit.calibration.estimate import Array

NORMAL = NormalDist()
FEW = 15  # clusters below which no bootstrap interval keeps its promise
STEPS = 20  # of Newton's, of which two or three are taken
SMOOTH = 1e3  # degrees of freedom from which Hill's quantile of t is right to 1e-14
ROUNDING = 2.0**-48  # times the number of summands: what rounding may leave of a variance, the largest value being 1
SAME = 1e-12  # relative difference below which two values differ by rounding alone


@dataclass(frozen=True, slots=True)
class Tails:
    """Where in the draws an interval ends that, were they normal, would end at -+ z.

    Attributes:
        units: how many were drawn; few of them widen the interval (`expanded`).
        df: degrees of freedom of their spread.
        shift, skew: the bias correction and the acceleration of the BCa interval (Efron 1987, JASA 82:171); none for
            the percentile interval.
        wider: by how much the draws vary too little.
    """

    units: int
    df: float
    shift: float = 0.0
    skew: float = 0.0
    wider: float = 1.0

    @classmethod
    def of(cls, found: Array, value: float, units: int, left: tuple[Array, Array] | None) -> Tails:
        """Return the tails for these draws of a statistic that has this value on all items.

        Args:
            left: the statistic without each unit, and how many such units there are, for the BCa interval; without it
                the percentile interval.
        """
        if left is None:
            return cls(units, units - 1)
        near = np.abs(found - value) <= SAME * max(1.0, abs(value))
        shift = _normal_share(found[~near], int(near.sum()), value)
        return cls(units, degrees(units, *left), shift, acceleration(*left), _short(found, units, left))

    def shares(self, confidence: float) -> list[float]:
        """Return the shares of the draws at which the interval begins and ends."""
        z = self._reach(1 - (1 - confidence) / 2)
        return [self._corrected(at) for at in (-z, z)]

    def p(self, found: Array, null: float) -> float:
        """Return 1 less the confidence of the interval that ends at ``null``.

        Beyond the outermost draw, which says no more, the draws are taken to go on as a normal distribution does.
        """
        away = _normal_share(found[found != null], int((found == null).sum()), null) * _beyond(found, null) - self.shift
        at = away / max(1 + self.skew * away, 1e-9) - self.shift
        return 2 * t_tail(abs(at) / (expansion(self.units) * self.wider), self.df)

    def _reach(self, share: float) -> float:
        return t_quantile(share, self.df) * expansion(self.units) * self.wider

    def _corrected(self, at: float) -> float:
        scale = 1 - self.skew * (self.shift + at)
        # Past the pole of the formula there is nothing further out than the last draw.
        return NORMAL.cdf(self.shift + (self.shift + at) / scale) if scale > 0 else float(self.skew > 0)


def _normal_share(others: Array, equal: int, value: float) -> float:
    """Return the normal quantile of the share of draws below a value, half of those ``equal`` to it among them."""
    total = len(others) + equal
    below = ((others < value).sum() + equal / 2) / total
    return NORMAL.inv_cdf(min(max(float(below), 0.5 / total), 1 - 0.5 / total))


def _beyond(found: Array, null: float) -> float:
    """Return how many times as far from the draws' mean as the outermost on its side it is; 1 where it is nearer."""
    mean = float(found.mean())
    reach = float(found.max() if null > mean else found.min()) - mean
    return max(1.0, (null - mean) / reach) if reach else 1.0


def _short(found: Array, units: int, left: tuple[Array, Array]) -> float:
    """Return by how much the jackknife's standard error exceeds the draws', beyond the sqrt(k / (k - 1)) of a mean.

    The draws of few and unequal units vary too little by more than that (Hesterberg 2015, section 3 has the mean's).
    """
    spread = float(found.std())
    if left[1].sum() != units or spread <= 0 or np.isnan(left[0]).all():
        return 1.0
    return max(1.0, standard_error(*left) / spread * math.sqrt((units - 1) / units))


def degrees(units: int, values: Array, count: Array) -> float:
    """Return the degrees of freedom of the spread of so many units, fewer where some weigh more than others.

    (3.16 - 2.77 / sqrt(k)) (sum d^2)^2 / sum d^4, where d is what each of k units moves (Johnson & Rust 1992, Journal
    of Educational Statistics 17:175): about k - 1 for normal ones of one size, and never more.
    """
    known = ~np.isnan(values)
    if count.sum() != units or not known.any():
        return units - 1
    values, count = values[known], count[known]
    squares = ((values * count).sum() / count.sum() - values) ** 2
    fourth = float((count * squares**2).sum())
    found = (3.16 - 2.77 / math.sqrt(units)) * float((count * squares).sum()) ** 2 / fourth if fourth > 0 else math.inf
    return min(max(found, 1.0), units - 1.0)


def standard_error(values: Array, count: Array) -> float:
    """Return the jackknife's standard error from the values without one unit (or block of equal size) each."""
    known = ~np.isnan(values)
    values, count = values[known], count[known]
    n = count.sum()
    mean = (values * count).sum() / n
    return math.sqrt(float((n - 1) / n * (count * (values - mean) ** 2).sum()))


def acceleration(values: Array, count: Array) -> float:
    """Return the acceleration from the values without one unit each (Efron 1987)."""
    known = ~np.isnan(values)
    if not known.any():
        return 0.0
    values, count = values[known], count[known]
    away = (values * count).sum() / count.sum() - values
    spread = (count * away**2).sum() ** 1.5
    return float((count * away**3).sum() / (6 * spread)) if spread > 0 else 0.0


def few(units: int) -> str:
    """Return what to know of an interval from so many units; empty where they are enough."""
    if units >= FEW:
        return ""
    return f"only {units} clusters: the interval may hold the truth less often than it says"


def notes(known: Array, lost: int, units: int) -> str:
    """Return what to know of an interval from these draws, ``lost`` others having no value."""
    said = [few(units)] if few(units) else []
    if np.ptp(known) == 0:
        said.append("every resample has the same value: the interval says nothing about what was not seen")
    if lost:
        said.append(f"{lost} of {len(known) + lost} resamples have no value and were left out")
    return "; ".join(said)


def expanded(share: float, units: int) -> float:
    """Return the point at which an interval of few units is read: t / sqrt((k - 1) / k), k units (Hesterberg 2015)."""
    return t_quantile(share, units - 1) * expansion(units)


def expansion(units: int) -> float:
    """Return 1 / sqrt((k - 1) / k), by which the draws of k units vary too little (Hesterberg 2015)."""
    return math.sqrt(units / (units - 1))


@lru_cache(maxsize=1024)
def t_quantile(share: float, df: float) -> float:
    """Return the quantile of Student's t at a share above .5, to 1e-9 of it, for any ``df`` of 1 or more.

    Hill's (1970, CACM algorithm 396), which is off by up to 1e-5 for whole df and by 5 % between them, and from there
    Newton's steps, in logarithms, to where the tail of the distribution is as asked.
    """
    two = 2 * (1 - share)
    if df == 1:
        return 1 / math.tan(two * math.pi / 2)
    if df == 2:
        return math.sqrt(2 / (two * (2 - two)) - 2)
    t = _hill(two, df)
    log_density = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - math.log(df * math.pi) / 2
    for _ in range(STEPS if df < SMOOTH else 0):
        tail, slope = t_tail(t, df), t * math.exp(log_density - (df + 1) / 2 * math.log1p(t * t / df))
        step = math.log(2 * tail / two) * tail / slope if slope else 0.0
        t *= math.exp(min(max(step, -1.0), 1.0))
        if abs(step) <= 1e-10:
            break
    return t


def t_tail(t: float, df: float) -> float:
    """Return the share of Student's t above ``t``, 0 or more: half a regularised incomplete beta function."""
    if t == 0:
        return 0.5
    x, a, b = df / (df + t * t), df / 2, 0.5
    rest = t * t / (df + t * t)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x)) * math.sqrt(rest)
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a / 2
    return 0.5 - front * _fraction(rest, b, a) / b / 2


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, 1000):
        for term in (
            m * (b - m) / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / (1 + term * x * d), 1 + term * x / c
            found *= d * c
        if abs(d * c - 1) <= 1e-15:
            break
    return found


def _hill(two: float, df: float) -> float:
    a = 1 / (df - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * df
    y = (d * two) ** (2 / df)
    if y <= 0.05 + a:
        y = ((1 / (((df + 6) / (df * y) - 0.089 * d - 0.822) * (df + 2) * 3) + 0.5 / (df + 4)) * y - 1) * (df + 1) / (
            df + 2
        ) + 1 / y
        return math.sqrt(df * y)
    x = NORMAL.inv_cdf(two / 2)
    y = x * x
    if df < 5:
        c += 0.3 * (df - 4.5) * (x + 0.6)
    c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
    return math.sqrt(df * math.expm1(a * y * y))
