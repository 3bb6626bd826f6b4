"""Alpha of many distinct values: the krippendorff package, the table of few values, and what it takes of memory."""

from __future__ import annotations

import math
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from judgekit.calibration import Bootstrap, NotEstimableError, krippendorff_alpha
from judgekit.calibration.agreement import Level

NAN = math.nan
QUICK = Bootstrap(draws=100, method="percentile")
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")
MODULE = sys.modules[krippendorff_alpha.__module__]


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few the values, take them for many."""
    monkeypatch.setattr(MODULE, "CELLS", 0)


@pytest.mark.usefixtures("many")
def test_by_hand() -> None:
    """Ratings 1 2 / 2 4 of two items. Observed within: 1 + 4 = 5 of 2 pairs; by chance 1 1 9 0 4 4 = 19 of 6 pairs:
    interval 1 - (5 / 2) / (19 / 6) = 4/19. Midranks 1, 2.5, 2.5, 4: 2.25 + 2.25 of 2; 2.25 2.25 9 0 2.25 2.25 = 18
    of 6: ordinal 1 - 2.25 / 3 = 1/4. Nominal: 2 of 2 differ; 5 of 6: 1 - 1 / (5 / 6) = -1/5.
    """
    found = [krippendorff_alpha([[1, 2], [2, 4]], level, bootstrap=QUICK).value for level in LEVELS]

    assert found == pytest.approx([-1 / 5, 1 / 4, 4 / 19])


@settings(deadline=None, max_examples=150)
@given(
    hnp.arrays(
        float,
        st.tuples(st.integers(2, 4), st.integers(1, 15)),
        elements=st.one_of(st.sampled_from([NAN, 1.0, 2.0]), st.integers(-40, 40).map(lambda n: n / 8)),
    ),
    st.sampled_from(LEVELS),
)
def test_the_krippendorff_package_says_the_same(ratings: np.ndarray, level: Level) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "CELLS", 0)
        try:
            found = krippendorff_alpha(ratings, level, bootstrap=QUICK).value
        except NotEstimableError:
            pairable = ratings[:, (~np.isnan(ratings)).sum(0) > 1]
            assert len(np.unique(pairable[~np.isnan(pairable)])) < 2
            return

    theirs = krippendorff.alpha(reliability_data=ratings, level_of_measurement=level)
    assert found == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("clustered", [True, False])
def test_the_table_of_few_values_has_the_same_interval(
    monkeypatch: pytest.MonkeyPatch, level: Level, clustered: bool
) -> None:
    """On the same draws of clusters to the last digits; of single items, which are drawn by kind, nearly."""
    draw = np.random.default_rng(2)
    ratings = draw.integers(0, 6, 150) + draw.integers(0, 4, (3, 150)) + 1e6
    ratings[draw.random((3, 150)) < 0.2] = NAN
    units = np.arange(150) // 3 if clustered else None
    few = krippendorff_alpha(ratings, level, units=units)
    monkeypatch.setattr(MODULE, "CELLS", 0)
    found = krippendorff_alpha(ratings, level, units=units)

    assert (found.n, found.clusters) == (few.n, few.clusters)
    assert found.value == pytest.approx(few.value, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((few.low, few.high), abs=1e-7 if clustered else 0.02)


@pytest.mark.parametrize("level", LEVELS)
def test_a_resample_of_one_value_has_none(monkeypatch: pytest.MonkeyPatch, level: Level) -> None:
    """Three clusters of which two hold the value .1 alone: in (2 / 3) ** 3 of the draws nothing varies."""
    few = krippendorff_alpha([[0.1, 0.1, 3.7], [0.1, 0.1, 0.3]], level)
    monkeypatch.setattr(MODULE, "CELLS", 0)
    found = krippendorff_alpha([[0.1, 0.1, 3.7], [0.1, 0.1, 0.3]], level)

    assert "of 2000 resamples have no value" in few.note
    assert found.note == few.note


@pytest.mark.parametrize("level", LEVELS)
def test_thousands_of_values_take_little_memory(level: Level) -> None:
    """As a table of pairs 3 x 1,000 ordinal ratings would be 67 GiB."""
    ratings = np.random.default_rng(0).random((3, 1000))
    tracemalloc.start()
    found = krippendorff_alpha(ratings, level, bootstrap=QUICK)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert abs(found.value) < 0.1
    assert peak < 50e6


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_a_million_items(level: Level) -> None:
    """Truth and noise of one variance each: alpha at the interval level is 1/2."""
    draw = np.random.default_rng(0)
    ratings = draw.normal(size=1_000_000) + draw.normal(size=(3, 1_000_000))
    tracemalloc.start()
    found = krippendorff_alpha(ratings, level)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 4e9
    assert found.value == pytest.approx({"nominal": 0, "ordinal": 0.483, "interval": 0.5}[level], abs=3e-3)


def test_ratios_of_too_many_values_are_refused() -> None:
    ratings = np.random.default_rng(0).random((3, 1000))
    with pytest.raises(NotEstimableError, match=r"3000 distinct values .* round the ratings .* or take another level"):
        krippendorff_alpha(ratings, "ratio")
