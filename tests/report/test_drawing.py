"""Axes, labels and dots."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit.errors import InputError
from judgekit.report.drawing import (
    WIDTH,
    Axis,
    apart,
    breadth,
    complete,
    dots,
    extent,
    fit,
    number,
    picture,
    places_of,
    round_numbers,
    wrapped,
    written,
)

VALUES = st.floats(-1e12, 1e12, allow_nan=False)


def test_rows_with_a_gap_are_counted() -> None:
    assert complete(a=[1, None, 3, math.nan], b=[4, 5, math.inf, 6]) == ([(1.0, 4.0)], 3)
    assert number(1e200) is None


def test_series_of_two_lengths() -> None:
    with pytest.raises(InputError, match="judge 2, human 1"):
        complete(judge=[1, 2], human=[1])


def test_an_axis_places_and_clips() -> None:
    axis = Axis(1, 5, 0, 200)  # 50 units a point

    assert [axis.at(v) for v in (1, 2, 5, 9, -9)] == [0, 50, 200, 200, 0]


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.8, 5.2, ["1", "2", "3", "4", "5"]),
        (-1.9, 3.2, ["−1", "0", "1", "2", "3"]),
        (0.43, 1.02, ["0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]),
        (-0.05, 0.05, ["−0.04", "−0.02", "0.00", "0.02", "0.04"]),
        (0, 2.1e6, ["0", "500,000", "1,000,000", "1,500,000", "2,000,000"]),
    ],
)
def test_round_numbers(low: float, high: float, labels: list[str]) -> None:
    assert [text for _, text in round_numbers(low, high, 6)] == labels


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_any_values_make_an_axis_with_ticks_that_do_not_touch(values: list[float]) -> None:
    low, high = extent(values)
    axis = Axis(low, high, 40, 300)
    found = axis.ticks()
    spans = [(axis.middle(v, t) - breadth(t) / 2, axis.middle(v, t) + breadth(t) / 2) for v, t in found]

    assert low < high and len(found) <= 7
    assert all(40 <= axis.at(v) <= 300 for v in values)
    assert len({text for _, text in found}) == len(found)
    assert all(a[1] < b[0] for a, b in pairwise(spans))


def test_numbers_are_written_for_people() -> None:
    assert [written(v) for v in (0.7, -0.0, 12.34, 1234.5, 2.5e9)] == ["0.70", "0", "12.3", "1,234", "2.5e+09"]
    assert written(-0.004, 2) == "0.00"  # no minus before a zero
    assert written(-math.inf) == "−∞"
    assert places_of([0.01, 0.31]) == 2 and places_of([0.01, 0.05]) == 4


def test_a_text_is_cut_to_its_room() -> None:
    assert fit("short", 100) == "short"
    assert breadth(fit("a rather long name", 60)) <= 60
    assert fit("worker 0001", 50, keep_end=True).endswith("01")
    assert fit("a\n\tb\x00\ud800", 999) == "a b��"
    assert all(breadth(row, 11) <= 90 for row in wrapped("many words in a narrow column and averyveryverylongone", 90))


@given(st.lists(st.floats(0, 100), max_size=5))
def test_labels_are_kept_apart_in_their_order(wanted: list[float]) -> None:
    places = apart(wanted, 15, 0, 100)
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    found = [places[i] for i in order]

    assert all(b - a >= 15 - 1e-9 for a, b in pairwise(found))
    assert all(-1e-9 <= place <= 100 + 1e-9 for place in places)


def test_dots_of_one_place_merge_into_an_area() -> None:
    x = y = Axis(0, 10, 0, 100)
    marks, note = dots([(1, 1)] * 4 + [(5, 5)], x, y)

    # four items: twice the radius of one, 2.8
    assert 'r="5.6"' in marks and 'r="2.8"' in marks and marks.count("<circle") == 2
    assert note == "Dot area: number of items, 4 at most."


def test_many_places_are_merged_into_cells_and_none_is_lost() -> None:
    x = y = Axis(0, 99, 0, 80)  # 10 x 10 cells of 8 units, the last value on an edge of its own
    marks, note = dots([(a, b) for a in range(99) for b in range(99)], x, y)

    assert marks.count("<circle") == 100
    assert "near each other" in note


def test_a_wide_picture_keeps_its_size() -> None:
    assert 'class="large" style="width:500px"' in picture([], 10, "x", width=500)
    assert "style" not in picture([], 10, "x", width=WIDTH)
    assert 'aria-label="&lt;x&gt; &quot;y&quot;"' in picture([], 10, '<x> "y"')
