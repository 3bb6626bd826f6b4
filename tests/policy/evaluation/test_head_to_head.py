"""RLCS' table by hand: both orders, ties, orders that disagree, what is unscored; and Elo of several."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import Bootstrap, elo, sign_flip_test
from judgekit.errors import InputError
from judgekit.judges import PairwiseJudge
from judgekit.models import FakeModel, Request
from judgekit.policy.asked import StoryPrompt
from judgekit.policy.evaluation.head_to_head import (
    FLIPPED,
    ORDERS,
    Meeting,
    head_to_head,
    judge_meeting,
    meeting,
    ratings,
)
from judgekit.rubrics import Rubric
from judgekit.types import Comparison, Preference, Winner
from tests.policy.evaluation.made import read_rows, responded

FAST = Bootstrap(draws=200)


def said(first: Winner | None, second: Winner | None) -> Preference:
    """The verdict of a judge whose two orders say this."""
    votes = ((first,), (second,))
    if first is None or second is None:
        return Preference(None, error="order a, b: no verdict", votes=votes)
    points = {"a": 1.0, "tie": 0.5, "b": 0.0}
    share = (points[first] + points[second]) / 2
    return Preference("a" if share > 0.5 else "b" if share < 0.5 else "tie", share, votes=votes)


def met(groups: str, longer: int = 0) -> Meeting:
    texts = [("one two", "one two" + " more" * longer * (i % 2 + 1)) for i in range(len(groups))]
    found = tuple(Comparison("p", a, b, f"{g}#{i}") for i, (g, (a, b)) in enumerate(zip(groups, texts, strict=True)))
    return Meeting(found, tuple(groups), 0, 0, 0)


def test_each_figure_by_hand() -> None:
    verdicts = [
        said("b", "b"),  # won
        said("b", "tie"),  # won, 3/4, and the orders do not agree
        said("tie", "tie"),  # tied
        said("a", "b"),  # the orders name different winners
        said("b", "a"),  # the same
        said("a", "a"),  # lost
        said(None, "b"),  # unscored
        said("b", "b"),  # won
    ]
    found = head_to_head(met("AABBCCDD"), verdicts, FAST)
    value = {name: row.estimate.value for name, row in found.rows.items() if row.estimate}

    assert value["win rate"] == pytest.approx((1 + 3 / 4 + 1 / 2 + 1 / 2 + 1 / 2 + 0 + 1) / 7)
    assert value["win rate, orders agree"] == pytest.approx((1 + 1 / 2 + 0 + 1) / 4)
    assert [value[name] for name in ("won", "tied", "lost")] == pytest.approx([3 / 7, 1 / 7, 1 / 7])
    assert value["order disagreement"] == pytest.approx(2 / 7)
    assert value["unscored"] == 1 / 8
    assert found.rows["win rate"].left_out == {"no verdict in both orders": 1}
    assert found.rows["win rate, orders agree"].left_out["the orders do not agree"] == 3
    assert found.reasons == {"order a, b: no verdict": 1}
    # by group, away from one half: A 1/2 + 1/4, B 0, C -1/2, D 1/2; of eight signs four reach 3/4
    assert found.p == sign_flip_test([0.75, -0.5, 0.5]).p


@given(st.lists(st.sampled_from(["a", "b", "tie"]), min_size=4, max_size=12), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_exchanging_the_two_turns_the_table_round(verdicts: list[Winner], seed: int) -> None:
    other = {"a": "b", "b": "a", "tie": "tie"}
    pairs = list(zip(verdicts, verdicts[::-1], strict=True))
    groups = "".join("ABCDEFGH"[(i + seed) % 5] for i in range(len(pairs)))
    one = head_to_head(met(groups), [said(*pair) for pair in pairs], FAST)
    two = head_to_head(met(groups), [said(other[x], other[y]) for x, y in pairs], FAST)

    for name, back in (("won", "lost"), ("lost", "won"), ("tied", "tied"), (FLIPPED, FLIPPED)):
        assert one.rows[name].estimate.value == two.rows[back].estimate.value
    assert one.rows["win rate"].estimate.value == pytest.approx(1 - two.rows["win rate"].estimate.value)
    assert one.p == pytest.approx(two.p)
    kinds = [one.rows[name].estimate.value for name in ("won", "tied", "lost", FLIPPED)]
    assert sum(kinds) == pytest.approx(1)


def test_a_judge_that_only_knows_a_place_has_no_winner() -> None:
    found = head_to_head(met("ABCD"), [said("a", "b")] * 4, FAST)

    assert found.rows["win rate"].estimate.value == 0.5 and found.rows[FLIPPED].estimate.value == 1
    assert found.rows["win rate, orders agree"].estimate is None
    assert found.p == 1


def test_a_judge_that_scores_each_side_has_no_order() -> None:
    verdicts = [Preference("b", scores=(1, 2)), Preference("tie", scores=(1, 1)), Preference(None, error="down")]
    found = head_to_head(met("ABC"), verdicts, FAST)

    assert found.rows["win rate"].estimate.value == 0.75
    assert found.rows[FLIPPED].estimate is None and found.rows[FLIPPED].reason == ORDERS


def test_the_longer_one_always_wins() -> None:
    groups = "ABCDEFGHIJKLMNOP"
    m = met(groups, 5)
    verdicts = [said("b", "b") if i % 2 else said("a", "a") for i in range(16)]  # b wins where it is much longer
    rows = head_to_head(m, verdicts, FAST).rows

    assert rows["win rate"].estimate.value == 0.5
    assert rows["win rate at equal lengths"].estimate is None or rows["win rate at equal lengths"].estimate.value < 0.5


def test_one_group_is_no_test() -> None:
    found = head_to_head(met("AA"), [said("b", "b")] * 2, FAST)

    assert found.p is None and found.test == "all comparisons are of one group; the test needs two"
    assert found.rows["win rate"].estimate.low is None
    with pytest.raises(InputError, match="1 preferences for 2 comparisons"):
        head_to_head(met("AA"), [said("b", "b")], FAST)


# --- from responses --------------------------------------------------------------------------------------------------


def test_responses_are_paired_by_prompt_and_place() -> None:
    ask = {name: StoryPrompt(name, f"Write {name}.", group="g") for name in "abc"}
    one = [responded(ask["a"], "a1", "a2", None), responded(ask["b"], "b1", "b2", "b3")]
    two = [
        responded(ask["b"], "B1", "<think>x</think>B2"),
        responded(ask["a"], "A1", None),
        responded(ask["c"], "C", "C"),
    ]
    found = meeting(one, two)

    assert [(c.id, c.a, c.b) for c in found.comparisons] == [
        ("a#1", "a1", "A1"),
        ("b#1", "b1", "B1"),
        ("b#2", "b2", "B2"),
    ]
    assert (found.missing, found.unpaired, found.alone) == (1, 2, 1)
    assert found.clusters == ("g",) * 3
    with pytest.raises(InputError, match="no prompt in common"):
        meeting(one, two[2:])
    with pytest.raises(InputError, match="to no prompt do both policies have a response"):
        meeting([responded(ask["a"], None)], [responded(ask["a"], "A")])
    with pytest.raises(InputError, match="the id 'a' has another prompt"):
        meeting(one, [responded(StoryPrompt("a", "Sing."), "x")])


def pairwise(both_orders: bool = True) -> tuple[PairwiseJudge, FakeModel]:
    """A judge that prefers the longer one, and of two that are equally long the one shown first."""

    def reply(request: Request) -> str:
        texts = json.loads(request.identity)[1]
        first = len(texts["a"]) >= len(texts["b"])
        scores = {"score_a": 8, "score_b": 3} if first else {"score_a": 3, "score_b": 8}
        return json.dumps({"reasons": {}, **scores, "verdict": "A" if first else "B"})

    model = FakeModel(reply)
    return PairwiseJudge(Rubric.load("story/creative_preference"), model, both_orders), model


def test_verdicts_are_written_and_not_asked_twice(tmp_path: Path) -> None:
    judge, model = pairwise()
    one = [responded(StoryPrompt(n, n), text) for n, text in zip("abc", ["same", "short", "very long"], strict=True)]
    two = [responded(StoryPrompt(n, n), text) for n, text in zip("abc", ["same", "long one", "brief"], strict=True)]
    m, path = meeting(one, two), tmp_path / "verdicts.jsonl"
    found = head_to_head(m, judge_meeting(judge, m, path, size=2), FAST)
    value = {name: row.estimate.value for name, row in found.rows.items() if row.estimate}

    assert model.calls == 6 and len(read_rows(path)) == 3
    assert (value["won"], value["lost"], value[FLIPPED]) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    judge_meeting(judge, m, path)
    assert model.calls == 6


def test_a_judge_of_one_order_is_refused(tmp_path: Path) -> None:
    judge, _ = pairwise(both_orders=False)

    with pytest.raises(InputError, match="asks one order alone"):
        judge_meeting(judge, met("AB"), tmp_path / "v.jsonl")


# --- several policies ------------------------------------------------------------------------------------------------


def test_each_order_is_a_game() -> None:
    m = met("AB")
    found = ratings(
        ["base", "x", "y"],
        {
            (0, 1): (m, [said("b", "b"), said("a", "b")]),  # x wins three games of four
            (0, 2): (m, [said("b", "b"), said("b", "b")]),
            (1, 2): (m, [said("b", "tie"), said(None, "a")]),
        },
    )
    games = [("base", "x", p, g) for p, g in ((0, "A"), (0, "A"), (1, "B"), (0, "B"))]
    games += [("base", "y", 0, g) for g in "AABB"]
    games += [("x", "y", p, "A") for p in (0, 0.5)]
    a, b, points, groups = zip(*games, strict=True)
    other = elo(a, b, points, units=groups)

    assert list(found.ratings) == ["y", "x", "base"] == list(other.ratings)
    assert found.missing == 1
    for name, rating in found.ratings.items():
        assert rating.n == 10 and rating.value == pytest.approx(other.ratings[name].value, abs=5)
