"""One score alone becomes what it becomes among others, and in a few microseconds."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import Curve, Linear, Logistic, Ordinal, conformal, fit
from judgekit.calibration.maps import Map
from judgekit.calibration.profile import Calibrated
from judgekit.calibration.single import single
from tests.profiles import FLAT, LINE, criterion

COMMON = {"scale": (1.0, 5.0), "support": ((1.0, 5.0),), "n": 30}
UNIT = {"scale": (0.0, 1.0), "support": ((0.0, 1.0),), "n": 30}
MAPS: list[Map] = [
    LINE,
    FLAT,
    Curve(type="quantile", x=(2.0,), y=(3.0,), **COMMON),
    Curve(type="pchip", x=(1.0, 2.0, 4.0, 5.0), y=(1.0, 3.0, 3.0, 4.5), **COMMON),
    Curve(type="pchip", x=(1.0, 5.0), y=(2.0, 3.0), **COMMON),
    Ordinal(type="ordinal", slope=2.0, cuts=(4.0, 5.5, 8.0), values=(1.0, 2.0, 3.5, 5.0), **COMMON),
    Logistic(type="platt", slopes=(4.0,), intercept=-2.0, **UNIT),
    Logistic(type="beta", slopes=(1.5, 0.5), intercept=0.3, **UNIT),
]


def same(it: Calibrated, raw: float) -> None:
    one, among = it.one(raw), it.apply([0.5, raw, 4.0])
    arrays = (among.score, among.low, among.high, among.reward)

    assert one.supported == among.supported[1]
    for alone, array in zip((one.score, one.low, one.high, one.reward), arrays, strict=True):
        assert (math.nan if alone is None else alone) == pytest.approx(array[1], rel=1e-12, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("fitted", MAPS, ids=lambda it: it.type)
@settings(max_examples=100, deadline=None)
@given(raw=st.one_of(st.sampled_from([0.0, 1.0, 2.0, 4.0, 5.0]), st.floats(-3, 9), st.floats(-1e6, 1e6)))
def test_alone_as_among_others(fitted: Map, raw: float) -> None:
    same(criterion(fitted=fitted), raw)
    same(Calibrated.made("criterion", fitted, None, {}, {}), raw)


@pytest.mark.parametrize("n", [60, 300])
@pytest.mark.parametrize("kind", ["linear", "isotonic", "pchip", "ordinal", "quantile"])
def test_fitted_maps_with_intervals_on_a_grid(n: int, kind: str) -> None:
    """60 labels make cross intervals, 300 a split."""
    rng = np.random.default_rng(n)
    judge = rng.uniform(1, 5, n).round(1)
    human = np.clip(np.rint(judge + rng.normal(0, 0.7, n)), 1, 5)
    interval = conformal(kind, judge, human, scale=(1, 5), step=1.0)
    it = Calibrated.made("criterion", fit(kind, judge, human, scale=(1, 5)), interval, {}, {})

    for raw in (*rng.uniform(0, 6, 20).tolist(), *judge[:10].tolist()):
        same(it, raw)


def test_a_map_of_several_columns_is_not_of_one_score() -> None:
    two = Linear(type="stack", intercept=0.0, slopes=(0.5, 0.5), scale=(1, 5), support=((1, 5), (1, 5)), n=9)
    with pytest.raises(ValueError, match="2 columns"):
        single(two)


@pytest.mark.parametrize("fitted", [LINE, MAPS[3], MAPS[5]], ids=lambda it: it.type)
def test_one_score_takes_microseconds(fitted: Map) -> None:
    """About 3 microseconds alone on a core, for the score, its interval and its reward; the bound allows for others."""
    it = criterion(fitted=fitted)
    it.one(3.0)
    start = time.process_time()
    for _ in range(1000):
        it.one(3.3)

    assert (time.process_time() - start) / 1000 < 50e-6
