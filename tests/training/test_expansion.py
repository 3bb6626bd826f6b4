"""Labels by agreement: scripted judges that agree, disagree, contradict themselves or say nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from judgekit import ClassifierJudge, InputError, PanelJudge
from judgekit.judges import PairwiseJudge
from judgekit.models.base import Request
from judgekit.models.fake import FakeModel
from judgekit.training.expansion import as_ranker, candidates, expand
from judgekit.types import Pair, Preference
from tests.training.teachers import RUBRIC, honest, pair, reply, teacher


class Lengths:
    """A scalar model: the strength of a response is its length."""

    identity = {"lengths": True}

    def strengths(self, samples):
        return [float(len(sample.response)) for sample in samples]


def first(_: Request) -> str:
    """Whatever is shown first is better: the verdict changes with the order."""
    return reply(9, 1)


def shorter(request: Request) -> str:
    texts = json.loads(request.identity)[1]
    return reply(len(texts["b"]), len(texts["a"]))


def silent(_: Request) -> str:
    return "I cannot say."


LONG, SHORT = pair(0, "xxxx", "xx"), pair(1, "y", "yyy")  # the longer one is a, and b


def rank(*judges, pairs=(LONG, SHORT), weight=0.5):
    rankings = [judge.compare([p.comparison for p in pairs]) for judge in judges]
    return expand(list(pairs), rankings, [judge.fingerprint for judge in judges], weight)


def test_what_all_prefer_is_labelled() -> None:
    judges = teacher(honest), ClassifierJudge(Lengths())
    found = rank(*judges, weight=0.25)

    assert [p.label for p in found.pairs] == ["a", "b"]
    assert {(p.source, p.weight) for p in found.pairs} == {("machine", 0.25)}
    assert found.left_out == {}
    assert found.pairs[0].comparison.metadata == {"rankers": [judge.fingerprint for judge in judges]}
    assert replace(found.pairs[0].comparison, metadata={}) == LONG.comparison
    assert found.pairs[0].group == LONG.group


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (first, "a ranker's verdict changes with the order"),
        (shorter, "the rankers disagree"),
        (silent, "no verdict of a ranker"),
    ],
)
def test_one_ranker_is_enough_to_leave_a_pair_out(script: Callable[[Request], str], reason: str) -> None:
    other = PairwiseJudge(RUBRIC, FakeModel(script))

    for judges in ([teacher(honest), other], [other, teacher(honest)]):
        found = expand([LONG], [judge.compare([LONG.comparison]) for judge in judges], ["one", "two"])
        assert (found.pairs, found.left_out) == ([], {reason: 1})


def test_a_tie_is_no_label() -> None:
    even = pair(2, "zz", "ww")
    found = rank(ClassifierJudge(Lengths()), pairs=(even, LONG))

    assert [p.id for p in found.pairs] == [LONG.id]
    assert found.left_out == {"a tie for a ranker": 1}


def test_a_winner_by_points_that_changes_with_the_order_does_not_count() -> None:
    """Votes of 3 to 0 for a in one order and 1 to 2 in the other: P(a) is 4/6, but the orders disagree."""
    unsure = Preference("a", 4 / 6, consistent=False)

    assert expand([LONG], [[unsure]], ["x"]).left_out == {"a ranker's verdict changes with the order": 1}


def test_rankers_that_hide_the_order_are_refused() -> None:
    one_order = PairwiseJudge(RUBRIC, FakeModel(honest), both_orders=False)

    with pytest.raises(InputError, match="both_orders: true"):
        as_ranker(one_order)
    with pytest.raises(InputError, match="give its members as rankers"):
        as_ranker(PanelJudge([teacher(honest)]))
    judge = teacher(honest)
    assert as_ranker(judge) is judge


def test_who_is_asked_about() -> None:
    pairs = [LONG, pair(3, label="a"), pair(4, "q", "q"), SHORT, pair(5, label="tie")]

    assert candidates(pairs) == ([LONG, SHORT], {"a label already": 2, "the same text on both sides": 1})


@pytest.mark.parametrize(
    ("rankings", "rankers", "weight", "message"),
    [
        ([], [], 0.5, "one ranker at least"),
        ([[Preference("a")]] * 2, ["x", "x"], 0.5, "each of them once"),
        ([[]], ["x"], 0.5, "a preference on each of the 1 pairs"),
        ([[Preference("a")]], ["x"], 0.0, "weight is 0.0"),
        ([[Preference("a")]], ["x"], float("nan"), "weight is nan"),
    ],
)
def test_refusals(rankings: list, rankers: list, weight: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        expand([LONG], rankings, rankers, weight)


def test_the_input_is_left_alone() -> None:
    before = Pair(LONG.comparison, None, "g")
    expand([before], [[Preference("b", consistent=True)]], ["x"])

    assert before == Pair(LONG.comparison, None, "g")
