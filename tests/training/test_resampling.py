"""Re-sampling by hand: few totals, their bins, and how often each must come."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.training.resampling import Resample, _systematic, resample

# Totals 0 to 4 are u = 0, 1/4, 1/2, 3/4, 1: bins 0, 5, 10, 15 and 19 of 20, one total in each.
TOTALS = [0.0] * 2 + [1.0] * 8 + [2.0] * 40 + [3.0] * 40 + [4.0] * 10
BELL = [math.exp(x) for x in (-4.5, -1.125, 0, -1.125, -4.5)]  # u is 3, 1.5 and 0 standard deviations off
SHARES = {
    # target(u), over the sum of the targets
    "uniform": [1 / 5] * 5,
    "normal": [target / sum(BELL) for target in BELL],
    "exppos": [math.exp(3 * u) / sum(math.exp(3 * v / 4) for v in range(5)) for u in (0, 0.25, 0.5, 0.75, 1)],
    "expneg": [math.exp(-3 * u) / sum(math.exp(-3 * v / 4) for v in range(5)) for u in (0, 0.25, 0.5, 0.75, 1)],
}  # fmt: skip


@pytest.mark.parametrize("shape", SHARES)
def test_every_total_comes_as_often_as_the_shape_says(shape: Resample) -> None:
    found = resample(TOTALS, shape, seed=3)

    assert found.before == {0.0: 2, 1.0: 8, 2.0: 40, 3.0: 40, 4.0: 10}
    assert sum(found.after.values()) == len(found.rows) == 100
    for total, share in enumerate(SHARES[shape]):
        assert abs(found.after.get(float(total), 0) - 100 * share) < 1  # the expected number, to within one


def test_uniform_by_hand() -> None:
    """100 rows, five totals: 20 of each. The 2 rows of total 0 come 10 times each, the 40 of total 2 once or never."""
    found = resample(TOTALS, "uniform")
    times = Counter(found.rows)

    assert found.after == {0.0: 20, 1.0: 20, 2.0: 20, 3.0: 20, 4.0: 20}
    assert {times[0], times[1]} == {10}
    assert {times[i] for i in range(2, 10)} <= {2, 3}
    assert {times[i] for i in range(10, 50)} == {0, 1}
    assert found.most == 10
    assert found.distinct == 2 + 8 + 20 + 20 + 10


def test_totals_within_a_bin_share_its_weight() -> None:
    """Totals 0 and 0.1 of 0 to 10 fall into bin 0, which as a whole is drawn as often as bin 19 with total 10."""
    found = resample([0.0, 0.1, 10.0, 10.0, 10.0, 10.0], "uniform")

    assert found.after == {0.0: 1, 0.1: 2, 10.0: 3} or found.after == {0.0: 2, 0.1: 1, 10.0: 3}


def test_equidistant_points_by_hand() -> None:
    """Weights 1, 1, 2 end at 1/4, 1/2 and 1; points at (0.3 + k) / 3: 0.1, 0.433 and 0.767."""
    assert _systematic(np.array([1.0, 1.0, 2.0]), 0.3).tolist() == [0, 1, 2]
    # from 0.9: 0.3, 0.633 and 0.967
    assert _systematic(np.array([1.0, 1.0, 2.0]), 0.9).tolist() == [1, 2, 2]


def test_a_seed_decides() -> None:
    assert resample(TOTALS, "normal", 1) == resample(TOTALS, "normal", 1)
    assert resample(TOTALS, "normal", 1).rows != resample(TOTALS, "normal", 2).rows


def test_none_leaves_all_as_it_is() -> None:
    found = resample([3.0, 3.0, 1.0], "none")

    assert (found.rows, found.distinct, found.most) == ([0, 1, 2], 3, 1)
    assert found.before == found.after == {1.0: 1, 3.0: 2}


@pytest.mark.parametrize("shape", SHARES)
def test_one_total_has_no_shape(shape: Resample) -> None:
    with pytest.raises(InputError, match="all 3 rows have the total 4, which has no shape"):
        resample([4.0, 4.0, 4.0], shape)


@pytest.mark.parametrize("totals", [[], [1.0, float("nan")], [1.0, float("inf")]])
def test_what_is_no_total_is_refused(totals: list[float]) -> None:
    with pytest.raises(InputError, match="finite total"):
        resample(totals, "uniform")


@given(
    st.lists(st.integers(0, 50), min_size=2, max_size=60).filter(lambda t: len(set(t)) > 1),
    st.sampled_from(["normal", "uniform", "exppos", "expneg"]),
    st.integers(0, 99),
)
def test_whatever_the_totals(halves: list[int], shape: Resample, seed: int) -> None:
    found = resample([h / 2 for h in halves], shape, seed)
    times = Counter(found.rows)

    assert len(found.rows) == len(halves) and found.rows == sorted(found.rows)
    assert (found.distinct, found.most) == (len(times), max(times.values()))
    assert found.after == dict(sorted(Counter(halves[i] / 2 for i in found.rows).items()))
