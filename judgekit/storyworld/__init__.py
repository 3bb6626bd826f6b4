"""The embedded default: a small generated story domain with known truth.

An `Outline` is the prompt; a `Story` realises it, with planted flaws and perhaps a showy ending as bait. A `World`
makes any number of pairs, samples and simulated ratings from a seed; `read` finds the truth of any text; the `Teacher`
knows that truth and is fooled by bait.
"""

from __future__ import annotations

from judgekit.storyworld.flaws import (
    COST,
    FLAWS,
    ITEM,
    MISSING,
    NAME,
    ORDER,
    PLACE,
    REPETITION,
    Flaw,
    points,
    quality,
    rating,
)
from judgekit.storyworld.outlines import Outline, Split, outlines
from judgekit.storyworld.rated import rated
from judgekit.storyworld.raters import Rater, Rating, rate, simulated_raters
from judgekit.storyworld.reading import Reading, read
from judgekit.storyworld.stories import Story
from judgekit.storyworld.teacher import Teacher
from judgekit.storyworld.world import World

__all__ = [
    "COST",
    "FLAWS",
    "ITEM",
    "MISSING",
    "NAME",
    "ORDER",
    "PLACE",
    "REPETITION",
    "Flaw",
    "Outline",
    "Rater",
    "Rating",
    "Reading",
    "Split",
    "Story",
    "Teacher",
    "World",
    "outlines",
    "points",
    "quality",
    "rate",
    "rated",
    "rating",
    "read",
    "simulated_raters",
]
