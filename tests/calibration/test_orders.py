"""Two orders made one: by hand, and what is missing stays missing."""

from __future__ import annotations

import math

import pytest

from judgekit import InputError
from judgekit.calibration import bradley_terry, elo, eq_bench, polaris

NONE = math.nan
#           agree  clear  flip    tie+win  none  one order
MARGINS = [[3, 12, 5, 0, NONE, 4], [2, 10, -1, -2, NONE, NONE]]


def test_polaris_counts_each_order() -> None:
    """Grades 3/4 and 3/4; 1 and 1; 3/4 and 1/4; 1/2 and 1/4."""
    found = polaris(MARGINS)

    assert found.share[:4].tolist() == [0.75, 1.0, 0.5, 0.375]
    assert found.games.tolist() == [[2, 0, 0], [2, 0, 0], [1, 0, 1], [0, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert all(math.isnan(share) for share in found.share[4:])
    assert (found.missing, found.flipped) == (2, 1)


def test_eq_bench_sums_the_margins() -> None:
    """Sums 5, 22, 4, -2: shares .5 + sum / 90; ceil(5/90 / .125) = 1 game, ceil(22/90 / .125) = 2."""
    found = eq_bench(MARGINS)

    assert found.share[:4] == pytest.approx([0.5 + 5 / 90, 0.5 + 22 / 90, 0.5 + 4 / 90, 0.5 - 2 / 90])
    assert found.games.tolist() == [[1, 0, 0], [2, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert (found.missing, found.flipped) == (2, 1)


def test_eq_bench_at_its_ends() -> None:
    """45 + 45 is four games, a sum of 0 one tie; swapped sides mirror all."""
    assert eq_bench([[45, 3], [45, -3]]).games.tolist() == [[4, 0, 0], [0, 1, 0]]
    assert eq_bench([[-45, -3], [-45, 3]]).games.tolist() == [[0, 0, 4], [0, 1, 0]]


def test_games_go_into_a_rating() -> None:
    comparison, points = eq_bench([[45, 5, -9], [45, 4, NONE]]).unrolled()

    assert (comparison.tolist(), points.tolist()) == ([0, 0, 0, 0, 1], [1, 1, 1, 1, 1])
    comparison, points = polaris(MARGINS).unrolled()
    assert points.tolist() == [1, 1, 1, 1, 1, 0, 0.5, 0]
    a, b = ["x"] * len(points), ["y"] * len(points)
    assert bradley_terry(a, b, points, units=comparison).strengths["x"].value > 0
    assert elo(a, b, points, shuffles=10, units=comparison).ratings["x"].value > 1000


@pytest.mark.parametrize("margins", [[1, 2], [[1], [2], [3]], [[math.inf], [1]]])
def test_other_shapes_are_refused(margins: list) -> None:
    with pytest.raises(InputError, match=r"shape \(2, comparisons\)"):
        polaris(margins)
