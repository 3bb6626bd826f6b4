"""What a study reads of its tables, cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judgekit.errors import ConfigError, InputError
from judgekit.studies.study import Study
from judgekit.studies.table import read_ratings

LONG = "item,rater,criterion,score\n1,x,plot,2\n1,y,plot,3\n2,x,plot,5\n"
JUDGE = "item,rater,plot\n1,j,4\n2,j,1\n"
TABLES: dict[str, Any] = {
    "people.csv": {"kind": "human", "criterion": "criterion"},
    "judge.csv": {"kind": "judge", "criteria": ["plot"]},
}


def study(tables: dict[str, dict[str, Any]] = TABLES, **more: Any) -> Study:
    return Study.model_validate(
        {
            "scale": {"low": 1, "high": 5, "step": 1},
            "ratings": [{"file": name, **table} for name, table in tables.items()],
            "judge": "j",
            **more,
        }
    )


def files(tmp_path: Path, **texts: str) -> Path:
    for name, text in {"people": LONG, "judge": JUDGE, **texts}.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_long_and_wide(tmp_path: Path) -> None:
    found = read_ratings(study(), files(tmp_path))

    assert (found.items, found.raters, found.criteria) == (("1", "2"), ("x", "y"), ("plot",))
    np.testing.assert_array_equal(found.human["plot"], [[2, 5], [3, np.nan]])
    np.testing.assert_array_equal(found.judges["j"]["plot"], [[4, 1]])


def test_names_are_put_together_from_columns(tmp_path: Path) -> None:
    """Item 1 of subset a and item 1 of subset b are two; a column of another name is a criterion by mapping."""
    data = files(
        tmp_path,
        people="subset,n,rater,mark\na,1,x,2\nb,1,x,3\n",
        judge="subset,n,model,prompt,mark\na,1,m,2,5\nb,1,m,2,4\n",
    )
    wide = {"item": "{subset}/{n}", "group": "subset {subset}", "criteria": {"quality": "mark"}}
    tables = {
        "people.csv": {**wide, "kind": "human"},
        "judge.csv": {**wide, "kind": "judge", "rater": "{model} p{prompt}"},
    }
    found = read_ratings(study(tables, judge="m p2"), data)

    assert found.items == ("a/1", "b/1")
    np.testing.assert_array_equal(found.judges["m p2"]["quality"], [[5, 4]])
    with pytest.raises(InputError, match=r"judge.csv:2: there is nothing in the column 'modell'; did you mean 'model'"):
        read_ratings(study({**tables, "judge.csv": {**tables["judge.csv"], "rater": "{modell}"}}), data)


def test_braces_reach_columns_and_nothing_else(tmp_path: Path) -> None:
    hostile = {**TABLES, "judge.csv": {**TABLES["judge.csv"], "rater": "{item.__class__}"}}

    with pytest.raises(InputError, match=r"nothing in the column 'item\.__class__'"):
        read_ratings(study(hostile), files(tmp_path))


def test_labels_stand_for_scores(tmp_path: Path) -> None:
    data = files(tmp_path, people=LONG.replace(",2\n", ",No\n").replace(",3\n", ",Partly\n").replace(",5\n", ",Yes\n"))
    labels = {"low": 1, "high": 5, "labels": {"No": 1, "Partly": 2.5, "Yes": 5}}

    np.testing.assert_array_equal(read_ratings(study(scale=labels), data).human["plot"], [[1, 5], [2.5, np.nan]])
    with pytest.raises(InputError, match=r"people.csv:2: 'No' is not a score; leave the cell empty"):
        read_ratings(study(), data)
    with pytest.raises(InputError, match=r"people.csv:4: 'Yes' is not a score; labels: No, Partly"):
        read_ratings(study(scale={**labels, "labels": {"No": 1, "Partly": 2}}), data)


def test_what_several_tables_tell_of_an_item_is_put_together(tmp_path: Path) -> None:
    data = files(tmp_path, people="item,rater,plot,by\n1,x,2,m\n2,x,4,n\n", items="item,prompt\n1,p\n2,p\n3,q\n")
    tables = {"people.csv": {"kind": "human", "criteria": ["plot"], "system": "by"}, "judge.csv": TABLES["judge.csv"]}
    found = read_ratings(study(tables, items={"file": "items.csv", "group": "prompt"}), data)

    assert (found.items, found.groups, found.systems) == (("1", "2"), ("p", "p"), ("m", "n"))
    assert found.left_out == {"items without a score": 1}


def test_two_tables_may_not_contradict_each_other(tmp_path: Path) -> None:
    data = files(tmp_path, people="item,rater,plot,by\n1,x,2,m\n2,x,4,n\n", items="item,by\n1,m\n2,m\n")
    people = {"kind": "human", "criteria": ["plot"]}
    for what in ("group", "system"):
        tables = {"people.csv": {**people, what: "by"}, "judge.csv": TABLES["judge.csv"]}
        with pytest.raises(InputError, match=f"people.csv:3: '2' has the {what} 'n', and 'm' before"):
            read_ratings(study(tables, items={"file": "items.csv", what: "by"}), data)


def test_the_items_table(tmp_path: Path) -> None:
    data = files(tmp_path, items="item,text\n1,two words\n2,\n", twice="item\n1\n1\n")

    assert read_ratings(study(items={"file": "items.csv", "text": "text"}), data).words is None  # of one, unknown
    with pytest.raises(InputError, match="no row has anything in the column 'story'"):
        read_ratings(study(items={"file": "items.csv", "text": "story"}), data)
    with pytest.raises(InputError, match=r"twice.csv:3: the item '1' stands twice"):
        read_ratings(study(items={"file": "twice.csv"}), data)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (LONG.replace(",2\n", ",9\n"), "people.csv:2: the score 9 is off the scale of 1 to 5"),
        (LONG.replace(",2\n", ",nan\n"), "people.csv:2: the score nan is off the scale"),
        (LONG.replace(",2\n", ",2.5\n"), "people.csv:2: the score 2.5 is not on the scale's steps of 1"),
        (LONG.replace(",2\n", ",many\n"), "people.csv:2: 'many' is not a score"),
        (f"{LONG}1,x,plot,2\n", "people.csv:5: x has scored '1' on plot before"),
        (LONG.replace("1,x", ",x"), "people.csv:2: there is nothing in the column 'item'"),
    ],
)
def test_bad_cells_are_refused_with_their_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError) as refused:
        read_ratings(study(), files(tmp_path, people=text))

    assert problem in str(refused.value)


def test_what_has_no_score_is_counted(tmp_path: Path) -> None:
    tables = {**TABLES, "judge.csv": {**TABLES["judge.csv"], "off_scale": "leave out"}}
    found = read_ratings(study(tables), files(tmp_path, people=f"{LONG}2,y,plot,\n", judge=JUDGE.replace(",4", ",-1")))

    assert found.left_out == {"people.csv: no score": 1, "judge.csv: off the scale": 1}


def test_lower_may_be_better(tmp_path: Path) -> None:
    """2, 5 and 3 on 1 to 5, turned round at 3: 4, 1 and 3."""
    found = read_ratings(study(scale={"low": 1, "high": 5, "higher_is_better": False}), files(tmp_path))

    np.testing.assert_array_equal(found.human["plot"], [[4, 1], [3, np.nan]])


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"scale": {"low": 0, "high": 1, "labels": {"Yes": 2}}}, "the label 'Yes' stands for 2, off the scale"),
        ({"source": "storyworld"}, "simulated: true"),
        ({"convention": "missing is no"}, "two answers"),
    ],
)
def test_a_study_that_cannot_be(tmp_path: Path, more: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        study(**more)


def test_an_export_is_wide() -> None:
    with pytest.raises(ValueError, match=r"an export .inspect. is wide"):
        study({"x.json": {"kind": "judge", "criterion": "c", "format": "inspect"}})


def test_a_study_that_reads_files_needs_their_folder() -> None:
    with pytest.raises(InputError, match=r"the study reads people.csv: give the folder"):
        read_ratings(study())


def test_no_such_study() -> None:
    with pytest.raises(ConfigError, match="did you mean 'hanna'"):
        Study.load("hana")
