"""Heat maps and forests: every name escaped, every number there, and readable in both colour schemes."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.errors import InputError
from judgekit.report.drawing import WIDTH
from judgekit.report.named import NAMES, ROWS, forest, heat_map
from judgekit.report.page import STYLE
from tests.report.svg import drawn, numbers, overlaps, texts

NAME = '<script>alert(1)</script> & "x" \x00\ud800'
VALUE = st.one_of(st.none(), st.floats(-1e9, 1e9), st.sampled_from([0.0, math.nan, math.inf, -math.inf]))


def opacities(svg: str) -> list[float]:
    return [float(v) for v in re.findall(r'fill-opacity="([\d.]+)"', svg)]


def test_heat_map_writes_each_number_on_its_colour() -> None:
    svg = heat_map(["a", "b"], [[1, 0.5], [0.25, None]], 0, 1)
    root = drawn(svg)

    assert texts(root) == ["a", "a", "1.00", "0.50", "b", "b", "0.25", "–"]
    assert opacities(svg) == [0.54, 0.29, 0.17]  # 0.04 + 0.5 x value; 0.165 rounds up
    assert "lowest b and a 0.25, highest a and b 0.50" in root.attrib["aria-label"]


def test_heat_map_below_zero_is_of_the_other_colour() -> None:
    svg = heat_map(["a", "b"], [[1, -0.5], [-2, 1]], -1, 1)

    assert svg.count("var(--other)") == 2
    assert opacities(svg) == [0.54, 0.29, 0.54, 0.54]  # -2 is beyond the colours: the strongest


def test_names_are_escaped_and_hold_no_control_characters() -> None:
    for svg in (heat_map([NAME], [[1]], 0, 1), forest([(NAME, 1, 0, 2, NAME)], (-1, 1), NAME)):
        drawn(svg)
        assert "<script" not in svg and "&lt;script" in svg


def test_more_names_than_can_be_read() -> None:
    n = NAMES + 5
    names = [f"rater {i}" for i in range(n)]
    by_counts = drawn(heat_map(names, [[0.5] * n] * n, 0, 1, counts=list(range(n))))
    by_cells = drawn(heat_map(names, [[0.5 if i > 4 else None] * n for i in range(n)], 0, 1))

    for root in (by_counts, by_cells):
        assert len(list(root.iter("rect"))) == NAMES**2
        assert "rater 5" in texts(root) and "rater 4" not in texts(root)
        assert f"The 25 most frequent of {n} names." in root.attrib["aria-label"]
        assert root.attrib["class"] == "large"


def test_cells_of_a_few_raters_fit_a_phone() -> None:
    root = drawn(heat_map([f"a very long name of rater {i}" for i in range(5)], [[-0.07] * 5] * 5, 0, 1))

    assert float(root.attrib["viewBox"].split()[2]) == WIDTH
    assert overlaps(root) == []


def test_a_matrix_that_does_not_fit_its_names() -> None:
    with pytest.raises(InputError, match="2 x 2"):
        heat_map(["a", "b"], [[1, 2]], 0, 1)
    with pytest.raises(InputError, match="2 names but 1 counts"):
        heat_map(["a", "b"], [[1, 2], [2, 1]], 0, 1, counts=[1])


def test_forest_places_values_intervals_and_zero() -> None:
    root = drawn(forest([("a", 1.0, 0.0, 2.0, "q = .04"), ("b", -2.0, -4.0, 0.0, "")], (-0.5, 0.5), "points"))
    one, two = numbers(list(root.iter("circle")), "cx")
    lines = list(root.iter("line"))
    zero = next(float(node.attrib["x1"]) for node in lines if node.attrib["stroke"] == "var(--soft)")
    bars = [node for node in lines if node.attrib["stroke-width"] == "2" and node.attrib["y1"] == node.attrib["y2"]]
    zone = root.find(".//rect")

    assert zero - two == pytest.approx(2 * (one - zero), abs=0.2)
    assert float(bars[0].attrib["x1"]) == pytest.approx(zero, abs=0.1)
    assert float(bars[0].attrib["x2"]) == pytest.approx(2 * one - zero, abs=0.2)
    assert float(zone.attrib["width"]) == pytest.approx(one - zero, abs=0.2)  # as wide as 1 point
    assert {"a", "b", "1.00", "−2.00", "q = .04", "points", "counts as none"} <= set(texts(root))


def test_forest_says_why_there_is_no_value() -> None:
    root = drawn(forest([("a", None, None, None, "not estimable: one rater")]))

    assert {"–", "not estimable: one rater"} <= set(texts(root))
    assert not list(root.iter("circle"))


def test_an_open_interval_runs_to_the_edge_without_a_stop() -> None:
    root = drawn(forest([("a", 1.0, -math.inf, 2.0, ""), ("b", -1.0, None, None, "")]))
    bars = [node for node in root.iter("line") if node.attrib["stroke-width"] == "2"]

    assert len(bars) == 2  # the bar and one stop
    assert min(numbers(bars, "x1")) == 8
    assert "a 1.00 [−∞, 2.00]" in root.attrib["aria-label"]


def test_a_long_text_goes_below_its_name() -> None:
    root = drawn(forest([("a name that fills most of the line", 1.0, 0.0, 2.0, "and words that do too, more or less")]))

    assert overlaps(root) == []
    assert "and words that do too, more or less" in texts(root)


def test_more_rows_than_can_be_read() -> None:
    root = drawn(forest([(f"effect {i}", float(i), None, None, "") for i in range(10_000)]))

    assert len(list(root.iter("circle"))) == ROWS
    assert "effect 9999" in texts(root) and "effect 9939" not in texts(root)
    assert "The 60 farthest from zero of 10,000." in texts(root)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.text(max_size=60), VALUE, VALUE, VALUE, st.text(max_size=60)), max_size=8))
def test_no_rows_break_a_forest(rows: list) -> None:
    assert overlaps(drawn(forest(rows, (-1, 1)))) == []


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(max_size=30), max_size=6), st.data())
def test_no_matrix_breaks_a_heat_map(names: list[str], data: st.DataObject) -> None:
    row = st.lists(VALUE, min_size=len(names), max_size=len(names))
    matrix = data.draw(st.lists(row, min_size=len(names), max_size=len(names)))
    root = drawn(heat_map(names, matrix, data.draw(st.sampled_from([-1.0, 0.0, 5.0])), 5.0))

    assert len(list(root.iter("rect"))) == len(names) ** 2
    assert overlaps(root) == []


def shine(colour: tuple[float, ...]) -> float:
    """Return the relative luminance of WCAG 2."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("colour", ["mark", "other"])
def test_numbers_are_readable_on_the_strongest_colour(scheme: int, colour: str) -> None:
    def rgb(name: str) -> tuple[float, ...]:
        found = re.findall(rf"--{name}: #(\w{{6}})", STYLE)[scheme]
        return tuple(int(found[i : i + 2], 16) / 255 for i in (0, 2, 4))

    strongest = max(opacities(heat_map(["a"], [[1]], 0, 1)))
    below = tuple(strongest * m + (1 - strongest) * p for m, p in zip(rgb(colour), rgb("page"), strict=True))
    dark, light = sorted((shine(below), shine(rgb("ink"))))

    assert (light + 0.05) / (dark + 0.05) >= 4.5
