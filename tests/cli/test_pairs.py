"""``judgekit pairs``: from a table to train and test files that a training takes, and a check that can fail."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from judgekit.files import check, pair_of
from tests.cli.command import Call

ROWS = [{"prompt": f"Write about thing {i}.", "chosen": f"Good {i}.", "rejected": f"So bad {i}."} for i in range(40)]


@pytest.fixture
def call(call: Call) -> Call:
    return partial(call, "pairs")


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_from_a_table_to_parts(call: Call, tmp_path: Path) -> None:
    table = write(tmp_path / "table.jsonl", [*ROWS, {"prompt": "x", "chosen": "y"}])

    made = call("from-preferences", table, "--out", tmp_path / "pairs.jsonl", "--json")
    assert made.code == 0
    told = made.summary
    assert (told["pairs"], told["groups"]) == (40, 40)
    assert told["left_out"] == {"'rejected' is missing; the row has: chosen, prompt": 1}

    dealt = call(
        "split", tmp_path / "pairs.jsonl", "--out", tmp_path / "parts", "--shares", "0.5", "0", "0.5", "--json"
    )
    told = dealt.summary
    assert (told["train"], told["dev"], told["test_groups"]) == (20, 0, 20)
    assert check(tmp_path / "parts" / "train.jsonl", pair_of) == 20
    assert not (tmp_path / "parts" / "dev.jsonl").exists()


def test_check(call: Call, tmp_path: Path) -> None:
    pairs = [{"id": f"{i}", "prompt": f"{i} " * 9, "a": f"x{i}", "b": f"yy{i}", "label": "ab"[i % 2]} for i in range(9)]
    train, test = write(tmp_path / "train.jsonl", pairs[:6]), write(tmp_path / "test.jsonl", pairs[6:])
    leaky = write(tmp_path / "leaky.jsonl", [*pairs[6:], {**pairs[0], "id": "z"}])

    sound = call("check", train, test, "--json")
    assert sound.code == 0
    assert sound.summary["longer_chosen"] == 0.5
    assert sound.summary["problems"] == []
    found = call("check", train, leaky, "--json")
    assert found.code == 2
    assert found.summary["examples"] == [["0", "z", 1.0]]
    assert found.summary["problems"] == [
        "1 test pairs have a prompt of the training pairs, or nearly",
        "1 test pairs have a response of the training pairs",
    ]
    assert "have a prompt of the training pairs" in call("check", train, leaky).stderr


def test_from_ratings(call: Call, tmp_path: Path) -> None:
    texts = [{"id": f"{p}{i}", "prompt": p, "response": f"text {p}{i}"} for p in "pq" for i in range(3)]
    samples = write(tmp_path / "samples.jsonl", texts)
    lines = ["item,rater,criterion,score", *(f"{t['id']},r,c,{t['id'][1]}" for t in texts)]
    (tmp_path / "ratings.csv").write_text("\n".join(lines))
    out = tmp_path / "pairs.jsonl"

    made = call("from-ratings", tmp_path / "ratings.csv", "--samples", samples, "--margin", "2", "--out", out, "--json")
    rows = [json.loads(line) for line in out.read_text().splitlines()]

    assert made.code == 0
    assert [row["metadata"]["margin"] for row in rows] == [2.0, 2.0]
    assert made.summary["left_out"] == {"pairs: too close in score, or one text twice": 4}


def test_a_wide_table(call: Call, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Prompt,Story,Mark\np,one,1\np,two,3\n")

    assert (
        call("from-ratings", tmp_path / "t.csv", "--columns", "Prompt", "Story", "Mark", "--out", tmp_path / "o").code
        == 0
    )
    told = call("from-ratings", tmp_path / "t.csv", "--out", tmp_path / "o2")
    assert told.code == 2 and "2 x 'prompt' is missing" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("from-preferences", "t.jsonl", "--out", "there"), "there: is there already"),
        (("from-preferences", "none.csv", "--out", "o"), "none.csv: No such file"),
        (("from-ratings", "t.jsonl", "--samples", "s.jsonl", "--out", "o"), "s.jsonl:2: the id '1' stands twice"),
        (("split", "t.jsonl", "--out", "o"), "t.jsonl:1: 'a' is missing"),
        (("split", "one.jsonl", "--out", "o"), "cannot be split"),
        (("split", "one.jsonl", "--out", "o", "--shares", "0.5", "0.1", "0.1"), "add up to 1"),
        (("check", "t.jsonl"), "t.jsonl:1: 'a' is missing"),
    ],
)
def test_what_is_to_be_mended(call: Call, tmp_path: Path, monkeypatch: Any, arguments: Any, problem: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there").touch()
    write(Path("t.jsonl"), ROWS[:1])
    write(Path("s.jsonl"), [{"id": "1", "prompt": "p", "response": "r"}] * 2)
    write(Path("one.jsonl"), [{"prompt": "p", "a": "x", "b": "y", "label": "a"}])
    told = call(*arguments)

    assert told.code == 2
    assert problem in told.stderr
    assert not Path("o").exists()
