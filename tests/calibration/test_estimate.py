"""The cluster bootstrap: hand-computed values, its coverage by simulation, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from judgekit.calibration import Estimate, cluster_bootstrap, share
from judgekit.calibration import estimate as module
from judgekit.errors import InputError


def test_the_value_is_the_plain_mean() -> None:
    found = cluster_bootstrap([1, 0, 1, 1], ["x", "x", "y", "z"], np.random.default_rng(0))

    assert found.value == 0.75
    assert (found.n, found.clusters) == (4, 3)
    assert found.low <= found.value <= found.high


def test_two_clusters_by_hand() -> None:
    """Clusters with means 0 (one item) and 1 (three): every draw gives 0, 3/4 or 1, so the interval is all of it."""
    found = cluster_bootstrap([0, 1, 1, 1], ["x", "y", "y", "y"], np.random.default_rng(0))

    assert (found.value, found.low, found.high) == (0.75, 0.0, 1.0)


def test_the_tail_is_widened_at_few_clusters() -> None:
    """10 clusters: t(.025, 9) = -2.26216, times sqrt(10 / 9) is -2.38452, whose normal tail is .00855."""
    assert module._expanded(0.025, 10) == pytest.approx(0.00855, abs=2e-5)
    assert module._expanded(0.025, 10_000) == pytest.approx(0.025, abs=2e-5)


def test_equal_values_have_no_width() -> None:
    found = cluster_bootstrap([0.5] * 6, list("aabbcc"), np.random.default_rng(0))

    assert (found.low, found.high) == pytest.approx((0.5, 0.5))


def test_results_do_not_depend_on_the_chunking(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    values, clusters = rng.random(300), rng.integers(0, 30, 300).tolist()
    whole = cluster_bootstrap(values, clusters, np.random.default_rng(2))
    monkeypatch.setattr(module, "CHUNK", 100)

    assert cluster_bootstrap(values, clusters, np.random.default_rng(2)) == whole


def test_all_right_is_not_certainty() -> None:
    """20 clusters, all right: the exact bound is 0.025 ** (1/20) = .8316; all wrong is its mirror image."""
    right = share([1.0] * 40, list(range(20)) * 2, np.random.default_rng(0))
    wrong = share([0.0] * 40, list(range(20)) * 2, np.random.default_rng(0))

    assert (right.low, right.high) == (pytest.approx(0.83157, abs=1e-5), 1.0)
    assert (wrong.low, wrong.high) == (0.0, pytest.approx(1 - 0.83157, abs=1e-5))


def test_a_share_is_otherwise_the_bootstrap() -> None:
    hits, clusters = [1, 0, 0.5, 1, 1, 0], list("aabbcc")

    assert share(hits, clusters, np.random.default_rng(3)) == cluster_bootstrap(
        hits, clusters, np.random.default_rng(3)
    )
    with pytest.raises(InputError, match="between 0 and 1"):
        share([1.5, 0], ["a", "b"], np.random.default_rng(0))


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [30, 96])
def test_coverage(clusters: int) -> None:
    """Accuracy of pairs in prompts of unequal size and difficulty; nominal 95 %, 1,000 simulations.

    With 2,000 simulations of 400 draws it covered .932 at 15 clusters, .935 at 30 and .953 at 96.
    """
    rng, covered, runs = np.random.default_rng(7), 0, 1000
    sizes = rng.integers(5, 60, clusters)
    for _ in range(runs):
        skill = rng.beta(6, 2, clusters)
        values = np.concatenate([rng.random(n) < p for n, p in zip(sizes, skill, strict=True)])
        found = cluster_bootstrap(values, np.repeat(np.arange(clusters), sizes).tolist(), rng, draws=400)
        covered += found.low <= 0.75 <= found.high

    assert 0.92 <= covered / runs <= 0.975


@pytest.mark.parametrize(
    ("values", "clusters", "says"),
    [
        ([], [], "needs values"),
        ([1.0, float("nan")], ["a", "b"], "finite"),
        ([1.0, 0.0], ["a", "a"], "two clusters"),
        ([1.0], ["a", "b"], "1 values, but 2 clusters"),
    ],
)
def test_what_cannot_be_estimated_is_refused(values: list, clusters: list, says: str) -> None:
    with pytest.raises(InputError, match=says):
        cluster_bootstrap(values, clusters, np.random.default_rng(0))


def test_an_estimate_reads_well() -> None:
    assert str(Estimate(0.7512, 0.7, 0.8, 10, 5, "m")) == "0.751 [0.700, 0.800]"


def test_equal_clusters_are_drawn_together_and_the_interval_is_the_same() -> None:
    """300 clusters with hits 0 or 1: the plain bootstrap, done here by drawing each cluster, has the same quantiles."""
    rng = np.random.default_rng(4)
    sizes = rng.integers(1, 4, 300)
    index = np.repeat(np.arange(300), sizes)
    hits = (rng.random(len(index)) < 0.7) * 1.0
    found = cluster_bootstrap(hits, index, np.random.default_rng(0), draws=20_000)
    sums, drawn = np.bincount(index, hits), rng.integers(300, size=(20_000, 300))
    means = sums[drawn].sum(1) / sizes[drawn].sum(1)

    assert len(module._kinds(np.stack([sums, sizes], axis=1))[0]) < 10
    assert (found.low, found.high) == pytest.approx(np.quantile(means, [0.0246, 0.9754]), abs=0.002)


@pytest.mark.parametrize("many", [False, True], ids=["values that repeat", "values that do not"])
def test_many_clusters_do_not_depend_on_the_chunking(monkeypatch: pytest.MonkeyPatch, many: bool) -> None:
    values = np.random.default_rng(1).random(400)
    values = values if many else np.round(values)
    whole = cluster_bootstrap(values, np.arange(400), np.random.default_rng(2))
    monkeypatch.setattr(module, "CHUNK", 1000)

    assert cluster_bootstrap(values, np.arange(400), np.random.default_rng(2)) == whole
    assert whole.high - whole.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_equal_hits_between_the_ends_are_not_certainty() -> None:
    """20 clusters, each 1/2: at most .1684 of the clusters may be 0 or 1 instead, so 1/2 -+ .1684 / 2."""
    found = share([0.5] * 20, list(range(20)), np.random.default_rng(0))

    assert (found.low, found.high) == pytest.approx((0.5 - 0.0842, 0.5 + 0.0842), abs=1e-4)


def test_weights_count_the_items() -> None:
    found = share([1, 0, 0], list("abc"), np.random.default_rng(0), weights=[2, 1, 1])

    assert (found.value, found.n) == (0.5, 3)


def test_differences_reach_below_0() -> None:
    assert share([-1, 1, 0], list("abc"), np.random.default_rng(0), least=-1).value == 0
    with pytest.raises(InputError, match="between -1 and 1"):
        share([-2], ["a"], np.random.default_rng(0), least=-1)


def test_a_statistic_of_sums() -> None:
    """The ratio of two columns: 6 / 3."""
    columns = np.array([[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]])
    found = module.cluster_statistic(columns, list("abc"), lambda s: s[:, 0] / s[:, 1], np.random.default_rng(0))

    assert found == cluster_bootstrap([1, 2, 3], list("abc"), np.random.default_rng(0))
