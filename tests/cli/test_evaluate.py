"""``judgekit evaluate``: judges and recorded verdicts, in the terminal, as JSON and on a page."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from judgekit.calibration import evaluate, paired
from judgekit.files import pair_of, read, recorded
from tests.cli.command import Call

REPLY = "Reasons: it reads so.\nScore A: {}\nScore B: {}\nVerdict: {}"
RUBRIC = (
    "id: test/pair\ntitle: Which\nmode: pairwise\nties: true\nreply: lines\ncriteria:\n  - {id: plot, title: Plot}\n"
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Call:
    """Run the command in this process, in a folder with 40 pairs in 20 groups and two files of verdicts."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b"], 40).tolist()
    rows = [pair(i, label) for i, label in enumerate(labels)]
    write("pairs.jsonl", rows)
    write("good.jsonl", [verdict(i, label if i % 8 else "tie") for i, label in enumerate(labels)])
    write("poor.jsonl", [verdict(i, str(rng.choice(["a", "b"]))) for i in range(40)])
    return partial(call, "evaluate", "pairs.jsonl")


def pair(i: int, label: str | None) -> dict[str, Any]:
    kind = {"kind": ["x", "y"][i % 2], "worse": {"flaws": ["name", "place"][: i % 3]}}
    sides = {"prompt": "Which?", "a": "one two three " * (i % 5 + 1), "b": "four"}
    return {"id": i, **sides, "label": label, "group": f"g{i // 2}", "metadata": kind}


def verdict(i: int, winner: str) -> dict[str, Any]:
    return {"id": str(i), "winner": winner, "votes": [[winner] * 3, [winner, "a", None]], "scores": [4, 2]}


def write(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def judge(*replies: str, path: str = "judge.yaml") -> None:
    Path("rubric.yaml").write_text(RUBRIC)
    model = {"provider": "fake", "replies": list(replies)}
    Path(path).write_text(yaml.safe_dump({"judge": "pairwise", "rubric": "rubric.yaml", "model": model}))


def test_the_figures_are_those_of_the_library(run: Call) -> None:
    found = run("--verdicts", "good.jsonl", "--verdicts", "poor.jsonl", "--json")
    pairs = list(read("pairs.jsonl", pair_of))
    good, poor = (recorded(f"{name}.jsonl", [p.comparison for p in pairs])[0] for name in ("good", "poor"))
    expected = evaluate(pairs, good)
    test = paired(pairs, good, poor)

    first, _ = found.summary["judges"]
    assert found.code == 0 and found.stdout.count("\n") == 1
    assert first["name"] == "good" and first["accuracy"]["value"] == expected.accuracy.value == 37.5 / 40
    assert first["accuracy"]["clusters"] == 20
    assert first["agreement"]["value"] == expected.agreement.value
    [difference] = found.summary["paired"]
    assert (difference["judge"], difference["against"]) == ("poor", "good")
    assert difference["difference"]["value"] == test.difference.value < 0
    assert difference["p"] == test.p
    assert found.summary["longer_wins"]["value"] == sum(p.label == "a" for p in pairs) / 40
    assert found.summary["report"] is None


def test_tables_for_people_name_what_they_show(run: Call) -> None:
    found = run("--verdicts", "good.jsonl", "--verdicts", "poor.jsonl", "--by", "metadata.kind")

    assert found.code == 0
    shown = [" ".join(line.split()) for line in found.stdout.splitlines()]
    for start in (
        *("good", "40 pairs: 40 labelled", "accuracy 0.9375 ", "right in both orders ", "orders agree "),
        *("side shown first wins ", "unscored 0 ", "1 vote an order ", "3 votes an order ", "longer side wrong "),
        *("length gap ", "kind = x ", "kind = y ", "accuracy by difference of scores ", "longer wins "),
        *("not estimated: calibration error (ECE)", "minus good ", "poor -"),
    ):
        assert any(line.startswith(start) for line in shown), start


def test_a_judge_is_run_as_compare_runs_it_and_resumed(run: Call) -> None:
    judge(REPLY.format(8, 3, "A"), REPLY.format(3, 8, "B"), "No idea.")
    first = run("--judge", "judge.yaml", "--out", "out", "--json")
    [file] = Path("out").glob("*.jsonl")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    again = run("--judge", "judge.yaml", "--out", "out", "--json")

    assert file.name == f"1-{Path.cwd().name}.jsonl"
    assert whole.count(b"\n") == 40 and b'"votes": [["' in whole
    assert file.read_bytes() == whole and again.summary == first.summary
    [found] = first.summary["judges"]
    assert found["unscored"] > 0 and "order a, b: no verdict in the reply" in found["reasons"]


def test_judges_come_before_recorded_verdicts_and_have_names_of_their_own(run: Call) -> None:
    judge(REPLY.format(8, 3, "A"), path="named.yaml")
    Path("other").mkdir()
    Path("other/good.jsonl").write_bytes(Path("good.jsonl").read_bytes())
    files = ("--verdicts", "good.jsonl", "--verdicts", "other/good.jsonl")
    found = run(*files, "--judge", "named.yaml", "--out", "out", "--json")

    assert [it["name"] for it in found.summary["judges"]] == ["1-named", "good.jsonl", "other/good.jsonl"]


def test_the_page_holds_the_figures(run: Call) -> None:
    found = run("--verdicts", "good.jsonl", "--out", "out", "--json")
    page = Path("out/report.html").read_text(encoding="utf-8")

    assert found.summary["report"] == "out/report.html"
    assert "<svg" in page and "0.938 [" in page and "longer side wrong" in page and "longer wins" in page


def test_slices_by_metadata(run: Call) -> None:
    keys = ("metadata.kind", "metadata.worse.flaws")
    found = run("--verdicts", "good.jsonl", "--json", *(part for key in keys for part in ("--by", key)))
    slices = found.summary["judges"][0]["slices"]

    assert {name: part["pairs"] for name, part in slices.items() if " = " in name} == {
        "kind = x": 20,
        "kind = y": 20,
        "worse.flaws = name": 13,
        "worse.flaws = name + place": 13,
        "worse.flaws = none": 14,
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "nothing to evaluate"),
        (("--judge", "judge.yaml"), "--judge needs --out"),
        (("--verdicts", "none.jsonl"), "none.jsonl: No such file"),
        (("--verdicts", "good.jsonl", "--by", "kind"), "write metadata.key"),
        (("--verdicts", "good.jsonl", "--by", "metadata.knd"), "no row of pairs.jsonl has it; did you mean 'kind'?"),
        (("--verdicts", "good.jsonl", "--by", "metadata.worse"), "is an object; go on with one of its keys: flaws"),
    ],
)
def test_what_cannot_be_done_is_said(run: Call, arguments: tuple[str, ...], says: str) -> None:
    found = run(*arguments)

    assert found.code == 2 and found.stdout == "" and says in found.stderr


def test_a_key_of_many_values_is_refused(run: Call) -> None:
    write("pairs.jsonl", [{**pair(i, "a"), "id": str(i), "metadata": {"n": i}} for i in range(60)])

    assert "60 different values" in run("--verdicts", "good.jsonl", "--by", "metadata.n").stderr


def test_rows_without_a_pair_and_pairs_without_a_row_are_counted(run: Call) -> None:
    write("good.jsonl", [{"id": "0", "winner": "a"}, {"id": "1", "winner": "b"}, {"id": "99", "winner": "a"}])
    found = run("--verdicts", "good.jsonl", "--json")

    assert "1 rows belong to none of the pairs" in found.stderr
    assert found.summary["judges"][0]["reasons"] == {"no recorded verdict": 38}


def test_exit_code_1_when_no_judge_has_a_verdict(run: Call) -> None:
    judge("No idea.")
    found = run("--judge", "judge.yaml", "--out", "out", "--json")

    assert found.code == 1
    assert found.summary["judges"][0]["accuracy"] is None
    assert found.summary["judges"][0]["missing"]["accuracy"]
