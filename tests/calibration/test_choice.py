"""Choosing a map: groups stay whole, the simplest of equals wins, the error is honest."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import NotEstimableError, choose, fit
from judgekit.calibration.choice import SIMPLICITY, Held, folds_of
from judgekit.errors import InputError


def data(curve: object, n: int = 200, noise: float = 0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 10, n)
    return x, curve(x) + rng.normal(0, noise, n), np.arange(n) // 5


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(0, 99))
def test_folds_are_even_and_whole(sizes: list[int], seed: int) -> None:
    """A fold is filled with the largest groups first, so that none is fuller by more than the largest group."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    folds = folds_of(groups, seed)
    filled = np.bincount(folds[groups])

    assert len(folds) == len(sizes)
    assert len(filled) == min(10, len(sizes)) and filled.min() > 0
    assert filled.max() - filled.min() <= max(sizes)


def test_a_line_is_found_where_there_is_one() -> None:
    x, y, groups = data(lambda x: 1 + 0.4 * x)

    found = choose(x, y, groups)

    assert found.kind == "linear"
    assert found.map == fit("linear", x, y)
    assert 0.25 < found.error.value < 0.35  # the noise
    assert (found.error.n, found.error.clusters) == (200, 40)
    kinds = [one.kind for one in found.candidates]
    assert kinds == ["shift", "linear", "ordinal", "isotonic", "pchip", "quantile"]


def test_a_bend_is_found_where_there_is_one() -> None:
    x, y, groups = data(lambda x: np.where(x < 5, 0.1 * x, 2 * x - 9.5))

    assert choose(x, y, groups).kind in ("isotonic", "pchip")


def test_a_kind_that_cannot_be_fitted_says_why() -> None:
    x, y, groups = data(lambda x: x)
    ordinal = next(one for one in choose(x, y, groups).candidates if one.kind == "ordinal")

    assert ordinal.error is None
    assert "100 distinct" in ordinal.note


def test_the_errors_are_those_of_the_plain_loop() -> None:
    """Fitting without each fold, one after another, gives the same predictions; without two, the same choice."""
    x, y, groups = data(lambda x: np.sqrt(x), n=60)
    w = np.arange(60) % 3 + 1.0
    folds = folds_of(groups, 0)[groups]
    kinds = ("linear", "isotonic")
    held = Held.out(kinds, x[None], y, w, groups, None, 0)

    for fold in range(3):
        out = folds == fold
        for k, kind in enumerate(kinds):
            assert held.predicted[k, out] == pytest.approx(fit(kind, x[~out], y[~out], w[~out]).apply(x[out]))
            inner = np.zeros(len(y))
            for other in range(10):
                both = out | (folds == other)
                own = (folds == other) & ~out
                inner[own] = (fit(kind, x[~both], y[~both], w[~both]).apply(x[own]) - y[own]) ** 2 if own.any() else 0
            kept = held.folds != fold
            assert held.once[fold, k, kept] == pytest.approx(np.bincount(groups, w * inner)[kept])


def test_one_standard_error_by_hand() -> None:
    """Four groups of weight 1; errors 2 2 2 2 and 1 1 2 3.5: gaps to the best, 1.875 on average.

    The gaps are 1, 1, 0, -1.5, their mean .125; the squares of what is left sum to 4.1875, the standard error is
    sqrt(4.1875 * 4 / 3) / 4 = .5907: within it the simpler one is taken. With 2.5 more on each it is not.
    """
    held = Held(
        kinds=("shift", "linear"), refused={}, folds=np.arange(4), size=np.ones(4), predicted=np.empty((2, 4)),
        errors=np.array([[2.0, 2, 2, 2], [1, 1, 2, 3.5]]), once=np.empty((4, 2, 4)),
    )  # fmt: skip
    behind, se = held.behind(None)

    assert behind == pytest.approx([0.125, 0])
    assert se == pytest.approx([0.5907, 0], abs=1e-4)
    assert held.pick(None) == 0
    far = np.array([[4.5, 4.5, 4.5, 4.5], [1, 1, 2, 3.5]])
    assert Held(held.kinds, {}, held.folds, held.size, held.predicted, far, held.once).pick(None) == 1


def test_the_error_is_honest() -> None:
    """Of twenty columns of noise a panel's error on its own labels is too small; the honest one is not."""
    rng = np.random.default_rng(0)
    columns, y = rng.normal(size=(20, 120)), rng.normal(size=120)
    found = choose(columns, y, kinds=("covariate", "stack"))
    own = np.sqrt(np.mean((fit("covariate", columns, y).apply(columns) - y) ** 2))

    assert own < 0.95 * y.std()
    assert found.error.value > 0.98 * y.std()
    assert found.kind == "stack" or found.candidates[0].behind <= found.candidates[0].behind_se


def test_a_group_is_never_split() -> None:
    """Each group has a level of its own, and the score names the group: only leaking it would help."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 10)
    y = rng.normal(size=20)[groups]
    x = groups + rng.normal(0, 0.01, 200)

    whole, split = choose(x, y, groups, kinds=("quantile", "isotonic")), choose(x, y, kinds=("quantile", "isotonic"))

    assert whole.error.clusters == 20
    assert split.error.clusters == 200
    assert np.isfinite(whole.predicted).all()
    assert whole.error.value > 0.9 * y.std()


def test_what_is_missing_stays_missing_and_is_counted() -> None:
    x, y, groups = data(lambda x: x)
    x[3], y[10] = np.nan, np.nan
    found = choose(x, y, groups, kinds=("shift", "linear"))

    assert np.flatnonzero(np.isnan(found.predicted)).tolist() == [3, 10]
    assert found.map.missing == 2 and found.map.n == 198


def test_probabilities_get_maps_of_probabilities() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(400)
    found = choose(p, (rng.random(400) < p).astype(float))

    assert {one.kind for one in found.candidates} == {"linear", "platt", "isotonic", "pchip", "beta"}


def test_the_same_seed_gives_the_same_choice() -> None:
    x, y, groups = data(lambda x: x)

    one, two = (choose(x, y, groups, kinds=("linear", "isotonic")) for _ in range(2))

    assert one.error == two.error and (one.predicted == two.predicted).all()


def test_every_kind_has_its_place() -> None:
    assert len(set(SIMPLICITY)) == 12


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: choose([1.0, 2, 3], [1, 2, 3], ["a", "a", "b"]), NotEstimableError, "2 groups"),
        (lambda: choose([math.nan, 2], [1, math.nan]), NotEstimableError, "^0 groups"),
        (lambda: choose([1.0, math.nan], [1, 2]), NotEstimableError, "^1 groups"),
        (lambda: choose([1.0, 1, 1, 1], [1, 2, 3, 4], kinds=["linear"]), NotEstimableError, "same score"),
        (lambda: choose([1.0, 2], [1, 2, 3]), InputError, "one length"),
        (lambda: choose([1.0, 2, 3], [1, 2, 3], kinds=["spline"]), InputError, "spline"),
        (lambda: choose([1.0, 2, 3], [1, 2, 3], kinds=[]), InputError, "one kind of map at least"),
    ],
)
def test_bad_input(call: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
