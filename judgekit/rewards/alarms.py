"""When a figure of a batch is an alarm: a cumulative sum against what the first batches were."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from judgekit.errors import InputError

HEIGHT = 10.0  # what has to add up to an alarm, in halves of a log likelihood ratio
CLIP = 3.0  # of it, what one batch can add
LEAST = 5  # batches that a mean is taken of
PRECISE = 0.25  # of the tolerance: the standard error of a mean that is known well enough
CONFIDENCE = -1.6448536269514722  # the normal distribution's 5 % point
EXACT = 1e-9  # the unit of a figure that has no noise


@dataclass(frozen=True)
class Watch:
    """What is watched: a figure, and by how much its mean may move from that of the first batches.

    Attributes:
        figure: its name in `Row.figures`.
        tolerance: how far it may move; with ``relative``, as a share of the first batches' mean.
        limit: no mean beyond it is right, whatever the first batches were; None where there is none.
        side: which way is suspicious.
    """

    figure: str
    tolerance: float
    limit: float | None = None
    side: Literal["up", "down", "both"] = "up"
    relative: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < math.inf or self.side not in ("up", "down", "both"):
            raise InputError(f"{self.figure}: a tolerance above 0, and side up, down or both, not {self.side!r}")
        if self.limit is not None and self.side == "both":
            raise InputError(f"{self.figure}: a limit goes with one side, up or down")


WATCHES = (
    Watch("length", 0.15, side="both", relative=True),
    Watch("length_correlation", 0.25, limit=0.6),
    Watch("opener", 0.1),
    Watch("phrase", 0.1),
    Watch("repetition", 0.05),
    Watch("at_max", 0.15),
    Watch("headings", 0.3),
    Watch("bullets", 0.5),
    Watch("bold", 0.5),
    Watch("fences", 0.3),
    Watch("emoji", 0.5),
    Watch("grading", 0.3),
    Watch("duplicates", 0.1, limit=0.5),
    Watch("unscored", 0.1, limit=0.3),
    Watch("gated", 0.15),
    Watch("disagreement", 0.15),
    Watch("holdout", 0.1, side="down"),
)


@dataclass(frozen=True)
class Alarm:
    """A figure's mean has moved further than it may.

    Attributes:
        step: of the batch at which it was told; ``since``: the first of those that added up to it.
        what: the figure; ``value``: its mean since then; ``threshold``: how far it may go.
        says: it all in a sentence.
        stop: whether training is to end.
    """

    step: int
    what: str
    value: float
    threshold: float
    since: int
    says: str
    stop: bool = False


class Cusum:
    """A one-sided cumulative sum (Page 1954, Biometrika 41:100) of one figure, against its first batches.

    A policy moves from the first step on, so that its first batches are taken for as little as they must:

    - The mean m is of the fewest first values, 5 at least and ``first`` at most, whose standard error s / sqrt(n) is no
      more than a quarter of the tolerance d.
    - The noise s is learnt until ``first`` values are known, from differences of neighbours, which a drift hardly
      moves: s^2 = q / chi2(f, 0.05) with q = f sum (x[i+1] - x[i])^2 / (2 (n - 1)) and f = 2 (n - 1)^2 / (3 n - 4)
      degrees of freedom (von Neumann et al. 1941, Ann. Math. Stat. 12:153). It is the upper 95 % limit, as a deviation
      that is estimated too small makes false alarms (Jones, Champ & Rigdon 2004, J. Quality Technology 36:95).

    A mean may reach c = m + max(d, s), or the limit where that is lower. With g = c - m, s at least, then

        S <- min(10, max(0, S + z)),   z = (x - c) g / s^2, kept within -3 and 3,

    and there is an alarm where S reaches 10, which no three batches can do; the next one not before S has been 0 again.
    z is half the log likelihood ratio of a mean of m + 2 g to one of m, in normal noise: against noise that is small
    beside the tolerance, few batches beyond c are enough. The batches before m was known are added too, once it is:
    they count where they are beyond the limit. Noise is taken to be independent from batch to batch. What drifts of
    itself in a healthy training alarms too, once it is beyond the tolerance: an alarm says what has changed, not why.
    """

    def __init__(self, watch: Watch, first: int, sign: int) -> None:
        self.watch, self.first, self.sign = watch, first, sign
        self.known: list[tuple[int, float]] = []
        self.learnt = 0  # batches that the mean is of
        self.mean = self.threshold = self.unit = math.nan
        self.sum = 0.0
        self.risen: list[tuple[int, float]] = []
        self.standing = False

    def see(self, step: int, value: float | None) -> Alarm | None:
        """Take the figure of a batch, None where it has none; return the alarm where it makes one."""
        if value is None:
            return None
        if len(self.known) == self.first:
            return self._add(step, value)
        self.known.append((step, value))
        new = self.known[-1:] if self.learnt else self.known
        self._learn()
        alarms = [self._add(*seen) for seen in new] if self.learnt else []
        return next((replace(alarm, step=step) for alarm in alarms if alarm), None)

    def _learn(self) -> None:
        values = [value for _, value in self.known]
        if len(values) < LEAST:
            return
        noise = deviation(values)
        if not self.learnt:
            mean = math.fsum(values) / len(values)
            if len(values) < self.first and noise / math.sqrt(len(values)) > PRECISE * self._tolerance(mean):
                return
            self.mean, self.learnt = mean, len(values)
        self.threshold = self.mean + self.sign * max(self._tolerance(self.mean), noise)
        if self.watch.limit is not None:
            self.threshold = self.sign * min(self.sign * self.threshold, self.sign * self.watch.limit)
        gap = max(self.sign * (self.threshold - self.mean), noise)
        self.unit = max(noise**2 / max(gap, EXACT), EXACT)

    def _tolerance(self, mean: float) -> float:
        return self.watch.tolerance * (max(abs(mean), EXACT) if self.watch.relative else 1.0)

    def _add(self, step: int, value: float) -> Alarm | None:
        z = self.sign * (value - self.threshold) / self.unit
        self.sum = min(HEIGHT, max(0.0, self.sum + min(CLIP, max(-CLIP, z))))
        self.standing = self.standing and self.sum > 0
        if self.sum == 0 or self.standing:
            self.risen = []
            return None
        self.risen.append((step, value))
        if self.sum < HEIGHT:
            return None
        self.standing = True
        return self._alarm(step)

    def _alarm(self, step: int) -> Alarm:
        level, since = math.fsum(value for _, value in self.risen) / len(self.risen), self.risen[0][0]
        side = "above" if self.sign > 0 else "below"
        says = (
            f"{self.watch.figure} is {level:.3g} since step {since}, {side} {self.threshold:.3g}; in the first"
            f" {self.learnt} batches it was {self.mean:.3g}"
        )
        return Alarm(step, self.watch.figure, level, self.threshold, since, says)


def deviation(values: Sequence[float]) -> float:
    """Return the upper 95 % limit of the noise's standard deviation, from differences of neighbours; see `Cusum`."""
    n = len(values)
    free = 2 * (n - 1) ** 2 / (3 * n - 4)
    quantile = free * (1 - 2 / (9 * free) + CONFIDENCE * math.sqrt(2 / (9 * free))) ** 3  # Wilson & Hilferty 1931
    return math.sqrt(math.fsum((b - a) ** 2 for a, b in pairwise(values)) / (2 * (n - 1)) * free / quantile)


class Spike:
    """How far the share of one thing is above what it was in the first batches, at most over all things.

    For a later batch: max over things of share - mean share in the first batches. For one of these: less its mean in
    the others of them, so that all are made alike; it is known once the last of them is.
    """

    def __init__(self, first: int) -> None:
        self.first = first
        self.seen: list[Mapping[str, float]] = []
        self.total: dict[str, float] = {}

    def see(self, shares: Mapping[str, float]) -> list[tuple[float, str]]:
        """Return the largest excess and what has it: nothing, then one for each first batch at once, then one each."""
        if len(self.seen) == self.first:
            return [_largest(shares, self.total, self.first)]
        self.seen.append(dict(shares))
        for name, share in shares.items():
            self.total[name] = self.total.get(name, 0.0) + share
        if len(self.seen) < self.first:
            return []
        return [
            _largest(own, {name: self.total[name] - share for name, share in own.items()}, self.first - 1)
            for own in self.seen
        ]


def _largest(shares: Mapping[str, float], total: Mapping[str, float], count: int) -> tuple[float, str]:
    return max(((share - total.get(name, 0.0) / count, name) for name, share in shares.items()), default=(0.0, ""))


def cusums(watches: Sequence[Watch], first: int) -> list[Cusum]:
    """Return the sums that the watches need: two for one that looks both ways."""
    signs = {"up": [1], "down": [-1], "both": [1, -1]}
    return [Cusum(watch, first, sign) for watch in watches for sign in signs[watch.side]]
