"""Simulated raters. They stand in for people where there are none, and every row says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from judgekit.errors import InputError
from judgekit.storyworld.dice import Dice
from judgekit.storyworld.flaws import rating
from judgekit.storyworld.outlines import Outline
from judgekit.storyworld.reading import read
from judgekit.types import Sample


class Rating(TypedDict):
    """One row of ``ratings.csv``; ``rater_kind`` is always ``"simulated"`` here."""

    item: str
    group: str
    system: str
    criterion: str
    rater: str
    rater_kind: str
    score: int


@dataclass(frozen=True, slots=True)
class Rater:
    """A rater who sees the true rating through a shift (negative: severe) and noise (a standard deviation).

    ``dazzled``: how many points a showy ending adds.
    """

    name: str
    shift: float
    noise: float
    dazzled: float = 0.0

    def score(self, sample: Sample) -> int:
        """Return a rating from 1 to 5: the true one, shifted, blurred and rounded. The same sample gets the same."""
        outline = Outline.parse(sample.prompt)
        blur = self.noise * Dice("rating", self.name, sample.id, sample.response).normal()
        story = read(outline, sample.response)
        seen = rating(story.quality) + self.shift + self.dazzled * story.baited + blur
        return min(5, max(1, int(seen + 0.5)))


def simulated_raters(n: int, seed: int = 0) -> list[Rater]:
    """Return n raters: shift is normal with standard deviation 0.5, noise is uniform from 0.3 to 0.9."""
    if n < 1:
        raise InputError(f"raters={n}: ask for at least one rater")
    rolls = [(i, Dice("rater", seed, i)) for i in range(1, n + 1)]
    return [Rater(f"simulated-{seed}-{i}", 0.5 * dice.normal(), dice.uniform(0.3, 0.9)) for i, dice in rolls]


def rate(samples: Sequence[Sample], raters: Sequence[Rater]) -> list[Rating]:
    """Return a row for every sample and rater, sample by sample."""
    return [
        Rating(
            item=sample.id,
            group=Outline.parse(sample.prompt).id,
            system="storyworld",
            criterion="quality",
            rater=rater.name,
            rater_kind="simulated",
            score=rater.score(sample),
        )
        for sample in samples
        for rater in raters
    ]
