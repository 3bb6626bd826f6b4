"""The bootstrap: hand-computed values, slow loops and scipy as oracles, its coverage, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from judgekit.calibration import Bootstrap, Crossed, NotEstimableError, interval
from judgekit.calibration import bootstrap as module
from judgekit.calibration.interval import acceleration, standard_error
from judgekit.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng


def test_the_value_is_the_plain_mean() -> None:
    found = Bootstrap().mean([1, 0, 1, 1], ["x", "x", "y", "z"])

    assert found.value == 0.75
    assert (found.n, found.clusters) == (4, 3)
    assert found.low is not None and found.high is not None and found.low <= found.value <= found.high


def test_two_clusters_by_hand() -> None:
    """Clusters with means 0 (one item) and 1 (three): every draw gives 0, 3/4 or 1, so the interval is all of it."""
    found = Bootstrap().mean([0, 1, 1, 1], ["x", "y", "y", "y"])

    assert (found.value, found.low, found.high) == (0.75, 0.0, 1.0)


def test_equal_values_have_no_width() -> None:
    found = Bootstrap().mean([0.5] * 6, list("aabbcc"))

    assert (found.low, found.high) == pytest.approx((0.5, 0.5))
    assert "same value" in found.note


def test_one_cluster_has_no_interval() -> None:
    found = Bootstrap().mean([1, 0], ["a", "a"])

    assert (found.value, found.low, found.high) == (0.5, None, None)
    assert "two clusters" in found.note


def sums_of(values: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Return the rows 1, x, x ** 2 and their standard deviation."""
    rows = np.stack([np.ones(len(values)), values, values**2], axis=1)
    return rows, lambda s: np.sqrt(np.maximum(s[:, 2] / s[:, 0] - (s[:, 1] / s[:, 0]) ** 2, 0))


@pytest.mark.parametrize("kind", ["mean", "deviation", "weights"])
def test_bca_is_the_one_of_scipy(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """At 150 units, where t is nearly z, and without what makes up for unequal units; to a tenth of the half width."""
    monkeypatch.setattr(interval, "_short", lambda *_: 1.0)
    monkeypatch.setattr(interval, "degrees", lambda units, *_: units - 1)
    stats = pytest.importorskip("scipy.stats")
    x = RNG(1).exponential(size=150)
    engine = Bootstrap(draws=4000)
    rows, deviation = sums_of(x)
    found, statistic = {
        "mean": lambda: (engine.mean(x), np.mean),
        "deviation": lambda: (engine.of_sums(rows, deviation), np.std),
        "weights": lambda: (engine.of_weights(150, lambda w: deviation(w @ rows)), np.std),
    }[kind]()
    theirs = stats.bootstrap((x,), statistic, method="BCa", n_resamples=4000, rng=RNG(0)).confidence_interval

    half = (theirs.high - theirs.low) / 2
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.1 * half)


STUDIES = {
    "wholes": RNG(1).integers(0, 5, 700).astype(float),
    "fractions": RNG(2).random(700),
}


@pytest.mark.parametrize("values", STUDIES.values(), ids=STUDIES)
@pytest.mark.parametrize("shape", ["items", "clusters", "crossed", "weights", "crossed weights"])
def test_results_do_not_depend_on_the_chunking(monkeypatch: pytest.MonkeyPatch, values: np.ndarray, shape: str) -> None:
    whole = study(values, shape)
    monkeypatch.setattr(module, "CELLS", 5000)

    assert study(values, shape) == whole


def study(values: np.ndarray, shape: str) -> object:
    draw, n = RNG(3), len(values)
    one, two = draw.integers(0, 30, n), draw.integers(0, 11, n)
    rows, deviation = sums_of(values)
    units = {"items": None, "weights": None, "clusters": one}.get(shape, Crossed(one, two))
    if "weights" in shape:
        return Bootstrap(draws=300).of_weights(n, lambda w: (w * values).sum(1) / w.sum(1), units)
    return Bootstrap(draws=300).of_sums(rows, deviation, units)


def test_results_do_not_depend_on_the_threads() -> None:
    code = (
        "import numpy as np; from judgekit.calibration import Bootstrap; r = np.random.default_rng(0);"
        "x = r.random((3000, 40)); u = r.integers(0, 600, 3000);"
        "f = Bootstrap(draws=1000).of_sums(x, lambda s: s[:, 0] / s[:, 1:].sum(1), u); print(repr((f.low, f.high)))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OPENBLAS_NUM_THREADS": n, "OMP_NUM_THREADS": n, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    ]

    assert said[0] == said[1]


def test_crossed_units_are_a_slow_loop() -> None:
    """Prompts and systems drawn apart; an item counts as often as both say. 7 missing cells."""
    draw = RNG(5)
    one, two = (side.ravel() for side in np.meshgrid(np.arange(20), np.arange(6), indexing="ij"))
    kept = draw.permutation(120)[7:]
    one, two = one[kept], two[kept]
    values = draw.normal(size=20)[one] + draw.normal(size=6)[two] + draw.normal(size=113)
    found = Bootstrap(draws=20_000).mean(values, Crossed(one, two))
    means = []
    for _ in range(20_000):
        first, second = (np.bincount(draw.integers(size, size=size), minlength=size) for size in (20, 6))
        w = first[one] * second[two]
        means.append((w * values).sum() / w.sum())
    z = 2.570582 * np.sqrt(6 / 5)  # t(5), six systems
    tail = NormalDist().cdf(-z)
    low, high = np.quantile(means, [tail, 1 - tail])

    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05 * (high - low))
    weighed = Bootstrap(draws=20_000).of_weights(113, lambda w: (w * values).sum(1) / w.sum(1), Crossed(one, two))
    assert (weighed.low, weighed.high) == pytest.approx((found.low, found.high), rel=1e-9)


def test_a_sparse_cross_is_the_same_as_a_dense_one() -> None:
    """As rows of a table with empty cells, and as weights of the items."""
    draw = RNG(6)
    one, two, values = draw.integers(0, 60, 200), draw.integers(0, 50, 200), draw.random(200)
    found = Bootstrap(draws=400).mean(values, Crossed(one, two))
    weighed = Bootstrap(draws=400).of_weights(200, lambda w: (w * values).sum(1) / w.sum(1), Crossed(one, two))

    assert (found.low, found.high) == pytest.approx((weighed.low, weighed.high), rel=1e-9)


def test_equal_units_are_drawn_together_and_the_interval_is_the_same() -> None:
    """300 clusters with hits 0 or 1: the plain bootstrap, done here by drawing each cluster, has the same quantiles."""
    draw = RNG(4)
    sizes = draw.integers(1, 4, 300)
    index = np.repeat(np.arange(300), sizes)
    hits = (draw.random(len(index)) < 0.7) * 1.0
    found = Bootstrap(draws=20_000, method="percentile").mean(hits, index)
    sums, drawn = np.bincount(index, hits), draw.integers(300, size=(20_000, 300))
    means = sums[drawn].sum(1) / sizes[drawn].sum(1)

    assert len(module._alike(np.stack([sums, sizes], axis=1))[0]) < 10
    assert (found.low, found.high) == pytest.approx(np.quantile(means, [0.0246, 0.9754]), abs=0.002)


def test_codes_stand_for_rows() -> None:
    """Items 1, 1, 3 as codes of the rows 1 and 3: the same estimate as the rows written out, with clusters too."""
    kinds, codes = np.array([[1.0, 1.0], [3.0, 1.0]]), np.array([0, 0, 1] * 20)
    units = np.arange(60) // 4
    for names in (None, units, Crossed(units, np.arange(60) % 4)):
        short = Bootstrap(method="percentile").of_sums(kinds, module._ratio, names, codes)
        long = Bootstrap(method="percentile").of_sums(kinds[codes], module._ratio, names)
        assert short.value == pytest.approx(5 / 3)
        assert (short.low, short.high) == pytest.approx((long.low, long.high), abs=0.05)


@pytest.mark.parametrize("sort", [False, True])
def test_left_out_blocks_have_the_same_acceleration(sort: bool) -> None:
    """2,000 skewed units, in order or not: blocks of ten by chance give the skew / (6 sqrt(n)) of single units."""
    x = RNG(8).exponential(size=2000)
    x = np.sort(x) if sort else x
    sums = np.stack([x, np.ones(2000)], axis=1)
    left, count = Bootstrap()._blocks_of_sums(sums, np.ones(2000, dtype=int), sums.sum(0))
    (values,) = (module._ratio(some) for some in left)
    away = x - x.mean()
    expected = (away**3).mean() / (away**2).mean() ** 1.5 / 6 / np.sqrt(2000)

    assert len(values) == module.BLOCKS
    assert standard_error(values, count) == pytest.approx(x.std() / np.sqrt(2000), rel=0.15)
    assert acceleration(values, count) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("kind", ["sums", "weights"])
def test_too_many_draws_are_a_jackknife(kind: str) -> None:
    """A mean of 100,000: value -+ t(199) * s / sqrt(n), whichever way; sorted, so that blocks must be by chance."""
    x = np.sort(RNG(9).normal(size=100_000))
    engine = Bootstrap()
    found = engine.mean(x) if kind == "sums" else engine.of_weights(len(x), lambda w: (w * x).sum(1) / w.sum(1))

    assert found.method == "grouped jackknife, t, 200 blocks of items"
    assert found.low is not None and found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.972 * x.std() / np.sqrt(1e5), rel=0.2)
    assert found.high - found.value == pytest.approx(found.value - found.low)


def test_all_right_is_not_certainty() -> None:
    """20 clusters, all right: the exact bound is 0.025 ** (1/20) = .8316; all wrong is its mirror image."""
    right = Bootstrap().share([1.0] * 40, list(range(20)) * 2)
    wrong = Bootstrap().share([0.0] * 40, list(range(20)) * 2)

    assert (right.low, right.high) == (pytest.approx(0.83157, abs=1e-5), 1.0)
    assert (wrong.low, wrong.high) == (0.0, pytest.approx(1 - 0.83157, abs=1e-5))


def test_a_share_is_otherwise_the_mean() -> None:
    hits, clusters = [1, 0, 0.5, 1, 1, 0], list("aabbcc")

    assert Bootstrap(seed=3).share(hits, clusters) == Bootstrap(seed=3).mean(hits, clusters)
    with pytest.raises(InputError, match="between 0 and 1"):
        Bootstrap().share([1.5, 0], ["a", "b"])


def test_equal_hits_between_the_ends_are_not_certainty() -> None:
    """20 clusters, each 1/2: at most .1684 of the clusters may be 0 or 1 instead, so 1/2 -+ .1684 / 2."""
    found = Bootstrap().share([0.5] * 20, list(range(20)))

    assert (found.low, found.high) == pytest.approx((0.5 - 0.0842, 0.5 + 0.0842), abs=1e-4)


def test_weights_count_the_items() -> None:
    found = Bootstrap().share([1, 0, 0], list("abc"), [2, 1, 1])

    assert (found.value, found.n) == (0.5, 3)


def test_differences_reach_below_0() -> None:
    assert Bootstrap().share([-1, 1, 0], list("abc"), least=-1).value == 0
    with pytest.raises(InputError, match="between -1 and 1"):
        Bootstrap().share([-2], ["a"], least=-1)


def test_resamples_without_a_value_are_counted() -> None:
    """1 / (number of ones): a draw without any has none."""
    rows = np.array([[1.0], [0.0], [0.0]])
    found = Bootstrap().of_sums(rows, lambda s: np.where(s[:, 0] > 0, s[:, 0], np.nan))

    assert found.value == 1 and "have no value" in found.note
    with pytest.raises(NotEstimableError, match="no value on these data"):
        Bootstrap().of_sums(rows, lambda s: np.full(len(s), np.nan))


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [30, 96])
def test_coverage(clusters: int) -> None:
    """Accuracy of pairs in prompts of unequal size and difficulty; `benchmarks/coverage.py` has the other cases."""
    draw, covered, runs = RNG(7), 0, 1000
    sizes = draw.integers(5, 60, clusters)
    for run in range(runs):
        skill = draw.beta(6, 2, clusters)
        values = np.concatenate([draw.random(n) < p for n, p in zip(sizes, skill, strict=True)])
        found = Bootstrap(draws=400, seed=run).share(values, np.repeat(np.arange(clusters), sizes))
        assert found.low is not None and found.high is not None
        covered += found.low <= 0.75 <= found.high

    assert 0.92 <= covered / runs <= 0.975


@pytest.mark.parametrize(
    ("values", "clusters", "says"),
    [
        ([], [], "needs values"),
        ([1.0, float("nan")], ["a", "b"], "finite"),
        ([1.0], ["a", "b"], "1 items, but 2 clusters"),
        ([1.0, 2.0], Crossed(["a", "b"], ["a"]), "2 items, but 1 clusters"),
    ],
)
def test_what_cannot_be_estimated_is_refused(values: list, clusters: list, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Bootstrap().mean(values, clusters)


@pytest.mark.parametrize("more", [{"draws": 99}, {"confidence": 1.0}, {"confidence": 0.4}])
def test_settings_that_make_no_interval_are_refused(more: dict) -> None:
    with pytest.raises(InputError, match="at least 100 draws"):
        Bootstrap(**more)
