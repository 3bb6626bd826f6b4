"""The alternative annotator test: by hand, against a plain loop with scipy's t, and its error rate by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, alt_test

stats = pytest.importorskip("scipy.stats")
FEW = Bootstrap(draws=100)
NAN = math.nan


def test_by_hand() -> None:
    """Left out the first: its colleague says a b b a. It has a b a a: right 1 1 0 1; the judge has a b b b: 1 1 1 0.

    d is 0 0 -1 1, mean 0, variance 2/3, so t = -.2 / sqrt(1/6) = -.4899 with 3 degrees of freedom.
    """
    people = [["a", "b", "a", "a"], ["a", "b", "b", "a"]]
    found = alt_test(["a", "b", "b", "b"], people, 0.2, least=4, bootstrap=FEW)
    first = found.annotators[0]

    assert (first.judge_wins, first.human_wins) == (0.75, 0.75)
    assert first.p == pytest.approx(stats.t.cdf(-0.2 / math.sqrt(1 / 6), 3))
    assert (found.winning_rate, found.passed, found.items) == (0, False, 4)


def test_root_mean_square_by_hand() -> None:
    """Others 1 and 5. A human at 3: root of (4 + 4) / 2 = 2; a judge at 2: root of (1 + 9) / 2 = 2.236, farther."""
    people = [[3.0] * 4, [1.0] * 4, [5.0] * 4]
    found = alt_test([2.0] * 4, people, 0.2, "neg_rmse", least=4, bootstrap=FEW)

    assert found.annotators[0].judge_wins == 0 and found.annotators[0].human_wins == 1


def test_all_alike_have_an_exact_p() -> None:
    """30 times no difference, where it would be epsilon = .2 on average: at most .8 ** 30."""
    people = [["a", "b"] * 15, ["a", "b"] * 15]
    found = alt_test(["a", "b"] * 15, people, 0.2, bootstrap=FEW)

    assert [annotator.p for annotator in found.annotators] == pytest.approx([0.8**30] * 2)
    assert found.winning_rate == 1 and found.curve[0] == (0.0, 0.0) and found.curve[-1] == (0.5, 1.0)


def by_the_paper(judge: np.ndarray, people: np.ndarray, epsilon: float, score: str) -> tuple[float, float]:
    """A plain loop after the paper's section 3."""

    def near(value: float, others: np.ndarray) -> float:
        return float(np.mean(others == value)) if score == "accuracy" else -math.sqrt(np.mean((others - value) ** 2))

    p, wins = [], []
    for row, own in enumerate(people):
        d, won = [], []
        for i in np.flatnonzero(~np.isnan(own) & ~np.isnan(judge)):
            others = np.delete(people[:, i], row)
            others = others[~np.isnan(others)]
            if len(others):
                h, f = near(own[i], others), near(judge[i], others)
                won.append(f >= h - 1e-9)
                d.append(int(h >= f - 1e-9) - int(won[-1]))
        p.append(stats.ttest_1samp(d, epsilon, alternative="less").pvalue)
        wins.append(np.mean(won))
    m, order = len(p), np.sort(p)
    fits = [i for i in range(1, m + 1) if order[i - 1] <= i * 0.05 / (m * sum(1 / k for k in range(1, m + 1)))]
    return max(fits, default=0) / m, float(np.mean(wins))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["accuracy", "neg_rmse"]), st.sampled_from([0.05, 0.2, 0.3]))
def test_a_plain_loop_says_the_same(seed: int, score: str, epsilon: float) -> None:
    rng = np.random.default_rng(seed)
    t = rng.integers(0, 5, 60)
    people = np.clip(t + rng.integers(-1, 2, (4, 60)), 0, 4).astype(float)
    judge = np.clip(t + rng.integers(-1, 2, 60), 0, 4).astype(float)
    people[rng.random(people.shape) < 0.2] = NAN
    judge[rng.random(60) < 0.1] = NAN
    found = alt_test(judge, people, epsilon, score, least=2, bootstrap=FEW)

    assert (found.winning_rate, found.advantage.value) == pytest.approx(by_the_paper(judge, people, epsilon, score))


def test_labels_numbers_and_a_similarity_agree() -> None:
    rng = np.random.default_rng(2)
    numbers = rng.integers(0, 3, (4, 50)).astype(float)
    numbers[1, :20] = NAN
    labels = np.where(np.isnan(numbers), None, np.array(["x", "y", "z"])[np.nan_to_num(numbers).astype(int)])
    found = [
        alt_test(numbers[0], numbers[1:], 0.1, bootstrap=FEW),
        alt_test(labels[0], labels[1:], 0.1, bootstrap=FEW),
        alt_test(labels[0], labels[1:], 0.1, lambda a, b: float(a == b), bootstrap=FEW),
    ]

    assert found[0] == found[1] == found[2]


def test_copies_in_a_cluster_are_no_evidence() -> None:
    rng = np.random.default_rng(3)
    people, judge = rng.integers(0, 3, (3, 40)).astype(float), rng.integers(0, 3, 40).astype(float)
    once = alt_test(judge, people, 0.3, bootstrap=FEW)
    clusters = np.repeat(np.arange(40), 5)
    many = alt_test(np.repeat(judge, 5), np.repeat(people, 5, axis=1), 0.3, units=clusters, bootstrap=FEW)

    assert [a.p for a in many.annotators] == pytest.approx([a.p for a in once.annotators])
    assert (many.annotators[0].items, many.annotators[0].clusters) == (200, 40)


def test_what_is_left_out_is_counted() -> None:
    people = np.ones((3, 40))
    people[2, 10:] = NAN  # ten items, fewer than 30
    people[1, 35:] = NAN  # five items with one annotator
    found = alt_test(np.ones(40), people, 0.1, bootstrap=FEW)

    assert (len(found.annotators), found.left_out, found.items, found.dropped) == (2, 1, 35, 5)


@pytest.mark.parametrize(
    ("judge", "people", "epsilon", "score", "error", "message"),
    [
        ([1.0] * 40, [[1.0] * 40], 0.1, "accuracy", NotEstimableError, "none of 1 annotators"),
        ([1.0] * 9, [[1.0] * 9] * 2, 0.1, "accuracy", NotEstimableError, "has 30 items"),
        ([1.0] * 40, [[1.0] * 40] * 2, 1.0, "accuracy", InputError, "epsilon"),
        (["a"] * 40, [["a"] * 40] * 2, 0.1, "neg_rmse", InputError, "of numbers"),
        ([1.0] * 39, [[1.0] * 40] * 2, 0.1, "accuracy", InputError, "of shape"),
    ],
)
def test_refusals(judge: list, people: list, epsilon: float, score: str, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        alt_test(judge, people, epsilon, score, bootstrap=FEW)


@pytest.mark.slow
def test_the_clustered_test_keeps_its_error_rate() -> None:
    """Annotators agree wholly; the judge is wrong in a quarter of 30 texts, in all 5 criteria of each: epsilon itself.

    A test at 5 % should find the judge ahead in so many of 2,000 data sets; one blind to the texts does so far oftener.
    """
    rng, epsilon, won = np.random.default_rng(6), 0.25, np.zeros(2)
    clusters = np.repeat(np.arange(30), 5)
    people = np.ones((2, 150))
    for _ in range(2000):
        judge = 1.0 - np.repeat(rng.random(30) < epsilon, 5)
        for which, units in enumerate((clusters, None)):
            found = alt_test(judge, people, epsilon, units=units, bootstrap=FEW)
            won[which] += found.annotators[0].p < 0.05
    assert won[0] / 2000 < 0.08
    assert won[1] / 2000 > 0.15
