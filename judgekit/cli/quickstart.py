"""``judgekit quickstart``: a generative judge trained from nothing on generated stories, and what it is worth.

It writes the files that a user would bring and then does what ``judgekit train genrm`` does with them.
"""

from __future__ import annotations

import json as json_
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judgekit.errors import InputError

if TYPE_CHECKING:
    from judgekit.judges import PairwiseJudge
    from judgekit.training.genrm import GenRMTraining
    from judgekit.types import Pair

TAUGHT, LABELLED, TEST = 3600, 600, 200
RECIPE = "genrm/storyworld"
BY = ("metadata.flaw", "metadata.bait")


def quickstart(
    out: Annotated[Path, typer.Option("--out", help="Folder for data, judge and report.")] = Path("runs/quickstart"),
    seed: Annotated[int, typer.Option("--seed", help="Seed of the stories and of the training.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON line on stdout.")] = False,
) -> None:
    """Train a judge on generated stories: a teacher's chains, SFT, GRPO, evaluation; under five minutes, two cores."""
    from judgekit.cli.evaluate import slices_of
    from judgekit.cli.genrm_report import finish
    from judgekit.cli.train_genrm import progress

    begin = time.perf_counter()
    training, test = plan(out, seed, progress)
    training.save()
    finish(training, test, slices_of(out, test, BY), as_json=json)
    files = f"{out}/pairs.jsonl --taught {out}/taught.jsonl --test {out}/test.jsonl --teacher {out}/teacher"
    progress(f"{time.perf_counter() - begin:.0f} s; the same on files of your own:")
    progress(f"  judgekit train genrm {files} --recipe {RECIPE} --out RUN")


def plan(out: Path, seed: int, say: Callable[[str], None] = lambda _: None) -> tuple[GenRMTraining, list[Pair]]:
    """Write the files that a user would bring; return the training on them, to be run, and the held-out pairs."""
    from judgekit.training.genrm import GenRMTraining
    from judgekit.training.recipe import Recipe

    recipe = Recipe.load(RECIPE).model_copy(update={"seed": seed})
    taught, labelled, test = data(seed)
    teacher = _teacher(recipe.rubric, seed)
    _write(out, {"taught": taught, "pairs": labelled, "test": test})
    teacher.save(out / "teacher")
    return GenRMTraining(out / "run", recipe, labelled, teacher, taught, say=say), test


def data(seed: int) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Return pairs for the teacher to explain, without labels; labelled ones for GRPO; and held-out ones."""
    from judgekit.storyworld import World

    world = World(seed)
    train = world.pairs(TAUGHT + LABELLED)
    return [replace(pair, label=None) for pair in train[:TAUGHT]], train[TAUGHT:], world.pairs(TEST, "test")


def _teacher(rubric: str, seed: int) -> PairwiseJudge:
    from judgekit.judges import PairwiseJudge
    from judgekit.rubrics.rubric import Rubric
    from judgekit.storyworld.model import StoryworldConfig

    return PairwiseJudge(Rubric.load(rubric), StoryworldConfig(provider="storyworld", seed=seed).build())


def _write(out: Path, files: dict[str, Sequence[Pair]]) -> None:
    from judgekit.files import pair_row

    out.mkdir(parents=True, exist_ok=True)
    for name, pairs in files.items():
        lines, path = "".join(f"{json_.dumps(pair_row(pair))}\n" for pair in pairs), out / f"{name}.jsonl"
        if path.exists() and path.read_text(encoding="utf-8") != lines:
            raise InputError(f"{path}: is of a run with another seed or version; write to another folder, or delete it")
        half = path.with_suffix(".part")
        half.write_text(lines, encoding="utf-8")
        half.replace(path)  # whole or not at all: half a file would be taken for another run's
