"""Preferences against labels: figures by hand, an oracle for kappa, coverage by simulation, and what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from judgekit.calibration import Bootstrap, Estimate, PairEvaluation, evaluate, paired
from judgekit.errors import InputError
from judgekit.types import Comparison, Pair, Preference, Winner

SIDES = ("a", "b")


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def pairs(*labels: Winner | None, groups: str = "") -> list[Pair]:
    return [
        Pair(Comparison("p", "x", "y", str(i)), label, groups[i] if groups else f"g{i}")
        for i, label in enumerate(labels)
    ]


def said(winner: Winner | None, *votes: Any, **more: Any) -> Preference:
    return Preference(winner, error=None if winner else "unread", votes=tuple(map(tuple, votes)), **more)


def two(ab: Winner, ba: Winner) -> Preference:
    return said(ab if ab == ba else "tie", [ab], [ba])


def values(found: PairEvaluation, *names: str) -> list[float | None]:
    estimates = [getattr(found, name) for name in names]
    return [estimate and estimate.value for estimate in estimates]


def test_accuracy_by_hand() -> None:
    """Right, wrong, a tie (half), no verdict, then a label tie and no label: 1.5 of 3."""
    winners: list[Winner | None] = ["a", "a", "tie", None, "a", "b"]
    found = evaluate(pairs("a", "b", "b", "a", "tie", None), [said(winner) for winner in winners])

    assert found.accuracy is not None and (found.accuracy.value, found.accuracy.n) == (0.5, 3)
    assert (found.pairs, found.labelled, found.tie_labels, found.unlabelled) == (6, 4, 1, 1)
    assert (found.unscored, found.reasons) == (1, {"unread": 1})
    assert found.unscored_share is not None and found.unscored_share.value == pytest.approx(1 / 6)


def test_orders_by_hand() -> None:
    """Four pairs, labels a, a, b, b.

    Order a, b: a a a b -> right 1 1 0 1 = .75. Order b, a: a b b b -> right 1 0 1 1 = .75. Both right: pairs 1 and 4.
    The orders agree on the same two. First shown: a in the first order, b in the second, so
    a+not b = 1/2, 1, 1, 1/2: mean .75. Kappa: agreement 1/2; a: 3/4 and 1/4, b: 1/4 and 3/4, chance
    3/16 + 3/16 = 3/8: (1/2 - 3/8) / (5/8) = 1/5.
    """
    preferences = [two("a", "a"), two("a", "b"), two("a", "b"), two("b", "b")]
    found = evaluate(pairs("a", "a", "b", "b"), preferences)

    assert values(found, "accuracy_ab", "accuracy_ba", "accuracy_both") == [0.75, 0.75, 0.5]
    assert values(found, "agreement", "first_shown") == [0.5, 0.75]
    assert found.kappa is not None and found.kappa.value == pytest.approx(0.2)
    assert found.accuracy is not None and found.accuracy.value == 0.75  # right, tie, tie, right


def test_an_unread_order_is_left_out_of_what_needs_it() -> None:
    preferences = [said(None, ["a"], [None]), two("a", "a"), two("a", "a"), said("a", ["a"])]
    found = evaluate(pairs("a", "a", "b", "a"), preferences)

    counts = {name: getattr(found, name).n for name in ("accuracy_ab", "accuracy_ba", "accuracy_both", "agreement")}
    assert counts == {"accuracy_ab": 4, "accuracy_ba": 2, "accuracy_both": 2, "agreement": 2}


def test_kappa_is_the_one_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    draw = rng()
    ab = draw.choice(["a", "b", "tie"], 300, p=[0.5, 0.3, 0.2])
    ba = np.where(draw.random(300) < 0.5, ab, draw.choice(["a", "b", "tie"], 300))
    found = evaluate(pairs(*["a"] * 300), [two(x, y) for x, y in zip(ab.tolist(), ba.tolist(), strict=True)])

    assert found.kappa is not None
    assert found.kappa.value == pytest.approx(metrics.cohen_kappa_score(ab, ba))
    assert found.kappa.low < found.kappa.value < found.kappa.high


def test_kappa_of_orders_that_always_agree_is_not_certain() -> None:
    """Of 20 groups none disagreed: at most 1 - .025 ** (1/20) = .1684 of them would. Chance is 1/2: 1 - .1684 / .5."""
    found = evaluate(pairs(*["a"] * 20), [two("a", "a"), two("b", "b")] * 10)

    assert found.kappa is not None
    assert (found.kappa.value, found.kappa.high) == (1.0, 1.0)
    assert found.kappa.low == pytest.approx(1 - 0.16843 / 0.5, abs=1e-4)


def test_a_judge_that_always_names_the_first_is_biased_and_nothing_else() -> None:
    found = evaluate(pairs(*["a", "b"] * 10), [two("a", "b")] * 20)

    assert values(found, "accuracy", "first_shown", "agreement", "kappa") == [0.5, 1.0, 0.0, None]
    assert "verdicts" in found.missing["kappa"]


def test_what_cannot_be_estimated_has_its_reason() -> None:
    found = evaluate(pairs("tie", None), [said("a"), said("b")])

    assert values(found, "accuracy", "accuracy_ab", "agreement", "kappa", "ece") == [None] * 5
    assert set(found.missing) == {
        *("accuracy", "accuracy_ab", "accuracy_ba", "accuracy_both", "agreement", "kappa", "first_shown", "ece")
    }
    one = evaluate(pairs("a", "b", groups="xx"), [said("a"), said("a")])
    assert one.accuracy is None and "one group" in one.missing["accuracy"]
    none = evaluate([], [])
    assert none.accuracy is None and none.unscored_share is None and none.pairs == 0


def test_slices_are_looked_at_apart() -> None:
    masks = {"first": np.array([True, True, False, False]), "none": np.zeros(4, dtype=bool)}
    found = evaluate(pairs("a", "a", "b", "a"), [said("a"), said("b"), said("b"), said(None)], masks)

    first, none = found.slices["first"], found.slices["none"]
    assert first.accuracy is not None and (first.accuracy.value, first.pairs, first.unscored) == (0.5, 2, 0)
    assert (none.accuracy, none.pairs) == (None, 0) and "slices none" in found.missing
    with pytest.raises(InputError, match="slice 'short'"):
        evaluate(pairs("a"), [said("a")], {"short": np.zeros(3, dtype=bool)})


def test_the_curve_over_votes_by_hand() -> None:
    """One pair for its label in 2 of 3 votes, one in none: with one vote (2/3 + 0) / 2, with three (1 + 0) / 2."""
    found = evaluate(pairs("a", "b"), [said("a", ["a", "a", "b"]), said("a", ["a", "a", "a"])])

    assert {k: it and it.value for k, it in found.by_votes.items()} == pytest.approx({1: 1 / 3, 2: 0.5 * 2 / 3, 3: 0.5})


def test_the_curve_weighs_what_can_be_read() -> None:
    """Read in one of two draws, then always right; read always, then always wrong: (1/2 * 1 + 1 * 0) / (3/2) = 1/3."""
    found = evaluate(pairs("a", "b"), [said("a", ["a", None]), said("a", ["a", "a"])])

    assert found.by_votes[1] is not None and found.by_votes[1].value == pytest.approx(1 / 3)


def test_margins_are_binned() -> None:
    scores = [(5, 5), (7, 5), (5, 7), (None, 3)]
    preferences = [said("a", scores=s) for s in scores]
    found = evaluate(pairs("a", "b", "a", "a"), preferences)

    assert [(it.low, it.high, it.pairs) for it in found.by_margin] == [(0.0, 0.0, 1), (2.0, 2.0, 2)]
    assert found.by_margin[1].accuracy is not None and found.by_margin[1].accuracy.value == 0.5
    wide = [said("a", scores=(float(i), 0.0)) for i in range(40)]
    assert [it.pairs for it in evaluate(pairs(*["a"] * 40), wide).by_margin] == [10] * 4


def test_reliability_by_hand() -> None:
    """P(winner): .9, .9 (right, wrong), .55 as P(a) = .45 for b (right), a tie at .5 (half).

    Bins: .5-.6 has .55 and .5: |(1 - .55) + (.5 - .5)| = .45; .9: |(1 - .9) + (0 - .9)| = .8; ECE = 1.25 / 4.
    """
    preferences = [
        said("a", probability=0.9),
        said("b", probability=0.1),
        said("b", probability=0.45),
        said("tie", probability=0.5),
        said("a"),
    ]
    found = evaluate(pairs("a", "a", "b", "b", "a"), preferences)

    assert [(it.low, it.high, it.pairs) for it in found.by_probability] == [
        (0.5, pytest.approx(0.55), 2),
        (0.9, 0.9, 2),
    ]
    assert found.ece is not None and (found.ece.value, found.ece.n) == (pytest.approx(1.25 / 4), 4)


def test_the_error_by_chance_is_what_a_calibrated_judge_shows() -> None:
    draw, shown, by_chance = np.random.default_rng(1), [], []
    for _ in range(30):
        sure = draw.uniform(0.5, 1, 200)
        labels = np.where(draw.random(200) < sure, "a", "b").tolist()
        preferences = [said("a", probability=p) for p in sure.tolist()]
        found = evaluate(pairs(*labels), preferences, bootstrap=Bootstrap(draws=100))
        assert found.ece is not None and found.ece_by_chance is not None
        shown.append(found.ece.value)
        by_chance.append(found.ece_by_chance)

    assert np.mean(shown) == pytest.approx(np.mean(by_chance), abs=0.008)


def test_paired_by_hand() -> None:
    """The second is right where the first was wrong in two of three shared pairs, and wrong in none: 2/3.

    Signs of two groups: |+-1 +-1| is 2 in half of the cases: p = 1/2.
    """
    one = [said("b"), said("b"), said("a"), said(None), said("a")]
    two_ = [said("a"), said("a"), said("a"), said("a"), said("a")]
    found = paired(pairs("a", "a", "a", "a", None), one, two_)

    assert found.difference is not None and found.difference.value == pytest.approx(2 / 3)
    assert (found.p, found.pairs, found.left_out) == (0.5, 3, 1)


def test_paired_without_a_difference_is_not_certain_of_it() -> None:
    same = [said("a")] * 20
    found = paired(pairs(*["a", "b"] * 10), same, same)

    assert found.difference is not None and (found.difference.value, found.p) == (0.0, 1.0)
    assert found.difference.high == -found.difference.low == pytest.approx(0.16843, abs=1e-4)


def test_paired_without_common_pairs() -> None:
    found = paired(pairs("a", "b"), [said("a"), said(None)], [said(None), said("a")])

    assert (found.difference, found.p, found.pairs, found.left_out) == (None, None, 0, 2)


def test_one_preference_a_pair() -> None:
    with pytest.raises(InputError, match="2 pairs, but 1 preferences"):
        evaluate(pairs("a", "b"), [said("a")])
    with pytest.raises(InputError, match="1 pairs, but 2 preferences"):
        paired(pairs("a"), [said("a")], [said("a")] * 2)


def judges(draw: np.random.Generator, clusters: int, first: float, second: float) -> tuple:
    """Two judges of these accuracies on the same clusters of 1 to 5 pairs, whose difficulty they share."""
    sizes = draw.integers(1, 6, clusters)
    index = np.repeat(np.arange(clusters), sizes)
    ease = draw.uniform(-0.2, 0.2, clusters)[index]
    known = [Pair(Comparison("p", "x", "y"), "a", str(i)) for i in index.tolist()]
    verdicts = [np.where(draw.random(len(index)) < level + ease, "a", "b").tolist() for level in (first, second)]
    return known, *([said(winner) for winner in winners] for winners in verdicts)


def test_the_paired_interval_covers_and_the_p_is_valid() -> None:
    """200 simulations each way: 95 % of the intervals hold the truth, to .03; p < .05 as seldom as it says."""
    draw, covered, rejected = np.random.default_rng(5), 0, 0
    for run in range(200):
        known, one, other = judges(draw, 40, 0.6, 0.75)
        difference = paired(known, one, other, bootstrap=Bootstrap(draws=300, seed=run)).difference
        assert isinstance(difference, Estimate)
        covered += difference.low <= 0.15 <= difference.high
        known, one, other = judges(draw, 40, 0.7, 0.7)
        p = paired(known, one, other, bootstrap=Bootstrap(draws=100, seed=run)).p
        rejected += p is not None and p <= 0.05

    assert 0.91 <= covered / 200 <= 0.99
    assert rejected / 200 <= 0.05 + 0.03


def test_first_shown_covers() -> None:
    """A judge that names the first in 60 % of all askings; kappa's interval is checked on the same draws: it is 0."""
    draw, first, kappa = np.random.default_rng(6), 0, 0
    for _ in range(120):
        ab, ba = draw.random((2, 60)) < 0.6
        preferences = [two("a" if x else "b", "b" if y else "a") for x, y in zip(ab, ba, strict=True)]
        found = evaluate(pairs(*["a"] * 60), preferences, bootstrap=Bootstrap(draws=200))
        assert found.first_shown is not None and found.kappa is not None
        first += found.first_shown.low <= 0.6 <= found.first_shown.high
        kappa += found.kappa.low <= 0 <= found.kappa.high

    assert 0.9 <= first / 120 <= 0.99
    assert 0.9 <= kappa / 120 <= 0.99
