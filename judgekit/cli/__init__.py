"""The command line: ``judgekit``. Exit codes: 0 done, 1 nothing could be judged, 2 something for you to mend."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import typer

from judgekit.cli import judging, quickstart, rubrics, train
from judgekit.errors import JudgekitError

app = typer.Typer(
    name="judgekit",
    help="Train judges, check them against people, and put them to work as rewards.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("score")(judging.score)
app.command("compare")(judging.compare)
app.command("quickstart")(quickstart.quickstart)
app.add_typer(rubrics.app, name="rubrics")
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
