"""Maps as plain numbers: values by hand, JSON there and back, missing scores, and rewards that never tie."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import Curve, Linear, Logistic, Ordinal, fit, from_dict, reward_map
from judgekit.calibration.maps import Map, Reward
from judgekit.errors import InputError

COMMON = {"scale": (1.0, 5.0), "support": ((1.0, 5.0),), "n": 30}
LINEAR = Linear(type="linear", intercept=1.0, slopes=(0.5,), **COMMON)
CURVE = Curve(type="isotonic", x=(1.0, 3.0, 5.0), y=(1.0, 2.0, 5.0), **COMMON)
PCHIP = Curve(type="pchip", x=(1.0, 3.0, 5.0), y=(1.0, 2.0, 5.0), **COMMON)
ORDINAL = Ordinal(type="ordinal", slope=2.0, cuts=(4.0, 8.0), values=(1.0, 3.0, 5.0), **COMMON)
PLATT = Logistic(type="platt", slopes=(4.0,), intercept=-2.0, scale=(0.0, 1.0), support=((0.0, 1.0),), n=30)
BETA = Logistic(type="beta", slopes=(1.0, 1.0), intercept=0.0, scale=(0.0, 1.0), support=((0.0, 1.0),), n=30)
PANEL = Linear(
    type="stack", intercept=0.5, slopes=(0.5, -0.25), scale=(1, 5), support=((1.0, 5.0), (0.0, 4.0)), n=30, missing=2
)
MAPS = [LINEAR, CURVE, PCHIP, ORDINAL, PLATT, BETA, PANEL]


def test_values_by_hand() -> None:
    """A line: 1 + .5 * 4 = 3. A curve: halfway from 3 to 5 is 3.5. Ordinal at 3: both logits are -+2, so that

    P(>= 3) = .880797 and P(>= 5) = .119203, and the expected score 1 + 2 * .880797 + 2 * .119203 = 3.
    """
    assert LINEAR.apply([4.0]).tolist() == [3]
    assert CURVE.apply([4.0]).tolist() == [3.5]
    assert ORDINAL.apply([3.0, 3.5]) == pytest.approx([3, 1 + 2 / (1 + math.exp(-3)) + 2 / (1 + math.exp(1))])
    assert PLATT.apply([0.5, 1.0]) == pytest.approx([0.5, 1 / (1 + math.exp(-2))])
    assert BETA.apply([0.2, 0.9]) == pytest.approx([0.2, 0.9])  # log(x / (1 - x)) is the logit of x
    assert PANEL.apply([[4.0], [2.0]]).tolist() == [2]


def test_a_score_stays_on_the_scale_and_a_missing_one_missing() -> None:
    assert LINEAR.apply([-10.0, 100.0, math.nan]) == pytest.approx([1, 5, math.nan], nan_ok=True)
    assert LINEAR.supported([0.5, 1.0, 5.0, 5.5, math.nan]).tolist() == [False, True, True, False, False]
    for one in MAPS:
        columns = np.full((len(one.support), 3), 0.5)
        columns[0, 1] = math.nan
        assert np.isnan(one.apply(columns)).tolist() == [False, True, False]
        assert np.isnan(reward_map(one).apply(columns)).tolist() == [False, True, False]


@pytest.mark.parametrize("one", [*MAPS, *map(reward_map, MAPS)], ids=lambda m: m.type)
def test_json_there_and_back(one: Map | Reward) -> None:
    assert from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "spline"}, "spline"),
        ({"x": [1.0, 3.0, 3.0]}, "rise in x"),
        ({"y": [1.0, 5.0, 2.0]}, "do not fall"),
        ({"x": [1.0, 3.0]}, "2 and 3"),
        ({"x": [1.0, 3.0, math.inf]}, "finite"),
        ({"y": ["a", 1, 2]}, "number"),
        ({"knots": 3}, "knots"),
        ({"scale": None}, "scale"),
    ],
)
def test_a_spoilt_map_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_dict(CURVE.to_dict() | change)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="2 columns"):
        PANEL.apply([1.0, 2.0])
    with pytest.raises(InputError, match="1 columns"):
        LINEAR.apply([[1.0], [2.0]])
    with pytest.raises(InputError, match="slopes"):
        Linear(type="linear", intercept=0.0, slopes=(1.0, 2.0), **COMMON)
    with pytest.raises(InputError, match="cuts"):
        Ordinal(type="ordinal", slope=1.0, cuts=(1.0,), values=(1.0, 2.0, 3.0), **COMMON)
    with pytest.raises(InputError, match="tilt"):
        Reward(type="reward", slopes=(1.0,), x=(0.0,), y=(0.0,), tilt=0.0)


def test_a_reward_by_hand() -> None:
    """The tilt is .02 * (5 - 1) / (5 - 1), around the middle of the points, 3: at 3 the curve's own 2.

    Beyond 5 the reward goes on with its slope there. The parabola through the points has, at 5, the slope
    ((2*2 + 2) * 1.5 - 2 * .5) / 4 = 2; at 6 the reward is 5 + 2 + .02 * 3.
    """
    reward = reward_map(CURVE)

    assert reward.tilt == pytest.approx(0.02)
    assert reward.apply([3.0, 5.0, 6.0]) == pytest.approx([2, 5.04, 7.06])


def test_a_panels_reward_is_its_sum_also_beyond_the_scale() -> None:
    reward = reward_map(PANEL)
    columns = np.array([[4.0, 40.0, 1.0], [2.0, 2.0, 9.0]])

    assert np.diff(reward.apply(columns)) == pytest.approx(np.diff(PANEL.raw(columns)))


FITTED = [
    fit(kind, judge, human, scale=(1, 5))
    for kind in ("shift", "linear", "isotonic", "pchip", "ordinal", "quantile")
    for judge, human in [
        ([1, 2, 2, 3, 4, 5, 5.5], [1, 3, 2, 2, 4, 4, 5]),  # rises, with pools
        ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1]),  # falls: nothing to rise by but the small slope
        ([1e-3, 2e-3, 3e-3, 1e-3], [1, 1, 5, 1]),  # a narrow support
    ]
]


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from([*FITTED, PLATT, BETA]), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_a_reward_never_ties(one: Map, a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    width = one.support[0][1] - one.support[0][0]
    if high - low < 1e-9 * max(width, abs(low), abs(high)):
        return

    rewards = reward_map(one).apply([low, high])

    assert rewards[0] < rewards[1]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([*FITTED, PLATT, BETA]), st.lists(st.floats(0, 1), min_size=2, max_size=50, unique=True))
def test_a_reward_never_ties_within_the_support(one: Map, shares: list[float]) -> None:
    low, high = one.support[0]
    scores = np.unique(np.round(low + np.array(sorted(shares)) * (high - low), 8))

    assert (np.diff(reward_map(one).apply(scores)) > 0).all()


def test_applying_needs_numpy_alone_and_is_fast() -> None:
    code = (
        "import sys, numpy as np; from judgekit.calibration.maps import Curve\n"
        "m = Curve(type='pchip', x=(1., 3.), y=(1., 2.), scale=(1, 5), support=((1, 3),), n=30); m.apply([2.])\n"
        "print([m for m in ('scipy', 'sklearn', 'pydantic') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    scores, times = np.random.default_rng(0).uniform(0, 6, 200_000), []
    for one in (*FITTED[2::3], reward_map(FITTED[0])):
        one.apply(scores)
        start = time.process_time()
        one.apply(scores)
        times.append(time.process_time() - start)
    assert max(times) < 0.2  # 1 microsecond a score; the measured figure is 0.04
