"""``judgekit train genrm``: pairs in, a generative reward model out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judgekit.errors import InputError

if TYPE_CHECKING:
    from judgekit.training.distill import Teacher
    from judgekit.types import Pair

FEW = 50  # pairs below which an accuracy is known to within a tenth or more


def genrm(
    pairs: Annotated[Path, typer.Argument(help="JSONL: prompt, a, b, label (a, b, tie, null); id, group if you like.")],
    recipe: Annotated[str, typer.Option("--recipe", help="A recipe's name (genrm/storyworld), or its path.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the run; an unfinished one goes on where it stopped.")],
    teacher: Annotated[Path | None, typer.Option("--teacher", help="judge.yaml of the teacher.")] = None,
    chains: Annotated[Path | None, typer.Option("--chains", help="What 'judgekit distill' wrote, instead.")] = None,
    taught: Annotated[Path | None, typer.Option("--taught", help="Other pairs for the teacher to explain.")] = None,
    test: Annotated[
        Path | None, typer.Option("--test", help="Pairs to evaluate on; else some groups are kept.")
    ] = None,
    by: Annotated[list[str] | None, typer.Option("--by", help="metadata.key to slice the evaluation by.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON line on stdout.")] = False,
) -> None:
    """Train a generative reward model: a teacher's chains, filtered; SFT on them; GRPO on the labels; evaluation.

    On several GPUs: accelerate launch --config_file FILE -m judgekit train genrm ...
    """
    from judgekit.cli.evaluate import slices_of
    from judgekit.cli.genrm_report import finish
    from judgekit.files import writable
    from judgekit.training.describe import describe
    from judgekit.training.genrm import GenRMTraining
    from judgekit.training.recipe import Recipe
    from judgekit.training.stages import is_first

    plan = Recipe.load(recipe)
    if (teacher is None) == (chains is None):
        raise InputError("give either --teacher (a judge.yaml) or --chains (what 'judgekit distill' wrote)")
    writable(out)
    train, held_out = _split(_pairs(pairs), test, plan.held_out, plan.seed)
    slices = slices_of(test or pairs, held_out, by or [])  # before the training: a wrong --by is told at once
    explained = _apart(_pairs(taught), held_out) if taught else ()
    training = GenRMTraining(
        out,
        plan,
        train,
        teacher=_teacher(teacher, plan.samples),
        taught=explained,
        chains_file=chains,
        say=progress,
    )
    for problem in describe(train).problems:
        progress(f"pairs: {problem}")
    if len(held_out) < FEW:
        progress(f"{len(held_out)} pairs to evaluate on, which say little: give --test, or raise the recipe's held_out")
    training.save()
    if is_first():
        finish(training, held_out, slices, as_json=json)


def _pairs(path: Path) -> list[Pair]:
    from judgekit.files import check, pair_of, read

    check(path, pair_of)
    return list(read(path, pair_of))


def _teacher(path: Path | None, samples: int) -> Teacher | None:
    from judgekit.judges import Judge
    from judgekit.training.distill import as_teacher

    return as_teacher(Judge.load(path), samples) if path else None


def _split(pairs: list[Pair], test: Path | None, share: float, seed: int) -> tuple[list[Pair], list[Pair]]:
    from judgekit.training.splits import split

    if test is not None:
        return pairs, _pairs(test)
    train, held_out = split(pairs, (1 - share, share), seed)
    return train, held_out


def _apart(taught: list[Pair], held_out: list[Pair]) -> list[Pair]:
    """Leave out the pairs of groups that the judge will be tested on."""
    tested = {pair.cluster for pair in held_out}
    kept = [pair for pair in taught if pair.cluster not in tested]
    if not kept:
        raise InputError("all pairs to be taught are of groups that the judge is tested on; give others to one of them")
    if len(kept) < len(taught):
        progress(f"taught: {len(taught) - len(kept)} of {len(taught)} pairs left out, of groups that are tested on")
    return kept


def progress(text: str) -> None:
    """Print a line of progress on stderr, from the first process alone."""
    from judgekit.training.stages import is_first

    if is_first():
        typer.echo(text, err=True)
