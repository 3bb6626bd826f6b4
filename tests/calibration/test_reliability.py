"""Repeats: by hand, against the ANOVA, with missing cells, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError
from judgekit.calibration.reliability import flip_rate, retest_icc, variance_components

NAN = float("nan")
FAST = Bootstrap(draws=100)


def test_icc_by_hand() -> None:
    """Items 1 3 / 5 7 / 9 11: means 2 6 10, between 2 * (16 + 16) / 2 = 32, within 6 / 3 = 2: 30 / 34."""
    found = retest_icc([[1, 5, 9, 4], [3, 7, 11, NAN]])

    assert found.value == pytest.approx(30 / 34)
    assert found.n == 3


def test_icc_of_unequal_repeats_by_hand() -> None:
    """0 0 0 / 2 2 / 4 6, N 7: mean 2; between 3*4 + 0 + 2*9 = 30 / 2; within 2 / 4; m = (7 - 17/7) / 2 = 16/7."""
    found = retest_icc([[0, 2, 4], [0, 2, 6], [0, NAN, NAN]])

    assert found.value == pytest.approx((15 - 0.5) / (15 + (16 / 7 - 1) * 0.5))


def test_icc_may_be_negative() -> None:
    assert retest_icc([[0, 2, 0, 2], [2, 0, 2, 0]]).value == pytest.approx(-1)


def test_flips_by_hand() -> None:
    """a a b: 2 of 3 pairs differ; a a: none; a and b: all; one alone says nothing. (2/3 + 0 + 1) / 3."""
    found = flip_rate([["a", "a", "a", "b"], ["a", "a", None, None], ["b", None, "b", None]])

    assert found.value == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert found.n == 3
    assert flip_rate(np.array([[1, 1, 0], [1, NAN, 1], [0, 1, NAN]])).value == found.value


def test_no_flips_are_no_certainty() -> None:
    """20 items without a flip: at most 1 - .025^(1/20) = .168."""
    assert flip_rate(np.ones((2, 20))).high == pytest.approx(0.168, abs=1e-3)


def test_components_by_hand() -> None:
    """0 2 4 and 1 3 8: items .5 2.5 6, templates 2 and 4, mean 3. Squares: items 2 (6.25 + .25 + 9) = 31 / 2, templates
    3 (1 + 1) = 6, all 40, residual 3 / 2. Item (15.5 - 1.5) / 2 = 7, template (6 - 1.5) / 3 = 1.5."""
    found = variance_components([[0, 2, 4], [1, 3, 8]], bootstrap=FAST)

    assert (found.item.value, found.template.value, found.residual.value) == pytest.approx((7, 1.5, 1.5))
    assert found.shares == pytest.approx((0.7, 0.15, 0.15)) and found.scores == 6
    assert found.reliability(1) == pytest.approx(0.7)
    assert found.reliability(2, absolute=False) == pytest.approx(7 / (7 + 0.75))
    # .9 / .1 * 3 / 7 = 3.86, and without the template 1.93
    assert (found.repeats_for(0.9), found.repeats_for(0.9, absolute=False)) == (4, 2)
    assert found.reliability(4) >= 0.9 > found.reliability(3)


def test_a_negative_component_is_reported_and_has_no_share() -> None:
    found = variance_components([[0, 2, 0, 2], [2, 0, 2, 0]], bootstrap=FAST)

    assert found.item.value < 0 and found.shares[0] == 0
    assert found.reliability(9) == 0
    with pytest.raises(NotEstimableError, match="no number of repeats"):
        found.repeats_for(0.9)


def test_missing_cells_do_not_move_the_components() -> None:
    """Variances 1, .25 and .5, a quarter of the cells missing; 40 templates, so that theirs can be seen."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=400) + 0.5 * rng.normal(size=(40, 1)) + np.sqrt(0.5) * rng.normal(size=(40, 400))
    some = np.where(rng.random(scores.shape) < 0.25, NAN, scores)
    full, part = (variance_components(each, bootstrap=FAST) for each in (scores, some))

    for name, truth in (("item", 1), ("template", 0.25), ("residual", 0.5)):
        assert getattr(part, name).value == pytest.approx(getattr(full, name).value, rel=0.08)
        assert getattr(part, name).value == pytest.approx(truth, rel=0.3)


def test_least_squares_expectations() -> None:
    """Unbiased with missing cells: the mean over 100 small tables is the truth, give or take 4 standard errors."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(100):
        scores = rng.normal(size=12) + rng.normal(size=(4, 1)) + rng.normal(size=(4, 12))
        scores[rng.random(scores.shape) < 0.3] = NAN
        one = variance_components(scores, bootstrap=Bootstrap(draws=100, method="percentile"))
        found.append([one.item.value, one.template.value, one.residual.value])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / 10

    assert (np.abs(mean - 1) < 4 * error).all()


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (lambda: retest_icc([[1, 2, 3]]), "only 0 items"),
        (lambda: retest_icc(np.ones((2, 5))), "all scores are equal"),
        (lambda: flip_rate([["a", "b"], ["a", "b"]]), "only 2 items"),
        (lambda: variance_components([[1, 2, 3]]), "two templates"),
        (lambda: variance_components([[1, 2, 3, NAN], [NAN, NAN, NAN, 1]]), "two templates or more"),
        (lambda: variance_components(np.ones((2, 5))), "all scores are equal"),
    ],
)
def test_not_estimable(run: object, why: str) -> None:
    with pytest.raises(NotEstimableError, match=why):
        run()  # type: ignore[operator]


def test_bad_input() -> None:
    with pytest.raises(InputError, match="shape"):
        retest_icc([1, 2])  # type: ignore[list-item]
    with pytest.raises(InputError, match="between 0 and 1"):
        variance_components([[0, 2, 4], [1, 3, 8]], bootstrap=FAST).repeats_for(1)
