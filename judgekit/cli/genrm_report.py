"""What came of ``judgekit train genrm``: the judges held against the test pairs, curves, chains, on one page."""

from __future__ import annotations

import json as json_
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judgekit.cli import evaluation
from judgekit.cli.judging import compare_pairs
from judgekit.files import read_rows

if TYPE_CHECKING:
    from judgekit.calibration.slices import Mask
    from judgekit.judges import Judge
    from judgekit.report import Page
    from judgekit.training.genrm import GenRMTraining
    from judgekit.training.judge_training import Stage
    from judgekit.types import Pair

SHOWN_CHAINS = 4
CURVES = {
    "sft": {"loss": "loss", "mean_token_accuracy": "accuracy of the next token"},
    "grpo": {
        "reward": "reward",
        "entropy": "entropy (nats a token)",
        "completions/mean_length": "tokens of a reply",
        "frac_reward_zero_std": "share of groups of one mind",
        "shaping/reward_variance": "variance of the reward",
        "shaping/reward_variance_shaped": "variance of the shaped reward",
        "shaping/advantage_variance_raw": "variance of the advantage",
        "shaping/advantage_variance_shaped": "variance of the shaped advantage",
        "shaping/confident_right": "replies: confident and right",
        "shaping/confident_wrong": "replies: confident and wrong",
        "shaping/uncertain_right": "replies: uncertain and right",
        "shaping/uncertain_wrong": "replies: uncertain and wrong",
    },
}


def finish(
    training: GenRMTraining, test: Sequence[Pair], slices: Mapping[str, Mask], *, as_json: bool
) -> dict[str, Any]:
    """Evaluate the judge after each stage, and its rivals, on the test pairs; write the page and ``result.json``."""
    out = training.folder
    folder = out / "evaluation"
    folder.mkdir(exist_ok=True)
    comparisons = [pair.comparison for pair in test]
    judged = []
    for name, judge in _judges(training):
        compare_pairs(judge, comparisons, folder / f"{name}.jsonl", name)
        judged.append(evaluation.from_file(name, folder / f"{name}.jsonl", test, slices))
    baseline, tests = evaluation.longer_wins(test), evaluation.against_first(test, judged)
    page = evaluation.page(f"{len(test)} test pairs", judged, baseline, tests, _about(training))
    _training(page, training)
    _replies(page, folder / f"{judged[0].name}.jsonl", test)
    report = page.save(out / "report.html")
    facts = evaluation.facts(judged, baseline, tests, report) | {"judge": str(out / "judge" / "judge.yaml")}
    (out / "result.json").write_text(json_.dumps(facts, allow_nan=False), encoding="utf-8")
    if as_json:
        print(json_.dumps(facts, allow_nan=False))
    else:
        evaluation.show(judged[:1], baseline, tests, report)
    return facts


def _about(training: GenRMTraining) -> str:
    """Say what was trained, from what, and where it lies."""
    recipe, start = training.recipe, training.recipe.model
    model = start.path if start else "a model with random weights"
    stages = "SFT and GRPO" if recipe.grpo else "SFT"
    return (
        f"A judge by the rubric {training.rubric.id}, trained from {model} by {stages}, seed {recipe.seed}, on "
        f"{len(training.kept)} chains and {len(training.pairs)} pairs; {date.today()}, {training.folder / 'judge'}. "
        "It is of use where it is more accurate than the longer wins, than its rivals, and than what you had before."
    )


def _judges(training: GenRMTraining) -> Iterator[tuple[str, Judge]]:
    """Yield what is compared: the finished judge first, then the stage before it and the rivals of the recipe.

    One after the other, so that not all their weights are in memory at once.
    """
    for name, stage in reversed(list(_stages(training))):
        yield name, stage.judge
    for name in training.recipe.rivals:
        if name == "classifier":
            yield name, training.classifier
        elif name == "zero_shot":
            yield name, training.untrained
        elif training.teacher:
            yield name, training.teacher
        else:
            training.say("the teacher is not compared: only its chains were given")


def _training(page: Page, training: GenRMTraining) -> None:
    page.heading("Chains")
    kept = [("kept", len(training.kept)), *training.left_out.items()]
    page.table(("of the teacher's chains", "chains"), kept)
    for name, stage in _stages(training):
        page.heading(f"Training: {name}")
        for key, title in CURVES[name].items():
            page.curve(title, [(entry["step"], entry[key]) for entry in stage.curve if key in entry])
        if stage.left_out:
            page.table(("left out", "items"), list(stage.left_out.items()))


def _stages(training: GenRMTraining) -> Iterator[tuple[str, Stage]]:
    yield "sft", training.sft
    if training.recipe.grpo:
        yield "grpo", training.grpo


def _replies(page: Page, path: Path, test: Sequence[Pair]) -> None:
    """Show some of the judge's reasons, wrong and unreadable ones first."""
    labels = {pair.id: pair for pair in test}
    wrong: list[dict[str, Any]] = []
    right: list[dict[str, Any]] = []
    for _, row in read_rows(path):
        (right if row["winner"] and row["winner"] == labels[row["id"]].label else wrong).append(row)
    page.heading("What the judge wrote")
    page.text("Wrong verdicts first, then right ones; both orders of each pair.", soft=True)
    for row in [*wrong[: SHOWN_CHAINS // 2], *right[: SHOWN_CHAINS // 2]]:
        pair = labels[row["id"]]
        page.text(f"label {pair.label}, verdict over both orders: {row['winner'] or row['error']}")
        page.quote(f"{pair.comparison.prompt}\n\na: {pair.comparison.a}\n\nb: {pair.comparison.b}")
        page.quote(row["rationale"])
