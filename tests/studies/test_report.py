"""The report of small studies: every figure is right, or the page says why it is not there; never NaN, never a dash."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judgekit import InputError
from judgekit.studies.analysis import Analysis, analyse
from judgekit.studies.answers import QUESTIONS, lights
from judgekit.studies.crosscheck import CrossCheck, cross_check
from judgekit.studies.facts import facts, plain
from judgekit.studies.gates import gates
from judgekit.studies.report import SIMULATED, page
from judgekit.studies.study import Scale, Study
from judgekit.studies.summary import markdown
from judgekit.studies.table import read_ratings
from judgekit.studies.unknown import Unknown

DAY = date(2026, 11, 22)


class Cells(HTMLParser):
    """The cells of all tables."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.found = False, list[str]()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "td":
            self.inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "td"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found[-1] += data


def written(folder: Path, raters: int = 3, groups: int = 12, each: int = 4, seed: int = 0, **judge: Any) -> Study:
    """Write a study of two criteria: truth, raters with noise and a quarter of the cells missing, two judges."""
    rng = np.random.default_rng(seed)
    n = groups * each
    truth = rng.integers(1, 6, (2, n))
    people = ["item,rater,plot,style"]
    for rater in range(raters):
        given = np.clip(truth + rng.integers(-1, 2, (2, n)), 1, 5).astype(object)
        given[rng.random((2, n)) < 0.25 * (raters > 1)] = ""
        people += [f"{i},r{rater},{given[0, i]},{given[1, i]}" for i in range(n)]
    judges = ["item,judge,plot,style"]
    for name, noise in (("good", 1), ("poor", 3)):
        given = np.clip(truth + rng.integers(-noise, noise + 1, (2, n)), 1, 5)
        judges += [f"{i},{name},{given[0, i]},{given[1, i]}" for i in range(n)]
    items = ["item,prompt,by,text", *(f"{i},p{i // each},s{i % each},{'word ' * (i % 7 + 1)}" for i in range(n))]
    for name, lines in {"people": people, "judges": judges, "items": items}.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return study(**judge)


def study(**more: Any) -> Study:
    wide = {"criteria": ["plot", "style"]}
    return Study.model_validate(
        {
            "about": "Small.",
            "scale": {"low": 1, "high": 5, "step": 1},
            "items": {"file": "items.csv", "group": "prompt", "system": "by", "text": "text"},
            "ratings": [
                {"file": "people.csv", "kind": "human", **wide},
                {"file": "judges.csv", "kind": "judge", "rater": "judge", **wide},
            ],
            "judge": "good",
            "draws": 200,
            **more,
        }
    )


def rewrite(path: Path, change: Any) -> None:
    """Change the cells of a table, row by row."""
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([head, *(",".join(change(row.split(","))) for row in rows)]) + "\n", encoding="utf-8")


def everything(plan: Study, data: Path) -> tuple[Analysis, str, dict[str, Any], str]:
    analysis = analyse(plan, read_ratings(plan, data))
    found, check = gates(analysis), cross_check(analysis)
    shown = page(analysis, found, check, {"people.csv": "00"}).save(data / "report.html").read_text(encoding="utf-8")
    return analysis, shown, facts(analysis, found, check, {}, DAY), markdown(analysis, found, check, DAY)


def sound(shown: str, told: dict[str, Any], lines: str) -> None:
    """Nothing is fetched or run; no NaN, no lone dash and no empty cell anywhere."""
    cells = Cells()
    cells.feed(shown)

    assert not re.search(r"<script|https?://|url\(|@import|<link", shown)
    assert cells.found and not {"", "-", "–", "None", "nan"} & {cell.strip() for cell in cells.found}
    for text in (re.sub(r"<[^>]*>", " ", shown), lines):
        assert not re.search(r"\b(nan|NaN|inf|None)\b", text)
    json.dumps(told, allow_nan=False)
    assert not re.search(r"\| *(-|–|) *\|", re.sub(r"\| ---.*", "", lines))


def test_a_sound_study(tmp_path: Path) -> None:
    plan = written(tmp_path, gates={"within_group": 0.2, "ceiling": 0.9})
    analysis, shown, told, lines = everything(plan, tmp_path)

    sound(shown, told, lines)
    assert list(told["criteria"]) == ["plot", "style", "overall"]
    value = told["criteria"]["plot"]["item"]["value"]
    assert value == analysis.criteria["plot"].item.value
    assert f"{value:.2f}" in shown and f"{value:.2f}" in lines
    assert told["cross_check"]["agrees"] and told["cross_check"]["compared"] in (0, 6)
    assert shown.count("<svg") >= 3 * 2 + 4  # two a criterion; scale, raters, coverage, bias
    assert {gate["name"] for gate in told["gates"]} == {"within_group", "ceiling", "unscored"}
    assert set(told["criteria"]["plot"]["answers"]) == set(QUESTIONS)
    assert "predicted" not in json.dumps(told)


def test_simulated_ratings_are_loud(tmp_path: Path) -> None:
    _, shown, told, lines = everything(written(tmp_path, simulated=True), tmp_path)

    assert SIMULATED in shown and SIMULATED in lines and told["simulated"] is True
    assert "held against simulated raters" in shown


def one_rater(folder: Path) -> Study:
    return written(folder, raters=1)


def constant_judge(folder: Path) -> Study:
    plan = written(folder)
    rewrite(folder / "judges.csv", lambda row: [row[0], row[1], "3", "3"])
    return plan


def constant_people(folder: Path) -> Study:
    plan = written(folder)
    rewrite(folder / "people.csv", lambda row: [row[0], row[1], "3", "3"])
    return plan


def no_overlap(folder: Path) -> Study:
    """The judge has scored none of the items that people rated on style."""
    plan = written(folder)
    rewrite(folder / "judges.csv", lambda row: [*row[:3], "" if row[1] == "good" else row[3]])
    return plan


def each_item_one_rater(folder: Path) -> Study:
    plan = written(folder)
    rewrite(folder / "people.csv", lambda row: row if int(row[0]) % 3 == int(row[1][1]) else [row[0], row[1], "", ""])
    return plan


def one_group(folder: Path) -> Study:
    return written(folder, groups=1, each=20)


def two_items(folder: Path) -> Study:
    return written(folder, groups=2, each=1)


def no_groups(folder: Path) -> Study:
    written(folder)
    return study(items=None)


def one_judge(folder: Path) -> Study:
    plan = written(folder)
    rewrite(folder / "judges.csv", lambda row: row if row[1] == "good" else [*row[:2], "", ""])
    return plan


STUDIES = {
    one_rater: ("none of 1 raters shares 3 items", "One rater alone"),
    constant_judge: ("does not vary", "the judge gives every item the same score"),
    constant_people: ("its map does not rise", "does not vary"),
    no_overlap: ("style: no item has a score of the judge and of a person", "among 0 items"),
    each_item_one_rater: ("none of 3 raters", "No two raters share 10 items"),
    one_group: ("no interval: it needs two clusters or more", "1 groups have a score and a label"),
    two_items: ("2 groups have a score and a label", "items"),
    no_groups: ("no item shares its group with another", "the data do not say what wrote an item"),
    one_judge: ("There is no other judge in the data", "There is no other judge"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("make", STUDIES, ids=lambda make: make.__name__)
def test_what_cannot_be_estimated_has_its_reason(make: Any, tmp_path: Path) -> None:
    _, shown, told, lines = everything(make(tmp_path), tmp_path)

    sound(shown, told, lines)
    for words in STUDIES[make]:
        assert words in shown.replace("&#x27;", "'")


def test_a_gate_on_nothing_fails_with_the_reason(tmp_path: Path) -> None:
    plan = constant_judge(tmp_path).model_copy(update={"gates": study(gates={"item": 0.1}).gates})
    analysis, shown, _, lines = everything(plan, tmp_path)

    assert [gate.passed for gate in gates(analysis) if gate.name == "item"] == [False] * 3
    assert "FAILED" in shown and "not estimable: one of the series does not vary" in shown
    assert "Gates: 3 of 6 passed" in lines


def test_figures_by_hand(tmp_path: Path) -> None:
    """Two raters who agree on 1 2 3 4 5 twelve times over, a judge one point above them up to 5.

    The judge less people: 1 1 1 1 0, a mean error of .8; its ranks are theirs but for the two that it ties at 5.
    """
    rows = [(i, i % 5 + 1) for i in range(60)]
    people = [f"{i},{r},{v},{v}" for i, v in rows for r in ("a", "b")]
    judges = [f"{i},good,{min(v + 1, 5)},{min(v + 1, 5)}" for i, v in rows]
    items = [f"{i},p{i // 5},s{i % 5},word" for i, _ in rows]
    for name, head, lines in (
        ("people", "item,rater,plot,style", people),
        ("judges", "item,judge,plot,style", judges),
        ("items", "item,prompt,by,text", items),
    ):
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    analysis, shown, told, lines = everything(study(), tmp_path)
    plot = analysis.criteria["plot"]

    sound(shown, told, lines)
    assert not isinstance(plot.before, Unknown) and plot.before.value == pytest.approx(0.8)
    assert not isinstance(plot.people, Unknown) and plot.people.value == pytest.approx(1)
    # Judge ranks 1 2 3 4.5 4.5 against 1 to 5: 9.5 / sqrt(9.5 * 10).
    assert not isinstance(plot.within_group, Unknown)
    assert plot.within_group.value == pytest.approx(9.5 / math.sqrt(95))
    assert "0.97 [0.97, 0.97]" in shown


def test_answers_say_what_the_figures_say(tmp_path: Path) -> None:
    """A judge that gives what the first rater does less a point: the order is people's, the level only with its map."""
    plan = written(tmp_path, groups=40, each=5)
    first = {}
    for row in (line.split(",") for line in (tmp_path / "people.csv").read_text(encoding="utf-8").splitlines()[1:]):
        first.setdefault(row[0], row[2:])
    one_less = {item: [str(int(v or 3) - 1) for v in given] for item, given in first.items()}
    rewrite(tmp_path / "judges.csv", lambda row: [*row[:2], *one_less[row[0]]])
    wide = [plan.ratings[0], plan.ratings[1].model_copy(update={"scale": Scale(low=0, high=5)})]
    plan = plan.model_copy(update={"ratings": tuple(wide)})
    analysis = analyse(plan, read_ratings(plan, tmp_path))
    found = lights(analysis, analysis.criteria["overall"])

    assert found["rank"].answer == "yes"
    assert found["level"].answer == "with its map"
    assert found["level"].sentence.startswith("With its map the mean is off by")  # its own scale is another
    assert "another scale" in analysis.criteria["overall"].level.reason


def test_a_constant_that_passes_is_no_credit_to_the_judge(tmp_path: Path) -> None:
    """Raters at random: the mean of all beats each of them, and so does a judge that hardly leaves it."""
    plan = written(tmp_path, groups=30, each=5)
    rng = np.random.default_rng(1)
    rewrite(tmp_path / "people.csv", lambda row: [*row[:2], *map(str, rng.integers(1, 6, 2))])
    rewrite(tmp_path / "judges.csv", lambda row: [*row[:2], *map(str, rng.integers(3, 5, 2) - (row[1] == "good"))])
    it = analyse(plan, read_ratings(plan, tmp_path)).criteria["plot"]
    light = lights(analyse(plan, read_ratings(plan, tmp_path)), it)["replaceable"]

    assert not isinstance(it.alternative, Unknown) and not isinstance(it.constant, Unknown)
    assert it.alternative.passed and it.constant.passed
    assert light.answer == "open" and "says nothing for this judge" in light.sentence


def test_one_score_for_all_is_held_against_the_mapped_judge_on_the_same_steps(tmp_path: Path) -> None:
    """A judge that gives the raters' mean less a point, in halves: mapped, and written as a person's, it beats any.

    Left in fractions it would never tie with a person, and lose to a constant that often does.
    """
    plan = written(tmp_path, raters=4, groups=40, each=5)
    given: dict[str, list[list[int]]] = {}
    for row in (line.split(",") for line in (tmp_path / "people.csv").read_text(encoding="utf-8").splitlines()[1:]):
        for k in (0, 1):
            given.setdefault(row[0], [[], []])[k] += [int(row[2 + k])] if row[2 + k] else []
    less = {item: [str(round(2 * np.mean(v or [3])) / 2 - 1) for v in both] for item, both in given.items()}
    rewrite(tmp_path / "judges.csv", lambda row: [*row[:2], *less[row[0]]])
    wide = (plan.ratings[0], plan.ratings[1].model_copy(update={"scale": Scale(low=0, high=5)}))
    plan = plan.model_copy(update={"ratings": wide})
    analysis = analyse(plan, read_ratings(plan, tmp_path))
    it = analysis.criteria["plot"]

    assert not isinstance(it.served, Unknown) and not isinstance(it.served.alternative, Unknown)
    assert not isinstance(it.constant, Unknown)
    assert it.served.alternative.advantage.value > it.constant.advantage.value
    assert lights(analysis, it)["replaceable"].answer == "with its map"


def test_a_map_that_does_not_rise_is_no_help(tmp_path: Path) -> None:
    plan = constant_judge(tmp_path)
    analysis = analyse(plan, read_ratings(plan, tmp_path))
    answers = lights(analysis, analysis.criteria["plot"])

    assert "with its map" not in {light.answer for light in answers.values()}


def test_what_was_left_out_stands_in_every_summary(tmp_path: Path) -> None:
    plan = written(tmp_path)
    rewrite(tmp_path / "judges.csv", lambda row: ["x" + row[0], *row[1:]] if int(row[0]) % 2 else row)
    _, shown, _, lines = everything(plan, tmp_path)

    assert "96 of items that items.csv does not have" in lines and "items.csv does not have" in shown


def test_two_tables_that_name_the_same_items_differently(tmp_path: Path) -> None:
    for whose, file, at in (("people", "people.csv", 0), ("good", "judges.csv", 0)):
        plan = written(tmp_path)
        rewrite(tmp_path / file, lambda row, at=at: [f"x{row[at]}", *row[1:]])
        with pytest.raises(InputError, match=rf"no rating of {whose} is of an item that items.csv has: here 'x0'"):
            read_ratings(plan, tmp_path)


def test_the_only_rater_of_a_table_has_the_name_that_the_study_gives(tmp_path: Path) -> None:
    plan = written(tmp_path)
    kept = [line for line in (tmp_path / "judges.csv").read_text(encoding="utf-8").splitlines() if ",poor," not in line]
    (tmp_path / "judges.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    tables = (plan.ratings[0], plan.ratings[1].model_copy(update={"rater": "rater", "name": "gpt"}))
    plan = plan.model_copy(update={"ratings": tables, "judge": "gpt"})

    assert list(read_ratings(plan, tmp_path).judges) == ["gpt"]
    with pytest.raises(InputError, match="names no judge: write 'judge: NAME', one of: gpt"):
        read_ratings(plan.model_copy(update={"judge": ""}), tmp_path)


def test_the_cross_check_says_whether_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("krippendorff")
    plan = written(tmp_path)
    analysis = analyse(plan, read_ratings(plan, tmp_path))

    assert re.match(r"All 6 values .* agree with the krippendorff package \d", str(cross_check(analysis)))
    monkeypatch.setattr("judgekit.studies.crosscheck.CELLS", 400)
    assert "on a part of the items" in str(cross_check(analysis)) and cross_check(analysis).agrees
    monkeypatch.setattr("judgekit.studies.crosscheck.find_spec", lambda _: None)
    assert "was not cross-checked: the krippendorff package is not installed" in str(cross_check(analysis))
    assert "DO NOT AGREE" in str(CrossCheck("1", 1, 0, 0.1))


def leaves(value: Any) -> Iterator[Any]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inside is None:
        yield value
    for one in inside or ():
        yield from leaves(one)


def test_plain_values() -> None:
    found = plain({"a": (math.inf, -math.inf, math.nan, np.float64(1.5), np.int64(2)), "b": Unknown("why")})

    assert found == {"a": ["unbounded", "unbounded", None, 1.5, 2], "b": {"not_estimable": "why"}}
    assert all(type(leaf) in (str, float, int, type(None)) for leaf in leaves(found))
