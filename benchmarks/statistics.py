"""How much faster 10,000 bootstraps are than a loop over the public function, in one run on one thread.

Ratings from 1 to 5 of a common truth, and a judge's scores in nine steps. The loops are extrapolated from 20
replicates; each of ours is the median of three whole estimates, intervals and all. ::

    OMP_NUM_THREADS=1 python -m benchmarks.statistics --json
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.bradley_terry import speed
from judgekit.calibration import Bootstrap, bootstrap, cohen_kappa, correlation, krippendorff_alpha, sign_flip_test

Array = NDArray[np.float64]
DRAWS, REPLICATES = 10_000, 20
ENGINE = Bootstrap(draws=DRAWS)


def ratings(raters: int, items: int) -> tuple[Array, Array]:
    """Return ratings of shape (raters, items), and a judge's scores in nine steps; each is the truth with noise."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=items)
    given = np.clip(np.round(3 + truth + 0.7 * rng.normal(size=(raters, items))), 1, 5)
    return given, np.clip(np.round(2 * (3 + truth + 0.7 * rng.normal(size=items))) / 2, 1, 5)


def ours(work: Callable[[], object]) -> float:
    """Return the seconds of one estimate."""
    took = []
    for _ in range(3):
        bootstrap._multinomial.cache_clear()  # the draws are part of the work
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


def loop(work: Callable[[NDArray[np.int64]], object], items: int) -> float:
    """Return the seconds of a loop over all draws, extrapolated."""
    rng = np.random.default_rng(0)
    work(rng.integers(items, size=items))  # what is done once is not the loop's
    start = time.perf_counter()
    for _ in range(REPLICATES):
        work(rng.integers(items, size=items))
    return (time.perf_counter() - start) / REPLICATES * DRAWS


def alpha(raters: int, items: int) -> float:
    """Return how many times faster ordinal alpha is than krippendorff.alpha in a loop."""
    import krippendorff

    given, _ = ratings(raters, items)
    theirs = loop(lambda i: krippendorff.alpha(given[:, i], level_of_measurement="ordinal"), items)
    return shown(
        f"alpha, {raters} x {items}", ours(lambda: krippendorff_alpha(given, "ordinal", bootstrap=ENGINE)), theirs
    )


def correlations(discrete: bool = True) -> float:
    """Return how many times faster Spearman, Kendall and kappa are together than scipy's loop for Spearman."""
    from scipy.stats import spearmanr

    given, judge = ratings(3, 1056)
    human = given.mean(0) if not discrete else given[0]
    judge = judge if discrete else judge + np.random.default_rng(1).normal(size=1056) / 10

    def all_of_them() -> None:
        correlation(judge, human, "spearman", bootstrap=ENGINE)
        correlation(judge, human, "kendall", bootstrap=ENGINE)
        if discrete:
            cohen_kappa(judge, human, "quadratic", bootstrap=ENGINE)

    theirs = loop(lambda i: spearmanr(judge[i], human[i]), 1056)
    return shown(f"correlations, {'discrete' if discrete else 'continuous, without kappa'}", ours(all_of_them), theirs)


def sign_flip() -> float:
    """Return how many times faster the exact test on a lattice is than scipy's 100,000 resamples.

    1,000 differences of scores in steps of 0.2; scipy's time is extrapolated from 2,000 resamples.
    """
    from scipy.stats import permutation_test

    differences = np.round(np.random.default_rng(0).normal(0.1, 1, 1000) / 0.2) * 0.2

    def scipys(resamples: int) -> float:
        start = time.perf_counter()
        permutation_test(
            (differences,), np.mean, permutation_type="samples", vectorized=True, n_resamples=resamples, batch=1000
        )
        return time.perf_counter() - start

    scipys(100)
    theirs = scipys(2000) / 2000 * 100_000
    found = sign_flip_test(differences)
    print(f"sign-flip: p = {found.p:.6g}, {found.method}")
    return shown("sign-flip, n = 1,000", ours(lambda: sign_flip_test(differences)), theirs)


def strengths() -> float:
    """Return how many times faster strengths with their errors are than evalica's without; see `bradley_terry.py`."""
    found = speed()
    theirs, times = found["evalica_s"], found["bradley_terry"]
    print(
        f"{'Bradley-Terry, 1,000,000 x 100':42}{found['ours_s']:9.3f} s{theirs:11.1f} s (measured){times:13.0f} times"
    )
    return round(times, 1)


def shown(name: str, our: float, theirs: float) -> float:
    print(f"{name:42}{our:9.3f} s{theirs:11.1f} s (extrapolated){theirs / our:9.0f} times", flush=True)
    return round(theirs / our, 1)


CLAIMS = {
    "alpha_small": lambda: alpha(3, 1056),
    "alpha_large": lambda: alpha(5, 100_000),
    "correlations": correlations,
    "sign_flip": sign_flip,
    "bradley_terry": strengths,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--continuous", action="store_true", help="correlations of continuous scores too (slow)")
    args = parser.parse_args()
    found = {name: claim() for name, claim in CLAIMS.items()}
    if args.continuous:
        correlations(discrete=False)
    if args.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
