"""Votes counted again: what an order says, and the exact worth of fewer votes, beside brute force and the judge."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import votes as module
from judgekit.calibration.votes import by_order, curve
from judgekit.judges import PairwiseJudge
from judgekit.models import Decoding, FakeModel, Reply
from judgekit.rubrics import Rubric
from judgekit.types import Comparison

POINTS = {"a": 1.0, "tie": 0.5, "b": 0.0}
VOTE = st.sampled_from(["a", "b", "tie", None])


def decide(*orders: tuple) -> float | None:
    """Return the pairwise judge's rule in its plainest form: points for a, None without a verdict."""
    shares = []
    for order in orders:
        read = [POINTS[vote] for vote in order if vote]
        if 2 * (len(order) - len(read)) >= len(order):
            return None
        shares.append(math.fsum(read) / len(read))
    mean = math.fsum(shares) / len(shares)
    return 0.5 if math.isclose(mean, 0.5) else float(mean > 0.5)


def brute(votes: tuple, size: int) -> tuple[float, float]:
    found = [decide(*draw) for draw in product(*(list(combinations(order, size)) for order in votes))]
    known = [points for points in found if points is not None]
    return sum(known) / len(found), len(known) / len(found)


def test_an_order_says_what_most_of_its_replies_say() -> None:
    orders = [
        (("a", "a", "b"), ("b", "tie", None)),
        (("a", "b"), ("tie", "tie")),
        (("a", None), (None, "b", "b")),  # half unread: nothing said
        (("a",),),
        (),
    ]

    assert np.array_equal(
        by_order(orders),
        [[1, 0], [0.5, 0.5], [math.nan, 0], [1, math.nan], [math.nan, math.nan]],
        equal_nan=True,
    )


def test_fewer_votes_by_hand() -> None:
    """Two of three for a in both orders.

    One vote each: both a 2/3 * 2/3 = 4/9, one of each 4/9 (a tie, half): 4/9 + 2/9 = 6/9. Two votes each: an order is
    a, a in one of three draws, else split; a wins unless both are split (4/9, a tie): 5/9 + 2/9 = 7/9. Three: certain.
    """
    found = curve([(("a", "a", "b"), ("a", "b", "a"))])

    assert {size: points[0] for size, (points, _) in found.items()} == pytest.approx({1: 6 / 9, 2: 7 / 9, 3: 1.0})
    assert all(read[0] == pytest.approx(1) for _, read in found.values())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.lists(VOTE, min_size=4, max_size=5).map(tuple)] * 2), min_size=1, max_size=4))
def test_fewer_votes_are_the_mean_over_all_subsets(votes: list) -> None:
    votes = [*votes, votes[0][:1]]  # one pair that was asked in one order
    found = curve(votes)

    assert list(found) == list(range(1, min(len(order) for pair in votes for order in pair) + 1))
    for size, (points, read) in found.items():
        expected = np.array([brute(pair, size) for pair in votes])
        assert points == pytest.approx(expected[:, 0])
        assert read == pytest.approx(expected[:, 1])


@pytest.mark.parametrize("seed", range(3))
def test_all_votes_are_the_judge(seed: int) -> None:
    """What the judge itself decides from the same replies."""
    rng = np.random.default_rng(seed)
    rubric = Rubric.load("general/instruction_following")
    texts = {name: f'{{"reasons": {{}}, "verdict": "{name}"}}' for name in ("A", "B", "tie")}

    def reply(_: object) -> str | Reply:
        drawn = rng.choice(["A", "B", "tie", "unread"], p=[0.4, 0.25, 0.15, 0.2])
        return texts.get(str(drawn), "No idea.")

    judge = PairwiseJudge(rubric, FakeModel(reply), samples=5, decoding=Decoding(temperature=1.0))
    preferences = judge.compare([Comparison("p", f"one {i}", f"two {i}") for i in range(60)])
    points, read = curve([preference.votes for preference in preferences])[5]

    assert {preference.winner for preference in preferences} == {"a", "b", "tie", None}
    assert [None if not r else p for p, r in zip(points, read, strict=True)] == [
        POINTS.get(str(preference.winner)) for preference in preferences
    ]


def test_the_curve_thins_out_and_ends() -> None:
    assert list(curve([(("a",) * 20,)])) == [1, 2, 3, 4, 5, 6, 7, 8, 16, 20]
    assert list(curve([(("a",) * 100, ("b",) * 70)])) == [1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64]
    assert curve([(("a",),)]) == {} == curve([])


def test_no_subset_that_can_be_read() -> None:
    for points, read in curve([((None, None), ("a", "b"))]).values():
        assert (points.tolist(), read.tolist()) == ([0.0], [0.0])


def test_the_curve_does_not_depend_on_the_chunking(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    votes = [tuple(tuple(rng.choice(["a", "b", "tie"], 6).tolist()) for _ in "ab") for _ in range(40)]
    whole = curve(votes)
    monkeypatch.setattr(module, "CELLS", 10)

    for size, (points, _) in curve(votes).items():
        assert np.array_equal(points, whole[size][0])
