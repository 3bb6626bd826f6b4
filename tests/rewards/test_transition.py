"""The step to the next episode: from a column, from a graph, with a judge of the triggers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit import InputError, Sample, Score
from judgekit.episodes.response import spelled
from judgekit.rewards import CompositeReward, Rollout, TransitionReward

STORY = [{"narrative": "The gate falls shut.", "role_dialogue": {"name": "Ana", "utterance": "Too late!"}}]
GRAPH: dict[str | int, Any] = {"1": ["2", 3], 2: "-1"}
LAX = {"type": "object", "required": ["next_episode"]}


def rollout(claim: Any, **columns: Any) -> Rollout:
    return Rollout("p", json.dumps({"plot_list": STORY, "next_episode": claim}), "g", columns)


def one(reward: TransitionReward, it: Rollout) -> tuple[float | None, str]:
    values = reward([it])
    return values[0], values.reasons.get(0, "")


@pytest.mark.parametrize(
    ("claim", "expected", "worth"),
    [
        ("2", "2", 1),
        (" 2\n", "2", 1),
        ("2", " 2 ", 1),
        ("2", 2, 1),  # the column's type is an accident of how the data set is stored
        ("2", np.int64(2), 1),
        ("-1", -1, 1),
        ("3", "2", 0),
        ("02", 2, 0),
        ("2.0", 2, 0),
        ("２", 2, 0),
        ("two", 2, 0),
        (2, "2", 0),  # no valid turn: the prompt asks for a text
    ],
)
def test_against_a_column(claim: Any, expected: Any, worth: float) -> None:
    assert one(TransitionReward(), rollout(claim, next_episode=expected)) == (worth, "")


def test_numbers_where_the_form_allows_them() -> None:
    reward = TransitionReward(schema=LAX)
    claims = [2, "2", 2.0, True, None, [2]]

    assert reward([rollout(claim, next_episode="2") for claim in claims]) == [1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "completion",
    [
        "",
        "2",
        '{"plot_list": [1], "next_episode": "2"}',  # worth 1 to the release
        rollout("2").completion * 2,
        rollout("2").completion[:-1],
        "<think>" + rollout("2").completion,
        '{"plot_list": [], "next_episode": "2"}',
    ],
)
def test_an_answer_that_is_not_valid_names_nothing(completion: str) -> None:
    assert one(TransitionReward(), Rollout("p", completion, "g", {"next_episode": "2"})) == (0, "")


@pytest.mark.parametrize("expected", [None, "", "  ", 2.0, float("nan"), True, ["2"], {"next_episode": "2"}])
def test_what_is_expected_is_not_known(expected: Any) -> None:
    value, reason = one(TransitionReward(), rollout("2", next_episode=expected))
    assert value is None and "'next_episode' holds no episode but" in reason


def test_no_such_column() -> None:
    assert one(TransitionReward("target"), rollout("2")) == (None, "the row has no column 'target'")


@pytest.mark.parametrize(
    ("episode", "claim", "worth"),
    [("1", "2", 1), (1, "3", 1), ("1", "1", 0), ("2", "-1", 1), ("2", "3", 0)],
)
def test_against_a_graph(episode: Any, claim: str, worth: float) -> None:
    assert one(TransitionReward(GRAPH), rollout(claim, episode=episode)) == (worth, "")


def test_an_episode_that_the_graph_lacks() -> None:
    assert one(TransitionReward(GRAPH), rollout("2", episode="9")) == (None, "the graph has no episode '9'")


class Judge:
    """Scores by what the story is said to do, and remembers what it was shown."""

    def __init__(self, *scores: float | None) -> None:
        self.scores, self.seen = list(scores), list[Sample]()

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        self.seen += samples
        return [Score(value, error=None if value is not None else "refused") for value in self.scores[: len(samples)]]


def test_a_judge_says_whether_to_stay() -> None:
    """Fired: the successors are right. Not fired: the current episode is."""
    judge = Judge(1.0, 1.0, 0.2, 0.2, 0.5, None)
    reward = TransitionReward(GRAPH, trigger=judge)
    claims = ["2", "1", "2", "1", "3", "1"]
    values = reward([rollout(claim, episode="1", trigger="the gate") for claim in claims])

    assert values == [1, 0, 0, 1, 1, None]
    assert values.reasons == {5: "the trigger's judge: refused"}


def test_the_judge_sees_the_story_and_not_the_claim_and_only_where_it_matters() -> None:
    judge = Judge(1.0)
    reward = TransitionReward(GRAPH, trigger=judge)
    rows = [rollout("9", episode="1"), Rollout("p", "nonsense", "g", {"episode": "1"}), rollout("2", episode="8")]
    values = reward([*rows, rollout("2", episode="1", condition="the gate is shut")])

    assert values == [0, 0, None, 1]
    assert [sample.response for sample in judge.seen] == ["The gate falls shut.\nToo late!"]
    assert judge.seen[0].metadata == {"episode": "1", "condition": "the gate is shut"}


def test_equal_answers_are_one_call_of_the_judge_whatever_their_tokens() -> None:
    judge = Judge(1.0, 1.0)
    said = rollout("2").completion
    reward = CompositeReward([TransitionReward(GRAPH, trigger=judge)])

    assert (
        reward(
            ["p"] * 3, [said, f"<think>hm</think>{said}", said], episode=[1, 1, 1], completion_ids=[[5, 2], [5], [6]]
        )
        == [1] * 3
    )
    assert len(judge.seen) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"trigger": Judge()}, "a trigger needs the graph"),
        ({"expected": {}}, "is empty"),
        ({"expected": {"1": [2.5]}}, "needs ids"),
        ({"expected": {1: "2", "1": "3"}}, "each episode once"),
        ({"expected": {"": "1"}}, "needs ids"),
    ],
)
def test_what_cannot_be_a_transition(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        TransitionReward(**arguments)


@given(st.integers(), st.integers())
def test_numbers_are_equal_as_texts_exactly_when_they_are_equal(a: int, b: int) -> None:
    assert (spelled(a) == spelled(f" {b} ")) == (a == b)
