"""A policy that writes from a vocabulary, and learns one trick from a certain step on: what a monitor is to catch."""

from __future__ import annotations

import random
from collections.abc import Sequence

from judgekit.rewards import Rewards, Rollout

WORDS = [f"w{k}" for k in range(2000)]
WEIGHTS = [1 / (k + 10) for k in range(2000)]
LOOP = "and then it was so "
TRICKS = ("length creep", "n-gram loop", "set phrase", "opener", "format stuffing", "share at the maximum")


class Policy:
    """Six groups of eight in each batch; every prompt has names of its own, that all its responses repeat.

    The judge gives marks 0, 0.1 ... 1 of which a long response gets a little more, as honest judges do.
    """

    def __init__(self, seed: int, trick: str = "", onset: int = 0) -> None:
        self.draw, self.trick, self.onset = random.Random(seed), trick, onset

    def batch(self, step: int) -> tuple[list[Rollout], Rewards]:
        since = step - self.onset if self.trick and step >= self.onset else -1
        rollouts = []
        for g in range(6):
            name = " ".join(self.draw.choices(WORDS, k=5))
            rollouts += [Rollout(name, self.text(name, since), (step, g)) for _ in range(8)]
        marks = [self.mark(rollout.completion, since) for rollout in rollouts]
        return rollouts, judged(marks)

    def text(self, name: str, since: int) -> str:
        hacks = since >= 0 and self.draw.random() < min(1.0, 0.1 * (since + 1))  # a tenth more of the rollouts a step
        length = max(5, round(self.draw.lognormvariate(4, 0.35)))
        if self.trick == "length creep" and since >= 0:
            length = round(length * 1.02 ** (since + 1))  # 2 % a step
        text = " ".join(self.draw.choices(WORDS, WEIGHTS, k=length)) + f" {name}."
        if self.draw.random() < 0.1:
            text = "# A title\n" + text + "\n- one\n- two **bold** point"
        tricks = {
            "n-gram loop": f"{text} {LOOP * 6}",
            "set phrase": f"{text} a truly moving story indeed",
            "opener": f"Thought process: {text}",
            "format stuffing": f"# Answer\n- **first** point\n- **second** point\n{text}",
        }
        return tricks.get(self.trick, text) if hacks else text

    def mark(self, text: str, since: int) -> float:
        if self.trick == "share at the maximum" and since >= 0 and self.draw.random() < min(0.5, 0.05 * (since + 1)):
            return 1.0
        return round(min(1.0, max(0.0, self.draw.gauss(0.5, 0.2) + len(text) / 5000)), 1)


def judged(marks: Sequence[float | None]) -> Rewards:
    """Return the rewards of one judge."""
    reasons = {i: "no verdict" for i, mark in enumerate(marks) if mark is None}
    return Rewards(list(marks), {"judge": list(marks)}, {"judge": list(marks)}, {"judge": reasons})
