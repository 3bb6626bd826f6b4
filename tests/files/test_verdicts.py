"""Recorded verdicts: what judgekit wrote comes back whole, and what others wrote is read strictly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from judgekit.errors import InputError
from judgekit.files import preference_row, recorded
from judgekit.types import Comparison, Preference

ONE, OTHER = Comparison("p", "x", "y", "1"), Comparison("p", "x", "z", "2")
VOTE = st.sampled_from(["a", "b", "tie", None])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "verdicts.jsonl"


def write(file: Path, *rows: Any) -> Path:
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


@st.composite
def preferences(draw: st.DrawFn) -> Preference:
    winner = draw(VOTE)
    share = st.none() | st.floats(0, 1)
    score = st.none() | st.floats(-1e6, 1e6)
    return Preference(
        winner,
        draw(share),
        (draw(score), draw(score)),
        error=None if winner else draw(st.text("ab ", min_size=1)),
        judge="j",
        votes=tuple(tuple(order) for order in draw(st.lists(st.lists(VOTE, max_size=3), max_size=2))),
    )


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(preferences())
def test_what_was_written_comes_back(file: Path, preference: Preference) -> None:
    assert recorded(write(file, preference_row(ONE, preference)), [ONE]) == ([preference], 0)


def test_rows_find_their_pairs_by_id_in_any_order(file: Path) -> None:
    write(file, {"id": 2, "winner": "b"}, {"id": "9", "winner": "a"}, {"id": "1", "winner": None})
    found, others = recorded(file, [ONE, OTHER, Comparison("p", "x", "y", "3")])

    assert [it.winner for it in found] == [None, "b", None]
    assert [it.error for it in found] == ["no reason recorded", None, "no recorded verdict"]
    assert others == 1


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"winner": "a"}, "'id' is missing"),
        ({"id": "2", "winer": "a"}, "'winner' is missing; did you mean 'winer'"),
        ({"id": "2", "winner": "A"}, "winner is 'A'; it must be 'a', 'b', 'tie' or null"),
        ({"id": "2", "winner": ["a"]}, "winner is"),
        ({"id": "2", "winner": "a", "error": "no"}, "one of the two must be null"),
        ({"id": "2", "winner": None, "error": 3}, "error must be a text or null"),
        ({"id": "2", "winner": "a", "probability": 1.2}, "P(a is better)"),
        ({"id": "2", "winner": "a", "probability": "1"}, "probability must hold numbers"),
        ({"id": "2", "winner": "a", "probability": True}, "probability must hold numbers"),
        ({"id": "2", "winner": "a", "scores": [1]}, "scores must be a list of two"),
        ({"id": "2", "winner": "a", "scores": {"a": 1, "b": 2}}, "scores must be a list of two"),
        ({"id": "2", "winner": "a", "scores": [1, "2"]}, "scores must hold numbers"),
        ({"id": "2", "winner": "a", "votes": ["a", "b"]}, "one or two lists"),
        ({"id": "2", "winner": "a", "votes": [["a"], ["b"], ["a"]]}, "one or two lists"),
        ({"id": "2", "winner": "a", "votes": [["A"]]}, "a vote is 'A'"),
        ({"id": "1", "winner": "a"}, "the id '1' has a row already"),
        ({"id": "2", "winner": "a", "input": "0" * 16}, "was written for other texts"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(file: Path, row: dict, says: str) -> None:
    write(file, {"id": "1", "winner": "a"}, row)

    with pytest.raises(InputError) as problem:
        recorded(file, [ONE, OTHER])
    assert str(problem.value).startswith(f"{file}:2: ") and says in str(problem.value)


def test_verdicts_on_other_pairs_altogether_are_refused(file: Path) -> None:
    with pytest.raises(InputError, match="has no verdict on any of the pairs"):
        recorded(write(file, {"id": "line-1", "winner": "a"}), [ONE])
