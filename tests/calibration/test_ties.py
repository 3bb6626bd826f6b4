"""Accuracy over pairs: by hand, against the count of every pair, and its coverage."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, fit_epsilon, pairwise_accuracy, tie_calibration
from judgekit.calibration.ties import agreeing


def brute(judge, human, epsilon: float, groups=None) -> float:
    """Return the mean over the groups of the share of right pairs, every pair looked at."""
    shares = []
    for group in dict.fromkeys([0] * len(judge) if groups is None else groups):
        own = [i for i in range(len(judge)) if groups is None or groups[i] == group]
        own = [i for i in own if not math.isnan(judge[i] + human[i])]
        right = total = 0
        for k, i in enumerate(own):
            for j in own[:k]:
                gap = judge[i] - judge[j]
                told = 0 if abs(gap) <= epsilon + 1e-9 else math.copysign(1, gap)
                right += told == np.sign(human[i] - human[j])
                total += 1
        if total:
            shares.append(right / total)
    return float(np.mean(shares))


def test_by_hand() -> None:
    """Pairs 12: right; 13: judge tied, human not: wrong; 23: wrong. At 1 all are ties for the judge: none is right."""
    judge, human = [1, 2, 1], [1, 2, 3]

    assert pairwise_accuracy(judge, human).value == pytest.approx(1 / 3)
    assert pairwise_accuracy(judge, human, 1).value == 0
    assert pairwise_accuracy([1, 1.5, 9], [2, 2, 3], 0.5).value == 1
    assert fit_epsilon([1, 1.5, 9], [2, 2, 3]) == 0.5
    assert fit_epsilon([1, 2, 3], [1, 2, 3]) == 0


SCORES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 2)), min_size=2, max_size=24)


@settings(deadline=None, max_examples=300)
@given(SCORES, st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.0]), st.booleans(), st.integers(0, 99))
def test_every_pair_counted_says_the_same(rows: list, epsilon: float, grouped: bool, seed: int) -> None:
    """Steps of a tenth, so that gaps that should be equal differ by rounding; some scores are missing."""
    array = np.array(rows, dtype=float)
    array[np.random.default_rng(seed).random(array.shape) < 0.05] = math.nan
    judge, human, groups = array[:, 0] / 10, array[:, 1], [row[2] for row in rows] if grouped else None
    try:
        found = pairwise_accuracy(judge, human, epsilon, groups=groups, bootstrap=Bootstrap(100))
    except NotEstimableError:
        return
    assert found.value == pytest.approx(brute(judge, human, epsilon, groups))
    best = fit_epsilon(judge, human, groups=groups)
    tried = {e: brute(judge, human, e, groups) for e in np.arange(8) / 10}
    assert tried[round(best, 6)] == pytest.approx(max(tried.values()))
    assert all(value < max(tried.values()) - 1e-12 for e, value in tried.items() if e < best - 1e-6)


def test_many_items_without_pairs_in_memory() -> None:
    rng = np.random.default_rng(0)
    judge, human = rng.normal(size=50_000).round(3), rng.integers(1, 6, 50_000).astype(float)
    some = rng.integers(0, 50_000, 40)
    found = agreeing(judge, human, 0.01)[some]

    for i, count in zip(some, found, strict=True):
        gap = judge[i] - judge
        told = np.where(np.abs(gap) <= 0.01 + 1e-9, 0, np.sign(gap))
        assert count == (told == np.sign(human[i] - human)).sum() - (human[i] == human[i])


def test_a_thousand_pooled_items_are_quick() -> None:
    rng = np.random.default_rng(1)
    human = rng.integers(1, 4, 1056).astype(float)
    judge = human + rng.normal(0, 0.5, 1056)
    start = time.process_time()
    epsilon = fit_epsilon(judge, human)
    found = pairwise_accuracy(judge, human, epsilon)

    assert time.process_time() - start < 1
    assert epsilon > 0 and found.value > pairwise_accuracy(judge, human).value


def test_the_two_halves_are_fitted_apart() -> None:
    """30 groups: each half's epsilon is the one fitted on the other half's groups."""
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(30), 8)
    human = rng.integers(1, 4, 240).astype(float)
    judge = human + rng.normal(0, 0.7, 240)
    found = tie_calibration(judge, human, groups=groups)
    half = (np.random.default_rng(0).permutation(30) % 2)[groups]
    for side in (0, 1):
        other = half != side
        assert found.epsilons[side] == fit_epsilon(judge[other], human[other], groups=groups[other])
    shares = [brute(judge[groups == g], human[groups == g], found.epsilons[half[8 * g]]) for g in range(30)]

    assert found.accuracy.value == pytest.approx(np.mean(shares))
    assert found.plain.value == pytest.approx(brute(judge, human, 0, groups))
    assert found.optimistic == pytest.approx(brute(judge, human, found.epsilon, groups))
    assert found.optimistic >= found.accuracy.value


def test_halves_of_items_without_groups() -> None:
    rng = np.random.default_rng(3)
    human = rng.integers(1, 4, 60).astype(float)
    judge = human + rng.normal(0, 0.7, 60)
    found = tie_calibration(judge, human)
    half = np.random.default_rng(0).permutation(60) % 2
    shares = [brute(judge[half == s], human[half == s], found.epsilons[s]) for s in (0, 1)]

    assert found.accuracy.value == pytest.approx(np.mean(shares))
    assert found.accuracy.low is not None and found.accuracy.low < found.accuracy.value


def test_the_jackknife_by_leaving_out() -> None:
    """The closed form against leaving out one cluster after the other, on the logit scale."""
    rng = np.random.default_rng(4)
    units = rng.integers(0, 9, 50)
    human, judge = rng.integers(1, 4, 50).astype(float), rng.integers(1, 9, 50).astype(float)
    found = pairwise_accuracy(judge, human, 1, units=units)
    k = len(set(units.tolist()))
    without = np.array([brute(judge[units != u], human[units != u], 1) for u in set(units.tolist())])
    error = math.sqrt((k - 1) / k * ((without - without.mean()) ** 2).sum())
    p = found.value
    t = 2.306 * math.sqrt(9 / 8)  # t(.975, 8), widened as everywhere

    assert k == 9 and found.low is not None and found.high is not None
    logits = [math.log(q / (1 - q)) for q in (found.low, p, found.high)]
    assert logits[2] - logits[1] == pytest.approx(t * error / (p * (1 - p)), rel=2e-3)
    assert logits[1] - logits[0] == pytest.approx(logits[2] - logits[1])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: pairwise_accuracy([1, 2], [1]), "one shape"),
        (lambda: pairwise_accuracy([1, math.inf], [1, 2]), "finite"),
        (lambda: pairwise_accuracy([1, 2], [1, 2], -1), "epsilon is -1"),
        (lambda: pairwise_accuracy([1, 2], [1, 2], units=[1]), "2 items, but 1"),
        (lambda: pairwise_accuracy([1, math.nan], [1, 2]), "no pairs"),
        (lambda: pairwise_accuracy([1, 2], [1, 2], groups=[1, 2]), "no group has two"),
        (lambda: pairwise_accuracy([1, 2], [1, 2], groups=[1, 1], units=[1, 2]), "whole groups"),
        (lambda: fit_epsilon(np.arange(5000.0), np.arange(5000.0)), "too many to fit on"),
        (lambda: tie_calibration([1, 2, 3], [1, 2, 3]), "cannot be halved"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, says: str) -> None:
    with pytest.raises(InputError, match=says):
        call()
