"""Whole groups into parts; both orders of a pair."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit import Comparison, InputError, Pair
from judgekit.training import both_orders, split


def pair(i: int, group: str = "", label: str | None = "a", **more) -> Pair:
    return Pair(Comparison(f"prompt {group or i}", f"good {i}", f"bad {i}", f"{i}", more), label, group)


def ids(part: list[Pair]) -> list[str]:
    return [p.id for p in part]


def test_equal_groups_give_the_shares_exactly() -> None:
    parts = split([pair(i, f"g{i % 20}") for i in range(200)], (0.8, 0.1, 0.1))

    assert [len(part) for part in parts] == [160, 20, 20]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=20, max_size=60), st.integers(0, 99))
def test_groups_stay_whole_and_nothing_is_lost(sizes: list[int], seed: int) -> None:
    pairs = [pair(100 * g + i, f"g{g}") for g, size in enumerate(sizes) for i in range(size)]
    parts = split(pairs, (0.6, 0.2, 0.2), seed)
    groups = [{p.cluster for p in part} for part in parts]

    assert sorted(name for part in parts for name in ids(part)) == sorted(ids(pairs))
    assert not groups[0] & groups[1] and not groups[1] & groups[2] and not groups[0] & groups[2]
    # each group goes to the part with most room, so no part is overfull by more than one group
    assert all(len(part) <= share * len(pairs) + 30 for part, share in zip(parts, (0.6, 0.2, 0.2), strict=True))


def test_the_prompt_is_the_group_where_none_is_given() -> None:
    pairs = [Pair(Comparison(f"p{i % 5}", "x", "y", str(i)), "a") for i in range(50)]
    train, test = split(pairs, (0.6, 0.4))

    assert not {p.comparison.prompt for p in train} & {p.comparison.prompt for p in test}


def test_the_order_of_the_file_does_not_matter_and_the_seed_does() -> None:
    pairs = [pair(i, f"g{i % 20}") for i in range(60)]
    shuffled = random.Random(0).sample(pairs, len(pairs))
    parts = [{frozenset(ids(part)) for part in split(p, (0.5, 0.5), seed)} for p, seed in ((pairs, 0), (shuffled, 0))]

    assert parts[0] == parts[1]
    assert parts[0] != {frozenset(ids(part)) for part in split(pairs, (0.5, 0.5), 1)}
    assert all(ids(part) == sorted(ids(part), key=int) for part in split(pairs, (0.5, 0.5)))


def test_a_share_of_nothing_stays_empty() -> None:
    assert [len(part) for part in split([pair(i) for i in range(10)], (0.8, 0, 0.2))] == [8, 0, 2]


@pytest.mark.parametrize(
    ("pairs", "shares", "problem"),
    [
        ([pair(i, "one") for i in range(9)], (0.5, 0.5), "9 rows of 1 group cannot be split"),
        ([], (0.5, 0.5), "0 rows of 0 group"),
        ([pair(0), pair(1)], (0.8, 0.1, 0.1), "the part with the share 0.1 would be empty: 2 groups are too few"),
        ([pair(0), pair(1)], (0.8, 0.1), r"shares must be 0 or more and add up to 1, not 0\.8, 0\.1"),
        ([pair(0), pair(1)], (1.5, -0.5), "shares must be 0 or more"),
        ([pair(0), pair(1)], (float("nan"), 1), "shares must be 0 or more"),
        ([pair(0), pair(1)], (), "shares must be 0 or more"),
    ],
)
def test_what_cannot_be_split(pairs: list[Pair], shares: tuple[float, ...], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        split(pairs, shares)


@pytest.mark.parametrize(("label", "other"), [("a", "b"), ("b", "a"), ("tie", "tie"), (None, None)])
def test_both_orders(label: str | None, other: str | None) -> None:
    one, two = both_orders([pair(3, "g", label, margin=0.5)])

    assert (one.id, two.id) == ("3:ab", "3:ba")
    assert (one.label, two.label) == (label, other)
    assert (two.comparison.a, two.comparison.b) == (one.comparison.b, one.comparison.a) == ("bad 3", "good 3")
    assert one.group == two.group == "g" and one.comparison.metadata == two.comparison.metadata == {"margin": 0.5}
