"""Parts of a set of pairs, and the baseline of length."""

from __future__ import annotations

import numpy as np
import pytest

from judgekit.calibration import by_length, by_value, longer, word_count
from judgekit.types import Comparison, Pair, Winner


def pair(a: int, b: int, label: Winner | None = "a") -> Pair:
    return Pair(Comparison("p", "w " * a, "w " * b), label)


@pytest.mark.parametrize(
    ("text", "count"),
    [("one two  three", 3), ("", 0), ("café au lait", 3), ("灯塔很高。", 5), ("The 灯塔 was tall", 5), ("日本の海", 4)],
)
def test_words_are_counted_in_every_script(text: str, count: int) -> None:
    """灯塔很高 is four characters, and the full stop stands by itself."""
    assert word_count(text) == count


def test_the_longer_one_wins_by_words() -> None:
    sides = [Comparison("p", "a b c", "longwordindeed x"), Comparison("p", "x", "y z"), Comparison("p", "x", "y")]

    assert [preference.winner for preference in longer(sides)] == ["a", "b", "tie"]


def test_lengths_by_thirds_and_by_which_side_is_right() -> None:
    pairs = [pair(1, 1), pair(3, 1), pair(1, 5, "b"), pair(9, 1, "b"), pair(1, 20, "tie"), pair(40, 1, None)]
    masks = by_length(pairs)

    assert {name: np.flatnonzero(mask).tolist() for name, mask in masks.items()} == {
        "longer side right": [1, 2],
        "longer side wrong": [3],
        "length gap 0-2 words": [0, 1],
        "length gap 4-8 words": [2, 3],
        "length gap 19-39 words": [4, 5],
    }


def test_equal_gaps_are_one_part() -> None:
    assert set(by_length([pair(3, 1)] * 5)) == {"longer side right", "longer side wrong", "length gap 2 words"}
    assert set(by_length([])) == {"longer side right", "longer side wrong"}


def test_parts_by_value() -> None:
    masks = by_value("flaw", ["name", "none", "name"])

    assert {name: mask.tolist() for name, mask in masks.items()} == {
        "flaw = name": [True, False, True],
        "flaw = none": [False, True, False],
    }
