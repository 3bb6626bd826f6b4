"""From a study to its profile: every figure where it came from, and what no profile can be made of."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import judgekit
from judgekit.calibration import NotEstimableError
from judgekit.calibration.profile import Profile
from judgekit.errors import InputError
from judgekit.studies.analysis import Analysis, analyse
from judgekit.studies.profiles import profile
from judgekit.studies.study import Study
from judgekit.studies.table import read_ratings
from judgekit.studies.unknown import Unknown

DAY = date(2026, 3, 1)


def table(path: Path, criteria: tuple[str, ...], seed: int = 0) -> None:
    """48 items of 12 prompts, 3 raters and a judge that rates a point too high."""
    rng = np.random.default_rng(seed)
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["item", "group", "rater", "rater_kind", *criteria])
        for item in range(48):
            truth = rng.normal(3, 1)
            for rater, kind, shift in (("r1", "human", 0), ("r2", "human", 0), ("r3", "human", -1), ("j", "judge", 1)):
                scores = [int(np.clip(round(truth + shift + rng.normal(0, 0.6)), 1, 5)) for _ in criteria]
                rows.writerow([f"i{item}", f"g{item // 4}", rater, kind, *scores])


def study_of(criteria: tuple[str, ...], **changes: Any) -> Study:
    rating = {"file": "r.csv", "kind": "column", "group": "group", "criteria": criteria}
    plain = {"scale": {"low": 1, "high": 5, "step": 1}, "ratings": [rating], "judge": "j", "draws": 100}
    return Study.model_validate({**plain, "gates": {"item": 0.2, "error": 0.01}, **changes})


def analysis_of(folder: Path, criteria: tuple[str, ...], **changes: Any) -> Analysis:
    table(folder / "r.csv", criteria)
    study = study_of(criteria, **changes)
    return analyse(study, read_ratings(study, folder))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analysis_of(tmp_path_factory.mktemp("two"), ("plot", "style"), simulated=True)


@pytest.fixture(scope="module")
def made(two: Analysis) -> Profile:
    return profile(two, created=DAY)


def test_it_says_what_it_was_made_of(made: Profile) -> None:
    assert (made.judge.name, made.judge.fingerprint) == ("j", None)
    assert (made.scale.low, made.scale.high, made.scale.step) == (1, 5, 1)
    assert (made.data.items, made.data.groups, made.data.raters, made.data.simulated) == (48, 12, 3, True)
    assert (made.created, made.expires) == (DAY, date(2027, 3, 1))
    assert (made.fit.version, made.fit.seed, made.fit.draws) == (judgekit.__version__, 0, 100)
    assert made.check(DAY) == []


def test_it_applies_the_maps_that_the_study_chose(made: Profile, two: Analysis) -> None:
    raws = [1.0, 2.5, 4.0, 6.0]
    for name, it in two.criteria.items():
        found = made.apply(name, raws)
        assert not isinstance(it.choice, Unknown) and not isinstance(it.interval, Unknown)
        assert found.score == pytest.approx(it.choice.map.apply(raws), abs=0)
        assert np.array_equal([found.low, found.high], it.interval.interval(raws))
    assert {name: it.of for name, it in made.criteria.items()} == {
        "plot": "criterion", "style": "criterion", "overall": "mean"
    }  # fmt: skip


def test_its_figures_are_those_of_the_study(made: Profile, two: Analysis) -> None:
    own, found = two.criteria["plot"], made.criteria["plot"]

    for name, estimate in {"within_group": own.within_group, "item": own.item, "error_after": own.after}.items():
        figure = found.quality[name]
        expected = [estimate.value, estimate.low, estimate.high]
        assert [figure.value, figure.low, figure.high] == pytest.approx(expected, rel=1e-5)
    assert found.quality["ceiling"].value == pytest.approx(own.ceiling.human.value, rel=1e-5)
    assert found.quality["error_after"].value < found.quality["error_before"].value
    assert "do not say what wrote an item" in found.unknown["system"]


def test_its_gates_are_those_of_the_study(made: Profile) -> None:
    """A correlation of .2 is reached, a mean error of .01 is not, and no score is missing."""
    passed = {(gate.criterion, gate.name): gate.passed for gate in made.gates}

    assert passed["plot", "item"] and passed["plot", "unscored"] and not passed["plot", "error"]
    assert len(passed) == 9


def test_it_is_small_and_the_same_again(made: Profile, two: Analysis, tmp_path: Path) -> None:
    path = made.save(tmp_path / "profile.json")

    assert profile(two, created=DAY).id == made.id
    assert Profile.load(path) == made
    assert path.stat().st_size < 25_000  # 48 labels keep none aside: each interval has 10 maps and all residuals


def test_the_hash_of_the_ratings_is_of_each_score(made: Profile, two: Analysis) -> None:
    human = {name: rows.copy() for name, rows in two.ratings.human.items()}
    human["style"][2, 47] = 6 - human["style"][2, 47] or 1
    other = profile(replace(two, ratings=replace(two.ratings, human=human)), created=DAY)

    assert other.data.sha256 != made.data.sha256 and other.id != made.id


def test_a_fingerprint_and_another_life(two: Analysis) -> None:
    found = profile(two, fingerprint="0123", created=DAY, days=30)

    assert found.judge.fingerprint == "0123" and found.expires == date(2026, 3, 31)
    assert profile(two).created == date.today()


def test_a_criterion_without_a_map_says_why(two: Analysis, made: Profile) -> None:
    lost = replace(two.criteria["style"], choice=Unknown("it does not vary"), interval=Unknown("it does not vary"))
    found = profile(replace(two, criteria={**two.criteria, "style": lost}), created=DAY)

    assert found.unmapped == {"style": "it does not vary"} and found.parts == made.parts
    assert found.check(DAY) == []


def test_without_a_map_for_the_overall_score_there_is_no_profile(two: Analysis) -> None:
    lost = replace(two.criteria["overall"], choice=Unknown("2 groups"))
    with pytest.raises(NotEstimableError, match="overall: 2 groups"):
        profile(replace(two, criteria={**two.criteria, "overall": lost}))


def test_means_of_raters_are_not_held_to_the_grid_of_one_rating(two: Analysis) -> None:
    """Means of three lie on thirds; an interval drawn in to whole points would lose some that it is to hold."""
    assert {it.interval.step for it in two.criteria.values()} == {None}


def test_an_interval_that_is_not_there_is_said(two: Analysis) -> None:
    bare = replace(two.criteria["overall"], interval=Unknown("3 groups"))
    found = profile(replace(two, criteria={**two.criteria, "overall": bare}), created=DAY)

    assert found.criteria["overall"].interval is None
    assert found.criteria["overall"].unknown["interval"] == "3 groups"


@pytest.mark.parametrize(("name", "of"), [("overall", "value"), ("plot", "criterion")])
def test_a_single_criterion(name: str, of: str, tmp_path: Path) -> None:
    found = profile(analysis_of(tmp_path, (name,)), created=DAY)

    assert {key: it.of for key, it in found.criteria.items()} == {name: of} and found.overall == name


def test_where_lower_is_better_there_is_no_profile(two: Analysis) -> None:
    turned = study_of(("plot", "style"), scale={"low": 1, "high": 5, "higher_is_better": False})
    with pytest.raises(InputError, match="higher is better"):
        profile(replace(two, study=turned))
