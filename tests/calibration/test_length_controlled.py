"""The length-controlled win rate: by hand, and against a library's logistic regression."""

from __future__ import annotations

import math

import numpy as np
import pytest

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, length_controlled_win_rate

FAST = Bootstrap(draws=100)


def test_two_lengths_by_hand() -> None:
    """Longer by d: 30 of 40 won; shorter by d: 10 of 40: logits log 3 and -log 3, so that equal lengths give 1/2."""
    found = length_controlled_win_rate([1] * 30 + [0] * 10 + [1] * 10 + [0] * 30, [5] * 40 + [-5] * 40, bootstrap=FAST)
    deviation = 5 * math.sqrt(80 / 79)

    assert found.win_rate.value == pytest.approx(0.5)
    assert found.length.value == pytest.approx(math.log(3) / math.tanh(5 / deviation))
    assert found.plain.value == 0.5


def test_sklearn_says_the_same() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    gap, hard = rng.normal(50, 300, 500), rng.normal(size=500)
    x = np.stack([np.tanh(gap / gap.std(ddof=1)), hard], axis=1)
    y = (rng.random(500) < 1 / (1 + np.exp(-0.3 - x @ [0.8, 0.5]))).astype(float)
    theirs = linear.LogisticRegression(C=1e10, tol=1e-10, max_iter=1000).fit(x, y)
    equal = theirs.intercept_[0] + theirs.coef_[0, 1] * hard
    found = length_controlled_win_rate(y, gap, difficulty=hard, bootstrap=FAST)

    assert found.length.value == pytest.approx(theirs.coef_[0, 0], abs=1e-4)
    assert found.win_rate.value == pytest.approx((1 / (1 + np.exp(-equal))).mean(), abs=1e-5)


def test_missing_verdicts_and_probabilities() -> None:
    found = length_controlled_win_rate([0.75, 0.25, math.nan, 0.75, 0.25], [1, -1, 9, 1, -1], bootstrap=FAST)

    assert (found.missing, found.win_rate.value) == (1, pytest.approx(0.5))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([1, 0], [1]), "2 preferences, but 1 lengths"),
        (([2, 0], [1, 2]), "from 0 to 1"),
        (([1, 0], [1, math.nan]), "finite"),
        (([math.nan], [1]), "no comparison has a verdict"),
        (([1, 1], [1, 2]), "wins every comparison"),
        (([1, 0], [2, 2]), "differ by the same"),
        (([1, 1, 0, 0], [1, 2, -1, -2]), "no value"),
    ],
)
def test_what_has_no_rate_is_refused(arguments: tuple, says: str) -> None:
    with pytest.raises(InputError, match=says):
        length_controlled_win_rate(*arguments, bootstrap=FAST)
    assert issubclass(NotEstimableError, InputError)
