"""Bradley-Terry on features: against hand arithmetic, an independent fit, and generated stories."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from judgekit import Comparison, InputError, Pair
from judgekit.models.encoder import Encoder
from judgekit.storyworld import World
from judgekit.training import train_classifier
from judgekit.training.bradley_terry import fit
from judgekit.training.classifier import folds


def test_one_feature_by_hand() -> None:
    """3 wins and 1 loss at difference 1, hardly any ridge: logistic(w) = 3/4, so w = ln 3."""
    weights = fit(np.ones((4, 1)), np.array([1.0, 1.0, 1.0, 0.0]), 1e-9)

    assert weights == pytest.approx([math.log(3)], abs=1e-6)


def test_a_tie_is_half_a_win() -> None:
    """1 win and 1 tie: mean outcome 3/4."""
    assert fit(np.ones((2, 1)), np.array([1.0, 0.5]), 1e-9) == pytest.approx([math.log(3)], abs=1e-6)


def test_a_pair_that_counts_twice_is_a_pair_that_stands_twice() -> None:
    """1 win that counts 3 and 1 loss: 3/4 of the weight, so w = ln 3."""
    weights = fit(np.ones((2, 1)), np.array([1.0, 0.0]), 1e-9, np.array([3.0, 1.0]))

    assert weights == pytest.approx([math.log(3)], abs=1e-6)


def test_the_ridge_by_hand() -> None:
    """One win at difference 1: the gradient logistic(w) - 1 + penalty w is 0 at w = 1 for penalty = 1 - logistic(1)."""
    penalty = 1 - 1 / (1 + math.exp(-1))

    assert fit(np.ones((1, 1)), np.array([1.0]), penalty) == pytest.approx([1.0])


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(float, (30, 4), elements=st.floats(-20, 20)), st.integers(0, 2**30), st.floats(0.01, 100))
def test_it_is_sklearns_ridge_logistic(x: np.ndarray, bits: int, penalty: float) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    y = np.array([bits >> i & 1 for i in range(30)], float)
    y[0], y[1] = 0, 1
    other = linear.LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-10, max_iter=10_000).fit(x, y)

    def loss(w: np.ndarray) -> float:
        z = x @ w
        return float(np.logaddexp(0, z).sum() - y @ z + penalty / 2 * w @ w)

    # the optimum is unique, but on a plain a solver may stop a little before it
    assert loss(fit(x, y, penalty)) <= loss(other.coef_[0]) + 1e-6


def test_swapping_pairs_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 3)), (rng.random(50) < 0.7).astype(float)
    sign = np.where(rng.random(50) < 0.5, -1, 1)

    assert fit(x * sign[:, None], np.where(sign < 0, 1 - y, y), 1.0) == pytest.approx(fit(x, y, 1.0), abs=1e-8)


def test_folds_keep_groups_whole() -> None:
    groups = [f"g{i % 23}" for i in range(200)]
    fold = folds(groups, 10, 0)

    assert len({(g, int(f)) for g, f in zip(groups, fold, strict=True)}) == 23
    assert set(fold) == set(range(10))


class Letters(Encoder):
    """A stand-in encoder that costs nothing: the training is under test here, not the encoder."""

    identity = "letters"

    def encode(self, texts):
        return np.array([[1.0 + t.lower().count(c) for c in "abcdefghijklmnopqrstuvwxyz"] for t in texts])


def pair(i: int, label: str | None, group: str = "", a: str = "", b: str = "") -> Pair:
    good, bad = f"A long and winding tale number {i}, {'with many words ' * 8}.", f"Short {i}."
    return Pair(Comparison(f"prompt {i % 6} of the test", a or good, b or bad, str(i)), label, group)


def test_it_learns_what_is_there_to_learn() -> None:
    training = train_classifier([pair(i, "a") for i in range(40)], encoder=Letters(), penalty=1.0)

    assert training.pairs == 40
    assert training.accuracy is not None
    assert training.accuracy.value == 1.0
    assert training.accuracy.clusters == 6


def test_what_cannot_be_used_is_counted() -> None:
    pairs = [*(pair(i, "a") for i in range(20)), pair(20, None), pair(21, "b", a="same", b="same"), pair(22, "tie")]
    training = train_classifier(pairs, encoder=Letters())

    assert training.pairs == 21
    assert training.left_out == {"no label": 1, "the same text on both sides": 1}


def test_one_group_has_no_held_out_accuracy() -> None:
    training = train_classifier([pair(i, "a", group="one") for i in range(10)], encoder=Letters())

    assert training.accuracy is None


@pytest.mark.parametrize("labels", [[None, None], ["tie", "tie"], []])
def test_nothing_to_learn_is_an_error(labels: list) -> None:
    with pytest.raises(InputError, match="no pair says which side is better"):
        train_classifier([pair(i, label) for i, label in enumerate(labels)], encoder=Letters())


@pytest.mark.slow
def test_the_embedded_classifier_beats_chance_on_generated_stories() -> None:
    """Real encoder, real features; on a hundred pairs only clearly better than a coin can be asked."""
    training = train_classifier(World(0, (5, 7)).pairs(120), penalty=30.0)

    assert training.accuracy is not None
    assert training.accuracy.low > 0.5
