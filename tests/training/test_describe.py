"""What is said of a set of pairs: every count by hand, every problem named, none where there is none."""

from __future__ import annotations

import pytest

from judgekit import Comparison, Pair
from judgekit.training import describe


def pair(prompt: str, a: str, b: str, label: str | None, group: str = "") -> Pair:
    return Pair(Comparison(prompt, a, b, f"{prompt}{a}{b}{label}"), label, group)


SOUND = [pair("p", "long text", "short", "a"), pair("q", "x", "long text", "b"), pair("q", "abc", "abcd", "a")]


def test_counts_by_hand() -> None:
    """Longer is chosen in 2 of 3 of the sound pairs."""
    more = [
        pair("p", "short", "long text", "b"),  # the first one in the other order: the same verdict
        pair("q", "abcd", "abc", "a"),  # the third one, with the other verdict; longer is chosen
        pair("q", "abc", "abcd", None),  # says nothing
        pair("r", "same", "same", "tie"),
        pair("r", "one", "two", "a"),  # of equal length
        pair("r", " ", "two", "b"),
    ]
    found = describe(SOUND + more)

    assert (found.rows, found.groups) == (9, 3)
    assert found.labels == {"a": 4, "b": 3, "tie": 1, "null": 1}
    assert (found.empty, found.equal, found.duplicates, found.contradictions) == (1, 1, 3, 1)
    assert found.longer_chosen is not None
    assert (found.longer_chosen.value, found.longer_chosen.n) == (pytest.approx(5 / 6), 6)
    assert found.problems == [
        "1 with a blank prompt or response",
        "1 with the same text on both sides",
        "1 times the same two texts have more than one verdict",
    ]


def test_nothing_is_wrong_with_sound_pairs() -> None:
    assert describe(SOUND).problems == []


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        ([pair("p", "x", "y", "b"), pair("q", "x", "y", "b")], "the label is 'b' in all 2"),
        ([pair("p", "x", "y", None), pair("q", "x", "y", "tie")], "no pair says which side is better"),
        ([], "no pair says which side is better"),
        ([pair("p", "x", "y", "a", "g"), pair("q", "x", "y", "b", "g")], "all pairs are of one group"),
        ([*SOUND, pair("p", "long text", "short", "tie")], "1 times the same two texts have more than one verdict"),
    ],
)
def test_problems(pairs: list[Pair], problem: str) -> None:
    [told] = describe(pairs).problems

    assert told.startswith(problem)


def test_one_group_has_no_interval() -> None:
    assert describe([pair("p", "x", "yy", "a")]).longer_chosen is None
