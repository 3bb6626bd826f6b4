"""A judge on the spot: on whatever scale, or without a verdict; and the names that tables give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from judgekit import InputError
from judgekit.studies.analysis import analyse
from judgekit.studies.answers import lights
from judgekit.studies.judged import judged
from judgekit.studies.study import Scale, Study
from judgekit.studies.table import read_ratings
from tests.studies.test_report import rewrite, study, written


def rows(*values: float | None, unit: Any = None, **criteria: float) -> list[tuple[int, dict[str, Any]]]:
    """Rows as `judgekit score` writes them."""
    return [
        (
            line,
            {
                "id": str(line - 1),
                "value": value,
                "unit": None if value is None or unit is None else unit(value),
                "criteria": criteria,
                "error": None if value is not None else "no verdict in the reply",
            },
        )
        for line, value in enumerate(values, 1)
    ]


def test_a_judge_on_peoples_scale_needs_none_of_its_own() -> None:
    found = judged(study(), "j", ["overall"], rows(1, 3, 5, unit=lambda v: (v - 1) / 4), Path("j.jsonl"))

    assert found.scale is None and [row.scores for row in found.rows] == [{"overall": value} for value in (1, 3, 5)]


def test_a_judge_on_another_scale_has_the_reach_of_its_scores() -> None:
    """Strengths leave people's 1 to 5; a panel's 1 lies on it, but is not what its unit says it is there."""
    strengths = judged(study(), "j", ["overall"], rows(-2.5, 0.1, 3, unit=lambda v: v), Path("j.jsonl"))
    panel = judged(study(), "j", ["overall"], rows(1, 0.5, unit=lambda v: v), Path("j.jsonl"))

    assert strengths.scale == Scale(low=-2.5, high=3)
    assert panel.scale == Scale(low=0.5, high=1)


def test_a_judge_without_a_single_verdict_says_why() -> None:
    with pytest.raises(InputError, match=r"j.jsonl: not one of 2 items has a verdict: no verdict in the reply"):
        judged(study(), "j", ["plot"], rows(None, None, style=3.0), Path("j.jsonl"))
    with pytest.raises(InputError, match="the judge rates style; the study rates plot"):
        judged(study(), "j", ["plot"], rows(3, style=3.0), Path("j.jsonl"))


def test_what_compares_the_very_numbers_waits_for_the_map(tmp_path: Path) -> None:
    plan = written(tmp_path, groups=20)
    given = {line[0]: float(line[2]) for line in map(str.split, cells(tmp_path / "judges.csv", ",good,"))}
    own = zip(rows(*[value - 3 for value in given.values()]), given, strict=True)
    written_by_it = [(line, row | {"id": item}) for (line, row), item in own]
    plan = plan.model_copy(update={"judge": "own", "criteria": ("plot",)})
    found = judged(plan, "own", ["overall"], written_by_it, Path("own.jsonl"))
    named = [row._replace(scores={"plot": row.scores["overall"]}) for row in found.rows]
    assert found.scale is not None
    analysis = analyse(plan, read_ratings(plan, tmp_path, named, found.left_out, {"own": found.scale}))
    it = analysis.criteria["plot"]

    assert "keeps to another scale" in getattr(it.before, "reason", "")
    assert lights(analysis, it)["level"].answer == "with its map"


def cells(path: Path, mark: str) -> list[str]:
    return [line.replace(",", " ") for line in path.read_text(encoding="utf-8").splitlines() if mark in line]


def test_an_export_can_name_the_items_and_their_texts(tmp_path: Path) -> None:
    rating = {"type": "rating", "from_name": "q"}
    tasks = [
        {
            "id": i,
            "data": {"prompt": f"p{i // 2}", "text": "word " * (i + 1)},
            "annotations": [
                {"completed_by": rater, "result": [{**rating, "value": {"rating": 1 + i % 5}}]} for rater in (1, 2)
            ],
            "predictions": [{"model_version": "m", "result": [{**rating, "value": {"rating": 1 + i % 4}}]}],
        }
        for i in range(8)
    ]
    (tmp_path / "ls.json").write_text(json.dumps(tasks), encoding="utf-8")
    export = {"file": "ls.json", "format": "label_studio"}
    plan = Study.model_validate(
        {
            "scale": {"low": 1, "high": 5, "step": 1},
            "items": {**export, "group": "data.prompt", "text": "data.text"},
            "ratings": [{**export, "kind": "column", "criteria": ["q"]}],
            "judge": "m",
        }
    )
    found = read_ratings(plan, tmp_path)

    assert found.words is not None and found.words.tolist() == list(range(1, 9))
    assert found.groups == tuple(f"p{i // 2}" for i in range(8)) and found.raters == ("1", "2")


def test_spaces_around_a_name_are_not_part_of_it(tmp_path: Path) -> None:
    plan = written(tmp_path)
    rewrite(tmp_path / "people.csv", lambda row: [f" {row[0]}", f"{row[1]} ", *row[2:]])

    assert read_ratings(plan, tmp_path).raters == ("r0", "r1", "r2")


def test_nobody_is_judge_and_person(tmp_path: Path) -> None:
    plan = written(tmp_path)
    rewrite(tmp_path / "judges.csv", lambda row: [row[0], row[1].replace("poor", "r1"), *row[2:]])

    with pytest.raises(InputError, match="'r1' is a judge and a person"):
        read_ratings(plan, tmp_path)
