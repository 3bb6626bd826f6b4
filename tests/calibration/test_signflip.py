"""The sign-flip test: by hand, beside scipy, its size by simulation, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from judgekit.calibration import sign_flip
from judgekit.calibration import signflip as module
from judgekit.errors import InputError


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_three_clusters_by_hand() -> None:
    """Sums 2, 1 and 1: |+-2 +-1 +-1| is 4 in two of the eight cases, so p = 2/8; the fourth cluster's 0 is no news."""
    assert sign_flip([1, 1, 1, 1, 0], list("xxyzw"), rng()) == 2 / 8


def test_items_of_a_cluster_flip_together() -> None:
    """Ten items that agree, of two clusters, are two observations: p is 1/2, not 2 / 1024."""
    assert sign_flip([1] * 10, [0, 1] * 5, rng()) == 0.5


def test_no_difference_is_p_1() -> None:
    assert sign_flip([0.0, 0.0], ["x", "y"], rng()) == 1.0
    assert sign_flip([0.5, -0.5] * 20, list(range(40)), rng()) == 1.0


@pytest.mark.parametrize("n", [5, 14])
def test_as_scipy_where_all_signs_are_tried(n: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(n).normal(0.4, 1, n)
    theirs = stats.permutation_test((values,), np.mean, permutation_type="samples", vectorized=True, n_resamples=np.inf)

    assert sign_flip(values, list(range(n)), rng()) == pytest.approx(theirs.pvalue)


def test_many_clusters_are_drawn_near_the_exact_p() -> None:
    """15 of 20 differences for one side: the exact binomial p is 2 * P(X >= 15) = .0414."""
    p = sign_flip([1] * 15 + [-1] * 5, list(range(20)), rng(), draws=99_999)

    assert p == pytest.approx(0.04139, abs=0.003)


def test_a_drawn_p_is_never_0() -> None:
    assert sign_flip([1.0] * 500, list(range(500)), rng(), draws=99) == 1 / 100


def test_the_drawing_does_not_depend_on_the_chunking(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(0.2, 1, 60)
    whole = sign_flip(values, list(range(60)), rng())
    monkeypatch.setattr(module, "CELLS", 500)

    assert sign_flip(values, list(range(60)), rng()) == whole


@pytest.mark.parametrize("clusters", [8, 40])
def test_under_no_difference_p_is_small_as_seldom_as_it_says(clusters: int) -> None:
    """Clusters of unequal size, items alike within each; 600 simulations, so that .05 is known to .009."""
    draw = np.random.default_rng(3)
    sizes = draw.integers(1, 6, clusters)
    index = np.repeat(np.arange(clusters), sizes)
    found = []
    for _ in range(600):
        common = draw.choice([-1, 0, 1], clusters)[index]
        values = np.where(draw.random(len(index)) < 0.7, common, draw.choice([-1, 0, 1], len(index)))
        found.append(sign_flip(values, index, draw, draws=199))

    assert np.mean(np.array(found) <= 0.05) <= 0.05 + 0.02
    assert 0.3 <= np.mean(np.array(found) <= 0.5) <= 0.5 + 0.06  # equal sums count as extreme


@pytest.mark.parametrize(("values", "clusters"), [([], []), ([1.0], []), ([float("nan")], ["x"])])
def test_what_cannot_be_tested_is_refused(values: list, clusters: list) -> None:
    with pytest.raises(InputError, match="finite differences"):
        sign_flip(values, clusters, rng())
