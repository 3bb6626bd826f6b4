"""``judgekit train evaluator``: from rated samples to a judge and its evaluation, on a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from judgekit import Judge
from judgekit.files import rated_row
from judgekit.storyworld import World, rated
from tests.cli.command import Call

pytest.importorskip("trl")


RECIPE = """
rubric: story/storyworld_rating
scratch: {vocabulary: 400, context: 768, width: 32}
resample: expneg
sft: {trl: {max_steps: 2, per_device_train_batch_size: 2, logging_steps: 1}}
held_out: 0.3
decoding: {max_tokens: 8}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path / "recipe.yaml"


def write(path: Path, n: int, split: str = "train") -> Path:
    world = World(1)
    samples = world.samples(n, split)  # type: ignore[arg-type]
    rows = rated(samples, world.ratings(samples))
    path.write_text("".join(f"{json.dumps(rated_row(row))}\n" for row in rows))
    return path


def test_from_ratings_to_a_judge(call: Call, recipe: Path, tmp_path: Path) -> None:
    """Two steps teach nothing: all is unread, counted with its reason, and the exit code says that no score came."""
    command = ["train", "evaluator", write(tmp_path / "r.jsonl", 20), "--recipe", recipe, "--out", tmp_path / "run"]
    done = call(*command, "--json")

    told = done.summary
    assert done.code == 1
    assert told["trained_on"] + told["held_out"] == 20 and 5 <= told["held_out"] <= 8
    assert told["scores_by"] == {"simulated": told["held_out"]}
    assert told["unscored"] == told["held_out"] == sum(told["reasons"].values())
    assert told["parts"]["total"] == {"spearman": None, "pearson": None, "error": None, "items": 0}
    assert "resample: expneg" in done.stderr and "sft: step 2 of 2" in done.stderr
    assert Judge.load(tmp_path / "run" / "judge").fingerprint
    assert json.loads((tmp_path / "run" / "result.json").read_text())["items"] == told["held_out"]

    again = call(*command, "--json")
    assert again.summary == told
    assert "step" not in again.stderr  # nothing is trained or scored again


def test_test_rows_of_their_own(call: Call, recipe: Path, tmp_path: Path) -> None:
    train, test = write(tmp_path / "r.jsonl", 6), write(tmp_path / "t.jsonl", 4, "test")
    done = call("train", "evaluator", train, "--test", test, "--recipe", recipe, "--out", tmp_path / "run")

    assert done.code == 1
    assert "held out" in done.stderr and "quality" in done.stdout
    assert len((tmp_path / "run" / "held_out.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("recipe_text", "row", "message"),
    [
        (
            RECIPE,
            {"scores": {"qualty": 3}},
            "r.jsonl:1: story/storyworld_rating has no criterion 'qualty'; did you mean",
        ),
        (RECIPE, {"scores": {"quality": 6}}, "its scale goes from 1 to 5"),
        (RECIPE.replace("expneg", "bell"), {}, "resample"),
        (RECIPE.replace("story/storyworld_rating", "story/creative_preference"), {}, "is pairwise"),
        (RECIPE + "shaping: {kind: entropy}\n", {}, "unknown key 'shaping'"),
        (RECIPE, {}, "1 rows of 1 group cannot be split"),
    ],
)
def test_refusals(call: Call, tmp_path: Path, recipe_text: str, row: dict, message: str) -> None:
    (tmp_path / "recipe.yaml").write_text(recipe_text)
    (tmp_path / "r.jsonl").write_text(json.dumps({"prompt": "p", "response": "r", "scores": {"quality": 3}, **row}))

    done = call(
        "train", "evaluator", tmp_path / "r.jsonl", "--recipe", tmp_path / "recipe.yaml", "--out", tmp_path / "x"
    )

    assert done.code == 2 and message in done.stderr
    assert not (tmp_path / "x" / "judge").exists()
