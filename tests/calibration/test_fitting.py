"""Fitted maps: lines by hand, and every solver against scipy, scikit-learn or statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import Linear, Logistic, NotEstimableError, Ordinal, fit
from judgekit.calibration.gram import Gram, nonnegative, ridge
from judgekit.errors import InputError

X, Y = [1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 4.0, 4.0]
SEEDS = st.integers(0, 10**6)


def series(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(3, 1, n), rng.integers(0, 3))
    return x, np.clip(np.round(0.7 * x + 1 + rng.normal(0, 0.8, n)), 1, 5)


def test_lines_by_hand() -> None:
    """Means 2.5 and 3; slope = (-1.5*-1 + -.5*-1 + .5*1 + 1.5*1) / 5 = 4 / 5; intercept 3 - .8 * 2.5 = 1."""
    line = fit("linear", X, Y)
    shift = fit("shift", X, Y)

    assert isinstance(line, Linear) and isinstance(shift, Linear)
    assert (line.intercept, *line.slopes) == pytest.approx((1, 0.8))
    assert (shift.intercept, *shift.slopes) == pytest.approx((0.5, 1))
    assert (line.scale, line.support, line.n) == ((2, 4), ((1, 4),), 4)


def test_what_is_missing_is_left_out_and_counted() -> None:
    whole = fit("linear", X, Y)
    holed = fit("linear", [*X, math.nan, 9.0], [*Y, 3.0, math.nan])

    assert (holed.to_dict() | {"missing": 0}) == whole.to_dict()
    assert holed.missing == 2


@pytest.mark.parametrize("kind", ["shift", "linear", "isotonic", "pchip", "ordinal", "quantile"])
def test_a_weight_of_two_is_an_item_twice(kind: str) -> None:
    x, y = series(0, 30)
    w = np.arange(30) % 2 + 1.0
    one, two = fit(kind, x, y, w), fit(kind, np.repeat(x, w.astype(int)), np.repeat(y, w.astype(int)))

    at = np.linspace(0, 6, 50)
    assert one.apply(at) == pytest.approx(two.apply(at), abs=1e-8)


def test_covariates_and_means_are_least_squares() -> None:
    x, y = series(1)
    columns = np.stack([x, np.random.default_rng(2).normal(size=len(x))])
    expected = np.linalg.lstsq(np.vstack([np.ones(len(x)), columns]).T, y, rcond=None)[0]
    mean = fit("mean", columns, y)
    alone = fit("linear", columns.mean(0), y)

    found = fit("covariate", columns, y)
    assert isinstance(found, Linear) and isinstance(mean, Linear)
    assert (found.intercept, *found.slopes) == pytest.approx(expected)
    assert mean.slopes == pytest.approx([alone.slopes[0] / 2] * 2)
    assert mean.apply(columns) == pytest.approx(alone.apply(columns.mean(0)))


@settings(max_examples=1000, deadline=None)
@given(SEEDS)
def test_weights_from_zero_are_scipys(seed: int) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(3, 40)), int(rng.integers(1, 8))
    x, w = rng.normal(size=(k, n)) + rng.normal(size=n), rng.uniform(0.5, 2, n)
    y = rng.normal(size=k) @ x + rng.normal(size=n)
    dx, dy = (v - (v * w).sum(-1, keepdims=True) / w.sum() for v in (x, y))

    expected, error = optimize.nnls((dx * np.sqrt(w)).T, dy * np.sqrt(w))

    found = nonnegative(Gram.of(x, y, w))
    assert (found >= 0).all()
    assert np.sqrt((w * (dy - found @ dx) ** 2).sum()) == pytest.approx(error, rel=1e-7, abs=1e-7)
    if n > k + 1:
        assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_ridge_is_scikit_learns(seed: int) -> None:
    """Its penalty is not sklearn's, which leaves one out; at the penalty of the least GCV score, the slopes are."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(5, 50)) + rng.normal(size=50)
    y = x.sum(0) + rng.normal(0, 3, 50)
    z = (x - x.mean(1, keepdims=True)) / (x.std(1, keepdims=True) * np.sqrt(50))
    dy, s = y - y.mean(), np.linalg.eigvalsh(z @ z.T)

    def gcv(alpha: float) -> float:
        slopes = np.linalg.solve(z @ z.T + alpha * np.eye(5), z @ dy)
        return float(((dy - slopes @ z) ** 2).sum() / (49 - (s / (s + alpha)).sum()) ** 2)

    oracle = linear_model.Ridge(alpha=min(np.logspace(-6, 2, 41), key=gcv)).fit(z.T, y)

    assert ridge(Gram.of(x, y, np.ones(50))) == pytest.approx(
        oracle.coef_ / (x.std(1) * np.sqrt(50)), rel=1e-6, abs=1e-8
    )


def test_a_judge_that_does_not_vary_has_no_weight_in_a_panel() -> None:
    x, y = series(3)
    for kind in ("stack", "nnls"):
        found = fit(kind, np.stack([x, np.full(len(x), 3.0)]), y)
        assert isinstance(found, Linear)
        assert found.slopes[1] == 0 < found.slopes[0]


def test_the_ordinal_model_of_two_values_is_logistic_regression() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = series(4, 200)
    high = (y >= 4).astype(float)
    oracle = linear_model.LogisticRegression(C=np.inf, tol=1e-10).fit(x[:, None], high)

    found = fit("ordinal", x, high)

    assert isinstance(found, Ordinal)
    assert found.slope == pytest.approx(oracle.coef_[0, 0], rel=1e-3)
    assert -found.cuts[0] == pytest.approx(oracle.intercept_[0], rel=1e-3)


def test_the_ordinal_model_is_statsmodels() -> None:
    """Golden numbers of OrderedModel(y, x, distr="logit") of statsmodels 0.15 on these 12 items: slope, then cuts."""
    x = np.array([1.0, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5])
    y = np.array([1.0, 2, 1, 2, 3, 2, 1, 3, 3, 2, 3, 2])

    found = fit("ordinal", x, y)

    assert isinstance(found, Ordinal)
    assert (found.slope, *found.cuts) == pytest.approx((0.60343177, 0.52496477, 2.589638), rel=1e-5)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_the_ordinal_model_has_no_slope_left(seed: int) -> None:
    """At the top of the likelihood, a small step in any parameter does not climb."""
    x, y = series(seed)
    found = fit("ordinal", x, y)
    assert isinstance(found, Ordinal)

    def likelihood(slope: float, cuts: np.ndarray) -> float:
        at_least = 1 / (1 + np.exp(-(slope * x[:, None] - cuts)))
        edges = np.hstack([np.ones((len(x), 1)), at_least, np.zeros((len(x), 1))])
        level = np.searchsorted(found.values, y)
        return float(np.log(edges[np.arange(len(x)), level] - edges[np.arange(len(x)), level + 1]).sum())

    cuts = np.array(found.cuts)
    top = likelihood(found.slope, cuts)
    for step in (-1e-3, 1e-3):
        assert likelihood(found.slope + step, cuts) < top + 1e-5
        for k in range(len(cuts)):
            assert likelihood(found.slope, cuts + step * (np.arange(len(cuts)) == k)) < top + 1e-5


def test_labels_without_overlap_have_a_finite_answer() -> None:
    found = fit("ordinal", [1, 2, 3, 4], [1, 1, 5, 5])

    assert found.apply([1.0, 2.5, 4.0]) == pytest.approx([1, 3, 5], abs=0.01)


@settings(max_examples=50, deadline=None)
@given(SEEDS)
def test_platts_map_is_logistic_regression_on_his_targets(seed: int) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(seed)
    x = np.round(rng.random(40), 2)
    y = (rng.random(40) < x).astype(float)
    y[:2] = 0, 1
    target = np.where(y > 0, (y.sum() + 1) / (y.sum() + 2), 1 / ((1 - y).sum() + 2))
    oracle = linear_model.LogisticRegression(C=1e9, tol=1e-9, max_iter=1000).fit(
        np.tile(x, 2)[:, None], np.repeat([1, 0], 40), np.concatenate([target, 1 - target])
    )

    found = fit("platt", x, y)

    assert isinstance(found, Logistic)
    assert found.apply(x) == pytest.approx(oracle.predict_proba(x[:, None])[:, 1], abs=1e-3)


def test_the_beta_map_undoes_a_beta_distortion() -> None:
    """Scores x ** 2 of probabilities x have log x = log(score) / 2: the map must give x back, near enough."""
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    y = (rng.random(20_000) < p).astype(float)

    found = fit("beta", p**2, y)

    assert isinstance(found, Logistic)
    assert found.apply(np.array([0.04, 0.25, 0.64])) == pytest.approx([0.2, 0.5, 0.8], abs=0.03)
    assert all(slope >= 0 for slope in found.slopes)


def test_a_beta_map_never_falls() -> None:
    x = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    found = fit("beta", x, [1, 1, 0, 1, 0, 0])

    assert isinstance(found, Logistic)
    assert (np.diff(found.apply(x)) >= 0).all()


@pytest.mark.parametrize(
    ("kind", "judge", "human", "message"),
    [
        ("linear", [3.0, 3, 3], [1, 2, 3], "same score"),
        ("isotonic", [3.0, 3, 3], [1, 2, 3], "same score"),
        ("linear", [1.0, math.nan], [1, 2], "1 items"),
        ("ordinal", [1.0, 2, 3], [2, 2, 2], "all labels are 2"),
        ("ordinal", np.arange(101.0), np.arange(101.0), "100 distinct"),
    ],
)
def test_what_the_data_cannot_say(kind: str, judge: list[float], human: list[float], message: str) -> None:
    with pytest.raises(NotEstimableError, match=message):
        fit(kind, judge, human)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit("linear", [1.0, 2], [1, 2, 3]), "same items"),
        (lambda: fit("linear", [1.0, math.inf], [1, 2]), "infinite"),
        (lambda: fit("linear", [1.0, 2], [1, 2], [1, 0]), "above 0"),
        (lambda: fit("linear", [1.0, 2], [1, 9], scale=(1, 5)), "off the scale"),
        (lambda: fit("isotonic", [[1.0, 2], [1, 2]], [1, 2]), "one judge"),
        (lambda: fit("platt", [0.1, 0.9], [1, 2]), "0 and 1"),
        (lambda: fit("beta", [0.1, 1.9], [0, 1]), "in \\[0, 1\\]"),
    ],
)
def test_bad_input(call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
