"""Bradley-Terry with standard errors against evalica's fit without them: 1M comparisons, 100 models, 15 % ties.

Both read the same inputs in one run, best of three: arrays of numbers, and lists of names. ::

    python -m benchmarks.bradley_terry --json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np

from judgekit.calibration import bradley_terry


def best(call: Callable[[], object], times: int = 3) -> float:
    """Return the least processor time of some calls, in seconds: it does not depend on who else uses the machine."""
    took = []
    for _ in range(times):
        start = time.process_time()
        call()
        took.append(time.process_time() - start)
    return min(took)


def speed(comparisons: int = 1_000_000, models: int = 100) -> dict[str, float]:
    """Return the seconds of both, their ratio, and by how much the strengths differ where there are no ties."""
    import evalica

    rng = np.random.default_rng(0)
    a = rng.integers(0, models, comparisons)
    b = (a + rng.integers(1, models, comparisons)) % models
    strength = rng.normal(size=models)
    won = rng.random(comparisons) < 1 / (1 + np.exp(strength[b] - strength[a]))
    points = np.where(rng.random(comparisons) < 0.15, 0.5, won)
    theirs = [{1.0: evalica.Winner.X, 0.5: evalica.Winner.Draw, 0.0: evalica.Winner.Y}[p] for p in points]
    ours_s = best(lambda: bradley_terry(a, b, points))
    theirs_s = best(lambda: evalica.bradley_terry(a, b, theirs))
    one, two = ([f"model-{i}" for i in side] for side in (a, b))
    named = best(lambda: evalica.bradley_terry(one, two, theirs)) / best(lambda: bradley_terry(one, two, points))
    few = slice(0, 50_000)
    plain = [evalica.Winner.X if w else evalica.Winner.Y for w in won[few]]
    scores = evalica.bradley_terry(a[few], b[few], plain, tolerance=1e-12, limit=10_000).scores
    logs = np.log(scores) - np.log(scores).mean()
    ours = bradley_terry(a[few], b[few], won[few]).strengths
    gap = max(abs(ours[name].value - logs[name]) for name in ours)
    found = {"ours_s": ours_s, "evalica_s": theirs_s, "bradley_terry": theirs_s / ours_s}
    return found | {"from_names": named, "largest_difference": gap}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    args = parser.parse_args()
    found = speed()
    print(f"ours, with errors: {found['ours_s']:.3f} s; evalica, without: {found['evalica_s']:.2f} s")
    print(f"{found['bradley_terry']:.1f} times; from lists of names {found['from_names']:.1f} times")
    print(f"without ties the strengths differ by at most {found['largest_difference']:.1e}")
    if args.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
