"""Yes and no against the truth: by hand and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, binary_rates

FEW = Bootstrap(draws=100)
NAN = math.nan


def test_by_hand_and_by_the_papers_convention() -> None:
    """Truth 1 1 1 0 0, said 1 0 - 1 0. Left out: right 1 of 2 yes and 1 of 2 no. As no: 1 of 3 yes, precision 1/2."""
    ours = binary_rates([1, 0, NAN, 1, 0], [1, 1, 1, 0, 0], bootstrap=FEW)
    theirs = binary_rates([1, 0, NAN, 1, 0], [1, 1, 1, 0, 0], missing="no", bootstrap=FEW)

    assert (ours.recall.value, ours.balanced_accuracy.value, ours.recall.n) == (0.5, 0.5, 4)
    assert (theirs.recall.value, theirs.precision.value) == pytest.approx((1 / 3, 1 / 2))
    assert theirs.balanced_accuracy.value == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert ours.missing == theirs.missing == 1


@pytest.mark.slow
@settings(deadline=None, max_examples=1000)
@given(st.integers(0, 1 << 32), st.integers(2, 40), st.floats(0.05, 0.95), st.floats(0, 0.6))
def test_scikit_learn_says_the_same(seed: int, items: int, share: float, lost: float) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    both = np.where(rng.random((2, items)) < lost, NAN, rng.random((2, items)) < share)
    assume((whole := ~np.isnan(both).any(0)).any())
    found = binary_rates(*both, bootstrap=FEW)
    said, truth = both[:, whole]
    assert found.balanced_accuracy is None or found.balanced_accuracy.n == whole.sum()
    rates = metrics.precision_recall_fscore_support(truth, said, average="binary", zero_division=0)
    for name, theirs in zip(("precision", "recall", "f1"), rates, strict=False):
        own = getattr(found, name)
        if own:
            assert own.value == pytest.approx(theirs)
    if np.ptp(truth):
        assert found.balanced_accuracy.value == pytest.approx(metrics.balanced_accuracy_score(truth, said))
    if np.ptp(truth) and np.ptp(said):
        assert found.correlation.value == pytest.approx(metrics.matthews_corrcoef(truth, said))
    else:
        assert found.correlation is None


@pytest.mark.parametrize(
    ("judge", "truth", "error", "message"),
    [
        ([1, 2], [1, 0], InputError, "1 for yes"),
        ([1], [1, 0], InputError, "of shape"),
        ([NAN, 1], [1, NAN], NotEstimableError, "no item"),
    ],
)
def test_refusals(judge: list, truth: list, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        binary_rates(judge, truth, bootstrap=FEW)
