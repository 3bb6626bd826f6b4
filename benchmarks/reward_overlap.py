"""Do judges of one reward wait at the same time, and is what is said twice judged once?

Three judges that take 200 ms for a call each, and a structural channel, on groups of eight of which three say the
same; beside them the slowest judge alone, in the same rounds. ``ratio``: a call holds the batch; ``ratio_one_by_one``:
a call holds one rollout, as it should where a judge is asked over a network::

    python -m benchmarks.reward_overlap --json
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence

from judgekit.rewards import Channel, CompositeReward, Custom, JudgeReward, Rollout
from judgekit.types import Sample, Score

LATENCY, ROUNDS, GROUPS = 0.2, 7, 8


class Remote:
    """A judge that takes its time for a batch, and counts what it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        time.sleep(LATENCY)
        self.calls += len(samples)
        return [Score(len(sample.response) % 10 / 10) for sample in samples]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    args = parser.parse_args()
    found = measure()
    print(json.dumps(found, indent=None if args.json else 2))


def measure() -> dict[str, float]:
    """Return the median ratios to the slowest judge alone, and the samples that one group costs one judge."""
    (ratio, calls), (one_by_one, _) = raced(None), raced(1)
    return {"ratio": ratio, "ratio_one_by_one": one_by_one, "calls": calls}


def raced(at_a_time: int | None) -> tuple[float, float]:
    rollouts = [rollout for group in range(GROUPS) for rollout in group_of(group)]
    judges = [Remote() for _ in range(3)]
    channels: list[Channel] = [JudgeReward(judge, f"judge {k}", at_a_time=at_a_time) for k, judge in enumerate(judges)]
    words = Custom(lambda rollout: min(1.0, len(rollout.completion.split()) / 100), "words")
    reward, slowest = CompositeReward([*channels, words], normalize="group"), JudgeReward(Remote())
    ratios = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        slowest(rollouts)
        alone = time.perf_counter() - begin
        begin = time.perf_counter()
        reward.score(rollouts)
        ratios.append((time.perf_counter() - begin) / alone)
    return round(statistics.median(ratios), 3), judges[0].calls / ROUNDS / GROUPS


def group_of(group: int) -> list[Rollout]:
    """Return eight rollouts, of which three are equal."""
    texts = [f"the same words in group {group}"] * 3 + [f"words of rollout {k} " * (k + 1) for k in range(5)]
    return [Rollout(f"prompt {group}", text, group) for text in texts]


if __name__ == "__main__":
    main()
