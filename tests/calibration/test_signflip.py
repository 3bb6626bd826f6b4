"""The sign-flip test: by hand, beside scipy and brute force, its size by simulation, and what it refuses."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import NotEstimableError, sign_flip_test
from judgekit.calibration import signflip as module
from judgekit.errors import InputError


def brute(values: list) -> float:
    """All signs, in whole numbers or fractions."""
    total = abs(sum(values))
    signs = itertools.product((1, -1), repeat=len(values))
    sums = [abs(sum(s * v for s, v in zip(row, values, strict=True))) for row in signs]
    return sum(s >= total for s in sums) / len(sums)


def test_three_clusters_by_hand() -> None:
    """Sums 2, 1 and 1: |+-2 +-1 +-1| is 4 in two of the eight cases, so p = 2/8; the fourth cluster's 0 is no news."""
    found = sign_flip_test([1, 1, 1, 1, 0], list("xxyzw"))

    assert (found.p, found.statistic, found.n, found.clusters) == (2 / 8, 4 / 5, 5, 4)
    assert found.method.startswith("exact")


def test_items_of_a_cluster_flip_together() -> None:
    """Ten items that agree, of two clusters, are two observations: p is 1/2, not 2 / 1024."""
    assert sign_flip_test([1] * 10, [0, 1] * 5).p == 0.5
    assert sign_flip_test([1] * 10).p == 2 / 1024


@pytest.mark.parametrize("method", ["auto", "exact", "saddlepoint", "monte_carlo"])
def test_no_difference_is_p_1(method: str) -> None:
    assert sign_flip_test([0.0, 0.0], ["x", "y"], method).p == 1.0
    assert sign_flip_test([0.5, -0.5] * 20, method=method).p == 1.0


@pytest.mark.parametrize("n", [5, 14])
def test_as_scipy_where_all_signs_are_tried(n: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(n).normal(0.4, 1, n)
    theirs = stats.permutation_test((values,), np.mean, permutation_type="samples", vectorized=True, n_resamples=np.inf)

    assert sign_flip_test(values).p == pytest.approx(theirs.pvalue)


@settings(deadline=None, max_examples=1000)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=8), st.sampled_from([1, Fraction(1, 5), Fraction(1, 3)]))
def test_as_brute_force(values: list, step: Fraction) -> None:
    expected = brute(values)
    floats = [float(v * step) for v in values]

    assert sign_flip_test(floats).p == pytest.approx(expected, rel=1e-12)
    if any(values) and sum(values):
        sizes = np.sort(np.abs([v for v in floats if v]))
        steps = module.lattice(sizes, 1 << 20)
        kinds, times = np.unique(steps.astype(int), return_counts=True)
        total = int(steps.sum())
        least = (round(abs(sum(values)) * total / sum(map(abs, values))) + total) // 2
        assert 2 * module._added(kinds, times, least) == pytest.approx(expected, rel=1e-12)
        assert 2 * module._inverted(kinds, times, least) == pytest.approx(expected, rel=1e-9)


@settings(deadline=None, max_examples=1000)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=40), st.floats(1e-3, 1e3))
def test_the_lattice_is_the_greatest_common_divisor(values: list, scale: float) -> None:
    steps = module.lattice(np.sort(np.array(values) * scale), 1 << 30)

    assert steps.tolist() == sorted(v // math.gcd(*values) for v in values)


def test_many_equal_clusters_are_the_sign_test() -> None:
    """15 of 20 differences for one side: the exact binomial p is 2 * P(X >= 15) = .0414; and 60,000 of 119,000."""
    stats = pytest.importorskip("scipy.stats")
    found = sign_flip_test([1] * 60_000 + [-1] * 59_000)

    assert sign_flip_test([1] * 15 + [-1] * 5).p == pytest.approx(0.041389, abs=1e-6)
    assert found.method == "exact, on a lattice"
    assert found.p == pytest.approx(stats.binomtest(60_000, 119_000).pvalue, rel=1e-8)
    assert sign_flip_test([1] * 15 + [-1] * 5, method="monte_carlo", draws=99_999).p == pytest.approx(0.0414, abs=0.003)


def test_tiny_p_keep_their_digits() -> None:
    """400 of 400: 2 / 2 ** 400; and 390 of 400 by the binomial."""
    stats = pytest.importorskip("scipy.stats")

    assert sign_flip_test([0.1] * 400).p == pytest.approx(2.0**-399, rel=1e-9)
    assert sign_flip_test([0.1] * 390 + [-0.1] * 10).p == pytest.approx(stats.binomtest(10, 400).pvalue, rel=1e-9)


def test_the_ways_agree_where_several_can() -> None:
    rng = np.random.default_rng(2)
    fine = np.round(rng.normal(0.15, 1, 300), 2)
    exact = sign_flip_test(fine)

    assert exact.method == "exact, on a lattice"
    assert sign_flip_test(fine, method="saddlepoint").p == pytest.approx(exact.p, rel=0.005)
    assert sign_flip_test(fine, method="monte_carlo", draws=50_000).p == pytest.approx(exact.p, rel=0.1)


@pytest.mark.parametrize("shift", [0.05, 0.3, 0.6])
@pytest.mark.parametrize("freedom", [1, 2, 30])
def test_the_saddlepoint_beside_all_signs(shift: float, freedom: int) -> None:
    """24 clusters, some of which outweigh the others (t with 1 and 2 degrees of freedom)."""
    values = np.random.default_rng(freedom).standard_t(freedom, 24) + shift

    approximate = sign_flip_test(values, method="saddlepoint").p
    assert approximate == pytest.approx(sign_flip_test(values, method="exact").p, rel=0.03, abs=1e-5)


def test_without_a_step_auto_takes_the_saddlepoint() -> None:
    values = np.random.default_rng(0).normal(0.1, 1, 100)

    assert sign_flip_test(values).method == "saddlepoint"
    with pytest.raises(NotEstimableError, match="no step in common"):
        sign_flip_test(values, method="exact")


def test_a_drawn_p_is_never_0() -> None:
    assert sign_flip_test([1.0] * 500, method="monte_carlo", draws=99).p == 1 / 100


def test_a_million_items() -> None:
    values = np.where(np.random.default_rng(0).random(1_000_000) < 0.501, 1.0, -0.5)

    assert 0 <= sign_flip_test(values).p < 1e-9


def test_the_drawing_does_not_depend_on_the_chunking(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(0.2, 1, 60)
    whole = sign_flip_test(values, method="monte_carlo")
    monkeypatch.setattr(module, "CELLS", 500)

    assert sign_flip_test(values, method="monte_carlo") == whole


@pytest.mark.parametrize(("clusters", "method"), [(8, "auto"), (40, "auto"), (40, "saddlepoint"), (40, "monte_carlo")])
def test_under_no_difference_p_is_small_as_seldom_as_it_says(clusters: int, method: str) -> None:
    """Clusters of unequal size, items alike within each; 600 simulations, so that .05 is known to .009."""
    draw = np.random.default_rng(3)
    sizes = draw.integers(1, 6, clusters)
    index = np.repeat(np.arange(clusters), sizes)
    found = []
    for i in range(600):
        common = draw.choice([-1, 0, 1], clusters)[index]
        values = np.where(draw.random(len(index)) < 0.7, common, draw.choice([-1, 0, 1], len(index)))
        found.append(sign_flip_test(values, index, method, draws=199, seed=i).p)

    assert np.mean(np.array(found) <= 0.05) <= 0.05 + 0.02
    assert 0.3 <= np.mean(np.array(found) <= 0.5) <= 0.5 + 0.06  # equal sums count as extreme


@pytest.mark.parametrize(("values", "clusters"), [([], []), ([1.0], []), ([float("nan")], ["x"]), ([[1.0]], ["x"])])
def test_what_cannot_be_tested_is_refused(values: list, clusters: list) -> None:
    with pytest.raises(InputError, match="finite differences"):
        sign_flip_test(values, clusters)


def test_unknown_methods_and_no_draws_are_refused() -> None:
    with pytest.raises(InputError, match="known: auto, exact"):
        sign_flip_test([1.0, 2.0], method="exactly")
    with pytest.raises(InputError, match="at least 1"):
        sign_flip_test([1.0, 2.0], method="monte_carlo", draws=0)
