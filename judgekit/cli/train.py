"""``judgekit train``: makes judges."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from judgekit.errors import InputError

app = typer.Typer(help="Train judges.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Train judges."""


@app.command()
def classifier(
    pairs: Annotated[Path, typer.Argument(help="JSONL: prompt, a, b, label (a, b, tie, null); id, group if you like.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the judge.")],
    penalty: Annotated[float, typer.Option("--penalty", min=1e-6, max=1e9, help="Ridge on the weights.")] = 150.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the folds and of the interval.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON line on stdout.")] = False,
) -> None:
    """Train the embedded Bradley-Terry classifier on preference pairs; minutes on a laptop, no GPU."""
    from judgekit.cli.show import summary
    from judgekit.files import check, pair_of, read, writable
    from judgekit.training import train_classifier

    check(pairs, pair_of)
    if (out / "judge.yaml").exists():
        raise InputError(f"{out}: holds a judge already; write to another folder")
    writable(out)  # before an hour is spent on what could not be kept
    training = train_classifier(list(read(pairs, pair_of)), penalty=penalty, seed=seed)
    path = training.judge.save(out)
    accuracy = training.accuracy
    facts: dict[str, Any] = {"pairs": training.pairs, "left_out": training.left_out}
    if accuracy is None:
        facts["held_out_accuracy"] = None
        typer.echo("no held-out accuracy: that needs labelled pairs of at least two groups (prompts)", err=True)
    else:
        facts |= {"held_out_accuracy": accuracy.value, "low": accuracy.low, "high": accuracy.high}
    summary({**facts, "judge": str(path)}, as_json=json)
