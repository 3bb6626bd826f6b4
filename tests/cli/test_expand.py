"""``judgekit expand``: agreement on files, and no verdict asked for twice."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from judgekit import Judge, cli
from judgekit.files import pair_of, pair_row, read
from tests.cli.command import Call
from tests.training.teachers import RUBRIC, honest, pair, teacher

A = "Reasons: x\nScore A: 9\nScore B: 1\nVerdict: A"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ranker that always prefers what it sees first."""
    RUBRIC.save(tmp_path)
    (tmp_path / "biased.yaml").write_text(
        f"judge: pairwise\nrubric: rubric.yaml\nmodel: {{provider: fake, replies: [{json.dumps(A)}]}}\n"
    )
    return tmp_path


def write(path: Path, pairs: list) -> Path:
    path.write_text("".join(f"{json.dumps(pair_row(p))}\n" for p in pairs))
    return path


def test_one_biased_ranker_labels_nothing(call: Call, folder: Path) -> None:
    pairs = write(folder / "pairs.jsonl", [pair(0), pair(1), pair(2, label="b")])

    done = call("expand", pairs, "--ranker", folder / "biased.yaml", "--out", folder / "out.jsonl", "--json")

    told = done.summary
    assert done.code == 1
    assert (told["pairs"], told["labelled"], told["calls_now"]) == (3, 0, 4)
    assert told["left_out"] == {"a label already": 1, "a ranker's verdict changes with the order": 2}
    assert (folder / "out.jsonl").read_text() == ""


def test_resumed_for_each_ranker(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two scripted judges; the second is killed midway, and only what it has not said is asked again."""
    judges = {"one": teacher(honest), "two": teacher(honest, temperature=0.5)}
    monkeypatch.setattr(Judge, "load", staticmethod(lambda path: judges[Path(path).stem]))
    pairs = write(folder / "pairs.jsonl", [pair(i, "x" * (3 + i), "y" * (9 - i)) for i in range(6)])
    command = ["expand", pairs, "--ranker", "one", "--ranker", "two", "--out", folder / "out.jsonl"]
    command += ["--batch", 2, "--weight", 0.3, "--json"]
    judge, compare = judges["two"], judges["two"].compare
    monkeypatch.setattr(judge, "compare", _killed_after(compare, 4))

    monkeypatch.setattr(sys, "argv", ["judgekit", *map(str, command)])
    with pytest.raises(RuntimeError, match="killed"):
        cli.main()
    assert not (folder / "out.jsonl").exists()
    monkeypatch.setattr(judge, "compare", compare)
    asked = {name: judges[name].model.calls for name in judges}
    done = call(*command)

    told = done.summary
    assert {name: judges[name].model.calls - asked[name] for name in judges} == {"one": 0, "two": 2 * 2}
    # lengths 3-9, 4-8, 5-7, 6-6, 7-5, 8-4; equal lengths: the verdict is B in both orders
    assert told["left_out"] == {"a ranker's verdict changes with the order": 1}
    found = list(read(folder / "out.jsonl", pair_of))
    assert [(p.id, p.label) for p in found] == [("p0", "b"), ("p1", "b"), ("p2", "b"), ("p4", "a"), ("p5", "a")]
    assert {(p.source, p.weight) for p in found} == {("machine", 0.3)}
    assert found[0].comparison.metadata["rankers"] == [judges[name].fingerprint for name in ("one", "two")]

    again = json.loads(call(*command).stdout)
    assert again["calls_now"] == 0 and again["labelled"] == 5


def _killed_after(compare: Callable, items: int) -> Callable:
    done = 0

    def killed(comparisons: list) -> list:
        nonlocal done
        if done >= items:
            raise RuntimeError("killed")
        done += len(comparisons)
        return compare(comparisons)

    return killed


def test_an_output_that_holds_something_else_is_kept(call: Call, folder: Path) -> None:
    pairs = write(folder / "pairs.jsonl", [pair(0)])
    (folder / "out.jsonl").write_text("mine\n")

    done = call("expand", pairs, "--ranker", folder / "biased.yaml", "--out", folder / "out.jsonl")

    assert done.code == 2 and "holds something else" in done.stderr
    assert (folder / "out.jsonl").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("rankers", "out", "message"),
    [
        (["biased.yaml", "biased.yaml"], "out.jsonl", "two rankers are the same judge"),
        (["biased.yaml"], "pairs.jsonl", "is the input"),
        (["none.yaml"], "out.jsonl", "none.yaml"),
    ],
)
def test_refused_before_anything_is_asked(call: Call, folder: Path, rankers: list, out: str, message: str) -> None:
    pairs = write(folder / "pairs.jsonl", [pair(0)])
    options = [text for name in rankers for text in ("--ranker", folder / name)]

    done = call("expand", pairs, *options, "--out", folder / out)

    assert done.code == 2 and message in done.stderr
    assert not list(folder.glob("*.rankers"))
