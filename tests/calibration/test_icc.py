"""Intraclass correlations: the published example, the published values of real ratings, unbalanced data, coverage."""

from __future__ import annotations

import csv
import gzip
import math
import os
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, icc
from judgekit.calibration.icc import FORMS

NAN = math.nan
# Shrout & Fleiss (1979), table 2: six items, four raters.
SHROUT = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]).T
QUICK = Bootstrap(draws=100)


def test_the_example_of_shrout_and_fleiss() -> None:
    """Their table 4, to the digits printed."""
    found = [icc(SHROUT, form).value for form in FORMS]  # type: ignore[arg-type]

    assert found == pytest.approx([0.17, 0.29, 0.71, 0.44, 0.62, 0.91], abs=0.005)


def test_its_intervals() -> None:
    """Of the same data as the R package psych prints them."""
    printed = {
        "ICC1": (-0.133, 0.723),
        "ICC2": (0.019, 0.761),
        "ICC3": (0.342, 0.946),
        "ICC1k": (-0.884, 0.912),
        "ICC2k": (0.071, 0.927),
        "ICC3k": (0.676, 0.986),
    }
    for form, limits in printed.items():
        found = icc(SHROUT, form)  # type: ignore[arg-type]
        assert (found.low, found.high) == pytest.approx(limits, abs=6e-4), form
        assert found.method.startswith("F")


def test_icc1_by_hand() -> None:
    """1 1 / 3 5: between 2 * (1.5 ** 2 + 1.5 ** 2) / 1 = 9, within 2 / 2 = 1: (9 - 1) / (9 + 1)."""
    assert icc([[1, 3], [1, 5]], "ICC1").value == pytest.approx(0.8)


def test_unbalanced_icc1_by_hand() -> None:
    """Items 1 3 and 4 6 8: within (2 + 8) / 3 = 10/3; between 2 * (2 - 4.4)^2 + 3 * (6 - 4.4)^2 = 19.2 / 1;
    n0 = (5 - 13/5) / 1 = 2.4; variance (19.2 - 10/3) / 2.4 = 6.6111: 6.6111 / (6.6111 + 3.3333).
    """
    found = icc([[1, 4], [3, 6], [NAN, 8]], "ICC1", bootstrap=QUICK)

    assert found.value == pytest.approx(6.611111 / (6.611111 + 3.333333), abs=1e-6)
    assert "bootstrap" in found.method


def least_squares(x: np.ndarray) -> tuple[float, float, float]:
    """Henderson's method 3 with design matrices: the variances of items, raters, and the rest."""
    k, n = x.shape
    rater, item = np.nonzero(~np.isnan(x))
    y, designs = x[rater, item], {"i": np.eye(n)[item], "r": np.eye(k)[rater]}
    designs["ir"] = np.hstack([designs["i"], designs["r"]])

    def fitted(name: str) -> tuple[float, int]:
        coefficients, _, rank, _ = np.linalg.lstsq(designs[name], y, rcond=None)
        return float(((designs[name] @ coefficients) ** 2).sum()), int(rank)

    (i, rank_i), (r, rank_r), (both, rank) = fitted("i"), fitted("r"), fitted("ir")
    error = ((y**2).sum() - both) / (len(y) - rank)
    return (
        (both - r - error * (rank - rank_r)) / (len(y) - k),
        (both - i - error * (rank - rank_i)) / (len(y) - n),
        error,
    )


@pytest.mark.parametrize("seed", range(20))
def test_missing_cells_are_hendersons_least_squares(seed: int) -> None:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=12) + draw.normal(size=(4, 1)) + draw.normal(size=(4, 12)) + 100
    x[draw.random((4, 12)) < 0.25] = NAN
    kept = x[:, (~np.isnan(x)).sum(0) > 1]
    items, raters, error = least_squares(kept)

    assert icc(x, "ICC2", bootstrap=QUICK).value == pytest.approx(items / (items + raters + error))
    assert icc(x, "ICC3", bootstrap=QUICK).value == pytest.approx(items / (items + error))
    assert icc(x, "ICC3k", bootstrap=QUICK).value == pytest.approx(items / (items + error / 4))


def test_a_level_does_not_matter() -> None:
    for form in FORMS:
        assert icc(SHROUT + 1e6, form).value == pytest.approx(icc(SHROUT, form).value, rel=1e-6)  # type: ignore[arg-type]


def test_negative_values_are_reported() -> None:
    found = icc([[1, 2, 3, 4], [4, 3, 2, 1]], "ICC1")

    assert found.value == pytest.approx(-1)  # no variance between items, all within


def test_agreement_without_error() -> None:
    found = icc([[1, 2, 3, 4], [1, 2, 3, 4]], "ICC3")

    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
    assert found.note.startswith("the interval is one value, because beside the raters' severity")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("step", [1.0, 0.1])
def test_no_limits_where_neither_raters_nor_error_vary(step: float) -> None:
    """MSC = MSE = 0: the degrees of freedom of the limits of ICC2 are 0 / 0."""
    found = icc(np.tile(np.arange(10) * step, (3, 1)), "ICC2")

    assert (found.value, found.low, found.high) == (pytest.approx(1), None, None)
    assert found.note == "no interval: beside the raters' severity the ratings show no error"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("form", "value"), [("ICC1", -1), ("ICC2", -3), ("ICC3", -1)])
def test_items_whose_means_are_equal(form: str, value: float) -> None:
    """1 3 / 2 2 / 3 1: MSR = 0, within 4 / 3, MSC = 0, MSE = 2. ICC1, ICC3: -1 / (k - 1) = -1;
    ICC2: -2 / (2 + 2 * (0 - 2) / 3) = -3. The limits are the same whatever F is.
    """
    found = icc([[1, 2, 3], [3, 2, 1]], form)  # type: ignore[arg-type]

    assert (found.value, found.low, found.high) == pytest.approx((value,) * 3)
    assert found.note.startswith("the interval is one value, because the means of the items do not differ")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("ratings", "form", "why"),
    [
        ([[1, 2, 3], [3, 2, 1]], "ICC3k", "means of the items do not differ"),
        ([[1, 2, 3], [3, 2, 1]], "ICC1k", "means of the items do not differ"),
        ([[0.1, 0.1, 0.1], [0.3, 0.3, 0.3]], "ICC3", "each rater gave every item the same rating"),
        ([[1, 1, 1], [2, 2, 2]], "ICC3k", "each rater gave every item the same rating"),
        ([[1, 2], [2, 1]], "ICC2", "add up to none"),
        ([[1, NAN], [2, 4], [NAN, 6]], "ICC3", "no rating is left over"),  # 4 ratings of 2 items by 3 raters
    ],
)
def test_a_missing_value_has_its_reason(ratings: list, form: str, why: str) -> None:
    with pytest.raises(NotEstimableError, match=why):
        icc(ratings, form, bootstrap=QUICK)  # type: ignore[arg-type]


def test_whole_items_are_the_same_with_and_without_units() -> None:
    """With units the value comes with a bootstrap interval, from sums without a column for every two raters."""
    x = np.random.default_rng(0).normal(size=(5, 40)) + np.random.default_rng(1).normal(size=40)
    for form in FORMS:
        found = icc(x, form, units=np.arange(40) // 2, bootstrap=QUICK)  # type: ignore[arg-type]

        assert "bootstrap" in found.method
        assert found.value == pytest.approx(icc(x, form).value)  # type: ignore[arg-type]


def test_very_many_items_are_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(5)
    x = draw.normal(size=3000) + draw.normal(size=(4, 3000))
    x[draw.random((4, 3000)) < 0.2] = NAN
    single = icc(x, "ICC2")
    monkeypatch.setattr(sys.modules[icc.__module__], "CELLS", 0)
    found = icc(x, "ICC2")

    assert single.low is not None and single.high is not None
    assert (found.value, found.n, found.clusters) == (pytest.approx(single.value), single.n, single.clusters)
    assert (found.low, found.high) == pytest.approx((single.low, single.high), abs=0.1 * (single.high - single.low))
    assert found.method == "bootstrap of 200 random blocks"


def test_many_raters_take_little_memory() -> None:
    """20 x 20,000 ratings are 3 MB; their sums were 466 columns of as many rows, and copies of them."""
    x = np.random.default_rng(0).normal(size=(20, 20_000))
    tracemalloc.start()
    icc(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 30e6


@pytest.mark.parametrize("ratings", [np.ones((2, 4)), [[1], [2]], [[1, NAN], [NAN, 2]], np.full((3, 3), NAN)])
def test_what_the_data_do_not_say(ratings: np.ndarray) -> None:
    with pytest.raises(NotEstimableError):
        icc(ratings)


def test_refusals() -> None:
    with pytest.raises(InputError, match="shape"):
        icc([1, 2, 3])
    with pytest.raises(InputError, match="ICC4"):
        icc(SHROUT, "ICC4")  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize(("form", "truth"), [("ICC1", 0.5), ("ICC3", 0.5), ("ICC2", 1 / 2.5)])
def test_coverage_of_the_exact_intervals(form: str, truth: float) -> None:
    """2,000 studies of 15 items and 5 raters; of ICC2 the raters are drawn, too."""
    draw, held = np.random.default_rng(3), 0
    for _ in range(2000):
        severity = math.sqrt(0.5) * draw.normal(size=(5, 1)) * (form == "ICC2")
        found = icc(draw.normal(size=15) + severity + draw.normal(size=(5, 15)), form, bootstrap=QUICK)  # type: ignore[arg-type]
        assert found.low is not None and found.high is not None
        held += found.low <= truth <= found.high

    assert 0.93 <= held / 2000 <= 0.97


HANNA = Path(os.environ.get("JUDGEKIT_DATA", "")) / "hanna"
CRITERIA = ("relevance", "coherence", "empathy", "surprise", "engagement", "complexity")
FIXED = ("W01", "W02", "W03")


@pytest.mark.skipif("JUDGEKIT_DATA" not in os.environ, reason="needs the HANNA ratings: set JUDGEKIT_DATA")
def test_the_published_values_of_hanna() -> None:
    """36 values. The three most frequent raters have a column each; the others fill the gaps in the order of rows."""
    with gzip.open(HANNA / "human_ratings.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = np.full((6, 3, 1056), NAN)
    for fixed in (True, False):
        for row in rows:
            if (row["rater"] in FIXED) == fixed:
                story = int(row["story_id"])
                free = np.flatnonzero(np.isnan(columns[0, :, story]))
                place = FIXED.index(row["rater"]) if fixed else free[0]
                columns[:, place, story] = [float(row[name]) for name in CRITERIA]
    with (HANNA / "published.csv").open(encoding="utf-8") as file:
        published = [row for row in csv.DictReader(file) if row["what"].startswith("icc")]

    assert len(published) == 36
    for row in published:
        found = icc(columns[CRITERIA.index(row["criterion"])], row["stat"], bootstrap=QUICK)  # type: ignore[arg-type]
        assert found.value == pytest.approx(float(row["published"]), abs=1e-6), row
