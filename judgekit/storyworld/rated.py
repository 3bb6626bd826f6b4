"""Rated stories to learn from: what the simulated raters gave on average, and a truthful line of reasons."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from judgekit.errors import InputError
from judgekit.storyworld.outlines import Outline
from judgekit.storyworld.raters import Rating
from judgekit.storyworld.reading import read
from judgekit.storyworld.teacher import checks
from judgekit.types import Rated, Sample


def rated(samples: Sequence[Sample], ratings: Sequence[Rating]) -> list[Rated]:
    """Return a row for every sample, for the rubric ``story/storyworld_rating``: `World.samples`, `World.ratings`.

    The score is the mean of the simulated raters, who are noisy; the review is the teacher's line of checks, all of
    them true.

    Raises:
        InputError: a sample has no rating.
    """
    given: dict[str, list[int]] = {}
    for rating in ratings:
        given.setdefault(rating["item"], []).append(rating["score"])
    return [_rated(sample, given.get(sample.id, [])) for sample in samples]


def _rated(sample: Sample, scores: list[int]) -> Rated:
    if not scores:
        raise InputError(f"the sample {sample.id!r} has no rating; make ratings of these samples: World.ratings")
    outline = Outline.parse(sample.prompt)
    review = checks(read(outline, sample.response))
    return Rated(sample, {"quality": fmean(scores)}, {"quality": review}, group=outline.id, source="simulated")
