"""The command line: ``judgekit``.

Exit codes: 0 done, 1 done but not good enough (nothing could be judged, a gate failed), 2 something for you to mend.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from judgekit import __version__
from judgekit.cli import (
    calibrate,
    distill,
    episodes,
    evaluate,
    expand,
    judging,
    pairs,
    policy,
    profile,
    quickstart,
    reward,
    rubrics,
    train,
    train_evaluator,
    train_genrm,
)
from judgekit.errors import JudgekitError

app = typer.Typer(
    name="judgekit",
    help="Train judges, check them against people, and put them to work as rewards.",
    no_args_is_help=True,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # a plain help costs half as long to show
    add_completion=False,
)


@app.callback()
def _options(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    """Train judges, check them against people, and put them to work as rewards."""
    if version:
        print(f"judgekit {__version__}")
        raise typer.Exit


app.command("score")(judging.score)
app.command("compare")(judging.compare)
app.command("calibrate")(calibrate.calibrate)
app.command("distill")(distill.distill)
app.command("evaluate")(evaluate.evaluate)
app.command("expand")(expand.expand)
app.command("quickstart")(quickstart.quickstart)
app.add_typer(episodes.app, name="episodes")
app.add_typer(pairs.app, name="pairs")
app.add_typer(policy.app, name="policy")
app.add_typer(profile.app, name="profile")
app.add_typer(reward.app, name="reward")
app.add_typer(rubrics.app, name="rubrics")
train.app.command("evaluator")(train_evaluator.evaluator)
train.app.command("genrm")(train_genrm.genrm)
app.add_typer(train.app, name="train")


def main() -> None:
    """Run the command line; an error for the user to mend is a message, not a traceback."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows ASCII alone still shows a Chinese rubric
    try:
        app()
    except (JudgekitError, OSError) as problem:
        typer.echo(f"error: {problem}", err=True)
        raise SystemExit(2) from None
