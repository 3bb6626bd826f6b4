"""``judgekit rubrics``: what is there, what it says, whether yours is sound."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List, show and check rubrics.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(json: Json = False) -> None:
    """List the shipped rubrics."""
    from judgekit import content
    from judgekit.cli.show import rows
    from judgekit.rubrics import Rubric

    found = [Rubric.load(name) for name in content.names("rubrics", "*/*.yaml")]
    lines = [(r.id, r.mode, r.language, len(r.criteria), *r.scale, r.title) for r in found]
    headings = ("id", "mode", "language", "criteria", "low", "high", "title")
    if json:
        print(json_.dumps([dict(zip(headings, line, strict=True)) for line in lines], ensure_ascii=False))
    else:
        rows(headings, lines)


@app.command()
def show(name: Annotated[str, typer.Argument(help="Name of a shipped rubric, or a path.")], json: Json = False) -> None:
    """Show a rubric: its criteria, and the prompt that a judge sees."""
    from judgekit.rubrics import Rubric, render

    rubric = Rubric.load(name)
    if json:
        print(rubric.model_dump_json())
        return
    texts = {slot: f"<{slot}>" for slot in rubric.template.slots}
    for message in render(rubric, texts, nonce="<nonce>"):
        print(f"--- {message['role']} ---\n{message['content']}\n")


@app.command()
def check(paths: Annotated[list[Path], typer.Argument(help="Rubric files.")]) -> None:
    """Check rubric files; the first fault is named with its file and line."""
    from judgekit.rubrics import Rubric

    for path in paths:
        rubric = Rubric.load(path)
        print(f"{path}: {rubric.id}, {len(rubric.criteria)} criteria, scale {rubric.scale[0]:g} to {rubric.scale[1]:g}")
