"""CRE by hand, against the matrix of similarities, and without what was wrong in its release."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.rewards import CREReward, Rollout, information_flow
from judgekit.rewards.cre import contextual_reasoning_entropy as cre


def test_by_hand() -> None:
    """H+ = 1, 3 and H- = 2, 2: d = -1/2, 1/2. With f = 0, 1 the weights are 1/2 and 1 + 1/2 + 1 = 5/2: 1/6 and 5/6.

    log p = -6, -12: CRE = 6/6 + 60/6 = 11.
    """
    assert cre([-6, -12], [1, 3], [2, 2], [0, 1]) == pytest.approx(11)


def test_beta_and_gamma_by_hand() -> None:
    """Without gamma: 1/2 and 3/2, or 1/4 and 3/4: 6/4 + 36/4 = 10.5. Without both: (6 + 12) / 2 = 9."""
    assert cre([-6, -12], [1, 3], [2, 2], [0, 1], gamma=0) == pytest.approx(10.5)
    assert cre([-6, -12], [1, 3], [2, 2], [0, 1], beta=0, gamma=0) == pytest.approx(9)


def test_the_gain_is_clamped() -> None:
    """H- = 0 makes of any H+ a gain of 10: weights 11 and 1; 11/12 * 12 + 1/12 * 24 = 13."""
    assert cre([-12, -24], [5, 1], [0, 1], [0, 0]) == pytest.approx(13)


def test_weights_are_never_negative() -> None:
    """beta = 4, d = -1/2: 1 - 2 < 0, so the unlikely token counts nothing. Released: weights -1 and 1, divided by 0."""
    assert cre([-50, -1], [1, 2], [2, 2], [0, 0], beta=4) == pytest.approx(1)
    assert cre([-4, -2], [1, 1], [2, 2], [0, 0], beta=4) == pytest.approx(3)  # all 0: the plain mean


def row(**changed: Any) -> Rollout:
    columns = {"old_log_probs": [-6, -12], "old_entropy": [1, 3], "entropy_wo_r": [2, 2], "info_flow": [0, 1]}
    return Rollout("p", "x", "g", columns | changed)


def test_the_channel() -> None:
    arrays = {name: np.array(column, dtype=np.float32) for name, column in row().columns.items()}

    assert CREReward()([row(), row(**arrays)]) == pytest.approx([math.exp(-11)] * 2)
    assert CREReward(1, 0)([row()]) == pytest.approx([math.exp(-10.5)])
    assert CREReward(logprobs="lp")([row(lp=[0, 0])]) == [1]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"old_entropy": None}, "the row has no old_entropy"),
        ({"old_log_probs": None, "info_flow": None}, "the row has no old_log_probs, info_flow"),
        ({"info_flow": [0]}, "four numbers for each token"),
        ({"info_flow": [[0, 1]]}, "four numbers for each token"),
        ({name: [] for name in row().columns}, "four numbers for each token"),
        (dict.fromkeys(row().columns, 1.0), "four numbers for each token"),
        ({"info_flow": ["a", "b"]}, "no list of numbers"),
        ({"info_flow": [[1], [1, 2]]}, "no list of numbers"),
        ({"old_entropy": [math.nan, 1]}, "entropies hold what they cannot"),
        ({"old_log_probs": [-math.inf, 0]}, "log-probabilities hold what they cannot"),
        ({"old_log_probs": [0.1, 0]}, "finite and at most 0"),
        ({"entropy_wo_r": [-0.1, 0]}, "without history hold what they cannot: they are finite and at least 0"),
    ],
)
def test_what_is_not_known_has_no_value(changed: dict[str, Any], reason: str) -> None:
    values = CREReward()([row(**changed), row()])

    assert values[0] is None and values[1] is not None and reason in values.reasons[0]


def test_rounding_is_no_fault() -> None:
    assert CREReward()([row(old_log_probs=[1e-8, 0], entropy_wo_r=[-1e-9, 1])]) == [1]


def test_beta_is_a_number() -> None:
    with pytest.raises(InputError, match="finite"):
        CREReward(math.nan)


NUMBERS = st.lists(st.tuples(*[st.floats(0, 5)] * 4), min_size=1, max_size=12)


@given(NUMBERS, st.floats(0, 5), st.floats(0, 5))
def test_it_is_a_mean_of_log_probabilities(rows: list[tuple[float, ...]], beta: float, gamma: float) -> None:
    surprise, plus, minus, flow = map(np.array, zip(*rows, strict=True))
    found = cre(-surprise, plus, minus, flow, beta=beta, gamma=gamma)

    assert min(surprise) - 1e-9 <= found <= max(surprise) + 1e-9


def by_matrix(hidden: np.ndarray[Any, Any]) -> list[float]:
    unit = hidden / np.linalg.norm(hidden, axis=1, keepdims=True)
    similar = np.tril(unit @ unit.T, -1)
    return [max(0.0, float(similar[i].sum()) / max(i, 1)) for i in range(len(hidden))]


def test_the_flow_by_hand() -> None:
    """(1,0), (0,1), (1,1), (-1,-1): 0; cos 0; (1 + 1) / sqrt(2) / 2; (-1 - 1) / sqrt(2) - 1 < 0."""
    assert information_flow([[2, 0], [0, 3], [1, 1], [-1, -1]]) == pytest.approx([0, 0, math.sqrt(0.5), 0])
    assert information_flow([[0, 0], [1, 0]]) == pytest.approx([0, 0])
    assert len(information_flow(np.zeros((0, 3)))) == 0


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 8))
def test_prefix_sums_are_the_matrix(seed: int, length: int, width: int) -> None:
    hidden = np.random.default_rng(seed).normal(0.3, 1, (length, width))
    assert information_flow(hidden) == pytest.approx(by_matrix(hidden))


@pytest.mark.parametrize("pads", [0, 60, 240])
def test_padding_makes_no_difference(pads: int) -> None:
    """Released: 0.54, 0.26 and 0.10 for one text behind 0, 60 and 240 pads."""
    rng = np.random.default_rng(7)
    hidden, padding = rng.normal(0.5, 1, (50, 16)), rng.normal(0, 1, (pads, 16))
    mask = np.r_[np.zeros(pads), np.ones(50)]
    found = information_flow(np.vstack([padding, hidden]), mask)

    assert found[pads:] == pytest.approx(information_flow(hidden)) and not found[:pads].any()
    assert information_flow(np.vstack([hidden, padding]), mask[::-1])[:50] == pytest.approx(found[pads:])


def test_what_stands_in_the_padding_is_not_looked_at() -> None:
    assert information_flow([[math.nan, 0], [1, 0], [1, 0]], [0, 1, 1]) == pytest.approx([0, 0, 1])


@pytest.mark.parametrize(
    ("hidden", "mask"), [([1, 2], None), ([[1], [2]], [1]), ([[math.nan]], None), (3.0, None), ([[[1]]], None)]
)
def test_no_hidden_states(hidden: Any, mask: Any) -> None:
    with pytest.raises(InputError, match="hidden states are"):
        information_flow(hidden, mask)


def test_long_responses_are_fast() -> None:
    begin = time.process_time()
    information_flow(np.ones((9048, 64), dtype=np.float32))

    assert time.process_time() - begin < 3
