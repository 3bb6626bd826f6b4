"""Rated samples against a rubric."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from judgekit import Criterion, InputError, Rubric, Sample
from judgekit.training.rated import fitting, read_rated
from judgekit.training.splits import split
from judgekit.types import Rated

CRITERIA = tuple(Criterion(id=name, title=name, range=(1, 5)) for name in ("plot", "style"))
RUBRIC = Rubric(id="x/two", title="Two", criteria=CRITERIA)


def rated(name: str = "1", group: str = "", **scores: float | None) -> Rated:
    return Rated(Sample("p", "r", name), scores or {"plot": 3.0}, group=group)


def test_what_fits_comes_back() -> None:
    row = rated(plot=3.3, style=None)

    assert fitting(RUBRIC, row) is row


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (rated(plots=3.0), "x/two has no criterion 'plots'; did you mean 'plot'"),
        (rated(plot=5.5), "the score of plot is 5.5; its scale goes from 1 to 5"),
        (rated(plot=0.0), "its scale goes from 1 to 5"),
        (Rated(Sample("p", "r"), {"plot": 3.0}, {"end": "x"}), "a review of 'end'"),
    ],
)
def test_what_does_not_fit(row: Rated, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fitting(RUBRIC, row)


def test_a_file_names_every_line_that_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    rows = [{"prompt": "p", "response": "r", "scores": {"plot": score}} for score in (3, 7, 0)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    with pytest.raises(InputError, match=r"(?s)jsonl:2: the score of plot is 7.*jsonl:3: the score of plot is 0"):
        read_rated(path, RUBRIC)


def test_doubled_ids_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    path.write_text(2 * f"{json.dumps({'id': 'x', 'prompt': 'p', 'response': 'r', 'scores': {'plot': 3}})}\n")

    with pytest.raises(InputError, match="the id 'x' stands at line 1 already"):
        read_rated(path, RUBRIC)


def test_rated_samples_are_split_by_group() -> None:
    rows = [Rated(Sample(f"p{i % 5}", "r", str(i)), {"plot": 1.0}) for i in range(20)]
    train, test = split(rows, (0.8, 0.2))

    assert (len(train), len(test)) == (16, 4)
    assert not {row.cluster for row in train} & {row.cluster for row in test}
