"""EasyR1's function reward managers: one dict for each response, every key collected in a list.

No release of EasyR1 is on the package index (its package is called verl besides): its call is repeated here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from functools import partial
from typing import Any

import pytest

from judgekit import InputError
from judgekit.integrations.answers import UnscoredError
from judgekit.integrations.easyr1 import batch, packed, sequential
from judgekit.rewards import CompositeReward
from judgekit.types import Message
from tests.integrations.rewards import Written, grouped, named, needy, plain


def inputs(texts: list[str], groups: list[int]) -> list[dict[str, Any]]:
    return [
        {"response": text, "response_length": len(text), "ground_truth": packed("p", group, reference="r")}
        for text, group in zip(texts, groups, strict=True)
    ]


def collected(scores: list[dict[str, float]]) -> dict[str, list[float]]:
    """Do what `compute_reward` does with the answers."""
    metrics = defaultdict(list)
    for score in scores:
        for key, value in score.items():
            metrics[key].append(value)
    return metrics


def test_a_batch_in_order_with_one_failed_judge() -> None:
    """Group 0 has 1.2 and 0.4 beside the failed one: (1.2 + 0.4) / 2 = 0.8."""
    rows = inputs(["0.7 1", "fail 1", "0.4 0", "0.1 0"], [0, 0, 0, 1])
    found = collected(partial(batch(plain(), unscored=0.5))(rows))

    assert found["overall"] == pytest.approx([1.2, 0.8, 0.4, 0.1])
    assert found["unscored"] == [0, 1, 0, 0] and math.isnan(found["judge"][1])
    assert {len(values) for values in found.values()} == {4}


def test_all_failed_an_exception_and_nothing() -> None:
    function = batch(plain(), unscored=0.5)

    assert [row["overall"] for row in function(inputs(["fail 1", "fail 1"], [0, 0]))] == [0.5, 0.5]
    assert [row["unscored"] for row in function(inputs(["boom 1", "0.5 1"], [0, 0]))] == [1, 1]
    assert function([]) == []


def test_a_channel_that_needs_the_group_finds_it_in_the_answer_column() -> None:
    """In group 0 one of 2 is longer than the short one; the lone one of group 1 has none above it."""
    rows = inputs(["0 short", "0 a longer one", "0"], [0, 0, 1])
    assert [row["above"] for row in batch(grouped(), unscored=0)(rows)] == [0.5, 0, 0]


def test_one_at_a_time() -> None:
    function = sequential(plain(), unscored=0.5)
    found = collected([function(row) for row in inputs(["0.7 1", "fail 1", "boom 1"], [0, 0, 0])])

    assert found["overall"] == [1.2, 0.5, 0.5] and found["unscored"] == [0, 1, 1]
    with pytest.raises(UnscoredError, match="judge: no verdict"):
        sequential(plain(), unscored=None)(inputs(["fail 1"], [0])[0])


def test_what_was_packed_is_what_channels_see() -> None:
    judge = Written()
    chat: list[Message] = [{"role": "user", "content": "写一个故事"}]
    row = {"response": "0.5", "response_length": 1, "ground_truth": packed(chat, "row 7", reference="r", level=3)}
    batch(CompositeReward([judge]), unscored=0)([row])

    assert (judge.seen[0].prompt, judge.seen[0].group) == (chat, "row 7")
    assert judge.seen[0].sample.reference == "r" and judge.seen[0].sample.metadata == {"level": 3}


@pytest.mark.parametrize("truth", ["42", "{}", "not json", "[1]", None])
def test_an_answer_column_that_was_not_packed(truth: Any) -> None:
    with pytest.raises(InputError, match=r"fill it with .*packed"):
        batch(plain(), unscored=0)([{"response": "0.5 1", "response_length": 1, "ground_truth": truth}])


def test_refusals() -> None:
    for reward in needy():
        with pytest.raises(InputError, match="sequential form gives a reward one rollout at a time"):
            sequential(reward, unscored=0)
    for form in (batch, sequential):
        with pytest.raises(InputError, match="overall has a meaning of its own here"):
            form(named("overall"), unscored=0)
