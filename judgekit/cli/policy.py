"""``judgekit policy``: policies trained, evaluated and compared."""

from __future__ import annotations

import typer

from judgekit.cli import policy_evaluate, policy_train

app = typer.Typer(help="Train and evaluate policies.", no_args_is_help=True)
app.command("train")(policy_train.train)
app.command("evaluate")(policy_evaluate.evaluate)
app.command("compare")(policy_evaluate.compare)
