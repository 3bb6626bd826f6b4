"""Hand-computed shaping, the published UCAS loop as an oracle, and TRL's own advantages."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from judgekit.training.shaping import (
    Shaping,
    entropy_weights,
    group_advantages,
    quadrants,
    ucas_response,
    ucas_tokens,
    unit_ranks,
)

floats = st.floats(-5, 5, allow_nan=False, width=32)


def test_ranks_go_from_0_to_1_and_ties_share() -> None:
    assert unit_ranks(torch.tensor([3.0, 1.0, 2.0])).tolist() == [1.0, 0.0, 0.5]
    # Of five: 1 is first (0/4), the three 2s hold places 1, 2, 3 and share 2/4, 9 is last.
    assert unit_ranks(torch.tensor([2.0, 1.0, 2.0, 9.0, 2.0])).tolist() == [0.5, 0.0, 0.5, 1.0, 0.5]
    assert unit_ranks(torch.tensor([7.0])).tolist() == [0.0]


def test_confident_errors_and_uncertain_right_verdicts_weigh_most() -> None:
    entropy = torch.tensor([0.1, 0.1, 2.0, 2.0])  # ranks: .5/3, .5/3, 2.5/3, 2.5/3
    right = torch.tensor([True, False, True, False])

    # .5 + 1 * h where right, .5 + 1 * (1 - h) where wrong, h = 1/6 or 5/6
    assert entropy_weights(entropy, right, 0.5, 1.5).tolist() == pytest.approx([2 / 3, 4 / 3, 4 / 3, 2 / 3])


@given(st.lists(st.tuples(floats, st.booleans()), min_size=1, max_size=20))
def test_weights_stay_in_their_bounds_and_do_not_depend_on_units(rows: list[tuple[float, bool]]) -> None:
    entropy = torch.tensor([e for e, _ in rows])
    right = torch.tensor([r for _, r in rows])
    weights = entropy_weights(entropy, right, 0.5, 1.5)

    assert ((weights >= 0.5) & (weights <= 1.5)).all()
    assert torch.equal(weights, entropy_weights(entropy * 4, right, 0.5, 1.5))


def test_group_advantages_by_hand() -> None:
    rewards = torch.tensor([1.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0])
    # Group 1: mean -.5, sum of squares 1.5^2 + 3 * .5^2 = 3, sd = sqrt(3 / 3) = 1. Group 2 is all equal.
    expected = [1.5 / 1.0001, -0.5 / 1.0001, -0.5 / 1.0001, -0.5 / 1.0001, 0, 0, 0, 0]

    assert group_advantages(rewards, 4, "group").tolist() == pytest.approx(expected)
    assert group_advantages(rewards, 4, "none").tolist() == [1.5, -0.5, -0.5, -0.5, 0, 0, 0, 0]
    # Of the batch: mean 1/4, five 1s and three -1s: sd = sqrt((5 * .75^2 + 3 * 1.25^2) / 7) = sqrt(7.5 / 7)
    assert group_advantages(rewards, 4, "batch")[0].item() == pytest.approx(1.5 / (math.sqrt(7.5 / 7) + 1e-4))


def test_on_rewards_a_mastered_group_gets_advantages_on_advantages_it_does_not() -> None:
    right, entropy = torch.ones(4, dtype=torch.bool), torch.tensor([0.1, 0.2, 0.3, 0.4])
    weights = entropy_weights(entropy, right, 0.5, 1.5)

    assert (group_advantages(torch.ones(4), 4, "group") * weights).tolist() == [0, 0, 0, 0]
    shaped = group_advantages(torch.ones(4) * weights, 4, "group")
    assert shaped[0] < 0 < shaped[3]  # the most certain is pushed down, the least certain up


def test_ucas_by_hand() -> None:
    advantages = torch.tensor([1.0, -1.0])
    certainty = torch.tensor([3.0, 1.0])  # mean 2, sd sqrt(2): z = 1 / (1.41421 + 1e-6), and its negative
    z = 1 / (math.sqrt(2) + 1e-6)

    expected = [math.exp(-0.25 * z), -math.exp(0.35 * -z)]
    assert ucas_response(advantages, certainty, 2).tolist() == pytest.approx(expected)


def test_ucas_takes_from_confident_tokens_and_never_turns_a_positive_advantage() -> None:
    logits = torch.tensor([[0.0, 10.0], [5.0, 99.0]])
    mask = torch.tensor([[1, 1], [1, 0]])
    shaped = ucas_tokens(torch.tensor([0.02, -1.0]), logits, mask, torch.tensor(0.0), torch.tensor(10.0))

    # 0.02 - 0.05 * 0 = 0.02; 0.02 - 0.05 * 1 is below 0; -1 - 0.05 * 0.5; the last token is padding
    assert shaped.flatten().tolist() == pytest.approx([0.02, 0.0, -1.025, 0.0], abs=1e-6)


def test_ucas_puts_equal_logits_in_the_middle() -> None:
    one = torch.tensor(2.0)
    shaped = ucas_tokens(torch.tensor([-1.0]), torch.full((1, 2), 2.0), torch.ones(1, 2), one, one)

    assert shaped.tolist() == [[pytest.approx(-1.025)] * 2]


@settings(deadline=None)
@given(st.integers(1, 3), st.integers(2, 4), st.integers(0, 10_000))
def test_ucas_equals_the_loop_over_its_definition(groups: int, size: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    n, length = groups * size, 5
    rewards = torch.randint(0, 2, (n,), generator=generator) * 2.0 - 1
    tokens = torch.rand(n, length, generator=generator) * 3
    logits = torch.randn(n, length, generator=generator) * 4
    mask = (torch.arange(length) < torch.randint(1, length + 1, (n, 1), generator=generator)).int()
    inside = logits[mask.bool()]
    shaped = ucas_response(group_advantages(rewards, size, "group"), (tokens * mask).sum(1), size)
    ours = ucas_tokens(shaped, logits, mask, inside.min(), inside.max())

    for i in range(n):
        group = slice(i // size * size, i // size * size + size)
        r, c = rewards[group], (tokens * mask).sum(1)[group]
        advantage = (rewards[i] - r.mean()) / (r.std() + 1e-4)
        z = (c[i % size] - c.mean()) / (c.std() + 1e-6)
        first = advantage * torch.exp(-0.25 * z if advantage > 0 else 0.35 * z)
        for t in range(length):
            place = (logits[i, t] - inside.min()) / (inside.max() - inside.min() + 1e-6)
            place = torch.tensor(0.5) if torch.isclose(inside.max(), inside.min()) else place
            value = (first - 0.05 * place) * mask[i, t]
            value = value.clamp(min=0) if first > 0 else value
            assert ours[i, t].item() == pytest.approx(value.item(), abs=1e-5)


def test_quadrants_count_every_reply_once() -> None:
    entropy = torch.tensor([0.1, 0.2, 0.8, 0.9])
    right = torch.tensor([True, False, False, True])

    assert quadrants(entropy, right) == {
        "confident_right": 1,
        "confident_wrong": 1,
        "uncertain_right": 1,
        "uncertain_wrong": 1,
    }


def test_bounds_must_be_in_order() -> None:
    with pytest.raises(ValidationError, match="low must be below high"):
        Shaping(kind="entropy", low=2, high=1)
