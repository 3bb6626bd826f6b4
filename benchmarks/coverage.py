"""How often the intervals hold the truth: nominal 95 %, by simulation.

Each case is a population with a known value of a statistic, and a way to draw a study from it with k independent units:
prompts of unequal size whose items are alike, or items. The truth is exact, or that of one very large draw. ::

    python -m benchmarks.coverage --runs 2000 --json
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration import Bootstrap, Estimate, correlation, krippendorff_alpha

Array = NDArray[np.float64]
Rng = np.random.Generator
SIZES = (15, 30, 96)
LARGE = 20_000  # units of the draw that gives the truth
DRAWS = 1000


@dataclass(frozen=True)
class Case:
    """One interval: ``study`` draws k units and estimates; ``truth`` is its value in the population, if known."""

    study: Callable[[Rng, int, Bootstrap], Estimate]
    truth: float | None = None


def prompts(rng: Rng, k: int) -> NDArray[np.int64]:
    """Return the prompt of each item: 2 to 20 items each."""
    return np.repeat(np.arange(k), rng.integers(2, 21, k))


def shared(rng: Rng, units: NDArray[np.int64], within: float = 0.3) -> Array:
    """Return standard normal values of which units share this part of the variance."""
    return math.sqrt(within) * rng.normal(size=units.max() + 1)[units] + math.sqrt(1 - within) * rng.normal(
        size=len(units)
    )


def scores(latent: Array) -> Array:
    """Return ratings from 1 to 5."""
    return np.digitize(latent, [-1.5, -0.5, 0.5, 1.5]) + 1.0


def share_of_prompts(rng: Rng, k: int, bootstrap: Bootstrap) -> Estimate:
    units = prompts(rng, k)
    return bootstrap.share(rng.random(len(units)) < rng.beta(6, 2, k)[units], units)


def share_of_items(rng: Rng, k: int, bootstrap: Bootstrap) -> Estimate:
    return bootstrap.share(rng.random(k) < 0.75)


def mean_of_prompts(rng: Rng, k: int, bootstrap: Bootstrap) -> Estimate:
    units = prompts(rng, k)
    return bootstrap.mean(shared(rng, units), units)


def skewed_mean(rng: Rng, k: int, bootstrap: Bootstrap) -> Estimate:
    """Absolute errors: half-normal, and larger in some prompts."""
    units = prompts(rng, k)
    return bootstrap.mean(np.abs(rng.normal(size=len(units))) * rng.gamma(4, 0.25, k)[units], units)


def mean_of_items(rng: Rng, k: int, bootstrap: Bootstrap) -> Estimate:
    return bootstrap.mean(rng.normal(size=k))


def ratings(rng: Rng, units: NDArray[np.int64], raters: int = 3) -> Array:
    return scores(0.8 * shared(rng, units) + 0.7 * rng.normal(size=(raters, len(units))))


def alpha_of_prompts(rng: Rng, k: int, bootstrap: Bootstrap) -> Estimate:
    units = prompts(rng, k)
    return krippendorff_alpha(ratings(rng, units), "ordinal", units=units, bootstrap=bootstrap)


def alpha_of_items(rng: Rng, k: int, bootstrap: Bootstrap) -> Estimate:
    return krippendorff_alpha(ratings(rng, np.arange(k)), "ordinal", bootstrap=bootstrap)


def spearman_of_prompts(rng: Rng, k: int, bootstrap: Bootstrap) -> Estimate:
    units = prompts(rng, k)
    truth = shared(rng, units)
    human = scores(truth + 0.7 * rng.normal(size=len(units)))
    return correlation(truth + shared(rng, units), human, "spearman", units=units, bootstrap=bootstrap)


def spearman_of_items(rng: Rng, k: int, bootstrap: Bootstrap) -> Estimate:
    truth = rng.normal(size=k)
    return correlation(truth + rng.normal(size=k), scores(truth + 0.7 * rng.normal(size=k)), bootstrap=bootstrap)


CASES = {
    "share, prompts": Case(share_of_prompts, 0.75),
    "share, items": Case(share_of_items, 0.75),
    "mean, prompts": Case(mean_of_prompts, 0.0),
    "mean, items": Case(mean_of_items, 0.0),
    "mean of errors, prompts": Case(skewed_mean, math.sqrt(2 / math.pi)),
    "alpha, prompts": Case(alpha_of_prompts),
    "alpha, items": Case(alpha_of_items),
    "Spearman, prompts": Case(spearman_of_prompts),
    "Spearman, items": Case(spearman_of_items),
}


def coverage(name: str, k: int, runs: int, draws: int) -> float:
    """Return how often the interval of a case holds its truth; where there is none, it does not."""
    case, rng, held = CASES[name], np.random.default_rng(k), 0
    truth = case.truth
    if truth is None:
        truth = case.study(np.random.default_rng(1), LARGE, Bootstrap(draws=100, method="percentile")).value
    for run in range(runs):
        found = case.study(rng, k, Bootstrap(draws=draws, seed=run))
        held += found.low is not None and found.high is not None and found.low <= truth <= found.high
    return held / runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--only", default="", help="part of a case's name")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    names = [name for name in CASES if args.only in name]
    print(f"{'coverage of 95 %':28}" + "".join(f"{k:>8}" for k in SIZES) + "  units")
    found = {}
    with ProcessPoolExecutor() as pool:
        jobs = {(name, k): pool.submit(coverage, name, k, args.runs, args.draws) for name in names for k in SIZES}
        for name in names:
            found[name] = {k: jobs[name, k].result() for k in SIZES}
            print(f"{name:28}" + "".join(f"{it:8.3f}" for it in found[name].values()), flush=True)
    if args.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
