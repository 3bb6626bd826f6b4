"""Systems by people and by the judge, the surest items, and what open questions would take: by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judgekit.calibration import Bootstrap, Estimate, NotEstimableError
from judgekit.studies.analysis import analyse
from judgekit.studies.answers import lights
from judgekit.studies.criterion import Criterion
from judgekit.studies.doubt import keep, kept_of
from judgekit.studies.needed import needed
from judgekit.studies.systems import Systems, systems_of
from judgekit.studies.table import read_ratings
from judgekit.studies.unknown import Unknown
from tests.studies.test_report import rewrite, study, written

BOOTSTRAP = Bootstrap(200)


def test_a_judge_tells_systems_apart_as_people_do_or_the_other_way() -> None:
    """Over 40 prompts people put a above b and c, which are alike; the judge a above b, but c above a."""
    rng = np.random.default_rng(0)
    groups, systems = np.repeat(np.arange(40), 3), ("a", "b", "c") * 40
    human = np.tile([4.0, 2.0, 2.0], 40) + rng.integers(-1, 2, 120)
    judge = np.tile([3.0, 1.0, 5.0], 40) + rng.integers(-1, 2, 120)
    found = systems_of(judge, human, groups, systems, BOOTSTRAP)

    assert isinstance(found, Systems)
    assert (found.pairs, found.apart, found.same, found.opposite, found.alone) == (3, 2, 1, 1, 1)
    assert found.people.names[0] == "a" and found.judge.names == ("c", "a", "b")
    # p of people: a > b, a > c near 1, b > c some s; the judge's 1, 0, 0: the mean distance is (0 + 1 + s) / 3.
    assert not isinstance(found.soft, Unknown) and 1 / 3 - 0.01 < found.soft.value < 2 / 3 + 0.01


def test_without_systems_or_with_one_there_is_the_reason() -> None:
    none = systems_of(np.ones(4), np.ones(4), np.arange(4), None, BOOTSTRAP)
    one = systems_of(np.ones(4), np.ones(4), np.arange(4), ("a",) * 4, BOOTSTRAP)

    assert none == Unknown("the data do not say what wrote an item")
    assert isinstance(one, Unknown) and "it needs two" in one.reason


def test_the_surest_items_by_hand() -> None:
    """Two scores of the judge 0, 0, 2 and 4 apart; errors 0, 1, 2, 4 of a range of 4."""
    judge = np.array([[1.0, 2, 1, 1], [1, 2, 3, 5]])
    human = np.array([1.0, 1, 4, 1])
    found = keep(judge, [], np.array([1.0, 2, 2, 5]), human, (1, 5), np.arange(4), BOOTSTRAP)

    assert found.doubt == "the spread of its own scores"
    assert [(share, risk.value) for share, risk in kept_of(found)] == [(0.5, 0.125), (0.75, 0.25), (1, 0.4375)]


def test_items_of_one_doubt_are_kept_together_whatever_their_level() -> None:
    """1 1 2 and 4 4 5 have one spread, sqrt(1/3), but for rounding."""
    judge = np.array([[1.0, 1, 2], [2, 2, 3], [3, 3, 4], [4, 4, 5]] * 10).T
    found = keep(judge, [], np.ones(40), np.ones(40), (1, 5), np.arange(40), BOOTSTRAP)

    assert [share for share, _ in kept_of(found)] == [1.0]


def test_an_item_that_was_scored_once_is_never_kept_and_still_counts() -> None:
    judge = np.array([[1.0, 2, 3, 4], [1, 2, math.nan, math.nan]])
    found = keep(judge, [], np.ones(4), np.ones(4), (1, 5), np.arange(4), BOOTSTRAP)

    assert [share for share, _ in kept_of(found)] == [0.5]


def test_doubt_is_how_far_the_judges_lie_apart_where_it_was_asked_once() -> None:
    judge, other = np.array([[1.0, 2, math.nan]]), np.array([1.0, 4, 3])
    found = keep(judge, [other], np.ones(3), np.ones(3), (1, 5), np.arange(3), BOOTSTRAP)

    assert found.doubt == "how far the judges lie apart"
    assert [one.limit for one in found.steps] == pytest.approx([0, math.sqrt(2) / 4])
    with pytest.raises(NotEstimableError, match="asked once and alone"):
        keep(judge, [], np.ones(3), np.ones(3), (1, 5), np.arange(3), BOOTSTRAP)


def test_what_would_settle_an_open_question(tmp_path: Path) -> None:
    """An interval that reaches twice as far as the line wants four times the groups."""
    plan = written(tmp_path, groups=8, each=4)
    rewrite(tmp_path / "judges.csv", lambda row: row if int(row[0]) % 2 else [row[0], row[1], "3", "3"])
    analysis = analyse(plan, read_ratings(plan, tmp_path))
    it = analysis.criteria["plot"]
    assert not isinstance(it.ceiling, Unknown) and not isinstance(it.within_group, Unknown)
    behind = replace(it.ceiling.difference, value=0.1, low=-0.3, high=0.4, clusters=8)
    sure = replace(it.within_group, low=0.2, high=0.9)
    it = replace(it, ceiling=replace(it.ceiling, difference=behind), within_group=sure)
    analysis = replace(analysis, criteria={"plot": it})

    assert lights(analysis, it)["rank"].answer == "open"
    found = {one.question: one for one in needed(analysis)}
    assert (found["rank"].groups, found["rank"].wanted) == (8, 32)  # from .1 down to -.3, where -.1 would do


def test_what_lies_on_the_line_is_not_settled_by_labels(tmp_path: Path) -> None:
    plan = written(tmp_path, groups=8, each=4)
    analysis = analyse(plan, read_ratings(plan, tmp_path))
    it = analysis.criteria["plot"]
    assert not isinstance(it.ceiling, Unknown)
    behind = replace(it.ceiling.difference, value=-0.1, low=-0.3, high=0.1)
    analysis = replace(analysis, criteria={"plot": replace(it, ceiling=replace(it.ceiling, difference=behind))})
    found = {one.question: one for one in needed(analysis)}

    assert found["rank"].wanted is None and found["rank"].why == "more than 100 times as many"


def test_labels_do_not_settle_what_one_score_for_all_does_as_well(tmp_path: Path) -> None:
    plan = written(tmp_path, groups=30, each=5)
    rng = np.random.default_rng(1)
    rewrite(tmp_path / "people.csv", lambda row: [*row[:2], *map(str, rng.integers(1, 6, 2))])
    rewrite(tmp_path / "judges.csv", lambda row: [*row[:2], *map(str, rng.integers(3, 5, 2) - (row[1] == "good"))])
    found = [one for one in needed(analyse(plan, read_ratings(plan, tmp_path))) if one.question == "replaceable"]

    assert found and {one.why for one in found} == {"not by more groups: one score for every item does as well"}


def narrowed(found: Estimate, times: float) -> Estimate:
    assert found.low is not None and found.high is not None
    low, high = (found.value + (end - found.value) / math.sqrt(times) for end in (found.low, found.high))
    return replace(found, low=low, high=high)


RANKS = [  # rho with its ends, and how far the judge is behind one person
    ((0.5, 0.2, 0.8), (0.1, -0.3, 0.4)),
    ((0.05, -0.30, 0.40), (0.2, -0.12, 0.5)),  # the rho is what takes most
    ((0.3, 0.1, 0.5), (-0.2, -0.5, 0.1)),  # surely behind, some day
    ((-0.1, -0.4, 0.2), (0.0, -0.3, 0.3)),  # surely nothing, some day
]


@pytest.mark.parametrize(("own", "behind"), RANKS)
def test_so_many_groups_settle_the_ranks_and_no_fewer(own: Any, behind: Any, tmp_path: Path) -> None:
    analysis = analyse(written(tmp_path, groups=20, each=3), read_ratings(study(), tmp_path))
    it = analysis.criteria["plot"]
    assert not isinstance(it.within_group, Unknown) and not isinstance(it.ceiling, Unknown)
    rho = replace(it.within_group, **dict(zip(("value", "low", "high"), own, strict=True)))
    gap = replace(it.ceiling.difference, **dict(zip(("value", "low", "high"), behind, strict=True)))

    def after(times: float) -> Criterion:
        ceiling = replace(it.ceiling, difference=narrowed(gap, times))
        return replace(it, within_group=narrowed(rho, times), ceiling=ceiling)

    [found] = [one for one in needed(replace(analysis, criteria={"plot": after(1)})) if one.question == "rank"]
    assert found.groups == 20 and found.wanted is not None
    assert lights(analysis, after(found.wanted / 20))["rank"].answer != "open"
    assert lights(analysis, after((found.wanted - 1.01) / 20))["rank"].answer == "open"


def test_what_settles_length_and_level_by_hand(tmp_path: Path) -> None:
    """An effect of .05 [-.07, .17] is within .1 at (.12 / .05)^2 of the groups; the level as it is sooner than mapped.

    Level: .05 [-.16, .26] within .2 takes (.21 / .15)^2 = 1.96 times as many, .19 [.10, .28] takes 81 times.
    An effect of .2 with p .01 and q .06 is biased where p is .05 / 6: (2.638 / 2.576)^2.
    """
    analysis = analyse(written(tmp_path, groups=20, each=3), read_ratings(study(), tmp_path))
    it = analysis.criteria["plot"]
    assert not isinstance(it.length, Unknown) and not isinstance(it.served, Unknown)
    assert not isinstance(it.level, Unknown) and not isinstance(it.served.level, Unknown)
    effect = replace(it.length.effect, value=0.05, low=-0.07, high=0.17)
    length = replace(it.length, effect=effect, band=0.1, verdict="undecided", p=0.4, q=0.4)
    level = replace(it.level, low=-0.2, high=0.2, verdict="undecided")
    raw = replace(level, difference=replace(level.difference, value=0.05, low=-0.16, high=0.26))
    mapped = replace(level, difference=replace(level.difference, value=0.19, low=0.10, high=0.28))
    it = replace(it, length=length, level=raw, served=replace(it.served, level=mapped))
    found = {one.question: one.wanted for one in needed(replace(analysis, criteria={"plot": it}))}
    assert (found["reward"], found["level"]) == (math.ceil(20 * 2.4**2), math.ceil(20 * 1.96))

    biased = replace(length, effect=replace(effect, value=0.2, low=0.01, high=0.39), p=0.01, q=0.06)
    found = {
        one.question: one.wanted for one in needed(replace(analysis, criteria={"plot": replace(it, length=biased)}))
    }
    assert found["reward"] == math.ceil(20 * (2.6383 / 2.5758) ** 2)


def test_one_rater_is_not_mended_by_more_groups(tmp_path: Path) -> None:
    plan = written(tmp_path, raters=1, groups=40)
    found = [one for one in needed(analyse(plan, read_ratings(plan, tmp_path))) if one.question == "rank"]

    assert found and all(one.wanted is None and "it takes raters, or items a group" in one.why for one in found)
