"""Where systems stand: by hand, against t tests, and by how often the intervals hold."""

from __future__ import annotations

import math

import numpy as np
import pytest

from judgekit import InputError
from judgekit.calibration import NotEstimableError, standings


def test_two_systems_by_hand() -> None:
    """Prompts give A 3, 5, 4 and B 2, 3, 1: differences 1, 2, 3, mean 2, error 1 / sqrt(3), t = 2 sqrt(3), 2 df."""
    scipy = pytest.importorskip("scipy.stats")
    found = standings([3, 5, 4, 2, 3, 1], list("aaabbb"), units=[0, 1, 2] * 2)

    assert found.names == ("a", "b") and [it.value for it in found.means] == [4, 2]
    assert [it.value for it in found.ranks] == [1, 2]
    assert found.q[0, 1] == found.q[1, 0] == pytest.approx(scipy.ttest_1samp([1, 2, 3], 0).pvalue)
    assert math.isnan(found.q[0, 0])
    low, high = scipy.t.interval(0.95, 2, 4, 1 / math.sqrt(3))
    assert (found.means[0].low, found.means[0].high) == pytest.approx((low, high))
    assert "only 3 clusters" in found.means[0].note


def test_items_of_their_own_are_held_apart_without_pairing() -> None:
    """Without units every score is a cluster: the error of a difference is that of two independent means."""
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(0.6, 1, 40), rng.normal(0, 1, 40)])
    found = standings(scores, ["a"] * 40 + ["b"] * 40)
    scipy = pytest.importorskip("scipy.stats")

    assert found.q[0, 1] == pytest.approx(scipy.ttest_ind(scores[:40], scores[40:]).pvalue, rel=0.2)


def test_what_all_prompts_agree_on_is_as_sure_as_so_many_coins() -> None:
    found = standings([2, 3, 4, 1, 2, 3, 1, 2, 3], list("aaabbbccc"), units=[0, 1, 2] * 3)

    assert found.q[0, 1] == pytest.approx(0.25 * 3 / 2)  # 2 / 2 ** 3 of two of three pairs
    assert found.q[1, 2] == 1


def test_systems_with_too_few_prompts_are_named() -> None:
    scores = [1, 2, 3, 4, 5, 6, 7, math.nan]
    found = standings(scores, list("aaabbbcc"), units=[0, 1, 2, 0, 1, 2, 0, 1])

    assert found.names == ("b", "a") and found.left_out == {"c": 1}
    with pytest.raises(NotEstimableError, match="1 of 2 systems"):
        standings([1, 2, 3, 4], list("aaab"))
    with pytest.raises(InputError, match="as many systems"):
        standings([1, 2, 3], list("ab"))


def test_intervals_and_tests_keep_their_promise() -> None:
    rng, held, ranked, wrong = np.random.default_rng(1), [], [], []
    level = np.array([0.0, 0.0, 0.3, 0.6, 0.6])
    rank = np.array([1 + (level > own).sum() for own in level])
    last = rank + np.array([(level == own).sum() - 1 for own in level])
    for _ in range(400):
        prompt = np.repeat(np.arange(30), 5)
        system = np.tile(np.arange(5), 30)
        noise = rng.normal(size=150) + 0.8 * rng.normal(size=30)[prompt]
        found = standings(level[system] + noise, system, units=prompt)
        at = [found.names.index(k) for k in range(5)]
        held += [found.means[k].low <= level[s] <= found.means[k].high for s, k in enumerate(at)]
        ranked += [found.ranks[k].low <= rank[s] and last[s] <= found.ranks[k].high for s, k in enumerate(at)]
        wrong.append(bool(found.q[at[0], at[1]] < 0.05 or found.q[at[3], at[4]] < 0.05))

    assert np.mean(held) == pytest.approx(0.95, abs=0.02)
    assert np.mean(ranked) > 0.94  # it holds for all differences of a system at once
    assert np.mean(wrong) < 0.1
