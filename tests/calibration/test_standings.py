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
    assert found.adjusted[0, 1] == found.adjusted[1, 0] == pytest.approx(scipy.ttest_1samp([1, 2, 3], 0).pvalue)
    assert math.isnan(found.adjusted[0, 0])
    low, high = scipy.t.interval(0.95, 2, 4, 1 / math.sqrt(3))
    assert (found.means[0].low, found.means[0].high) == pytest.approx((low, high))
    assert "only 3 clusters" in found.means[0].note


def test_items_of_their_own_are_held_apart_without_pairing() -> None:
    """Without units every score is a cluster: the error of a difference is that of two independent means."""
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(0.6, 1, 40), rng.normal(0, 1, 40)])
    found = standings(scores, ["a"] * 40 + ["b"] * 40)
    scipy = pytest.importorskip("scipy.stats")

    assert found.adjusted[0, 1] == pytest.approx(scipy.ttest_ind(scores[:40], scores[40:]).pvalue, rel=0.2)


def test_what_all_prompts_agree_on_is_as_sure_as_so_many_coins() -> None:
    found = standings([2, 3, 4, 1, 2, 3, 1, 2, 3], list("aaabbbccc"), units=[0, 1, 2] * 3)

    assert found.adjusted[0, 1] == pytest.approx(0.25 * 3 / 2)  # 2 / 2 ** 3 of two of three pairs
    assert found.adjusted[1, 2] == 1


def test_systems_with_too_few_prompts_are_named() -> None:
    scores = [1, 2, 3, 4, 5, 6, 7, math.nan]
    found = standings(scores, list("aaabbbcc"), units=[0, 1, 2, 0, 1, 2, 0, 1])

    assert found.names == ("b", "a") and found.left_out == {"c": 1}
    assert standings([1, 2, 3, 4, 5, 6], [("x", 1)] * 3 + [("y", 2)] * 3).names == (("y", 2), ("x", 1))
    for nameless in (None, math.nan):
        with pytest.raises(InputError, match="has no system"):
            standings([1, 2], ["a", nameless])
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
        wrong.append(bool(found.adjusted[at[0], at[1]] < 0.05 or found.adjusted[at[3], at[4]] < 0.05))

    assert np.mean(held) == pytest.approx(0.95, abs=0.02)
    assert np.mean(ranked) > 0.94  # it holds for all differences of a system at once
    assert np.mean(wrong) < 0.1


@pytest.mark.parametrize("level", [0.1, 0.3, 3.3, 1 / 3, 4.2, 1e6 + 0.1])
def test_equal_means_are_equal_however_they_were_rounded(level: float) -> None:
    found = standings([level] * 21, ["a"] * 8 + ["b"] * 13, units=[*range(8), *range(13)])

    assert found.adjusted[0, 1] == 1 and [it.value for it in found.ranks] == [1, 1]
    assert [(it.low, it.high) for it in found.ranks] == [(1, 2), (1, 2)]


def test_the_unit_of_the_scores_says_nothing() -> None:
    rng = np.random.default_rng(2)
    scores, systems, units = rng.normal(size=120), [0, 1, 2] * 40, np.repeat(np.arange(40), 3)
    plain = standings(scores, systems, units=units)
    for factor, shift in ((1e-12, 0.0), (1e9, 1e12)):
        found = standings(scores * factor + shift, systems, units=units)
        assert found.adjusted[0, 1] == pytest.approx(plain.adjusted[0, 1], rel=1e-3)


def test_a_rare_system_does_not_blur_the_ranks_of_the_others() -> None:
    rng = np.random.default_rng(3)
    unit, system = np.repeat(np.arange(60), 5), np.tile(np.arange(5), 60)
    kept = (system < 4) | (unit < 3)
    scores = system + rng.normal(0, 0.5, len(unit))
    found = standings(scores[kept], system[kept], units=unit[kept])
    widths = [it.high - it.low for name, it in zip(found.names, found.ranks, strict=True) if name != 4]

    assert max(widths) <= 1  # each of the four is known to stand beside or below the rare one


def test_the_jackknife_by_a_loop() -> None:
    rng = np.random.default_rng(4)
    scores, system, unit = rng.normal(size=200), rng.integers(0, 4, 200), rng.integers(0, 15, 200)
    found = standings(scores, system, units=unit)
    left = np.array([[scores[(system == s) & (unit != u)].mean() for s in range(4)] for u in range(15)])
    error = np.sqrt(14 / 15 * ((left - left.mean(0)) ** 2).sum(0))
    for name, mean in zip(found.names, found.means, strict=True):
        df = len(set(unit[system == name])) - 1
        reach = pytest.importorskip("scipy.stats").t.ppf(0.975, df) * error[name]
        assert mean.high - mean.value == pytest.approx(reach)
