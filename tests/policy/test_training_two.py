"""A whole ``judgekit policy train`` in two processes leaves what one process leaves, each file written once."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import policy_kills
from tests.policy import training_two

pytest.importorskip("trl")
pytest.importorskip("openai")

ROOT = Path(__file__).parents[2]
STEPS, GROUP, GROUPS = 3, 4, 3  # twelve rollouts, six in each of two processes: the second group lies across both
SAME = ("loss", "grad_norm", "reward", "reward_std", "entropy", "frac_reward_zero_std", "completions/mean_length")
CHANNELS = [{"channel": "length", "low": 2, "high": 4}, {"channel": "judge", "judge": "judge.yaml"}]
LAUNCH = {"one": (), "two": ("-m", "torch.distributed.run", "--nproc_per_node", "2")}
TRAINER: dict[str, Any] = {
    "max_steps": STEPS,
    "num_generations": GROUP,
    "max_completion_length": 24,
    "learning_rate": 1e-3,
    "logging_steps": 1,
    "save_strategy": "no",
}


def recipe(folder: Path, processes: int) -> Path:
    """Write a recipe with the same batches in all, dealt to so many processes."""
    plan = {
        "scratch": {"layers": 1, "width": 16, "vocabulary": 400, "context": 512},
        "sft": {
            "data": {"source": "storyworld", "limit": 24, "faults": {}},
            "trl": {"max_steps": 2, "logging_steps": 1, "per_device_train_batch_size": 4 // processes},
        },
        "data": {"source": "storyworld", "limit": 24},
        "reward": {"channels": CHANNELS},
        "grpo": {"trl": {**TRAINER, "per_device_train_batch_size": GROUPS * GROUP // processes}},
        "rollouts": GROUPS,
        "evaluation": {"data": {"source": "storyworld", "split": "test", "limit": 4}, "decoding": {"max_tokens": 8}},
    }  # fmt: skip
    path = folder / f"{processes}.yaml"
    path.write_text(yaml.safe_dump(plan))
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str, int]]:
    """Return of one and of two processes: the folder, what was printed, and how often the judge was asked."""
    folder = tmp_path_factory.mktemp("two")
    found = {}
    with policy_kills.judged(folder) as bill:
        for processes, (name, launch) in enumerate(LAUNCH.items(), 1):
            bill.calls = 0
            script = [training_two.__file__, str(recipe(folder, processes)), str(folder / name)]
            path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
            env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
            run = subprocess.run([sys.executable, *launch, *script], capture_output=True, text=True, env=env)
            assert run.returncode == 0, run.stderr
            found[name] = folder / name, run.stdout, bill.calls
    return found


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "grpo" / name).read_text().splitlines()]


def curve(folder: Path, stage: str) -> list[dict[str, float]]:
    return json.loads((folder / stage / "stage.json").read_text())["result"]["curve"]  # type: ignore[no-any-return]


def advantages(group: Sequence[dict[str, Any]]) -> list[float]:
    rewards = [row["reward"] for row in group]
    mean, deviation = statistics.fmean(rewards), statistics.stdev(rewards)
    return [(reward - mean) / (deviation + 1e-4) for reward in rewards]


@pytest.mark.slow
def test_curves_and_weights_are_those_of_one_process(runs: Any) -> None:
    from safetensors.torch import load_file

    one, two = runs["one"][0], runs["two"][0]
    assert [e["loss"] for e in curve(two, "sft") if "loss" in e] == pytest.approx(
        [e["loss"] for e in curve(one, "sft") if "loss" in e], abs=1e-3
    )
    steps = [[e for e in curve(folder, "grpo") if "reward" in e] for folder in (one, two)]
    assert len(steps[0]) == len(steps[1]) == STEPS
    for alone, both in zip(*steps, strict=True):
        names = [name for name in alone if name in SAME or name.startswith(("reward/", "rewards/", "shaping/"))]
        assert {n: both[n] for n in names} == pytest.approx({n: alone[n] for n in names}, abs=1e-3, rel=1e-3)
        assert alone["grad_norm"] > 0
    before = load_file(one / "sft" / "model" / "model.safetensors")
    after = [load_file(folder / "grpo" / "model" / "model.safetensors") for folder in (one, two)]
    for name, start in before.items():
        moved = [weights[name] - start for weights in after]
        assert moved[0].norm() > 0 and (moved[0] - moved[1]).norm() < 0.05 * moved[0].norm(), name


@pytest.mark.slow
def test_the_files_hold_whole_groups_once(runs: Any) -> None:
    one, two = (rows(runs[name][0], "rollouts.jsonl") for name in ("one", "two"))

    assert [row["step"] for row in two] == [step + 1 for step in range(STEPS) for _ in range(GROUPS * GROUP)]
    texts = ("step", "prompt", "completion")
    assert [[row[name] for name in texts] for row in two] == [[row[name] for name in texts] for row in one]
    for name in ("reward", "advantage", "length", "judge"):
        assert [row[name] for row in two] == pytest.approx([row[name] for row in one], abs=1e-5), name
    for start in range(0, len(two), GROUP):
        group = two[start : start + GROUP]
        assert len({row["prompt"] for row in group}) == 1
        assert [row["advantage"] for row in group] == pytest.approx(advantages(group), abs=1e-3)
        assert [row["reward"] for row in group] == pytest.approx([row["length"] + row["judge"] for row in group])
    assert len({row["reward"] for row in two}) > 6  # or equal advantages would say little
    monitors = [rows(runs[name][0], "monitor.jsonl") for name in ("one", "two")]
    assert [row["step"] for row in monitors[1]] == list(range(STEPS))
    for alone, both in zip(*monitors, strict=True):
        assert both["rollouts"] == GROUPS * GROUP and both["figures"] == pytest.approx(alone["figures"])


@pytest.mark.slow
def test_the_judge_is_asked_paid_and_counted_once(runs: Any) -> None:
    (one, _, alone), (two, printed, both) = runs["one"], runs["two"]

    assert both == alone > 0
    assert policy_kills.billed(two) == policy_kills.TOKENS * both
    assert rows(two, "costs.jsonl") == rows(one, "costs.jsonl")
    assert len([line for line in printed.splitlines() if line.startswith("{")]) == 1
    assert (two / "report.html").is_file() and not list(two.rglob("*.part"))
    assert json.loads((two / "result.json").read_text()) == json.loads(printed.splitlines()[-1])
