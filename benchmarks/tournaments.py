"""How well each tournament orders a group, and what it costs: a judge of known accuracy, groups of known order.

The judge calls the better of two responses with the same probability whichever two they are, and gives each verdict
once. Kendall's tau-b between the values and the truth, mean over the groups, with its interval; one run::

    python -m benchmarks.tournaments --json
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from judgekit import Comparison, Preference, Sample
from judgekit.calibration import Bootstrap, Estimate
from judgekit.rewards import Pivot, Reference, RoundRobin, Scheme, Swiss, tournament

SCHEMES: dict[str, Scheme] = {
    "Pivot()": Pivot(),
    "Reference()": Reference(),
    "Swiss()": Swiss(),
    'Swiss(estimate="bradley-terry")': Swiss(estimate="bradley-terry"),
    "Swiss(5)": Swiss(5),
    "RoundRobin()": RoundRobin(),
}


@dataclass
class NoisyJudge:
    """Reads the true quality off the response, and is wrong in a known share of the comparisons."""

    accuracy: float
    seed: int = 0

    def compare(self, comparisons: Sequence[Comparison]) -> list[Preference]:
        return [self._verdict(c) for c in comparisons]

    def _verdict(self, it: Comparison) -> Preference:
        mark = hashlib.sha256(f"{self.seed} {it.prompt} {sorted((it.a, it.b))}".encode()).digest()
        right = int.from_bytes(mark[:8]) / 2**64 < self.accuracy
        return Preference("a" if (float(it.a) > float(it.b)) == right else "b")


def groups(count: int, n: int, seed: int) -> list[list[Sample]]:
    """Return groups whose responses are their own quality, and whose reference is of middling quality."""
    quality = np.random.default_rng(seed).random((count, n))
    return [[Sample(str(g), repr(float(q)), reference="0.5") for q in row] for g, row in enumerate(quality)]


def tau_b(truth: np.ndarray, values: np.ndarray) -> float:
    """Return Kendall's tau-b of one group; 0 where all values are the same, since they order nothing."""
    i, j = np.triu_indices(len(truth), 1)
    x, y = np.sign(truth[i] - truth[j]), np.sign(values[i] - values[j])
    return float((x * y).sum() / np.sqrt((x != 0).sum() * (y != 0).sum())) if y.any() else 0.0


def measure(scheme: Scheme, accuracy: float, n: int, count: int, seed: int = 0) -> tuple[Estimate, float]:
    """Return mean tau-b with its interval, and comparisons a group."""
    drawn = groups(count, n, seed)
    outcome = tournament(NoisyJudge(accuracy, seed), drawn, scheme)
    taus = [
        tau_b(np.array([float(s.response) for s in group]), np.array([st.value for st in standings], float))
        for group, standings in zip(drawn, outcome.groups, strict=True)
    ]
    return Bootstrap(seed=seed).mean(taus), outcome.comparisons / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for n in (8, 16):
        for name, scheme in SCHEMES.items():
            row: dict[str, object] = {"n": n, "scheme": name}
            for accuracy in (0.65, 0.75, 0.9):
                found, calls = measure(scheme, accuracy, n, options.groups)
                row |= {"comparisons": calls, f"tau at {accuracy}": str(found)}
            print(json.dumps(row) if options.json else "  ".join(f"{k}: {v}" for k, v in row.items()), flush=True)


if __name__ == "__main__":
    main()
