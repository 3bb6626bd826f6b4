"""``judgekit policy``: policies evaluated and compared."""

from __future__ import annotations

import typer

from judgekit.cli import policy_evaluate

app = typer.Typer(help="Evaluate policies.", no_args_is_help=True)
app.command("evaluate")(policy_evaluate.evaluate)
app.command("compare")(policy_evaluate.compare)
