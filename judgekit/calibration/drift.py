"""Whether a judge still scores as it did: a test that may be looked at after every judgment, for as long as it runs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from judgekit.errors import InputError

MOST = 0.9  # share of the largest bet that could lose everything
TINY = 1e-9  # of a bet that cannot lose
Direction = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Bettor:
    """One who bets from the ``start``-th judgment on that scores have moved, as far as they have since then.

    Attributes:
        up, down: logarithms of the wealth of a bet on higher scores and of one on lower ones.
        n, total, squares: of the gaps seen.
    """

    start: int
    up: float = 0.0
    down: float = 0.0
    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def bet(self, gap: float, floor: float, roof: float, tolerance: float, span: float) -> Bettor:
        """Return the bettor after a gap that lay between ``floor`` and ``roof``; the bet is sized by those before."""
        mean = self.total / (self.n + 1)
        edge, up, down = abs(mean) - tolerance, self.up, self.down
        if edge > 0:
            variance = (span**2 / 16 + self.squares) / (self.n + 1) - mean**2
            wanted = edge / (variance + edge**2)
            if mean > 0:
                up += math.log1p(min(wanted, MOST / max(tolerance - floor, TINY)) * (gap - tolerance))
            else:
                down += math.log1p(min(wanted, MOST / max(tolerance + roof, TINY)) * (-gap - tolerance))
        return Bettor(self.start, up, down, self.n + 1, self.total + gap, self.squares + gap**2)


@dataclass(frozen=True, slots=True)
class Drift:
    """A watch over fixed anchor items whose scores are known: judge them now and then, and `update` it.

    The evidence is the wealth of bettors who put money on judge less expected score, at odds that are fair as long as
    the expected gap is no more than the tolerance (Waudby-Smith & Ramdas 2024, JRSS-B 86:1; bets as in their section
    B.2). While there is no drift, the probability that it *ever* reaches 1 / ``alpha`` is at most ``alpha`` (Ville
    1939). So that a long quiet time does not slow it down, a new bettor starts at each power of 2, with a share of the
    money that is 1 / (j (j + 1)) for the j-th.

    The state is plain: ``json.dumps(asdict(drift))`` saves it, `Drift.of` continues it.

    Attributes:
        low, high: the ends of the scale.
        tolerance: by how much the expected gap may be off. It must cover the errors of the expected scores: of their
            mean if anchors are drawn at random, of each if they come in a fixed order.
        alpha: probability of a false alarm, over all time.
        seen: judgments so far; ``unscored``: those among them without a verdict, which bet nothing.
        evidence: the wealth now, from 1; ``peak``: the highest it was.
        alarm: the judgment at which it first reached 1 / alpha, from 1; ``direction``: where the scores had moved.
    """

    low: float
    high: float
    tolerance: float
    alpha: float = 0.01
    seen: int = 0
    unscored: int = 0
    evidence: float = 1.0
    peak: float = 1.0
    alarm: int | None = None
    direction: Direction | None = None
    bettors: tuple[Bettor, ...] = ()

    def __post_init__(self) -> None:
        if not self.low < self.high or not 0 <= self.tolerance < self.high - self.low or not 0 < self.alpha < 1:
            raise InputError(
                f"scale {self.low:g} to {self.high:g}, tolerance {self.tolerance:g}, alpha {self.alpha:g}: low is"
                " below high, the tolerance between 0 and their distance, alpha between 0 and 1"
            )

    @classmethod
    def of(cls, state: dict[str, object]) -> Drift:
        """Continue from a saved state."""
        try:
            bettors = tuple(Bettor(**one) for one in state["bettors"])  # type: ignore[attr-defined]
            return cls(**{**state, "bettors": bettors})  # type: ignore[arg-type]
        except (KeyError, TypeError) as error:
            raise InputError(f"not the state of a drift watch: {error}") from error

    @property
    def drifted(self) -> bool:
        """Whether there was an alarm."""
        return self.alarm is not None

    def update(self, judged: Iterable[tuple[float | None, float]]) -> Drift:
        """Return the watch after more judgments, each with the score that was expected of its anchor.

        Raises:
            InputError: a score off the scale.
        """
        drift = self
        for score, expected in judged:
            drift = drift._one(score, expected)
        return drift

    def _one(self, score: float | None, expected: float) -> Drift:
        seen = self.seen + 1
        if score is None:
            return replace(self, seen=seen, unscored=self.unscored + 1)
        if not (self.low <= score <= self.high and self.low <= expected <= self.high):
            raise InputError(f"judgment {seen}: score {score:g}, expected {expected:g}: off the scale")
        read = seen - self.unscored
        bettors = (*self.bettors, Bettor(read)) if read & (read - 1) == 0 else self.bettors
        limits = self.low - expected, self.high - expected, self.tolerance, self.high - self.low
        bettors = tuple(bettor.bet(score - expected, *limits) for bettor in bettors)
        up, down = self._wealth([b.up for b in bettors]), self._wealth([b.down for b in bettors])
        evidence = (up + down) / 2
        alarm, direction = self.alarm, self.direction
        if alarm is None and evidence >= 1 / self.alpha:
            alarm, direction = seen, "up" if up > down else "down"
        peak = max(self.peak, evidence)
        return replace(self, seen=seen, evidence=evidence, peak=peak, alarm=alarm, direction=direction, bettors=bettors)

    @staticmethod
    def _wealth(logs: list[float]) -> float:
        """Return the money of all bettors; what was kept for those who have not started is still there."""
        shares = [1 / (j * (j + 1)) for j in range(1, len(logs) + 1)]
        return math.fsum(s * math.exp(min(x, 700)) for s, x in zip(shares, logs, strict=True)) + 1 / (len(logs) + 1)
