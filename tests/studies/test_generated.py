"""A study of the storyworld needs no files."""

from __future__ import annotations

import numpy as np
import pytest

from judgekit.errors import InputError
from judgekit.storyworld import Outline, Rater, World, outlines, rate
from judgekit.studies.generated import EACH, OUTLINES, generated
from judgekit.studies.study import Study
from judgekit.studies.table import read_ratings


def test_the_tables_of_the_storyworld() -> None:
    stories, people, judges = (generated(name, 3) for name in ("stories", "raters", "judges"))

    assert len(stories) == OUTLINES * EACH == len({row["item"] for row in stories})
    assert len({row["group"] for row in stories}) == OUTLINES
    assert len(people) == len(judges) == 3 * len(stories)
    assert all(1 <= row["quality"] <= 5 for row in [*people, *judges])
    assert generated("stories", 4) != stories
    with pytest.raises(InputError, match="no table 'raterz'; did you mean 'raters'"):
        generated("raterz", 3)


def test_they_are_read_as_any_other() -> None:
    found = read_ratings(Study.load("storyworld"))

    assert (len(found.items), len(found.raters), list(found.judges)) == (300, 3, ["careful", "severe", "dazzled"])
    assert not found.left_out
    means = {name: float(np.nanmean(rows["quality"])) for name, rows in found.judges.items()}
    assert means["severe"] < means["careful"] < means["dazzled"]


def test_a_dazzled_rater_gives_more_for_a_showy_ending() -> None:
    """Without noise: the same for a plain story, and half a point more, rounded up, for a showy one."""
    samples = World(0).samples(50)
    plain, dazzled = (rate(samples, [Rater("r", -2.0, 0.0, points)]) for points in (0.0, 1.0))
    more = [b["score"] - a["score"] for a, b in zip(plain, dazzled, strict=True)]
    baited = [sample.metadata["baited"] for sample in samples]

    assert {gain for gain, showy in zip(more, baited, strict=True) if not showy} == {0}
    assert max(gain for gain, showy in zip(more, baited, strict=True) if showy) == 1


def test_stories_in_groups() -> None:
    found = World(1).grouped(4, 3, "test")
    groups = [Outline.parse(sample.prompt).id for sample in found]

    assert len(found) == 12 == len({sample.id for sample in found})
    assert all(len(set(groups[i : i + 3])) == 1 for i in range(0, 12, 3)) and len(set(groups)) == 4
    assert {s.id for s in found} <= {s.id for s in World(1).samples(2000, "test")}
    with pytest.raises(InputError, match="has 275 outlines"):
        World().grouped(len(outlines("test")) + 1, 1, "test")
    with pytest.raises(InputError, match="at least one"):
        World().grouped(3, 0)
