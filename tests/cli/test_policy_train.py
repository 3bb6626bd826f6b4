"""``judgekit policy train`` on a model of one layer: a run, the same again, a pause, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

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
REPLY = json.dumps({name: {"review": "so", "score": 3} for name in "plot guidance narration characters".split()})
JUDGE = {"judge": "rubric", "rubric": "story/episodebench", "model": {"provider": "fake", "replies": [REPLY]}}


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "judge.yaml").write_text(yaml.safe_dump(JUDGE))
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
        rows = found["tables"]["turns"]["rows"]
        assert rows["json@2"]["estimate"]["value"] == rows["acc@1"]["estimate"]["value"] == 0, when
        assert rows["json@2"]["estimate"]["low"] == 0
    assert json.loads(Path("run/result.json").read_text()) == first.summary
    before = files(Path("run"))

    again = call("policy", "train", recipe, "--out", "run", "--json")
    assert again.code == 0 and again.summary == first.summary
    assert "sft: done before" in again.stderr and "grpo: done before" in again.stderr
    assert "step 1" not in again.stderr
    after = files(Path("run"))
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} <= {"report.html", "run.json"}
