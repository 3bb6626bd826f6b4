"""Reliability, Bland-Altman, coverage and scale use: the right marks in the right places, whatever the numbers."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.errors import InputError
from judgekit.report import Page, bland_altman, coverage, histogram_pair, reliability, steps
from tests.report.svg import drawn, numbers, overlaps, texts

SCORES = st.one_of(st.none(), st.floats(-1e9, 1e9), st.sampled_from([1.0, 2.0, 5.0, math.nan, math.inf]))
SERIES = st.lists(st.tuples(SCORES, SCORES), max_size=30)


def test_reliability_draws_items_map_band_identity_and_bars() -> None:
    root = drawn(reliability([1, 2, 2, None], [1, 3, 4, 5], [1, 5], [2, 4], [1.5, 3.5], [2.5, 4.5]))
    circles, bars = list(root.iter("circle")), list(root.iter("rect"))

    assert len(circles) == 3 and len(bars) == 2  # scores 1 and 2
    assert numbers(bars, "height") == [14.0, 28.0]  # one item and two
    assert len(list(root.iter("polyline"))) == 1
    assert len(root.find(".//polygon").attrib["points"].split()) == 4  # two points below, two above
    assert {"fitted map", "identity", "3 items", "1 without both scores, left out."} <= set(texts(root))
    assert "takes 1.00 to 2.00 and 5.00 to 4.00, drawn with its band" in root.attrib["aria-label"]


def test_reliability_on_one_scale_has_one_range() -> None:
    root = drawn(reliability([1, 5], [2, 3], [], [], None, None))
    diagonal = next(node for node in root.iter("line") if "stroke-dasharray" in node.attrib)
    one, two = list(root.iter("circle"))
    across = float(two.attrib["cx"]) - float(one.attrib["cx"])
    up = float(one.attrib["cy"]) - float(two.attrib["cy"])

    assert up / across == pytest.approx(1 / 4, abs=0.01)  # human goes up by 1 where the judge goes up by 4
    run = float(diagonal.attrib["x2"]) - float(diagonal.attrib["x1"])
    assert float(diagonal.attrib["y1"]) - float(diagonal.attrib["y2"]) == pytest.approx(run, abs=0.2)


def test_reliability_on_two_scales_has_no_identity() -> None:
    root = drawn(reliability([0, 1], [10, 90], [0, 1], [10, 90], None, None, same_scale=False))

    assert "identity" not in texts(root)
    assert "different scales: no identity" in root.attrib["aria-label"]


def test_ten_thousand_items_are_merged_and_said_to_be() -> None:
    draw = random.Random(0)
    judge = [draw.gauss(3, 1) for _ in range(10_000)]
    for svg in (
        reliability(judge, [v + draw.gauss(0, 1) for v in judge], [0, 5], [0, 5], None, None),
        bland_altman(judge, [draw.gauss(0, 1) for _ in judge], 0.0, (-2.0, 2.0)),
        coverage([draw.random() for _ in judge], [draw.random() for _ in judge], [0.1] * 10_000, [0.9] * 10_000),
    ):
        root = drawn(svg)
        assert 100 < len(list(root.iter("circle"))) < 2000 and len(svg) < 150_000
        assert "Dot area: number of items near each other" in root.attrib["aria-label"]
    assert "Too many to draw their intervals." in root.attrib["aria-label"]


def test_bland_altman_names_its_lines() -> None:
    root = drawn(bland_altman([1, 2, 3], [0, 1, None], 0.5, (-0.9, 1.9)))

    assert {"bias 0.50", "limit −0.90", "limit 1.90"} <= set(texts(root))
    assert len(list(root.iter("circle"))) == 2
    assert sum("stroke-dasharray" in node.attrib for node in root.iter("line")) == 2
    assert overlaps(drawn(bland_altman([2, 2], [0.1, 0.1], 0.1, (0.1, 0.1)))) == []


def test_coverage_places_a_promise_kept_on_the_diagonal() -> None:
    root = drawn(coverage([0.8, 0.9, None], [0.8, 0.7, 0.5], [0.7, None, 0.4], [0.9, None, 0.6]))
    kept = next(iter(root.iter("circle")))
    line = next(node for node in root.iter("line") if "stroke-dasharray" in node.attrib)
    x1, y1, x2, y2 = (float(line.attrib[name]) for name in ("x1", "y1", "x2", "y2"))
    share = (float(kept.attrib["cx"]) - x1) / (x2 - x1)

    assert float(kept.attrib["cy"]) == pytest.approx(y1 + share * (y2 - y1), abs=0.2)
    assert sum(node.attrib.get("stroke-width") == "1.5" for node in root.iter("line")) == 1  # the one known interval
    assert "1 without a coverage, left out." in texts(root)


def test_steps_stand_where_their_numbers_say_beside_the_level() -> None:
    root = drawn(steps([1, 2, 3], [0.2, None, 0.6], [0.1, 0, None], [0.3, 1, None], ("raters", "rho"), ("judge", 0.4)))
    one, two = list(root.iter("circle"))
    level = next(node for node in root.iter("line") if "stroke-dasharray" in node.attrib)

    middle = (float(one.attrib["cy"]) + float(two.attrib["cy"])) / 2
    assert float(level.attrib["y1"]) == pytest.approx(middle, abs=0.1)
    assert sum(node.attrib.get("stroke-width") == "1.5" for node in root.iter("line")) == 1  # the one known interval
    assert {"judge", "1 without a value, left out."} <= set(texts(root))
    assert "rho against raters: 0.200 at 1.000; 0.600 at 3.000; judge: 0.400" in root.attrib["aria-label"]


def test_histograms_share_an_axis_and_show_shares() -> None:
    root = drawn(histogram_pair([1, 1, 1, 5], [3, 3, None]))
    bars = list(root.iter("rect"))

    # human: 1 (3 of 4) and 5 (1 of 4); judge: 3 only, in the middle between them
    assert numbers(bars, "height") == [56.0, 18.7, 56.0]
    first, last, judge = numbers(bars, "x")
    assert judge == pytest.approx((first + last) / 2, abs=0.1)
    assert {"human, 4 scores", "judge, 2 scores", "75 %", "100 %", "1 without a number, left out."} <= set(texts(root))


def test_continuous_scores_are_binned_and_none_is_lost() -> None:
    values = [k / 1000 for k in range(5001)]
    root = drawn(histogram_pair(values, [2.5]))

    assert "Each bar holds 0.2 of the scale." in texts(root)
    assert 20 <= len(list(root.iter("rect"))) <= 42


@settings(deadline=None, max_examples=40)
@given(SERIES, st.lists(st.tuples(SCORES, SCORES, SCORES, SCORES), max_size=5), st.booleans())
def test_no_numbers_break_a_plot(series: list, rows: list, same_scale: bool) -> None:
    a, b = ([row[i] for row in series] for i in (0, 1))
    curve = [[row[i] for row in rows] for i in range(4)]
    bias, limits = (rows[0][0], rows[0][1:3]) if rows else (None, (None, None))
    for svg in (
        reliability(a, b, *curve, same_scale=same_scale),
        bland_altman(a, b, bias, limits),
        coverage(*curve),
        steps(*curve, ("x", "y"), ("level", bias)),
        histogram_pair(a, b),
    ):
        assert overlaps(drawn(svg)) == []


@pytest.mark.parametrize("values", [[], [3], [3] * 50, [None] * 3])
def test_nothing_one_thing_and_equal_things(values: list) -> None:
    for svg in (
        reliability(values, values, values, values, values, values),
        bland_altman(values, values, None, (None, None)),
        coverage(values, values, values, values),
        histogram_pair(values, values),
    ):
        assert overlaps(drawn(svg)) == []


def test_series_of_two_lengths_are_an_error() -> None:
    with pytest.raises(InputError, match="judge 2, human_mean 1"):
        reliability([1, 2], [1], [], [], None, None)
    with pytest.raises(InputError, match="found 1"):
        coverage([0.9, 0.8], [0.9], [None, None], [None, None])


def test_a_figure_stands_on_the_page_with_its_caption_escaped(tmp_path) -> None:
    page = Page("x").figure(histogram_pair([1], [2]), "<script>").save(tmp_path / "x.html").read_text(encoding="utf-8")

    assert "<figcaption>&lt;script&gt;</figcaption>" in page and "<svg " in page
    assert "http" not in page
