"""Conformal intervals: ranks by hand, the promise kept in simulation, categories, groups, the grid."""

from __future__ import annotations

import json

import numpy as np
import pytest

from judgekit.calibration import Conformal, Linear, NotEstimableError, conformal, fit, split_conformal
from judgekit.calibration.conformal import design_effect, upper_quantile
from judgekit.errors import InputError

SAME = Linear(
    type="linear", intercept=0.0, slopes=(1.0,), scale=(0.0, 10.0), support=((0.0, 10.0),), n=30
)  # maps a score to itself


def test_the_rank_is_of_n_plus_one() -> None:
    """Residuals 1..9 at 80 %: (9 + 1) * .8 = the 8th; at 90 % the 9th; at 91 % the 9.1th, which is not there."""
    judge, human = np.full(9, 5.0), 5 + np.arange(1, 10) / 2 * (-1) ** np.arange(9)

    def width(coverage: float) -> float:
        low, high = split_conformal(SAME, judge, human, coverage=coverage).interval([5.0])
        return float(high[0] - low[0]) / 2

    assert [width(c) for c in (0.8, 0.9, 0.91)] == pytest.approx([4, 4.5, 5])


def test_items_missed_together_leave_a_larger_place() -> None:
    """Three groups of 4, one of them off by 2, the others by .1. At 55 % the third group is missed, all of it.

    The sums of (missed - 1/3) are 8/3, -4/3, -4/3: their squares 32/3, times 3/2 is 16; over the 8/3 of the items it is
    6, more than the size of a group: 4. So 8 small residuals weigh 8 / (12 + 4) = .5, where lone items weigh 8 / 13.
    """
    human = 5 + np.repeat([0.1, 0.1, 2.0], 4)
    groups = np.repeat([0, 1, 2], 4)

    def reach(coverage: float, groups: np.ndarray | None) -> float:
        made = split_conformal(SAME, np.full(12, 5.0), human, groups=groups, coverage=coverage)
        return float(made.interval([5.0])[1][0]) - 5

    assert design_effect(human - 5, groups, 0.55) == 4
    assert design_effect(human - 5, np.arange(12), 0.55) == 1
    assert [reach(c, groups) for c in (0.5, 0.55)] == pytest.approx([0.1, 2])
    assert reach(0.55, None) == pytest.approx(0.1)


def test_categories_keep_their_own() -> None:
    human = 5 + np.array([1.0] * 9 + [3.0] * 9)
    kinds = ["easy"] * 9 + ["hard"] * 9
    made = split_conformal(SAME, np.full(18, 5.0), human, categories=kinds, coverage=0.9)

    low, high = made.interval([5.0, 5.0, 5.0, np.nan], ["easy", "hard", "new", "easy"])

    assert high - low == pytest.approx([2, 6, 10, np.nan], nan_ok=True)
    with pytest.raises(InputError, match="categor"):
        made.interval([5.0])


def test_a_category_of_few_labels_has_the_whole_scale() -> None:
    made = split_conformal(SAME, np.full(3, 5.0), [4.0, 5, 6], categories=["rare"] * 3, coverage=0.9)

    assert [float(end[0]) for end in made.interval([5.0], ["rare"])] == [0, 10]
    assert Conformal.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_drawn_in_to_the_grid() -> None:
    """5 +- 1.3 holds 4, 5 and 6 of the whole numbers; 5.5 +- .2 none, so that the nearest stands for it."""

    def grid(margin: float, at: float) -> list[float]:
        made = split_conformal(SAME, np.full(9, 5 - margin), np.full(9, 5.0), coverage=0.9, step=1.0)
        return [float(end[0]) for end in made.interval([at])]

    assert grid(1.3, 5.0) == [4, 6]
    assert grid(1.0, 5.0) == [4, 6]
    assert grid(0.2, 5.6) == [6, 6]
    assert grid(3.0, 9.5) == [7, 10]


def test_the_grid_loses_no_score() -> None:
    rng = np.random.default_rng(0)
    judge = rng.uniform(0, 10, 400)
    human = np.clip(np.round((judge + rng.normal(0, 1.5, 400)) * 3) / 3, 0, 10)
    ends = [split_conformal(SAME, judge[:200], human[:200], step=step).interval(judge[200:]) for step in (None, 1 / 3)]
    held = [(low <= human[200:] + 1e-9) & (human[200:] <= high + 1e-9) for low, high in ends]

    assert (held[0] == held[1]).all()
    assert (ends[1][1] - ends[1][0]).mean() < (ends[0][1] - ends[0][0]).mean()


def drawn(rng: np.random.Generator, groups: int, size: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    g = np.repeat(np.arange(groups), size)
    x = rng.normal(0, 1, len(g)) + rng.normal(0, 0.5, groups)[g]
    return x, 0.6 * x + rng.normal(0, 0.5, groups)[g] + rng.standard_t(5, len(g)), g


@pytest.mark.slow
@pytest.mark.parametrize("coverage", [0.9, 0.95])
@pytest.mark.parametrize(
    ("groups", "size", "kind"), [(60, 3, "split"), (16, 11, "split"), (16, 3, "cross"), (40, 3, "cross")]
)
def test_the_promise_is_kept_for_new_groups(groups: int, size: int, kind: str, coverage: float) -> None:
    """2,000 simulations each: labels of some groups, then one item of a new one."""
    rng, hits = np.random.default_rng(0), []
    for _ in range(2000):
        x, y, g = drawn(rng, groups + 1, size)
        made = conformal("linear", x[:-size], y[:-size], groups=g[:-size], scale=(-50, 50), coverage=coverage)
        low, high = made.interval(x[-size:][:1])
        hits.append(bool(low[0] <= y[-size] <= high[0]))
    assert made.type == ("split" if groups * size >= 150 else "cross")
    assert abs(np.mean(hits) - coverage) <= 0.02


def test_few_labels_are_crossed_by_hand() -> None:
    """Four lone items are four folds; every map is a shift, by the mean of the other three labels' distances.

    Labels less scores are 0, 0, 0, 4: without the last the shift is 0, without another it is 4/3. The residuals are
    4/3, 4/3, 4/3 and 4. At 10 the upper ends of the four are 10 + 4/3 + 4/3 three times, and 10 + 0 + 4; at a
    coverage of 60 % it takes (4 + 1) * .6 = the 3rd: 12 + 2/3. The lower ends are 10 twice three times, and 6.
    """
    made = conformal("shift", [1.0, 2, 3, 4], [1.0, 2, 3, 8], coverage=0.6, scale=(-100, 100))

    low, high = made.interval([10.0])

    assert (made.type, len(made.maps)) == ("cross", 4)
    assert (float(low[0]), float(high[0])) == pytest.approx((10.0, 12 + 2 / 3))


@pytest.mark.parametrize("n", [40, 200])
def test_json_there_and_back(n: int) -> None:
    x, y, g = drawn(np.random.default_rng(0), n // 2, 2)
    made = conformal("isotonic", x, y, groups=g, categories=["a", "b"] * (n // 2), scale=(-9, 9), coverage=0.8)

    again = Conformal.from_dict(json.loads(json.dumps(made.to_dict())))

    assert again == made
    assert len(json.dumps(made.to_dict())) < 20_000
    at, kinds = np.linspace(-3, 3, 7), list("abababa")
    assert np.array(again.interval(at, kinds)).tolist() == np.array(made.interval(at, kinds)).tolist()


def test_what_is_missing_is_left_out() -> None:
    x, y, _ = drawn(np.random.default_rng(0), 200, 1)
    x[0], y[1] = np.nan, np.nan
    made = split_conformal(fit("linear", x, y), x, y)

    assert made.labels == 198


def test_quantiles_by_hand() -> None:
    assert upper_quantile(np.array([3.0, 1, 2]), np.full(3, 0.25), 0.5) == 2
    assert upper_quantile(np.array([3.0, 1, 2]), np.full(3, 0.25), 0.76) == np.inf


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: conformal("linear", [1.0, 2, 3], [1, 2, 3], scale=(1, 5)), NotEstimableError, "3 groups"),
        (lambda: conformal("linear", [1.0] * 9, [1] * 9, scale=(1, 5), coverage=1.0), InputError, "between 0 and 1"),
        (lambda: conformal("linear", [1.0, 2], [1, 2, 3], scale=(1, 5)), InputError, "2 scores, 3 labels"),
        (lambda: Conformal.from_dict({"type": "split"}), InputError, "not conformal"),
        (lambda: split_conformal(SAME, [1.0, 2.0], [1.0, 2.5], step=1.0), InputError, "between the points of a grid"),
    ],
)
def test_bad_input(call: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
