"""How often the intervals over comparisons and pairs hold the truth: nominal 95 %, by simulation.

Clusters are prompts on which a model is now better, now worse than elsewhere. The truth is known, or the mean of the
estimates over all runs. ::

    python -m benchmarks.coverage_pairs --runs 2000 --json
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration import (
    Bootstrap,
    Estimate,
    best_of_n_regret,
    bradley_terry,
    elo,
    length_controlled_win_rate,
    pairwise_accuracy,
    soft_pairwise_accuracy,
)

Array = NDArray[np.float64]
Rng = np.random.Generator
Found = list[tuple[Estimate, float | None]]  # with the truth, where it is known
CDF = np.vectorize(NormalDist().cdf)
THETA = np.array([1.2, 0.8, 0.5, 0.2, 0.1, 0.0, -0.3, -0.5, -0.8, -1.2])


def comparisons(rng: Rng, clusters: int, theta: Array, each: int) -> tuple[Array, Array, Array, Array]:
    """Return both sides, the points of a, shown first, and clusters; the chances are exactly Davidson's."""
    unit = np.repeat(np.arange(clusters), each)
    a = rng.integers(0, len(theta), len(unit))
    b = (a + rng.integers(1, len(theta), len(unit))) % len(theta)
    taste = rng.normal(size=(clusters, len(theta))) * math.sqrt(0.15)
    u = CDF(taste[unit, a] - taste[unit, b] + rng.normal(size=len(unit)) * math.sqrt(0.7))
    d = theta[a] - theta[b] + 0.3
    chance = np.exp(np.stack([-d / 2, np.full(len(unit), -0.7), d / 2])).cumsum(0)
    return a, b, (u > chance / chance[-1]).sum(0) / 2, unit


def strengths(rng: Rng, k: int) -> Found:
    a, b, points, unit = comparisons(rng, k, THETA, 40)
    found = bradley_terry(a, b, points, first="a", units=unit)
    assert found.order
    assert found.tie
    return [(found.strengths[m], THETA[m]) for m in range(10)] + [(found.order, 0.3), (found.tie, -0.7)]


def ranks(rng: Rng, k: int) -> Found:
    a, b, points, unit = comparisons(rng, k, THETA, 40)
    found = bradley_terry(a, b, points, first="a", units=unit).ranks(draws=2000)
    return [(found[m], m + 1.0) for m in range(10)]


def single(rng: Rng, k: int) -> Found:
    a, b, points, _ = comparisons(rng, 20 * k, THETA[::3], 1)
    found = bradley_terry(a, b, points, first="a")
    return [(found.strengths[m], THETA[3 * m] - THETA[::3].mean()) for m in range(4)]


def ratings(rng: Rng, k: int) -> Found:
    a, b, points, unit = comparisons(rng, k, THETA[::3], 10)
    found = elo(a, b, points, units=unit, shuffles=100, bootstrap=Bootstrap(draws=200))
    return [(found.ratings[m], None) for m in range(4)]


def scores(rng: Rng, k: int) -> tuple[Array, Array, Array]:
    unit = np.repeat(np.arange(k), rng.integers(2, 12, k))
    quality = rng.normal(size=k)[unit] * 0.5 + rng.normal(size=len(unit))
    judge = quality + rng.normal(size=k)[unit] * 0.4 + rng.normal(size=len(unit)) * 0.7
    return judge.round(1), np.digitize(quality, [-1.0, 0.0, 1.0]).astype(float), unit


def all_pairs(rng: Rng, k: int) -> Found:
    judge, human, unit = scores(rng, k)
    return [(pairwise_accuracy(judge, human, 0.3, units=unit), None)]


def pairs_in_groups(rng: Rng, k: int) -> Found:
    judge, human, unit = scores(rng, k)
    return [(pairwise_accuracy(judge, human, 0.3, groups=unit, bootstrap=Bootstrap(draws=500)), None)]


def regret(rng: Rng, k: int) -> Found:
    unit = np.repeat(np.arange(k), 6)
    human = rng.normal(size=len(unit))
    judge = human + rng.normal(size=len(unit)) * rng.gamma(2, 0.5, k)[unit]
    return [(best_of_n_regret(judge, human, unit, bootstrap=Bootstrap(draws=500))[3].regret, None)]


def soft(rng: Rng, k: int) -> Found:
    quality = rng.normal(size=(8, k)) + np.linspace(0, 0.6, 8)[:, None]
    return [(soft_pairwise_accuracy(quality + rng.normal(size=(8, k)), quality, bootstrap=Bootstrap(draws=500)), None)]


def win_rate(rng: Rng, k: int) -> Found:
    unit = np.repeat(np.arange(k), 8)
    longer = rng.normal(100, 400, len(unit))
    u = CDF(rng.normal(size=k)[unit] * math.sqrt(0.3) + rng.normal(size=len(unit)) * math.sqrt(0.7))
    won = u < 1 / (1 + np.exp(-0.4 - 0.8 * np.tanh(longer / longer.std(ddof=1))))
    found = length_controlled_win_rate(won, longer, units=unit, bootstrap=Bootstrap(draws=400))
    return [(found.win_rate, 1 / (1 + math.exp(-0.4))), (found.length, 0.8)]


CASES: dict[str, Callable[[Rng, int], Found]] = {
    "strengths": strengths,
    "strengths, single comparisons": single,
    "ranks": ranks,
    "accuracy over all pairs": all_pairs,
    "accuracy within groups": pairs_in_groups,
    "best of 4, regret": regret,
    "soft pairwise accuracy": soft,
    "length-controlled win rate": win_rate,
    "elo": ratings,
}


def coverage(case: Callable[[Rng, int], Found], k: int, runs: int) -> tuple[float, float]:
    """Return how often the intervals held the truth, and the least often that one of them did."""
    found = [case(np.random.default_rng((run, k)), k) for run in range(runs)]
    values = np.array([[e.value for e, _ in row] for row in found])
    truth = np.array([value if value is not None else values[:, i].mean() for i, (_, value) in enumerate(found[0])])
    held = np.array([[e.low <= t <= e.high for (e, _), t in zip(row, truth, strict=True)] for row in found])
    return float(held.mean()), float(held.mean(0).min())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[15, 30, 96], help="numbers of clusters")
    parser.add_argument("--case", choices=CASES, nargs="+", default=list(CASES))
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    args = parser.parse_args()
    table: dict[str, dict[int, float]] = {}
    for name in args.case:
        for k in args.sizes:
            mean, least = coverage(CASES[name], k, args.runs)
            table.setdefault(name, {})[k] = mean
            print(f"{name:32} {k:3} clusters: {mean:.3f}, the least of them {least:.3f}", flush=True)
    if args.json:
        print(json.dumps(table))


if __name__ == "__main__":
    main()
