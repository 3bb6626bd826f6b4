"""``judgekit train``: makes judges."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    writable(out)  # before an hour is spent on what could not be kept
    training = train_classifier(list(read(pairs, pair_of)), penalty=penalty, seed=seed)
    path = training.judge.save(out)
    accuracy = training.accuracy
    summary(
        {
            "pairs": training.pairs,
            **{f"left out: {reason}": count for reason, count in training.left_out.items()},
            "held-out accuracy": accuracy.value if accuracy else None,
            "low": accuracy.low if accuracy else None,
            "high": accuracy.high if accuracy else None,
            "judge": str(path),
        },
        as_json=json,
    )
