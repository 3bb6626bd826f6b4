"""Exports of other programs: small files by hand, in the form that each program writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judgekit.errors import InputError
from judgekit.studies.exports import read_export
from judgekit.studies.study import Study
from judgekit.studies.table import read_ratings


def rating(name: str, value: int) -> dict[str, Any]:
    return {"from_name": name, "to_name": "story", "type": "rating", "value": {"rating": value}, "id": "r1"}


def choice(name: str, *values: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "story", "type": "choices", "value": {"choices": list(values)}, "id": "c1"}


def comment(text: str) -> dict[str, Any]:
    return {"from_name": "why", "to_name": "story", "type": "textarea", "value": {"text": [text]}, "id": "t1"}


LABEL_STUDIO: list[dict[str, Any]] = [
    {
        "id": 7,
        "data": {"text": "A story.", "prompt_id": "p1"},
        "annotations": [
            {"id": 1, "completed_by": 3, "was_cancelled": False, "result": [rating("plot", 4), comment("nice")]},
            {"id": 2, "completed_by": {"id": 5, "email": "x@y.z"}, "result": [rating("plot", 2)]},
            {"id": 3, "completed_by": 6, "was_cancelled": True, "result": [rating("plot", 1)]},
        ],
        "predictions": [{"id": 9, "model_version": "judge-1", "result": [rating("plot", 5)]}],
    },
    {
        "id": 8,
        "data": {"text": "Another.", "prompt_id": "p1"},
        "annotations": [{"id": 4, "completed_by": 3, "was_cancelled": False, "result": [rating("plot", 1)]}],
    },
]
ARGILLA: list[dict[str, Any]] = [
    {
        "id": "a",
        "fields": {"text": "A story."},
        "metadata": {"prompt": "p1"},
        "suggestions": {"quality": {"value": 4, "score": None, "agent": "gpt"}},
        "responses": {
            "quality": [{"value": 5, "user_id": "u1"}, {"value": 3, "user_id": "u2"}],
            "style": [{"value": "good", "user_id": "u1"}],
        },
        "vectors": {},
        "_server_id": "s1",
    },
    {
        "id": "b",
        "fields": {"text": "Another."},
        "metadata": {"prompt": "p2"},
        "suggestions": {"quality": {"value": 1, "score": None, "agent": None}},
        "responses": {"quality": [{"value": 2, "user_id": "u1"}]},
        "vectors": {},
        "_server_id": "s2",
    },
]
INSPECT: dict[str, Any] = {
    "version": 2,
    "status": "success",
    "eval": {"task": "stories", "model": "openai/gpt", "packages": {"inspect_ai": "0.3.95"}},
    "samples": [
        {
            "id": 1,
            "epoch": 1,
            "metadata": {"prompt": "p1"},
            "scores": {"model_graded_qa": {"value": "C"}, "judge": {"value": {"plot": 4, "style": None}}},
        },
        {"id": 1, "epoch": 2, "metadata": {}, "scores": {"model_graded_qa": {"value": float("nan")}}},
        {"id": 2, "epoch": 1, "scores": None},
    ],
}


def written(tmp_path: Path, data: Any, name: str = "export.json") -> Path:
    (tmp_path / name).write_text(json.dumps(data), encoding="utf-8")
    return tmp_path / name


def test_label_studio(tmp_path: Path) -> None:
    """Three annotations and a prediction of the first task, one annotation of the second; a comment is no score."""
    rows = list(read_export("label_studio", written(tmp_path, LABEL_STUDIO)))

    about = {"item": 7, "data.text": "A story.", "data.prompt_id": "p1"}
    assert rows[:4] == [
        (1, {**about, "rater": 3, "rater_kind": "human", "plot": 4}),
        (1, {**about, "rater": 5, "rater_kind": "human", "plot": 2}),
        (1, {**about, "rater": 6, "rater_kind": "human"}),  # cancelled
        (1, {**about, "rater": "judge-1", "rater_kind": "judge", "plot": 5}),
    ]
    assert [(number, row["item"], row["plot"]) for number, row in rows[4:]] == [(2, 8, 1)]


def test_the_answers_of_label_studio(tmp_path: Path) -> None:
    results = [
        choice("tone", "dark"),
        choice("themes", "love", "war"),
        {"from_name": "words", "type": "number", "value": {"number": 12}},
        {"from_name": "better", "type": "pairwise", "value": {"selected": "left"}},
    ]
    task = {"id": 1, "data": {}, "annotations": [{"completed_by": 1, "result": results}]}
    [(_, row)] = read_export("label_studio", written(tmp_path, [task]))

    assert {name: row[name] for name in ("tone", "themes", "words", "better")} == {
        "tone": "dark",
        "themes": ["love", "war"],  # no single score; a study that reads it refuses it
        "words": 12,
        "better": "left",
    }


def test_argilla(tmp_path: Path) -> None:
    rows = list(read_export("argilla", written(tmp_path, ARGILLA)))

    about = {"item": "a", "fields.text": "A story.", "metadata.prompt": "p1"}
    assert rows[:3] == [
        (1, {**about, "rater": "u1", "rater_kind": "human", "quality": 5, "style": "good"}),
        (1, {**about, "rater": "u2", "rater_kind": "human", "quality": 3}),
        (1, {**about, "rater": "gpt", "rater_kind": "judge", "quality": 4}),
    ]
    assert [row["rater"] for _, row in rows[3:]] == ["u1", "suggestion"]


def test_inspect(tmp_path: Path) -> None:
    """A letter, a score of two values of which one is missing, a NaN (unscored), a sample without scores."""
    rows = list(read_export("inspect", written(tmp_path, INSPECT)))

    about = {"model": "openai/gpt", "task": "stories", "item": 1, "rater_kind": "judge"}
    assert rows == [
        (1, {**about, "repeat": 1, "metadata.prompt": "p1", "rater": "model_graded_qa", "value": "C"}),
        (1, {**about, "repeat": 1, "metadata.prompt": "p1", "rater": "judge", "plot": 4}),
        (2, {**about, "repeat": 2, "rater": "model_graded_qa"}),
    ]


def test_an_export_is_read_as_a_study(tmp_path: Path) -> None:
    written(tmp_path, LABEL_STUDIO)
    study = Study.model_validate(
        {
            "scale": {"low": 1, "high": 5, "step": 1},
            "ratings": [
                {
                    "file": "export.json",
                    "format": "label_studio",
                    "kind": "column",
                    "group": "data.prompt_id",
                    "criteria": {"quality": "plot"},
                }
            ],
            "judge": "judge-1",
        }
    )
    found = read_ratings(study, tmp_path)

    assert (found.items, found.groups, found.raters) == (("7", "8"), ("p1", "p1"), ("3", "5"))
    np.testing.assert_array_equal(found.human["quality"], [[4, 1], [2, np.nan]])
    np.testing.assert_array_equal(found.judges["judge-1"]["quality"], [[5, np.nan]])
    assert found.left_out == {"export.json: no score": 1}  # the cancelled one


def test_letters_of_inspect_are_labels(tmp_path: Path) -> None:
    written(tmp_path, {**INSPECT, "samples": INSPECT["samples"][:1]})
    (tmp_path / "people.csv").write_text("item,rater,right\n1,x,1\n")
    study = Study.model_validate(
        {
            "scale": {"low": 0, "high": 1, "labels": {"C": 1, "P": 0.5, "I": 0}},
            "ratings": [
                {"file": "people.csv", "kind": "human", "criteria": ["right"]},
                {
                    "file": "export.json",
                    "format": "inspect",
                    "kind": "judge",
                    "criteria": {"right": "value"},
                    "repeat": "repeat",
                    "only": {"rater": ["model_graded_qa"]},
                },
            ],
            "judge": "model_graded_qa",
        }
    )

    assert read_ratings(study, tmp_path).judges["model_graded_qa"]["right"] == [[1.0]]


@pytest.mark.parametrize(
    ("form", "data", "problem"),
    [
        ("label_studio", {"tasks": []}, "must be a JSON list"),
        ("label_studio", [{"data": {}}], "export.json:1: not as label_studio exports it: it has no 'id'"),
        ("label_studio", ["task"], "export.json:1: not as label_studio"),
        (
            "label_studio",
            [{"id": 1, "data": {}, "annotations": [{"completed_by": 1, "result": [rating("x", 1), rating("x", 2)]}]}],
            "export.json:1: 'x' is answered twice",
        ),
        (
            "label_studio",
            [{"id": 1, "data": {}, "annotations": [{"completed_by": 1, "result": [rating("item", 1)]}]}],
            "export.json:1: a question is called 'item'",
        ),
        ("argilla", [ARGILLA[0], {"id": "x", "fields": {}}], "export.json:2: not as argilla exports it"),
        ("argilla", [{**ARGILLA[0], "responses": []}], "export.json:1: not as argilla exports it"),
        ("inspect", [], "must be the JSON log of an evaluation"),
        ("inspect", {"eval": {}, "samples": None}, "has no samples"),
        (
            "inspect",
            {"eval": {}, "samples": [{"id": 1}]},
            "export.json:1: not as inspect exports it: it has no 'epoch'",
        ),
    ],
)
def test_what_is_not_of_the_form(tmp_path: Path, form: Any, data: Any, problem: str) -> None:
    with pytest.raises(InputError) as refused:
        list(read_export(form, written(tmp_path, data)))

    assert problem in str(refused.value)


def test_what_is_no_json(tmp_path: Path) -> None:
    for name, text, problem in (
        ("a.json", "[1,", "not JSON"),
        ("b.json", "[" * 100_000, "nested too deeply"),
        ("c.json", b"\xff\xfe\x00".decode("latin1"), "not JSON"),
    ):
        (tmp_path / name).write_text(text, encoding="latin1")
        with pytest.raises(InputError, match=problem):
            list(read_export("argilla", tmp_path / name))
    with pytest.raises(InputError, match="No such file"):
        list(read_export("argilla", tmp_path / "d.json"))
