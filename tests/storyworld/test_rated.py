"""Rated stories: means of the simulated raters, reviews that say the truth."""

from __future__ import annotations

import re
from statistics import fmean

import pytest

from judgekit import InputError
from judgekit.storyworld import World, rated
from judgekit.storyworld.flaws import FLAWS

# The word for which the check of each flaw is known.
CHECKS = {"repetition": "weather", "name": "hero", "item": "item", "place": "place", "order": "first", "missing": "end"}


def test_scores_are_the_means_and_say_that_they_are_simulated() -> None:
    world = World(3)
    samples = world.samples(20)
    ratings = world.ratings(samples, 3)
    rows = rated(samples, ratings)

    for sample, row in zip(samples, rows, strict=True):
        own = [rating["score"] for rating in ratings if rating["item"] == sample.id]
        assert len(own) == 3 and row.scores == {"quality": fmean(own)}
        assert (row.sample, row.source, row.group) == (sample, "simulated", sample.metadata["group"])


def test_reviews_call_the_planted_flaws_wrong_and_nothing_else() -> None:
    samples = World(4).samples(200)
    rows = rated(samples, World(4).ratings(samples))

    assert {flaw for sample in samples for flaw in sample.metadata["flaws"]} == set(FLAWS)
    for row in rows:
        review, flaws = row.reviews["quality"], row.sample.metadata["flaws"]
        found = {flaw: re.search(rf"\b{CHECKS[flaw]}(?: \w+)+? (ok|wrong)", review) for flaw in FLAWS}
        assert "\n" not in review
        assert [flaw for flaw, check in found.items() if check and check[1] == "wrong"] == list(flaws)


def test_a_sample_without_a_rating_is_an_error() -> None:
    samples = World().samples(2)

    with pytest.raises(InputError, match="has no rating"):
        rated(samples, World().ratings(samples[:1]))
