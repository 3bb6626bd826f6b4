"""Panels: errors that go together, how many judges they are worth, and what each of them adds."""

from __future__ import annotations

import numpy as np
import pytest

from judgekit.calibration import (
    Bootstrap,
    NotEstimableError,
    effective_judges,
    error_correlation,
    fit_panel,
    judge_worth,
)
from judgekit.errors import InputError


def judged(k: int = 4, n: int = 600, common: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return judges whose errors have a part in common, the human score, and prompts of six items."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 3, n)
    shared = rng.normal(0, 1, n)
    errors = np.sqrt(common) * shared + np.sqrt(1 - common) * rng.normal(0, 1, (k, n))
    return truth + errors, truth, np.arange(n) // 6


def test_errors_by_hand() -> None:
    """Human 1 2 3 4 5 6; e = (1, -2, 1, 1, -2, 1) is at right angles to it and sums to 0.

    Judges human + e, twice that, and human - e. Each is brought to the human's spread by s = sqrt(17.5 / 29.5) = .7702
    (halved for the second): the errors are (s - 1) human +- s e, their squares .0528 * 17.5 + .5932 * 12 = 8.043, and
    the product of the first and the third .924 - 7.119 = -6.195.
    """
    human, e = np.arange(1.0, 7), np.array([1.0, -2, 1, 1, -2, 1])
    judges = np.stack([human + e, 2 * human + 2 * e, human - e])

    found = error_correlation(judges, human)

    assert found[0, 1] == pytest.approx(1)
    assert found[0, 2] == pytest.approx(-6.195 / 8.043, abs=1e-3)
    assert found.diagonal() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize(("common", "expected"), [(0.0, 4.0), (0.5, 4 / 2.5), (0.9, 4 / 3.7)])
def test_the_effective_number_is_kishs(common: float, expected: float) -> None:
    judges, human, groups = judged(4, 20_000, common)
    judges = human + (judges - human) / 4  # small errors: the spread of the judges is that of the truth

    found = effective_judges(judges, human, units=groups, bootstrap=Bootstrap(draws=100))

    assert found.value == pytest.approx(expected, rel=0.07)
    assert found.low is not None and found.low < found.value < found.high


def test_weights_go_where_they_are_earned() -> None:
    judges, human, groups = judged(3)
    judges[2] = np.random.default_rng(1).normal(size=len(human))  # says nothing

    found = fit_panel(judges, human, groups=groups)

    assert found.choice.kind in ("nnls", "stack")
    assert found.weights == pytest.approx([0.5, 0.5, 0], abs=0.06)
    assert found.choice.error.value < 0.75  # one judge has an error of about 1, the mean of two one of .71
    worth = [one.value for one in found.worth]
    assert worth[0] > 0.2 and worth[1] > 0.2 and abs(worth[2]) < 0.05
    assert found.worth[0].low is not None and found.worth[0].low > 0


def test_equals_are_averaged() -> None:
    judges, human, groups = judged(5)

    found = fit_panel(judges, human, groups=groups)

    assert found.choice.kind == "mean"
    assert found.weights == pytest.approx([0.2] * 5, abs=0.01)
    assert found.correlation.shape == (5, 5)


def test_what_is_missing_is_left_out_and_counted() -> None:
    judges, human, groups = judged()
    judges[1, :7] = np.nan
    human[10] = np.nan

    found = fit_panel(judges, human, groups=groups)

    assert found.missing == 8
    assert np.isnan(found.choice.predicted).sum() == 8
    assert "8 items" in found.effective.note
    assert found.worth[0].n == 592


def test_the_worth_of_a_judge_is_what_is_lost_without_it() -> None:
    judges, human, groups = judged(3)
    worth = judge_worth("stack", judges, human, groups=groups)
    twice = judge_worth("stack", np.vstack([judges, judges[:1]]), human, groups=groups)

    assert worth[0].value > 0.1
    assert twice[0].value == pytest.approx(0, abs=0.01)  # its copy is still there


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fit_panel([1.0, 2], [1, 2]), InputError, "two judges"),
        (lambda: fit_panel([[1.0, 2]], [1, 2]), InputError, "two judges"),
        (lambda: fit_panel([[1.0, 2, 3]] * 2, [1, 2, 3], kinds=("isotonic",)), InputError, "one judge"),
        (lambda: error_correlation([[1.0, 2, 3], [2, 2, 2]], [1, 2, 3]), NotEstimableError, "same score: 1"),
        (lambda: error_correlation([[1.0, 2], [2, 1]], [1, 2]), NotEstimableError, "2 items"),
        (lambda: effective_judges([[1.0, 2, 3]] * 2, [1, 2, 3], units=["a"]), InputError, "1 groups"),
    ],
)
def test_bad_input(call: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_the_unit_of_the_labels_does_not_matter() -> None:
    draw = np.random.default_rng(4)
    y = draw.normal(size=50)
    judges = y + draw.normal(size=(3, 50))

    assert error_correlation(judges, y * 1e-9) == pytest.approx(error_correlation(judges, y))
    flawless = error_correlation(np.stack([y, judges[0]]) * 1e-9, y * 1e-9)
    assert np.isnan(flawless[0]).all() and flawless[1, 1] == pytest.approx(1)
