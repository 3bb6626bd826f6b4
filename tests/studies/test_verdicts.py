"""Rates on a scale of two answers, with the convention of a publication beside ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from judgekit.studies.study import Study
from judgekit.studies.table import read_ratings
from judgekit.studies.verdicts import ALL, Verdicts, verdicts

# Most people say: yes, no, yes, no, and of the fifth item as many say both.
PEOPLE = [("1", "110"), ("2", "100"), ("3", "11"), ("4", "00"), ("5", "10")]
JUDGE = "item,rater,ok\n1,j,1\n2,j,1\n3,j,\n4,j,0\n5,j,1\n"


def found(tmp_path: Path, judge: str = JUDGE, **more: Any) -> tuple[Verdicts, ...]:
    rows = "".join(f"{item},r{i},{v}\n" for item, votes in PEOPLE for i, v in enumerate(votes))
    (tmp_path / "people.csv").write_text(f"item,rater,ok\n{rows}")
    (tmp_path / "judge.csv").write_text(judge)
    tables: list[dict[str, Any]] = [
        {"file": "people.csv", "kind": "human", "criteria": ["ok"]},
        {"file": "judge.csv", "kind": "judge", "criteria": ["ok"], **more.pop("judge_table", {})},
    ]
    whole = {"scale": {"low": 0, "high": 1, "step": 1}, "ratings": tables, "judge": "j", "draws": 100, **more}
    study = Study.model_validate(whole)
    return verdicts(study, read_ratings(study, tmp_path))


def test_a_missing_verdict_is_left_out_and_counted(tmp_path: Path) -> None:
    """Yes right, no wrong, no right: two of three; the third item has no verdict, the fifth no majority."""
    [only] = found(tmp_path)

    assert (only.judge, only.criterion, only.items, only.missing, only.tied) == ("j", "ok", 4, 1, 1)
    assert only.ours.accuracy is not None and only.ours.accuracy.value == pytest.approx(2 / 3)
    assert only.published is None


@pytest.mark.parametrize(
    ("convention", "judge", "right"),
    [
        ("missing is no", JUDGE, 2 / 4),  # no to a true yes
        ("missing is wrong", JUDGE, 2 / 4),
        ("missing is no", JUDGE.replace("3,j,\n4,j,0", "3,j,1\n4,j,"), 3 / 4),  # no to a true no is right
        ("missing is wrong", JUDGE.replace("3,j,\n4,j,0", "3,j,1\n4,j,"), 2 / 4),
    ],
)
def test_the_convention_of_a_publication_stands_beside_ours(
    tmp_path: Path, convention: str, judge: str, right: float
) -> None:
    [only] = found(tmp_path, judge, convention=convention)

    assert only.published and only.published.accuracy and only.published.accuracy.value == pytest.approx(right)
    assert only.ours.accuracy and only.ours.accuracy.n == 3  # as without it


def test_repeats_vote(tmp_path: Path) -> None:
    """Yes twice of three is yes; one against one is no verdict."""
    rows = "1,j,1,1\n1,j,2,1\n1,j,3,0\n2,j,1,1\n2,j,2,0\n"
    [only] = found(tmp_path, f"item,rater,try,ok\n{rows}", judge_table={"repeat": "try"})

    assert only.ours.accuracy and (only.ours.accuracy.value, only.ours.accuracy.n) == (1.0, 1)
    assert (only.items, only.missing) == (4, 3)


def test_several_criteria_are_pooled_too(tmp_path: Path) -> None:
    """One right of one, and one right of two: two of three together."""
    (tmp_path / "p.csv").write_text("item,rater,a,b\n1,x,1,1\n2,x,,0\n")
    (tmp_path / "q.csv").write_text("item,rater,a,b\n1,j,1,1\n2,j,1,1\n")
    study = Study.model_validate(
        {
            "scale": {"low": 0, "high": 1, "step": 1},
            "ratings": [
                {"file": "p.csv", "kind": "human", "criteria": ["a", "b"]},
                {"file": "q.csv", "kind": "judge", "criteria": ["a", "b"]},
            ],
            "judge": "j",
            "draws": 100,
        }
    )
    made = verdicts(study, read_ratings(study, tmp_path))

    shares = {it.criterion: it.ours.accuracy.value for it in made if it.ours.accuracy}
    assert shares == {"a": 1.0, "b": 0.5, ALL: pytest.approx(2 / 3)}


def test_a_judge_who_says_nothing_has_no_rates(tmp_path: Path) -> None:
    for_others = JUDGE + "".join(f"{i},k,\n" for i in range(1, 5)) + "9,k,1\n"
    _, silent = found(tmp_path, for_others)

    assert (silent.judge, silent.missing, silent.ours.accuracy, silent.ours.rates) == ("k", 4, None, None)


def test_other_scales_have_none(tmp_path: Path) -> None:
    assert found(tmp_path, scale={"low": 0, "high": 5, "step": 1}) == ()
