"""What ``make quickstart`` trains, on several seeds; and what entropy shaping does to it.

For each seed the whole pipeline runs, from the teacher's chains to the evaluation on held-out pairs. With ``--shaping``
the refinement is done again from the same SFT weights with each kind of shaping::

    python -m benchmarks.genrm_storyworld --seeds 5 --json
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from judgekit.cli import evaluation
from judgekit.cli.evaluate import slices_of
from judgekit.cli.genrm_report import finish
from judgekit.cli.judging import compare_pairs
from judgekit.cli.quickstart import BY, plan
from judgekit.training.genrm import GenRMTraining
from judgekit.types import Pair

KINDS = ("none", "entropy", "entropy_reward", "ucas")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--shaping", action="store_true", help="refine again with each kind of entropy shaping")
    parser.add_argument("--out", type=Path, help="folder for the runs, which are resumed; else they are thrown away")
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = args.out or Path(folder)
        seeds = [run(seed, out / str(seed), shaping=args.shaping) for seed in range(args.seeds)]
    print(json.dumps({"seeds": seeds}, indent=None if args.json else 2))


def run(seed: int, out: Path, *, shaping: bool) -> dict[str, Any]:
    """Run one seed and return its figures."""
    begin = time.perf_counter()
    training, test = plan(out, seed)
    training.save()
    facts = finish(training, test, slices_of(out, test, BY), as_json=False)
    judges = {judge["name"]: judge for judge in facts["judges"]}
    grpo = judges["grpo"]
    row = {
        "seed": seed,
        **{name: _value(judges[name]["accuracy"]) for name in ("teacher", "zero_shot", "classifier", "sft", "grpo")},
        "grpo_baited": _value(grpo["slices"]["bait = worse"]["accuracy"]),
        "swap_agreement": _value(grpo["agreement"]),
        "unscored": grpo["unscored"] / grpo["pairs"],
        "longer_wins": _value(facts["longer_wins"]),
        "seconds": round(time.perf_counter() - begin, 1),
    }
    if shaping:
        row["shaping"] = {kind: shaped(kind, training, test, out) for kind in KINDS}
    print(row, flush=True)
    return row


def shaped(kind: str, training: GenRMTraining, test: list[Pair], out: Path) -> dict[str, Any]:
    """Refine the same SFT judge with one kind of shaping; return accuracy, and what the run logged."""
    again = training if kind == training.recipe.grpo.shaping.kind else _refined(kind, training, out / kind)
    path = again.folder / "verdicts.jsonl"
    compare_pairs(again.grpo.judge, [pair.comparison for pair in test], path, kind)
    found = evaluation.from_file(kind, path, test, {}).evaluation
    rewards = [(entry["step"], entry["reward"]) for entry in again.grpo.curve if "reward" in entry]
    reached = [step for step, reward in rewards if reward >= 0.8]  # of +1 and -1: nine in ten replies are right
    logged = ("reward_variance", "reward_variance_shaped", "advantage_variance_raw", "advantage_variance_shaped")
    variance = {
        name: _mean([entry[key] for entry in again.grpo.curve if (key := f"shaping/{name}") in entry])
        for name in logged
    }
    return {
        "accuracy": found.accuracy and found.accuracy.value,
        "steps_to_.9": reached[0] if reached else None,
        **variance,
    }


def _refined(kind: str, training: GenRMTraining, folder: Path) -> GenRMTraining:
    """Return the training with another kind of shaping, from the very same chains and SFT weights."""
    recipe = training.recipe
    grpo = recipe.grpo.model_copy(update={"shaping": recipe.grpo.shaping.model_copy(update={"kind": kind})})
    if not folder.exists():
        shutil.copytree(training.folder, folder, ignore=shutil.ignore_patterns("grpo", "evaluation", "verdicts.jsonl"))
    other = recipe.model_copy(update={"grpo": grpo})
    return GenRMTraining(folder, other, training.pairs, training.teacher, training.taught)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _value(estimate: dict[str, Any] | None) -> float | None:
    return estimate and estimate["value"]


if __name__ == "__main__":
    main()
