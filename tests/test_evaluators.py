"""The benchmark of the four evaluators: from their scores to its tables, without training any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import evaluators
from judgekit.judges import Judge, RubricJudge
from judgekit.models import FakeModel
from judgekit.rubrics.rubric import Rubric
from judgekit.rubrics.writing import write_scores
from judgekit.storyworld import Outline, Rater, World, rate
from judgekit.studies.analysis import analyse
from judgekit.studies.unknown import Unknown
from judgekit.types import Sample

Scores = dict[str, list[float | None]]


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluators, "DRAWS", 100)


def rows(samples: list[Sample], **noises: float | None) -> Scores:
    """Scores of an evaluator for each noise; None: one that says nothing."""

    def one(name: str, noise: float | None) -> list[float | None]:
        if noise is None:
            return [None] * len(samples)
        return [float(row["score"]) for row in rate(samples, [Rater(name, 0.0, noise)])]

    return {shape: one(shape, noises[shape]) for shape in evaluators.SHAPES}


def test_the_stories_to_choose_on_and_to_calibrate_on_share_no_outline() -> None:
    parts = evaluators.held_out(evaluators.Settings(Path("unused"), outlines=6))
    groups = [{Outline.parse(sample.prompt).id for sample in part} for part in parts]

    assert [len(part) for part in parts] == [30, 30] and [len(group) for group in groups] == [6, 6]
    assert not groups[0] & groups[1]
    assert all(Outline.parse(sample.prompt).split == "test" for part in parts for sample in part)


def test_from_scores_to_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The more noise, the lower every figure; the best one wins; one that says nothing is counted."""
    samples = World(0).grouped(20, 5, "test")
    scores = rows(samples, normal=0.3, uniform=1.0, exppos=4.0, expneg=None)
    scores["normal"][0] = None
    plan, ratings = evaluators.study(tmp_path / "study", samples, scores, "normal", 0)
    figures = {shape: evaluators.of_judge(ratings, shape) for shape in evaluators.SHAPES}
    told = {name: {key: evaluators.told(it) for key, it in found.items()} for name, found in figures.items()}

    assert plan.simulated and ratings.raters != ()
    assert evaluators.best(ratings) == "normal"
    for level in ("cell", "item", "within_group", "alpha", "against_others"):
        values = [told[shape][level][0] for shape in ("normal", "uniform", "exppos")]
        assert values == sorted(values, reverse=True)
    assert told["normal"]["cell"] == told["normal"]["item"]  # one criterion
    assert told["normal"]["unscored"][0] == 1 / 100 and told["expneg"]["unscored"][0] == 1
    assert isinstance(figures["expneg"]["item"], Unknown)

    tests = evaluators.paired(ratings)
    assert len(tests) == 12
    known = [pair for pair in tests if not isinstance(pair.test, Unknown)]
    assert len(known) == 6  # three evaluators at two levels
    assert all(pair.q is not None and pair.q >= pair.test.p for pair in known)  # type: ignore[operator,union-attr]
    evaluators.show(ratings, evaluators.human(ratings), figures, tests, "normal", analyse(plan, ratings))
    shown = capsys.readouterr().out
    assert "SIMULATED" in shown and "not estimable" in shown and "normal - uniform, item" in shown
    json.dumps([evaluators.test_row(pair) for pair in tests], allow_nan=False)


def test_no_score_at_all_stops_the_run() -> None:
    silent: Scores = {shape: [None, None] for shape in evaluators.SHAPES}

    with pytest.raises(SystemExit, match="train longer"):
        evaluators.talking(silent)
    assert evaluators.talking({**silent, "exppos": [None, 3.0]}) == "exppos"


def test_the_raters_of_the_calibration_are_not_those_of_the_training(tmp_path: Path) -> None:
    samples = World(0).grouped(4, 5, "test")
    _, ratings = evaluators.study(
        tmp_path, samples, rows(samples, normal=1, uniform=1, exppos=1, expneg=1), "normal", 0
    )
    training = {row["rater"] for row in World(0).ratings(samples)}

    assert len(ratings.raters) == 3 and not training & set(ratings.raters)


@pytest.mark.slow
def test_training_is_the_command_lines_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps of one shape; what is there is not made again."""
    pytest.importorskip("trl")
    settings = evaluators.Settings(tmp_path, steps=2, train=40, outlines=1)
    path = evaluators.train("uniform", settings)
    samples = evaluators.held_out(settings)[0][:2]
    found = evaluators.score(path, samples, tmp_path / "scores.jsonl")
    lines: list[str] = []
    monkeypatch.setattr(evaluators, "say", lines.append)

    assert len(found) == 2
    assert evaluators.score(evaluators.train("uniform", settings), samples, tmp_path / "scores.jsonl") == found
    assert not [line for line in lines if "step" in line or "of 2" in line]


@pytest.mark.filterwarnings("ignore:the profile of .* simulated")
def test_the_profile_is_written_loaded_and_applied(tmp_path: Path) -> None:
    """A judge of scripted replies, which in this order happen to go with the truth: no other gets a profile."""
    rubric, samples = Rubric.load("story/storyworld_rating"), World(0).grouped(12, 5, "test")
    replies = [write_scores(rubric, {"quality": float(value)}, {"quality": "so"}, "") for value in range(5, 0, -1)]
    path = RubricJudge(rubric, FakeModel(replies)).save(tmp_path / "judge")
    values = [found.value for found in Judge.load(path).score(samples)]
    scores: Scores = dict.fromkeys(evaluators.SHAPES, values)
    plan, ratings = evaluators.study(tmp_path / "study", samples, scores, "normal", 0)
    told = evaluators.calibrated(analyse(plan, ratings), path, samples, tmp_path / "calibrated")

    assert (tmp_path / "calibrated" / "profile.json").is_file()
    assert told["applied"] == told["intervals"] == evaluators.APPLIED and told["rewards_rise"]
    assert Judge.load(tmp_path / "calibrated" / "judge.yaml").score(samples[:1])[0].raw == values[0]
