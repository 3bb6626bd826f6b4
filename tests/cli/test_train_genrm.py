"""``judgekit distill`` and then ``judgekit train genrm``, as the README has it, on a model of one layer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from judgekit.files import pair_row
from judgekit.storyworld import World
from judgekit.types import Pair
from tests.cli.command import Call

pytest.importorskip("trl")

TEACHER = "judge: pairwise\nrubric: story/storyworld\nmodel: {provider: storyworld}\n"
RECIPE = """
rubric: story/storyworld
scratch: {layers: 1, width: 16, vocabulary: 400}
filters: {both_orders: true, duplicates: false}
sft: {trl: {max_steps: 1, per_device_train_batch_size: 2}}
grpo: null
decoding: {max_tokens: 4}
held_out: 0.3
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write(tmp_path / "pairs.jsonl", World(0).pairs(20))
    (tmp_path / "teacher.yaml").write_text(TEACHER)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def write(path: Path, pairs: list[Pair]) -> None:
    path.write_text("".join(f"{json.dumps(pair_row(pair))}\n" for pair in pairs), encoding="utf-8")


@pytest.mark.slow
def test_chains_of_all_pairs_and_a_part_kept_for_the_test(call: Call, files: Path) -> None:
    """The chains of the held-out pairs are there too; they are counted, and not learnt from."""
    pairs, chains = files / "pairs.jsonl", files / "chains.jsonl"
    assert call("distill", pairs, "--teacher", files / "teacher.yaml", "--out", chains).code == 0

    trained = call(
        "train", "genrm", pairs, "--recipe", files / "recipe.yaml", "--chains", chains, "--out", files / "run", "--json"
    )

    assert trained.code == 0, trained.stderr
    held_out = trained.summary["judges"][0]["pairs"]
    assert 3 <= held_out <= 9
    assert f"{2 * held_out} of another pair, or a held-out one" in trained.stderr


def test_chains_of_other_stories_with_the_same_ids(call: Call, files: Path) -> None:
    rows = [pair_row(pair) for pair in World(0).pairs(20)]
    others = [pair_row(pair) for pair in World(1).pairs(20)]
    for name, nameless in (("pairs", rows), ("others", others)):
        lines = [{key: value for key, value in row.items() if key != "id"} for row in nameless]
        (files / f"{name}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    call("distill", files / "others.jsonl", "--teacher", files / "teacher.yaml", "--out", files / "chains.jsonl")

    command = ("train", "genrm", files / "pairs.jsonl", "--recipe", files / "recipe.yaml", "--out", files / "run")
    refused = call(*command, "--chains", files / "chains.jsonl")

    assert refused.code == 2
    assert "is about other texts than the pair of that id" in refused.stderr


@pytest.mark.slow
def test_what_is_tested_on_is_not_taught(call: Call, files: Path) -> None:
    command = ("train", "genrm", files / "pairs.jsonl", "--recipe", files / "recipe.yaml", "--out", files / "run")
    trained = call(*command, "--teacher", files / "teacher.yaml", "--taught", files / "pairs.jsonl", "--json")

    held_out = trained.summary["judges"][0]["pairs"]
    assert f"taught: {held_out} of 20 pairs left out, of groups that are tested on" in trained.stderr


@pytest.mark.slow
def test_what_training_would_trip_over_is_said(call: Call, files: Path) -> None:
    pairs = [replace(pair, label="a") for pair in World(0).pairs(20)]
    write(files / "pairs.jsonl", pairs)
    command = ("train", "genrm", files / "pairs.jsonl", "--recipe", files / "recipe.yaml", "--out", files / "run")
    trained = call(*command, "--teacher", files / "teacher.yaml", "--json")

    assert "pairs: the label is 'a' in all" in trained.stderr


def test_a_wrong_slice_is_refused_before_the_training(call: Call, files: Path) -> None:
    given = [files / "pairs.jsonl", "--recipe", files / "recipe.yaml", "--teacher", files / "teacher.yaml"]

    refused = call("train", "genrm", *given, "--out", files / "run", "--by", "metadata.flow")

    assert refused.code == 2
    assert "did you mean 'flaw'" in refused.stderr
    assert not list((files / "run").glob("*"))


@pytest.mark.slow
def test_two_processes_train_as_one(files: Path) -> None:
    """The same batches, dealt to two; with two prompts a batch, each process has one order of a pair."""
    sft = "sft: {trl: {max_steps: 2, logging_steps: 1, per_device_train_batch_size: %d}}"
    grpo = (
        "grpo: {reward: {consistency: 1.0}, trl: {max_steps: 2, per_device_train_batch_size: %d, num_generations: 4}}"
    )
    rest = "rubric: story/storyworld\nscratch: {layers: 1, width: 16, vocabulary: 400}\ndecoding: {max_tokens: 8}\n"
    found = {}
    for name, each, launch in (("one", 2, ()), ("two", 1, ("-m", "torch.distributed.run", "--nproc_per_node", "2"))):
        (files / f"{name}.yaml").write_text(f"{rest}{sft % each}\n{grpo % (4 * each)}\n")
        told = ("--recipe", f"{name}.yaml", "--teacher", "teacher.yaml", "--out", name, "--json")
        command = [sys.executable, *launch, "-m", "judgekit", "train", "genrm", "pairs.jsonl", *told]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        run = subprocess.run(command, cwd=files, capture_output=True, text=True, env=env)
        assert run.returncode == 0, run.stderr
        found[name] = curves(files / name), json.loads(run.stdout)["judges"][0]["pairs"]

    (losses, steps), pairs = found["one"]
    assert found["two"] == ((pytest.approx(losses, abs=1e-3), steps), pairs)


def curves(run: Path) -> tuple[list[float], int]:
    """Return the losses of SFT, and how many steps GRPO logged."""
    sft, grpo = (json.loads((run / stage / "stage.json").read_text())["result"]["curve"] for stage in ("sft", "grpo"))
    return [entry["loss"] for entry in sft if "loss" in entry], sum("reward" in entry for entry in grpo)
