"""What the responses of one group have made of each other so far."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from judgekit.errors import InputError
from judgekit.types import Comparison, Preference, Sample, Winner, prompt_text

POINTS: dict[Winner, float] = {"a": 1.0, "tie": 0.5, "b": 0.0}
Points = NDArray[np.float64]


@dataclass
class Games:
    """The different texts of a group, and the points of each against each.

    Responses that are the same text are one player; they tie with each other without a comparison.

    Attributes:
        samples: the group's members; ``player`` has the number of each one's text, ``texts`` the texts.
        references: the players that are references, by number; a member may be one of them too.
        points: points of the row against the column: 1 won, 0 lost, 1/2 tied; NaN where they have not met, or where
            the comparison failed. Shape (players, players).
        met: which players have been compared, whatever came of it; shape (players, players).
        asked: how many comparisons of each player were asked for, ``failures`` how many of them failed.
        errors: why a player's first failed comparison did.
    """

    samples: Sequence[Sample]
    texts: list[str]
    player: list[int]
    references: list[int]
    points: Points = field(init=False)
    met: NDArray[np.bool_] = field(init=False)
    asked: NDArray[np.int64] = field(init=False)
    failures: NDArray[np.int64] = field(init=False)
    errors: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.texts)
        self.points = np.full((n, n), np.nan)
        np.fill_diagonal(self.points, 0.5)
        self.met = np.zeros((n, n), bool)
        self.asked, self.failures = np.zeros(n, np.int64), np.zeros(n, np.int64)

    @classmethod
    def of(cls, samples: Sequence[Sample], references: Sequence[str] = ()) -> Games:
        """Begin with a group and what it is to be held against.

        Raises:
            InputError: the members answer different prompts.
        """
        if len({prompt_text(sample.prompt) for sample in samples}) > 1:
            raise InputError("a group holds responses to different prompts; only those to one prompt can be compared")
        numbers: dict[str, int] = {}
        player, others = (
            [numbers.setdefault(text, len(numbers)) for text in texts]
            for texts in ([sample.response for sample in samples], references)
        )
        return cls(samples, list(numbers), player, list(dict.fromkeys(others)))

    @property
    def members(self) -> list[int]:
        """The players that are responses of the group, each once."""
        return list(dict.fromkeys(self.player))

    def draw(self, seed: int, *marks: object) -> int:
        """Return a large number that depends on the prompt, the seed and the marks alone."""
        text = "\0".join(map(str, (seed, prompt_text(self.samples[0].prompt), *marks)))
        return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])

    def comparison(self, i: int, j: int, name: str) -> Comparison:
        """Return the question whether player i, as ``a``, is better than player j, as ``b``."""
        it = next((sample for sample, player in zip(self.samples, self.player, strict=True) if player == i), None)
        metadata = (it or self.samples[0]).metadata
        return Comparison(self.samples[0].prompt, self.texts[i], self.texts[j], f"{name}:{i}-{j}", metadata)

    def sides(self, i: int, j: int, seed: int) -> tuple[int, int]:
        """Return the two players in the order in which the judge sees them; a hash decides."""
        first, second = sorted((self.texts[i], self.texts[j]))
        return (i, j) if (self.draw(seed, first, second) % 2 == 0) == (self.texts[i] == first) else (j, i)

    def record(self, i: int, j: int, preference: Preference, *, soft: bool) -> None:
        """Note what the judge made of i as ``a`` and j as ``b``."""
        self.asked[[i, j]] += 1
        self.met[i, j] = self.met[j, i] = True
        if preference.winner is None:
            self.failures[[i, j]] += 1
            for k in (i, j):
                self.errors.setdefault(k, str(preference.error))
            return
        if soft and preference.probability is None:
            raise InputError("this judge gives no probabilities: leave out soft=True")
        points = preference.probability if soft else POINTS[preference.winner]
        self.points[i, j] = points
        self.points[j, i] = 1 - self.points[i, j]

    def answered(self) -> NDArray[np.bool_]:
        """Return for each member whether a verdict was given on it; shape (members,)."""
        return (self.asked > self.failures)[self.player]

    def among_members(self) -> Points:
        """Return the points of each member against each other one, NaN on the diagonal; copies tie."""
        found = self.points[np.ix_(self.player, self.player)]
        np.fill_diagonal(found, np.nan)
        return found


def win_rates(points: Points) -> Points:
    """Return the mean points of each row over those it has met; NaN where that is nobody."""
    met = ~np.isnan(points)
    counts = met.sum(1)
    return np.where(counts > 0, np.where(met, points, 0).sum(1) / np.maximum(counts, 1), np.nan)


def strengths(points: Points) -> Points:
    """Return Bradley-Terry strengths in logits, shrunk towards 0; shape (players,).

    Each player also ties once with an imaginary one of strength 0, which keeps the strength of one that won (or lost)
    everything finite. The fit is the MM algorithm of Hunter 2004 (Annals of Statistics 32:384), a tie as half a win.
    """
    met = (~np.isnan(points)).astype(float)
    wins = np.nansum(points, 1) + 0.5
    power = np.ones(len(points))
    for _ in range(10_000):
        new = wins / ((met / (power[:, None] + power[None, :])).sum(1) + 1 / (power + 1))
        done = np.abs(np.log(new / power)).max(initial=0) < 1e-10
        power = new
        if done:
            break
    return np.log(power)
