"""Correlations by hand, against scipy, and their intervals by simulation."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, correlation
from judgekit.calibration.correlation import Level, midranks, paired_series

stats = pytest.importorskip("scipy.stats")
QUICK = Bootstrap(draws=100, method="percentile")
METHODS = ("pearson", "spearman", "kendall")


def test_midranks_by_hand() -> None:
    """7 is the smallest; the three 8 share ranks 2, 3 and 4; 9 is the last."""
    assert midranks([8, 9, 8, 7, 8]).tolist() == [3, 5, 3, 1, 3]


def test_pearson_by_hand() -> None:
    """x - mean: -1, 0, 1; y - mean: -2, 1, 1; products 3; squares 2 and 6: 3 / sqrt(12)."""
    assert correlation([1, 2, 3], [0, 3, 3], "pearson").value == pytest.approx(3 / math.sqrt(12))


def test_spearman_by_hand() -> None:
    """Ranks 1, 2, 3 and 1, 2.5, 2.5: deviations -1, 0, 1 and -1.5, .75, .75; 2.25 / sqrt(2 * 3.375)."""
    assert correlation([1, 2, 30], [0, 3, 3]).value == pytest.approx(2.25 / math.sqrt(6.75))


def test_kendall_by_hand() -> None:
    """Two pairs agree, one is tied in y: 2 / sqrt(3 * 2)."""
    assert correlation([1, 2, 30], [0, 3, 3], "kendall").value == pytest.approx(2 / math.sqrt(6))


@pytest.mark.slow
@settings(deadline=None, max_examples=1000)
@given(st.integers(0, 1 << 32), st.integers(2, 40), st.integers(1, 9), st.floats(0, 0.6))
def test_scipy_says_the_same(seed: int, items: int, values: int, lost: float) -> None:
    """Of the items that have both; an item that lacks one is left out."""
    rng = np.random.default_rng(seed)
    x, y = np.where(rng.random((2, items)) < lost, math.nan, rng.integers(-values, values, (2, items)))
    known = ~np.isnan(x + y)
    one, two = x[known], y[known]
    if len(one) < 1 or not (np.ptp(one) and np.ptp(two)):
        with pytest.raises(NotEstimableError, match=r"does not vary|no item has both"):
            correlation(x, y)
        reject()
    assert midranks(one).tolist() == stats.rankdata(one).tolist()
    theirs = [test(one, two).statistic for test in (stats.pearsonr, stats.spearmanr, stats.kendalltau)]
    found = [correlation(x, y, method, bootstrap=QUICK).value for method in METHODS]  # type: ignore[arg-type]

    assert found == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_table_and_its_items_have_the_same_interval(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    draw = np.random.default_rng(2)
    x = draw.integers(0, 5, 200)
    y = x + draw.integers(0, 5, 200)
    units = np.arange(200) // 5
    table = correlation(x, y, method, units=units)  # type: ignore[arg-type]
    monkeypatch.setattr(sys.modules[paired_series.__module__], "CELLS", 0)
    items = correlation(x, y, method, units=units)  # type: ignore[arg-type]

    assert (items.value, items.low, items.high) == pytest.approx((table.value, table.low, table.high), abs=1e-6)


def test_continuous_series_are_those_of_scipy() -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 60))
    theirs = stats.pearsonr(x, y).statistic, stats.spearmanr(x, y).statistic, stats.kendalltau(x, y).statistic

    assert [correlation(x, y, method, bootstrap=QUICK).value for method in METHODS] == pytest.approx(theirs)  # type: ignore[arg-type]


def test_levels_by_hand() -> None:
    """Two prompts, two systems, two criteria. Within p1 the judge agrees, within p2 not: mean 0."""
    judge, human = [[1, 1], [3, 3], [5, 5], [4, 4]], [[1, 1], [2, 2], [1, 1], [2, 2]]
    groups, systems = list("ppqq"), list("stst")
    within = correlation(judge, human, "pearson", "within_group", groups=groups)
    system = correlation(judge, human, "pearson", "system", systems=systems)
    cell = correlation(judge, human, "pearson", "cell")

    assert within.value == pytest.approx(0)
    assert system.value == pytest.approx(1)  # means 3, 3.5 and 1, 2
    assert (cell.n, cell.clusters) == (8, 4)
    assert cell.value == pytest.approx(correlation(judge, human, "pearson").value)
    with pytest.raises(InputError, match="needs systems="):
        correlation(judge, human, level="system")


def test_what_is_missing_is_left_out() -> None:
    found = correlation([1, 2, 3, math.nan], [1, 3, math.nan, 4], bootstrap=QUICK)

    assert (found.value, found.n) == (1.0, 2)


def test_nothing_that_varies_nothing_to_say() -> None:
    for x, y in (([], []), ([1, 1, 1], [1, 2, 3]), ([math.nan] * 3, [1, 2, 3])):
        with pytest.raises(NotEstimableError, match=r"does not vary|no item has both"):
            correlation(x, y)
    assert correlation([1, 2, 3], [1, 2, 3], units=list("aaa")).low is None


def test_clusters_are_drawn_whole() -> None:
    """Copies of the same items under their own cluster add nothing: the interval stays as wide."""
    draw = np.random.default_rng(5)
    x = draw.normal(size=25)
    y = x + draw.normal(size=25)
    once = correlation(x, y, "pearson")
    thrice = correlation(np.repeat(x, 3), np.repeat(y, 3), "pearson", units=np.repeat(np.arange(25), 3))

    assert (thrice.value, thrice.low, thrice.high) == pytest.approx((once.value, once.low, once.high))
    assert (once.n, once.clusters, thrice.n, thrice.clusters) == (25, 25, 75, 25)


def test_the_order_of_items_and_a_monotone_map_do_not_matter() -> None:
    x, y = np.random.default_rng(6).normal(size=(2, 30))
    names = [str(i // 3) for i in range(30)]

    assert correlation(x, y, units=names) == correlation(np.exp(x), y**3, units=names)


@pytest.mark.parametrize(
    ("x", "y", "units", "message"),
    [
        ([1, 2], [1, 2, 3], None, "shapes"),
        ([1, 2], [1, 2], ["a"], "but 1 clusters"),
        ([1, np.inf], [1, 2], None, "infinite"),
    ],
)
def test_refusals(x: list, y: list, units: list | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        correlation(x, y, units=units)


@pytest.mark.slow
def test_the_interval_covers_the_truth() -> None:
    """Bivariate normal: the truth is rho. 95 % of 200, give or take 3 standard errors."""
    draw, rho, hits = np.random.default_rng(7), 0.5, 0
    for run in range(200):
        x = draw.normal(size=40)
        y = rho * x + math.sqrt(1 - rho**2) * draw.normal(size=40)
        found = correlation(x, y, "pearson", bootstrap=Bootstrap(draws=200, seed=run))
        assert found.low is not None and found.high is not None
        hits += found.low <= rho <= found.high

    assert hits / 200 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 200)


@pytest.mark.parametrize("level", ["item", "cell", "within_group", "system"])
def test_a_judge_who_says_nothing_is_not_estimable(level: Level) -> None:
    names = ["a", "a", "b", "b"]
    with pytest.raises(NotEstimableError):
        correlation([np.nan] * 4, [1, 2, 3, 4], level=level, groups=names, systems=names)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [2.0**-400, 2.0**-24, 2.0**24])  # by which products keep all digits, and means ties
def test_the_unit_of_a_series_does_not_matter(method: str, size: float) -> None:
    """At every level, of few values and of many, with the interval."""
    draw = np.random.default_rng(8)
    groups = np.arange(60) % 12
    for x in (draw.normal(size=60), draw.integers(1, 6, 60).astype(float)):
        y = x + draw.integers(1, 6, 60)
        for level in ("item", "within_group", "system"):
            one, two = (
                correlation(u, v, method, level, groups=groups, systems=groups, bootstrap=QUICK)  # type: ignore[arg-type]
                for u, v in ((x, y), (x * size, y * size))
            )
            assert (two.value, two.low, two.high) == pytest.approx((one.value, one.low, one.high))


def test_a_small_unit_is_no_lack_of_spread() -> None:
    x, y = np.random.default_rng(11).normal(size=(2, 40))
    one, two = (correlation(x * size, y * size, "pearson") for size in (1, 1e-7))

    assert (two.value, two.low, two.high) == pytest.approx((one.value, one.low, one.high))


def test_a_high_level_is_no_lack_of_spread() -> None:
    x, y = np.random.default_rng(9).integers(0, 5, (2, 40)) * 1.0

    assert correlation(x + 1e9, y + 1e9, "pearson").value == pytest.approx(correlation(x, y, "pearson").value)


@pytest.mark.parametrize("values", [[0.0, 1.0], [0.1, 0.3], [7.1e8, 7.1e8 + 1]])
def test_a_resample_that_does_not_vary_has_no_correlation(values: list[float]) -> None:
    """One item of twenty differs: .95 ** 20 = 36 % of the draws lack it; the other series varies in all of them."""
    x = np.repeat(values, [19, 1])
    y = np.random.default_rng(10).normal(size=20)
    table, many = (correlation(x, np.round(of, 1), "pearson") for of in (y, y + np.arange(20)))
    copies = correlation(np.tile(x, 25), np.arange(500) + np.tile(y, 25), "pearson", units=np.tile(np.arange(20), 25))

    for found in (table, many, copies):
        lost = int(found.note.split(" of 2000 resamples")[0].split("; ")[-1])
        assert lost / 2000 == pytest.approx(0.95**20, abs=0.04)
