"""References beside the policy's own rollouts: weights and advantages by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from judgekit.config import load  # noqa: E402
from judgekit.errors import ConfigError  # noqa: E402
from judgekit.policy.injection import ReferenceInjection, continuing, standings  # noqa: E402

NONE = math.nan
SQRT = math.sqrt


def injected(*groups: bool, size: int = 4) -> torch.Tensor:
    return torch.tensor([i == size - 1 and there for there in groups for i in range(size)])


def test_the_weight_rises_in_a_line_and_stays() -> None:
    """0.4 s / 15 for s < 15: 0 at the first step, 0.4 * 3 / 15 = 0.08 at the fourth."""
    injection = ReferenceInjection()

    assert [injection.at(step) for step in (0, 3, 15, 400)] == pytest.approx([0, 0.08, 0.4, 0.4])
    assert ReferenceInjection(weight=0.7, warmup_steps=0).at(0) == 0.7


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("weight: 0", "weight: Input should be greater than 0"),
        ("warmup_steps: -1", "warmup_steps: Input should be greater than or equal to 0"),
        ("warm_up: 3", "unknown key 'warm_up'; did you mean 'warmup_steps'?"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "x.yaml").write_text(text)

    with pytest.raises(ConfigError) as error:
        load(tmp_path / "x.yaml", ReferenceInjection)
    assert "x.yaml:1: " in str(error.value) and problem in str(error.value)


def test_by_hand() -> None:
    """Policy 1, 2, 3: mean 2, deviation 1. A reference of 5 leads by 3, and 3 / 1.0001 = 2.9997. It beats all three.

    Policy 0, 1, and one unscored: mean 0.5, deviation sqrt(1/2). A reference of 0.25 trails by 0.25:
    -0.25 / (0.7071 + 0.0001) = -0.3535.
    """
    found = standings(torch.tensor([1, 2, 3, 5, 0, 1, NONE, 0.25]), injected(True, True), 4, "group")

    assert found.lead.tolist() == [3, -0.25]
    assert found.advantage.tolist() == pytest.approx([3 / 1.0001, -0.25 / (SQRT(0.5) + 1e-4)])
    assert found.wins.tolist() == [1, 0]


def test_nothing_is_said_of_a_group_without_a_reference_or_a_score() -> None:
    """The last of a plain group is the policy's own; an unscored reference, and a group of unscored ones, have none."""
    rewards = torch.tensor([1, 2, 3, 5, 1, 2, 3, NONE, NONE, NONE, NONE, 4])
    found = standings(rewards, injected(False, True, True), 4, "group")

    for values in (found.lead, found.advantage, found.wins):
        assert values.isnan().all()


def test_equal_with_the_best_is_no_win() -> None:
    assert standings(torch.tensor([1, 2, 3, 3.0]), injected(True), 4, "group").wins.tolist() == [0]


@pytest.mark.parametrize("equal", [0.0, 0.1, -250.3])
def test_without_a_deviation_the_lead_itself_counts(equal: float) -> None:
    """The formula would give 0.5 / 0.0001 = 5000, and of one score no deviation at all."""
    same = torch.tensor([equal, equal, equal, equal + 0.5])
    alone = torch.tensor([NONE, equal, NONE, equal + 0.5])

    for rewards in (same, alone):
        assert standings(rewards, injected(True), 4, "group").advantage.tolist() == pytest.approx([0.5], abs=1e-4)


def test_the_deviation_of_the_batch_is_that_of_the_policys_own_rollouts() -> None:
    """0, 2, 1 and the plain group 1, 1, 1, 3: mean 9/7, squares 81/49 + 25/49 + 4 * 4/49 + 144/49 = 266/49.

    sigma = sqrt(266 / 49 / 6) = 0.9512; the reference of 9 is 8 above its group's mean of 1. Unscaled it is 8.
    """
    rewards, there = torch.tensor([0, 2, 1, 9, 1, 1, 1, 3.0]), injected(True, False)

    assert standings(rewards, there, 4, "batch").advantage[0].item() == pytest.approx(8 / (SQRT(266 / 294) + 1e-4))
    assert standings(rewards, there, 4, "none").advantage[0].item() == 8


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=3), st.integers(-50, 50), st.integers(-40, 40))
def test_the_reference_has_no_say_in_what_it_is_held_against(policy: list[int], reference: int, more: int) -> None:
    """A reference that is ``more`` higher has ``more / divisor`` more; the divisor is the policy's alone."""
    one = standings(torch.tensor([*policy, reference]).float(), injected(True), 4, "group")
    two = standings(torch.tensor([*policy, reference + more]).float(), injected(True), 4, "group")
    own = torch.tensor(policy).float().std().item()
    divisor = own + 1e-4 if len(set(policy)) > 1 else 1.0

    assert (two.advantage - one.advantage).item() == pytest.approx(more / divisor, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    ("prompt", "reference", "continued"),
    [
        ("<|im_start|>assistant\n", "<think>\nwhy\n</think>\n\nstory", "<think>\nwhy\n</think>\n\nstory"),
        ("<|im_start|>assistant\n<think>\n", "<think>\nwhy\n</think>\n\nstory", "why\n</think>\n\nstory"),
        ("assistant<think>", "<think>\nwhy", "\nwhy"),
        ("assistant<think>\n", "why\n</think>\nstory", "why\n</think>\nstory"),
        ("assistant<think>\n\n</think>\n\n", "story", "story"),
    ],
)
def test_thinking_is_opened_once(prompt: str, reference: str, continued: str) -> None:
    assert continuing(prompt, reference) == continued
