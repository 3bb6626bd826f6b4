from __future__ import annotations

from pathlib import Path

import pytest
import torch

from judgekit.models.local import LocalConfig, LocalModel
from judgekit.training.verdict import VerdictReward, both_orders, label_shown, verdict_rewards
from tests.training.teachers import RUBRIC, reply


@pytest.fixture(scope="module")
def model(tiny: Path) -> LocalModel:
    return LocalModel(LocalConfig(provider="local", path=str(tiny)))


def ids(model: LocalModel, text: str) -> list[int]:
    return model.tokens([text + model.turn_end])[0]


def test_right_is_one_and_wrong_or_unreadable_is_minus_one(model: LocalModel) -> None:
    (verdict,), weights = verdict_rewards(RUBRIC, model, VerdictReward())
    written = [ids(model, reply(9, 1)), ids(model, reply(1, 9)), ids(model, "no verdict")]

    assert verdict(completion_ids=written, label=["a", "a", "a"], prompts=[], completions=[]) == [1.0, -1.0, -1.0]
    assert weights == [1.0]


def test_a_reply_that_never_ends_is_wrong_as_it_is_for_the_judge(model: LocalModel) -> None:
    (verdict,), _ = verdict_rewards(RUBRIC, model, VerdictReward())
    unended = model.tokens([reply(9, 1)])[0]

    assert model.reply(unended, 0).text is None
    assert verdict(completion_ids=[unended], label=["a"]) == [-1.0]


def test_what_follows_the_end_of_the_turn_does_not_count(model: LocalModel) -> None:
    (verdict,), _ = verdict_rewards(RUBRIC, model, VerdictReward())
    written = ids(model, reply(9, 1)) + model.tokens([reply(1, 9)])[0]

    assert verdict(completion_ids=[written], label=["a"]) == [1.0]


def test_form_and_margin_are_parts_of_their_own(model: LocalModel) -> None:
    rewards, weights = verdict_rewards(RUBRIC, model, VerdictReward(form=0.2, margin=0.5))
    first = "Score A: 9\nScore B: 1\nVerdict: A\nReasons: they come late"
    written = [ids(model, reply(9, 1)), ids(model, reply(1, 9)), ids(model, first), ids(model, "?")]
    found = [reward(completion_ids=written, label=["a"] * 4) for reward in rewards]

    assert [reward.__name__ for reward in rewards] == ["verdict", "form", "margin"]
    assert weights == [1.0, 0.2, 0.5]
    assert found[1] == [1.0, 1.0, 0.0, 0.0]
    assert found[2] == [0.8, -0.8, 0.8, 0.0]  # |9 - 1| / 10, for and against; nothing where there are no scores


def test_a_right_verdict_loses_where_its_partner_is_wrong() -> None:
    # Two pairs, groups of two: order ab has (+, -), order ba (+, +); then (-, -) and (+, -).
    verdicts = torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0])

    assert both_orders(verdicts, 2, 1.0).tolist() == [1, -1, 1, 0, -1, -1, 0, -1]
    assert both_orders(verdicts, 2, 2.0).tolist() == [1, -1, 1, -1, -1, -1, -1, -1]
    assert both_orders(verdicts, 2, 0.0).tolist() == verdicts.tolist()


def test_labels_turn_with_the_order() -> None:
    assert [label_shown(label, order) for label in ("a", "b", "tie") for order in ("ab", "ba")] == [
        "a", "b", "b", "a", "tie", "tie",
    ]  # fmt: skip
