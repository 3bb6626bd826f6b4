"""``judgekit policy train`` on a model of one layer: a run, the same again, a pause, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import policy_kills
from tests.cli.command import Call

pytest.importorskip("trl")

RECIPE: dict[str, Any] = {
    "scratch": {"layers": 1, "width": 16, "vocabulary": 400, "context": 512},
    "sft": {
        "data": {"source": "storyworld", "limit": 24, "faults": {}},
        "trl": {"max_steps": 2, "per_device_train_batch_size": 4, "logging_steps": 1},
    },
    "data": {"source": "storyworld", "limit": 24},
    "reward": {"channels": [{"channel": "format"}, {"channel": "judge", "judge": "judge.yaml"}]},
    "grpo": {
        "trl": {
            "max_steps": 2,
            "per_device_train_batch_size": 4,
            "num_generations": 4,
            "max_completion_length": 8,
            "logging_steps": 1,
            "save_steps": 1,
        }
    },
    "evaluation": {
        "data": {"source": "storyworld", "split": "test", "limit": 24},
        "decoding": {"temperature": 1.0, "max_tokens": 8},
        "k": 2,
        "play": 2,
    },
}
REPLY = json.dumps({"plot": {"reason": "so", "score": 3}})
JUDGE = {"judge": "rubric", "rubric": "rubric.yaml", "model": {"provider": "fake", "replies": [REPLY]}}


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "judge.yaml").write_text(yaml.safe_dump(JUDGE))
    (tmp_path / "rubric.yaml").write_text(policy_kills.RUBRIC)
    return written(tmp_path)


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(RECIPE | changes))
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_run_and_the_same_again(call: Call, recipe: Path) -> None:
    """A policy that has learnt nothing writes no JSON: that is 0 with an interval and everything counted, no error."""
    first = call("policy", "train", recipe, "--out", "run", "--json")
    assert first.code == 0, first.stderr

    assert first.summary["report"] == "run/report.html"
    page = Path("run/report.html").read_text()
    for part in ("Curves", "Rollouts of step 2", "&quot;storyworld&quot;", "json@2"):
        assert part in page, part
    facts = json.loads(Path("run/run.json").read_text())
    assert facts["recipe"]["grpo"]["trl"]["max_steps"] == 2 and facts["versions"]["trl"]
    for when in ("before", "after"):
        found = json.loads(Path(f"run/evaluation/{when}/evaluation.json").read_text())
        rows, counts = (found["tables"]["turns"][part] for part in ("rows", "counts"))
        for metric in ("json@2", "acc@1"):
            estimate = rows[metric]["estimate"]
            assert estimate["value"] == estimate["low"] == 0 < estimate["high"] < 1, (when, metric)
        assert counts["rollouts"] == counts["invalid"] == 48 and counts["missing"] == 0
    assert json.loads(Path("run/result.json").read_text()) == first.summary
    before = files(Path("run"))

    again = call("policy", "train", recipe, "--out", "run", "--json")
    assert again.code == 0 and again.summary == first.summary
    assert "sft: done before" in again.stderr and "grpo: done before" in again.stderr
    assert "step 1" not in again.stderr
    after = files(Path("run"))
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} <= {"report.html", "run.json"}


@pytest.mark.slow
def test_a_run_that_pauses_at_its_cap_says_so_and_goes_on(call: Call, recipe: Path, tmp_path: Path) -> None:
    with policy_kills.judged(tmp_path) as bill:
        written(tmp_path, judge_tokens=1, evaluation=None, sft=None)  # and the judge of a server, which counts tokens
        paused = call("policy", "train", recipe, "--out", "run", "--json")
        spent = policy_kills.TOKENS * bill.calls
        assert paused.code == 1 and paused.stdout == ""
        assert (
            f"the judges have used {spent} tokens, of 1: the run pauses at step 1; raise judge_tokens" in paused.stderr
        )
        assert not Path("run/result.json").exists() and policy_kills.billed(Path("run")) == spent

        written(tmp_path, judge_tokens=10_000, evaluation=None, sft=None)
        done = call("policy", "train", recipe, "--out", "run", "--json")
        assert done.code == 0 and "grpo: going on from checkpoint-1" in done.stderr
        assert policy_kills.billed(Path("run")) == policy_kills.TOKENS * bill.calls > spent


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data: {source: storyworld\nreward: [", "recipe.yaml:2: not YAML:"),
        ("data: {source: storyworld}\nrewards: {}\n", "recipe.yaml:2: unknown key 'rewards'; did you mean 'reward'?"),
        ("scratch: {}\ndata: {source: storyworld}\n", "recipe.yaml:1: 'reward' is missing"),
        ("", "recipe.yaml:1: the file is empty"),
        ("data: &a {source: storyworld}\n", "recipe.yaml:1: YAML anchors and aliases are not accepted"),
    ],
)
def test_a_recipe_that_is_none_is_refused_with_its_line(call: Call, recipe: Path, text: str, message: str) -> None:
    recipe.write_text(text)
    found = call("policy", "train", recipe, "--out", "run", "--json")

    assert found.code == 2 and found.stdout == "" and message in found.stderr
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"grpo": {"trl": {"max_stepz": 1}}},
            "grpo: trl.max_stepz is no field of GRPOConfig",
        ),
        ({"data": {"source": "nowhere.jsonl"}}, "nowhere.jsonl"),
        ({"reward": {"channels": [{"channel": "judge", "judge": "none.yaml"}]}}, "none.yaml"),
        ({"evaluation": {"data": {"source": "nowhere.jsonl"}}}, "nowhere.jsonl"),
    ],
)
def test_what_a_stage_would_trip_over_is_told_first(
    call: Call, recipe: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    found = call("policy", "train", written(tmp_path, **changes), "--out", "run", "--json")

    assert found.code == 2 and message in found.stderr
    assert not list(Path("run").glob("*"))


def test_a_name_that_is_no_recipe_names_the_nearest(call: Call, recipe: Path) -> None:
    found = call("policy", "train", "storyworld-episode")

    assert found.code == 2 and "did you mean 'storyworld-episodes" in found.stderr


def test_a_folder_that_cannot_be_written_is_told_before_the_training(call: Call, recipe: Path) -> None:
    Path("file").write_text("")
    found = call("policy", "train", recipe, "--out", "file/run", "--json")

    assert found.code == 2 and "file/run: cannot be written: Not a directory" in found.stderr
    assert Path("file").read_text() == ""
