"""A pass rate where the labelled items are no random sample, but show how the judge errs: Rogan-Gladen."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.estimate import Array, Estimate, NotEstimableError
from judgekit.calibration.rates import Items
from judgekit.errors import InputError

LEAST = 5  # labels of each truth below which a judge's error rates are not known well enough to correct by


def rogan_gladen(human: ArrayLike, judge: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Return the pass rate of the items without a label (Rogan & Gladen 1978, Am. J. Epidemiol. 107:71).

    (passed by the judge + specificity - 1) / (sensitivity + specificity - 1), the two from the labelled items, which
    need not be like the others but for how the judge errs on them. The interval is that of Lee et al. (2025, arXiv
    2511.21140): all three rates smoothed, and the middle moved by their covariance; it is rather too wide,
    and held the truth in 95 to 98 % of our simulations.

    Args:
        human, judge: shape (items,): 1 passed, 0 failed, NaN missing. An item without a verdict cannot be used; the
            note says how many.

    Raises:
        NotEstimableError: no items without a label, fewer than 5 labels of either kind, or sensitivity + specificity
            that may be 1 at this confidence: then the verdicts say nothing of the truth.
        InputError: other values, arrays of other shapes.
    """
    items = Items.of(human, judge, None, None)
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
