"""ratings.jsonl: rows in and out, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from judgekit import InputError, Sample
from judgekit.files import check, rated_of, rated_row, read
from judgekit.types import Rated

ROW = {"prompt": "p", "response": "r", "scores": {"plot": 3, "end": None}}


def test_there_and_back() -> None:
    sample = Sample("p", "r", "x", "model answer", {"k": [1]})
    rated = Rated(sample, {"plot": 3.5, "end": None}, {"plot": "Good."}, "All in all.", "g", "machine")

    assert rated_of(json.loads(json.dumps(rated_row(rated))), 1) == rated


def test_what_may_be_left_out() -> None:
    found = rated_of(ROW, 7)

    assert (found.id, found.reviews, found.rationale, found.source) == ("line-7", {}, "", "human")
    assert found.scores == {"plot": 3.0, "end": None}
    assert found.cluster == "p"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": {}}, "scores is empty"),
        ({"scores": [3]}, "scores must be an object"),
        ({"scores": {"plot": "3"}}, "score of plot is '3'"),
        ({"scores": {"plot": True}}, "score of plot is True"),
        ({"scores": {"plot": float("inf")}}, "score of plot is inf"),
        ({"reviews": {"plot": 3}}, "the review of plot must be a text"),
        ({"reviews": "fine"}, "reviews must be an object"),
        ({"rationale": 3}, "rationale must be a text"),
        ({"group": None}, "group must be a text"),
        ({"source": "robot"}, "source is 'robot'"),
        ({"response": " "}, "response is empty"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        rated_of({**ROW, **change}, 1)


def test_a_missing_field_names_the_nearest() -> None:
    with pytest.raises(InputError, match="'scores' is missing; did you mean 'score'"):
        rated_of({"prompt": "p", "response": "r", "score": {"plot": 3}}, 1)


def test_a_file_is_checked_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    path.write_text(json.dumps(ROW) + "\n" + json.dumps({**ROW, "source": "x"}) + "\n")

    with pytest.raises(InputError, match=r"ratings\.jsonl:2: source is 'x'"):
        check(path, rated_of)
    with pytest.raises(InputError, match=r":2: "):
        list(read(path, rated_of))
