"""Bradley-Terry by hand, against evalica and a generic optimiser, its errors against the bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import NotEstimableError, bradley_terry

THETA = np.array([1.0, 0.4, 0.1, -0.5, -1.0])


def draw(
    rng: np.random.Generator, n: int, theta: np.ndarray, order: float = 0.0, tie: float = -0.7, slope: float = 0.0
):
    """Return comparisons drawn from Davidson's model: a is always shown first."""
    a = rng.integers(0, len(theta), n)
    b = (a + rng.integers(1, len(theta), n)) % len(theta)
    x = rng.normal(size=n)
    d = theta[a] - theta[b] + order + slope * x
    weights = np.exp(np.stack([-d / 2, np.full(n, tie), d / 2]))
    place = (rng.random(n) > weights.cumsum(0) / weights.sum(0)).sum(0)
    return a, b, place / 2, x


def test_two_models_by_hand() -> None:
    """30 wins to 10: the strengths differ by log 3, and the error is sqrt(1/30 + 1/10), as of any logit."""
    found = bradley_terry(["x"] * 40, ["y"] * 40, ["a"] * 30 + ["b"] * 10)
    gap = found.difference("x", "y")

    assert gap.value == pytest.approx(math.log(3))
    assert (gap.high - gap.low) / 2 == pytest.approx(1.96 * math.sqrt(1 / 30 + 1 / 10), rel=0.06)  # t at 40
    assert found.strengths["x"].value == pytest.approx(math.log(3) / 2)
    assert list(found.strengths) == ["x", "y"] and found.tie is None and found.order is None


def test_ties_by_hand() -> None:
    """20 wins, 10 ties, 5 losses: log(20/5) between the models; ties over sqrt(wins * losses): 10/10."""
    found = bradley_terry([0] * 35, [1] * 35, [1] * 20 + [0.5] * 10 + [0] * 5)

    assert found.difference(0, 1).value == pytest.approx(math.log(4))
    assert found.tie is not None and found.tie.value == pytest.approx(0, abs=1e-9)


def test_order_by_hand() -> None:
    """x beats y 30:10 when first and 20:20 when second: logits log 3 and 0; their mean, half their difference."""
    a, b = ["x"] * 40 + ["y"] * 40, ["y"] * 40 + ["x"] * 40
    found = bradley_terry(a, b, [1] * 30 + [0] * 10 + [1] * 20 + [0] * 20, first="a")

    assert found.difference("x", "y").value == pytest.approx(math.log(3) / 2)
    assert found.order is not None and found.order.value == pytest.approx(math.log(3) / 2)


def test_the_side_shown_first_may_be_either() -> None:
    rng = np.random.default_rng(0)
    a, b, points, _ = draw(rng, 2000, THETA, order=0.4)
    swapped = rng.random(2000) < 0.5
    one = bradley_terry(a, b, points, first="a")
    two = bradley_terry(
        np.where(swapped, b, a), np.where(swapped, a, b), np.where(swapped, 1 - points, points),
        first=np.where(swapped, "b", "a"),
    )  # fmt: skip

    assert one.order is not None and two.order is not None
    assert one.order.low == pytest.approx(two.order.low)
    assert [e.value for e in one.strengths.values()] == pytest.approx([e.value for e in two.strengths.values()])


@pytest.mark.slow
@settings(deadline=None, max_examples=1000)
@given(st.integers(0, 1 << 32), st.integers(2, 8), st.integers(10, 30))
def test_evalica_says_the_same_without_ties(seed: int, models: int, games: int) -> None:
    """With one verdict in ten missing; where a model always won or lost, theirs has no answer and ours has a prior."""
    evalica = pytest.importorskip("evalica")
    rng = np.random.default_rng(seed)
    a, b, points, _ = draw(rng, games * models, rng.normal(0, 0.7, models), tie=-50)
    known = rng.random(len(points)) < 0.9
    found = bradley_terry(a, b, np.where(known, points, np.nan))
    assume(not found.prior and len(found.strengths) == models)
    winners = [evalica.Winner.X if p else evalica.Winner.Y for p in points[known]]
    scores = evalica.bradley_terry(a[known].tolist(), b[known].tolist(), winners, tolerance=1e-13, limit=100_000).scores
    theirs = np.log(scores) - np.log(scores).mean()

    for name, estimate in found.strengths.items():
        assert estimate.value == pytest.approx(theirs[name], abs=1e-6)


def test_choix_says_the_same_without_ties() -> None:
    choix = pytest.importorskip("choix")
    a, b, points, _ = draw(np.random.default_rng(1), 2000, THETA, tie=-50)
    data = [(x, y) if p else (y, x) for x, y, p in zip(a.tolist(), b.tolist(), points, strict=True)]
    theirs = choix.opt_pairwise(5, data, tol=1e-12)
    found = bradley_terry(a, b, points).strengths

    assert [found[k].value for k in range(5)] == pytest.approx(theirs - theirs.mean(), abs=1e-6)


def test_a_generic_optimiser_says_the_same() -> None:
    """Ties, the order and two covariates at once, maximised by BFGS from the likelihood as Davidson writes it."""
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(2)
    a, b, points, x = draw(rng, 3000, THETA, order=0.3, slope=0.5)
    second = rng.normal(size=3000)

    def loss(at: np.ndarray) -> float:
        d = at[a] - at[b] + at[5] + at[6] * x + at[7] * second
        one, two, nu = np.exp(d), np.ones(3000), np.exp(at[8])  # p, q and nu * sqrt(p q)
        tie = nu * np.sqrt(one * two)
        told = np.select([points == 1, points == 0], [one, two], tie)
        return -np.log(told / (one + two + tie)).sum() + at[:5].sum() ** 2

    best = optimize.minimize(loss, np.zeros(9), method="BFGS", options={"gtol": 1e-4}).x
    found = bradley_terry(a, b, points, first="a", covariates=np.stack([x, second], axis=1))
    assert found.order is not None and found.tie is not None
    ours = [found.strengths[k].value for k in range(5)]
    ours += [found.order.value, *(c.value for c in found.covariates), found.tie.value]

    assert ours == pytest.approx(best, abs=2e-5)


def test_a_covariate_that_repeats_is_the_counted_fit() -> None:
    """The order, given as a covariate, goes the long way over single comparisons and has to come out the same."""
    a, b, points, _ = draw(np.random.default_rng(3), 800, THETA, order=0.4)
    side = np.where(np.arange(800) % 2, 1.0, -1.0)
    units = np.arange(800) // 4
    one = bradley_terry(a, b, points, first=np.where(side > 0, "a", "b"), units=units)
    two = bradley_terry(a, b, points, covariates=side, units=units)

    assert one.order is not None
    assert one.order.low == pytest.approx(two.covariates[0].low)
    assert one.covariance == pytest.approx(two.covariance)


def test_each_comparison_its_own_cluster_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, points, _ = draw(np.random.default_rng(4), 500, THETA, order=0.4)
    whole = bradley_terry(a, b, points, first="a")
    monkeypatch.setattr("judgekit.calibration.davidson.CELLS", 100)
    apart = bradley_terry(a, b, points, first="a", units=np.arange(500))

    assert apart.covariance == pytest.approx(whole.covariance)


@pytest.mark.parametrize("clusters", [None, 60])
def test_errors_are_those_of_the_bootstrap(clusters: int | None) -> None:
    """300 fits to resampled comparisons, or whole clusters that share a taste; a sd of 300 is known to 4 %."""
    rng = np.random.default_rng(5)
    a, b, points, _ = draw(rng, 1200, THETA, order=0.3)
    units = np.arange(1200) if clusters is None else np.arange(1200) * clusters // 1200
    if clusters:
        flip = rng.random(clusters)[units] < 0.2  # clusters in which the weaker side wins
        points = np.where(flip, 1 - points, points)
    found = bradley_terry(a, b, points, first="a", units=None if clusters is None else units)
    assert found.order is not None and found.order.high is not None
    drawn = []
    for _ in range(300):
        picked = rng.integers(0, units.max() + 1, units.max() + 1)
        rows = picked if clusters is None else np.concatenate([np.flatnonzero(units == u) for u in picked])
        again = bradley_terry(a[rows], b[rows], points[rows], first="a")
        assert again.order is not None
        drawn.append([again.strengths[k].value for k in range(5)] + [again.order.value])
    ours = [(found.strengths[k].high or 0) - found.strengths[k].value for k in range(5)]
    ours.append(found.order.high - found.order.value)

    assert np.array(ours) / 1.96 / np.std(drawn, axis=0) == pytest.approx(np.ones(6), abs=0.17)


def test_models_that_never_met() -> None:
    """x and y met, z and w met, nothing joins them: no difference, ranks within each part."""
    a, b = list("xxxxzzzz"), list("yyyywwww")
    found = bradley_terry(a, b, [1, 1, 1, 0, 1, 0, 0, 1])

    assert sorted(map(sorted, found.parts)) == [["w", "z"], ["x", "y"]]
    assert found.difference("x", "y").value == pytest.approx(math.log(3))
    assert sorted(e.value for e in found.ranks().values()) == [1, 1, 1, 2]
    assert found.prior == ()
    with pytest.raises(NotEstimableError, match="no chain of comparisons connects 'x' and 'z'"):
        found.difference("x", "z")
    with pytest.raises(InputError, match="'q' was in no comparison"):
        found.difference("x", "q")


def test_a_model_that_always_won_is_held_by_the_prior() -> None:
    """x won 5 of 5 against y: the posterior mode of d with prior variance 2 * 9: 5 / (1 + e^d) = d / 18."""
    found = bradley_terry(list("xxxxx") + list("zzzz"), list("yyyyy") + list("wwww"), [1] * 5 + [1, 0, 1, 0])
    gap = found.difference("x", "y")

    assert sorted(map(str, found.prior)) == ["x", "y"]
    assert 5 / (1 + math.exp(gap.value)) == pytest.approx(gap.value / 18)
    assert gap.low is not None and gap.high is not None and gap.high - gap.low > 4
    assert found.difference("z", "w").value == pytest.approx(0)


def test_a_missing_verdict_is_left_out_and_counted() -> None:
    found = bradley_terry(list("xxxyq"), list("yyyxx"), ["a", "b", None, "a", None])

    assert (found.missing, found.unseen) == (2, ("q",))
    assert found.strengths == bradley_terry(list("xxy"), list("yyx"), ["a", "b", "a"]).strengths


def test_ranks_of_models_far_apart_and_alike() -> None:
    rng = np.random.default_rng(6)
    a, b, points, _ = draw(rng, 4000, np.array([3.0, 0.0, 0.0, -3.0]))
    ranks = bradley_terry(a, b, points).ranks()

    assert [(ranks[k].low, ranks[k].high) for k in range(4)] == [(1, 1), (2, 3), (2, 3), (4, 4)]


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((["x"], ["y"], ["a", "b"]), {}, "1 and 1 models, but 2 outcomes"),
        ((["x"], ["x"], ["a"]), {}, "'x' against itself"),
        ((["x"], ["y"], ["c"]), {}, "an outcome is 'c'"),
        ((["x"], ["y"], [2.0]), {}, "from 0 to 1"),
        ((["x"], ["y"], [0.7]), {}, "no comparison"),
        ((["x"], ["y"], [[1]]), {}, "shape"),
        ((["x"], ["y"], [1]), {"first": "c"}, 'first is "a" or "b"'),
        ((["x"], ["y"], [1]), {"covariates": [math.nan]}, "finite"),
        ((["x"], ["y"], [1]), {"units": [1, 2]}, "1 comparisons, but 2 clusters"),
    ],
)
def test_what_is_no_comparison_is_refused(arguments: tuple, options: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        bradley_terry(*arguments, **options)


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((["x"], ["y"], [None]), {}, "no comparison has a verdict"),
        ((["x"], ["y"], ["a"]), {}, "a single comparison"),
        ((["x", "x"], ["y", "y"], ["a", None]), {}, "a single comparison"),
        ((["x"] * 3, ["y"] * 3, [1, 0, 1]), {"units": [1, 1, 1]}, "one cluster"),
        ((["x"] * 3, ["y"] * 3, [1, 0, 1]), {"first": "a"}, "told apart"),
        ((["x"] * 3, ["y"] * 3, [1, 0, 1]), {"covariates": [0, 0, 0]}, "does not vary"),
        ((["x", "y"] * 9, ["y", "x"] * 9, [1] * 18), {"first": "a"}, "decide every comparison"),
        ((["x"] * 3, ["y"] * 3, [0.5] * 3), {}, "decide every comparison"),
    ],
)
def test_what_the_data_do_not_say(arguments: tuple, options: dict, says: str) -> None:
    with pytest.raises(NotEstimableError, match=says):
        bradley_terry(*arguments, **options)
