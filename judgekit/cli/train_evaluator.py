"""``judgekit train evaluator``: rated samples in, a pointwise judge and what it is worth on others out."""

from __future__ import annotations

import json as json_
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from judgekit.calibration.ratings import RatingEvaluation
    from judgekit.judges import Judge
    from judgekit.rubrics.rubric import Rubric
    from judgekit.types import Rated, Score

BATCH = 64


def evaluator(
    samples: Annotated[Path, typer.Argument(help="JSONL: prompt, response, scores; or EpisodeBench's reward_train.")],
    recipe: Annotated[str, typer.Option("--recipe", help="A recipe's name (evaluator/storyworld), or its path.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the run; an unfinished one goes on where it stopped.")],
    test: Annotated[Path | None, typer.Option("--test", help="Rows to evaluate on; else some groups are kept.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON line on stdout.")] = False,
) -> None:
    """Train a pointwise evaluator: SFT on reviews and scores, GRPO on the distance if the recipe says so; evaluation.

    On several GPUs: accelerate launch --config_file FILE -m judgekit train evaluator ...
    """
    from judgekit.cli.train_genrm import progress as say
    from judgekit.files import writable
    from judgekit.training.evaluator import EvaluatorRecipe, EvaluatorTraining, pointwise
    from judgekit.training.rated import read_rated
    from judgekit.training.splits import split
    from judgekit.training.stages import is_first

    plan = EvaluatorRecipe.load(recipe)
    rubric = pointwise(plan.rubric)
    writable(out)
    train, unusable = read_rated(samples, rubric)
    if test:
        held_out, untested = read_rated(test, rubric)
    else:
        (train, held_out), untested = split(train, (1 - plan.held_out, plan.held_out), plan.seed), {}
    training = EvaluatorTraining(out, plan, train, say=say)
    path = training.save()
    if is_first():
        # By stage: what SFT and GRPO both leave out is one item, not two.
        left_out = {"unusable": unusable, "sft": training.sft.left_out}
        if plan.grpo:
            left_out["grpo"] = training.grpo.left_out
        facts = {"judge": str(path), "trained_on": len(train), "left_out": left_out, "not_tested_on": untested}
        _finish(_score(path, held_out, out / "held_out.jsonl"), held_out, rubric, facts, out, as_json=json)


def _score(path: Path, rows: Sequence[Rated], out: Path) -> list[Score]:
    """Score the held-out samples, or those that an earlier run did not, and return all scores."""
    from judgekit.cli.show import progress
    from judgekit.files import Results, score_row
    from judgekit.judges import Judge

    judge: Judge = Judge.load(path)
    samples = [row.sample for row in rows]
    with Results(out, judge.fingerprint) as results, progress("held out", len(rows)) as (bar, task):
        remaining = results.remaining(samples)
        while batch := list(islice(remaining, BATCH)):
            results.write(score_row(sample, found) for sample, found in zip(batch, judge.score(batch), strict=True))
            bar.update(task, completed=results.done)
    return _read(out)


def _read(path: Path) -> list[Score]:
    from judgekit.files import read_rows
    from judgekit.types import Score

    return [
        Score(row["value"], None, row["criteria"], row["rationale"], row["error"], judge=row["judge"])
        for _, row in read_rows(path)
    ]


def _finish(
    scores: list[Score], rows: list[Rated], rubric: Rubric, facts: dict[str, Any], out: Path, *, as_json: bool
) -> None:
    from judgekit.calibration.ratings import evaluate_ratings
    from judgekit.cli.show import rows as table
    from judgekit.cli.show import summary

    found = evaluate_ratings(rows, scores, rubric.total)
    (out / "result.json").write_text(json_.dumps(asdict(found), indent=1), encoding="utf-8")
    if not as_json:
        heads = ("held out", "Spearman", "", "Pearson", "", "mean abs. error", "items")
        table(heads, _lines(found))
    told = {**facts, "held_out": found.items, "scores_by": found.sources, "unscored": sum(found.reasons.values())}
    more = {"reasons": dict(list(found.reasons.items())[:5])}
    if as_json:
        told["parts"] = asdict(found)["parts"]
    else:
        left_out = told["left_out"].items()
        told["left_out"] = {f"{stage}: {why}": count for stage, counts in left_out for why, count in counts.items()}
    summary({**told, **more}, as_json=as_json)
    if told["unscored"] == found.items:
        raise typer.Exit(1)


def _lines(found: RatingEvaluation) -> list[list[Any]]:
    lines = []
    for name, part in found.parts.items():
        numbers: list[Any] = []
        for estimate in (part.spearman, part.pearson):
            span = f"{estimate.low:.3f} to {estimate.high:.3f}" if estimate else ""
            numbers += [estimate.value if estimate else None, span]
        lines.append([name, *numbers, part.error.value if part.error else None, part.items])
    return lines
