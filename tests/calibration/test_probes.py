"""Each probe by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError
from judgekit.calibration import probes as p
from judgekit.calibration.halo import halo
from judgekit.calibration.humans import Humans
from judgekit.calibration.partial import partial, slope
from judgekit.calibration.templates import template_sensitivity

HOW = (None, Bootstrap(draws=100), 0.2)
LARGE = (np.arange(4000) % 50, *HOW[1:])
NAN = float("nan")


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def test_position_by_hand() -> None:
    """Two pairs stay, one goes with the first both times (1 - 1/2), one ties and then does (3/4 - 1/2)."""
    found = p.position([[1, 1], [0, 0], [1, 0], [0.5, 0], [NAN, 1]], *HOW)

    assert found.points.value == pytest.approx((0 + 0 + 1 / 2 + 1 / 4) / 4)
    assert found.effect.value == 2 * found.points.value
    assert found.left_out == 1


def test_padding_and_severity_by_hand() -> None:
    """1, 2, 3 has the standard deviation sqrt(2/3); padded they gain 0, 1 and 2, a mean of 1."""
    plain = array(1, 2, 3, NAN)
    padded = p.padding(plain, array(1, 3, 5, 4), *HOW)
    lenient = p.severity(array(1, 3, 5, 4), Humans.of([plain]), *HOW)

    assert padded.points.value == lenient.points.value == pytest.approx(1)
    assert padded.effect.value == lenient.effect.value == pytest.approx(1 / math.sqrt(2 / 3))
    assert padded.left_out == lenient.left_out == 1


def test_spread_by_hand() -> None:
    """The judge's variance is 2/3; that of the single ratings 0 0 2 2 4 4 is 8/3: half the standard deviation."""
    found = p.spread(array(1, 2, 3), Humans.of([[0, 2, 4], [0, 2, 4]]), *HOW)

    assert found.points.value == pytest.approx(-0.5)
    assert found.effect.value == pytest.approx(math.log(0.5))


def test_spread_is_held_against_single_raters() -> None:
    """Two raters who disagree spread more than their mean, which says 0, 1, 2: squares around 1 of -1 1 0 2 1 3 are
    10 / 6, the judge's 2 / 3. (Severity: none, since each is above the other by turns.)"""
    found = p.spread(array(0, 1, 2), Humans.of([[-1, 2, 1], [1, 0, 3]]), *HOW)
    cells = Humans.of([[-1, 2, 1], [1, 0, 3]]).cells

    assert found.effect.value == pytest.approx(math.log((2 / 3) / cells.var()) / 2)


def test_heaping_by_hand() -> None:
    """Judge: 2 of 4 round; humans: 1 of 4."""
    found = p.heaping(array(1, 2, 2.5, 3.5), [[1, 1.5, 2.5, NAN], [NAN, NAN, NAN, 0.5]], 1, *HOW)

    assert found.points.value == pytest.approx(1 / 2 - 1 / 4)
    assert found.effect.value == pytest.approx(2 * math.asin(math.sqrt(1 / 2)) - 2 * math.asin(math.sqrt(1 / 4)))


def test_slope_by_hand() -> None:
    """Quality 0 1 2 3 seen without noise by two raters: the judge's 0 2 4 6 has the slope 2."""
    found = slope(array(0, 2, 4, 6), Humans.of([[0, 1, 2, 3]] * 2), *HOW)

    assert found.points.value == pytest.approx(1)


def test_slope_is_not_flattened_by_noise() -> None:
    rng = np.random.default_rng(0)
    quality = rng.normal(size=4000)
    people = Humans.of(quality + rng.normal(size=(2, 4000)))
    plain = np.polyfit(people.mean, quality, 1)[0]

    assert plain == pytest.approx(1 / 1.5, abs=0.04)  # what noise does: 1 / (1 + 1/2)
    assert slope(quality, people, *LARGE).points.value == pytest.approx(0, abs=0.08)


def test_partial_by_hand() -> None:
    """judge = 2 quality + 3 x, raters agree: the points are 3; standardised 3 sd(x) / sd(judge)."""
    quality, x = array(0, 1, 2, 3, 4), array(1, 0, 3, 5, 2)
    found = partial("x", 2 * quality + 3 * x, Humans.of([quality, quality]), x, *HOW, unit="points")
    yes = array(0, 1, 1, 0, 1)
    binary = partial("x", 2 * quality + 3 * yes, Humans.of([quality, quality]), yes, *HOW, unit="points")

    assert found.points.value == pytest.approx(3)
    assert found.effect.value == pytest.approx(3 * x.std() / (2 * quality + 3 * x).std())
    assert binary.effect.value == pytest.approx(3 / (2 * quality + 3 * yes).std())


def test_what_goes_with_quality_is_no_bias() -> None:
    """Good texts are long and the raters noisy. Plain regression on their mean calls length a bias; it is none."""
    rng = np.random.default_rng(1)
    n = 4000
    quality = rng.normal(size=n)
    length, judge = quality + rng.normal(size=n), quality + rng.normal(size=n)
    people = Humans.of(quality + rng.normal(size=(2, n)))
    plain = np.linalg.lstsq(np.column_stack([np.ones(n), people.mean, length]), judge, rcond=None)[0][2]

    assert plain > 0.15
    assert partial("length", judge, people, length, *LARGE, unit="").points.value == pytest.approx(0, abs=0.08)


def test_halo_by_hand() -> None:
    """The judge's two criteria are one; a rater's correlate as 0 1 2 with 0 2 1: 1 / 2."""
    one = array(0, 1, 2)
    found = halo(np.column_stack([one, one]), np.array([np.column_stack([one, [0, 2, 1]])]), *HOW)

    assert found.points.value == pytest.approx(1 / 2)
    assert found.effect.value == pytest.approx(math.atanh(0.9999) - math.atanh(0.5))


def test_halo_of_three_criteria_is_numpys() -> None:
    rng = np.random.default_rng(2)
    judge, human = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    mean = [np.corrcoef(x.T)[np.triu_indices(3, 1)].mean() for x in (judge, human)]

    assert halo(judge, human[None], *HOW).points.value == pytest.approx(mean[0] - mean[1])


def test_two_templates_are_a_paired_t_test() -> None:
    """With two templates, F is the square of t, and the spread of the means is |difference| / sqrt(2)."""
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(2, 25)) + np.array([[0.9], [0]])
    found = template_sensitivity(scores, *HOW)
    difference = scores[0] - scores[1]

    assert found.p == pytest.approx(stats.ttest_rel(*scores).pvalue)
    value = math.sqrt(max(0, (difference.mean() ** 2 - stats.sem(difference) ** 2) / 2))
    assert found.points.value == pytest.approx(value)
    assert found.effect.value == pytest.approx(value / scores.mean(0).std())
    assert found.points.low < found.points.value < found.points.high


def test_templates_without_a_shift_have_the_lower_end_0() -> None:
    scores = np.random.default_rng(4).normal(size=(3, 100))

    assert template_sensitivity(scores, *HOW).effect.low == 0


GOOD = Humans.of([[1, 2, 3, 4], [1, 2, 4, 4]])


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (lambda: p.padding(array(1, 1, 1), array(1, 2, 3), *HOW), "judge's scores are all equal"),
        (lambda: p.severity(array(1, 2, 3), Humans.of([[2, 2, 2]]), *HOW), "human means are all equal"),
        (lambda: p.severity(array(1, 2, NAN), Humans.of([[1, 2, 3]]), *HOW), "only 2 items"),
        (lambda: p.heaping(array(1, 2, 3), [[1, 2, 3]], 1, *HOW), "no judge can heap beyond"),
        (lambda: slope(array(1, 2, 3), Humans.of([[1, 2, 3]]), *HOW), "two raters"),
        (lambda: slope(array(1, 2, 3, 4), Humans.of([[1, 2, 1, 2], [2, 1, 2, 1]]), *HOW), "agree too little"),
        (lambda: partial("x", array(1, 2, 3, 4), GOOD, np.ones(4), *HOW, unit=""), "covariate are all equal"),
        (lambda: template_sensitivity([[1, 2, 3]], *HOW), "two templates"),
        (lambda: template_sensitivity([[1, 2, 3], [1, 2, 3]], *HOW), "differ by the same"),
    ],
)
def test_not_estimable(run: object, why: str) -> None:
    with pytest.raises(NotEstimableError, match=why):
        run()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (lambda: p.position([[2, 0]], *HOW), "between 0 and 1"),
        (lambda: p.position([1, 0], *HOW), "shape"),
        (lambda: p.padding(array(1, 2, 3), array(1, 2), *HOW), r"of \[2, 3\] items"),
        (lambda: p.heaping(array(1, 2, 3), [[1, 2, 3]], 0, *HOW), "above 0"),
        (lambda: halo(np.ones((3, 1)), np.ones((1, 3, 1)), *HOW), "two criteria"),
    ],
)
def test_bad_input(run: object, why: str) -> None:
    with pytest.raises(InputError, match=why):
        run()  # type: ignore[operator]
