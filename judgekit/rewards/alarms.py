"""When a figure of a batch is an alarm: a cumulative sum against what the first batches were."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from judgekit.errors import InputError

SLACK = 1.0  # standard deviations by which a mean may move at least
HEIGHT = 10.0  # standard deviations that have to add up to an alarm
CLIP = 3.0  # of them, what one batch can add
CONFIDENCE = -1.2815515655446004  # the normal distribution's 10 % point


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
        step: of the batch that made it certain; ``since``: the first of those that added up to it.
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

    From the first ``first`` values that are known, m is their mean and s the upper 90 % limit of their deviation,
    s^2 = sum (x - m)^2 / chi2(first - 1, 0.1): a deviation that is estimated too small makes false alarms (Jones,
    Champ & Rigdon 2004, J. Quality Technology 36:95). With the tolerance d, and u = max(s, d / 4) as unit, a mean may
    reach c = m + max(d, u), or the limit where that is lower. Then

        S <- min(10, max(0, S + z)),   z = (x - c) / u, kept within -3 and 3,

    and there is an alarm where S reaches 10, which no three batches can do; the next one not before S has been 0 again.
    The first batches are added too, once c is known: they count where they are beyond the limit. Noise is taken to be
    independent from batch to batch. What drifts of itself in a healthy training alarms too, once it is beyond the
    tolerance: an alarm says what has changed, not why.
    """

    def __init__(self, watch: Watch, first: int, sign: int) -> None:
        self.watch, self.first, self.sign = watch, first, sign
        self.known: list[tuple[int, float]] = []
        self.mean = self.threshold = self.unit = math.nan
        self.sum = 0.0
        self.risen: list[tuple[int, float]] = []
        self.standing = False

    def see(self, step: int, value: float | None) -> Alarm | None:
        """Take the figure of a batch, None where it has none; return the alarm where it makes one."""
        if value is None:
            return None
        if len(self.known) < self.first:
            self.known.append((step, value))
            if len(self.known) < self.first:
                return None
            self._learn()
            alarms = [self._add(*seen) for seen in self.known]
            return next((alarm for alarm in alarms if alarm), None)
        return self._add(step, value)

    def _learn(self) -> None:
        values = [value for _, value in self.known]
        self.mean = math.fsum(values) / self.first
        free = self.first - 1
        quantile = free * (1 - 2 / (9 * free) + CONFIDENCE * math.sqrt(2 / (9 * free))) ** 3  # Wilson & Hilferty 1931
        spread = math.sqrt(statistics.variance(values) * free / quantile)
        tolerance = self.watch.tolerance * (max(abs(self.mean), 1e-9) if self.watch.relative else 1.0)
        self.unit = max(spread, tolerance / 4)
        self.threshold = self.mean + self.sign * max(tolerance, SLACK * self.unit)
        if self.watch.limit is not None:
            self.threshold = self.sign * min(self.sign * self.threshold, self.sign * self.watch.limit)

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
            f" {self.first} batches it was {self.mean:.3g}"
        )
        return Alarm(step, self.watch.figure, level, self.threshold, since, says)


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
