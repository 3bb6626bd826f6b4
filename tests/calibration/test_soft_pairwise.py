"""Soft pairwise accuracy: by hand, and against the sign-flip p values that it stands for."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from judgekit import InputError
from judgekit.calibration import soft_pairwise_accuracy


def test_two_systems_by_hand() -> None:
    """Differences 1, 1, 1, 1 for people: z = 4 / 2 = 2; for the judge 1, 1, 1, -1: z = 2 / 2 = 1."""
    zero = [0, 0, 0, 0]
    found = soft_pairwise_accuracy([[1, 1, 1, -1], zero], [[1, 1, 1, 1], zero])

    assert found.value == pytest.approx(1 - (NormalDist().cdf(2) - NormalDist().cdf(1)), abs=3e-7)


def test_the_sign_flips_say_nearly_the_same() -> None:
    rng = np.random.default_rng(0)
    human = rng.integers(0, 6, (6, 200)) + np.linspace(0, 0.5, 6)[:, None]
    judge = human + rng.normal(size=(6, 200))
    judge[0, :20] = math.nan
    signs = rng.choice([-1.0, 1.0], (20_000, 200))
    gaps = []
    for i in range(6):
        for j in range(i + 1, 6):
            known = ~np.isnan(judge[i] + judge[j])
            d = [(s[i] - s[j])[known] for s in (judge, human)]
            p = [(signs[:, known] @ e >= e.sum()).mean() for e in d]
            gaps.append(abs(p[0] - p[1]))

    assert soft_pairwise_accuracy(judge, human).value == pytest.approx(1 - np.mean(gaps), abs=0.004)


def test_whole_clusters_flip() -> None:
    """Every item thrice in its cluster says what once says."""
    rng = np.random.default_rng(1)
    human, judge = rng.normal(size=(3, 30)), rng.normal(size=(3, 30))
    once = soft_pairwise_accuracy(judge, human)
    thrice = soft_pairwise_accuracy(np.repeat(judge, 3, 1), np.repeat(human, 3, 1), units=np.repeat(np.arange(30), 3))

    assert (thrice.value, thrice.low, thrice.n) == (pytest.approx(once.value), pytest.approx(once.low), 90)


def test_a_judge_that_is_people() -> None:
    human = np.random.default_rng(2).normal(size=(4, 40))

    assert soft_pairwise_accuracy(human, human).value == 1


@pytest.mark.parametrize(
    ("judge", "human", "says"),
    [
        ([[1, 2]], [[1, 2]], "two systems"),
        ([1, 2], [1, 2], "one shape"),
        ([[1, math.nan], [math.nan, 1]], [[1, 1], [1, 1]], "no item in common"),
    ],
)
def test_what_cannot_be_separated_is_refused(judge: list, human: list, says: str) -> None:
    with pytest.raises(InputError, match=says):
        soft_pairwise_accuracy(judge, human)
