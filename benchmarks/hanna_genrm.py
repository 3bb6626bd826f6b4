"""``judgekit train genrm`` on real stories, end to end: that it runs, not that it judges well.

HANNA pairs, explained by the recorded ratings of a language model, train a tiny model with random weights for a few
steps. No pretrained language model is at hand, so the accuracy that comes out is that of a model which has never seen
English; it stands beside "the longer story wins" to say so. With a real model, ``scratch`` becomes ``model``::

    python -m benchmarks.hanna_genrm --data ../shared/data/hanna --json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.hanna_pairs import CRITERIA, Hanna, _table
from judgekit.files import pair_row
from judgekit.judges import PairwiseJudge
from judgekit.models.base import Request
from judgekit.models.fake import FakeModel
from judgekit.rubrics.prompt import texts_of
from judgekit.rubrics.rubric import Rubric
from judgekit.training.distill import write_chains
from judgekit.types import Comparison, Pair, Winner

TRAIN, TEST, SEED = 96, 48, 0
RUBRIC = "story/creative_preference"
TEACHER = "ChatGPT"  # whose recorded ratings stand in for a teacher
RECIPE = {
    "rubric": RUBRIC,
    "scratch": {"layers": 2, "width": 64, "vocabulary": 2048, "context": 4096},
    "filters": {"label": True, "both_orders": True},
    "sft": {"trl": {"max_steps": 60, "per_device_train_batch_size": 2, "learning_rate": 5e-3}},
    "grpo": {
        "trl": {
            "max_steps": 2,
            "per_device_train_batch_size": 8,
            "num_generations": 4,
            "max_completion_length": 192,
            "learning_rate": 1e-4,
            "logging_steps": 1,
        }
    },
    "decoding": {"max_tokens": 192},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/hanna"))
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        facts = run(args.data, Path(folder))
    print(json.dumps(facts, indent=None if args.json else 2))


def run(data: Path, folder: Path) -> dict[str, Any]:
    """Write what a user would bring, run the command line, and return what it found."""
    hanna = Hanna.read(data)
    train, test = pairs(hanna)
    for name, part in (("train", train), ("test", test)):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(pair_row(pair))}\n" for pair in part))
    write_chains(train, teacher(hanna, data), folder / "chains.jsonl")
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    files = [f"{folder}/train.jsonl", "--chains", f"{folder}/chains.jsonl", "--test", f"{folder}/test.jsonl"]
    how = ["--recipe", f"{folder}/recipe.yaml", "--out", f"{folder}/run", "--json"]
    command = [sys.executable, "-m", "judgekit", "train", "genrm", *files, *how]
    result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    judges = {judge["name"]: judge for judge in result["judges"]}
    return {
        "trained_on": len(train),
        "tested_on": len(test),
        "grpo": _accuracy(judges["grpo"]),
        "grpo_unscored": judges["grpo"]["unscored"],
        "sft": _accuracy(judges["sft"]),
        "sft_unscored": judges["sft"]["unscored"],
        "longer_wins": result["longer_wins"]["value"],
        "pretrained_model": False,
    }


def _accuracy(judge: dict[str, Any]) -> float | None:
    return judge["accuracy"] and judge["accuracy"]["value"]


def pairs(hanna: Hanna) -> tuple[list[Pair], list[Pair]]:
    """Return training and test pairs of different prompts."""
    asked = np.flatnonzero(hanna.asked)
    order = np.random.default_rng(SEED).permutation(asked)
    train = [i for i in order if hanna.group[i] % 3][:TRAIN]
    test = [i for i in order if not hanna.group[i] % 3][:TEST]
    return [_pair(hanna, i) for i in train], [_pair(hanna, i) for i in test]


def _pair(hanna: Hanna, i: int) -> Pair:
    a, b = int(hanna.a[i]), int(hanna.b[i])
    label: Winner = "a" if hanna.better[i] else "b"
    return Pair(Comparison(hanna.prompts[a], hanna.texts[a], hanna.texts[b], f"{a}-{b}"), label, str(hanna.group[i]))


def teacher(hanna: Hanna, data: Path) -> PairwiseJudge:
    """Return a judge that says what the recorded ratings of its two stories are."""
    rubric = Rubric.load(RUBRIC)
    rows = [row for row in _table(data / "llm_ratings.csv.gz") if row["judge"] == TEACHER and row["eval_prompt"] == "1"]
    stories = [hanna.texts[int(row["story_id"])] for row in rows]
    shown = [texts_of(rubric, Comparison("", story, story))["a"] for story in stories]
    ratings = {text: [float(row[name]) for name in CRITERIA] for text, row in zip(shown, rows, strict=True)}

    def reply(request: Request) -> str:
        texts = json.loads(request.identity)[1]
        a, b = ratings[texts["a"]], ratings[texts["b"]]
        reasons = {name: f"A {x:.1f}, B {y:.1f}" for name, x, y in zip(CRITERIA, a, b, strict=True)}
        scores = [round(1 + 9 * (sum(side) / len(side) - 1) / 4) for side in (a, b)]
        verdict = "A" if sum(a) >= sum(b) else "B"
        return json.dumps({"reasons": reasons, "score_a": scores[0], "score_b": scores[1], "verdict": verdict})

    return PairwiseJudge(rubric, FakeModel(reply))


if __name__ == "__main__":
    main()
