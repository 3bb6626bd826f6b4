"""What the commands print: progress and tables on stderr for people, one JSON line on stdout for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

console = Console(stderr=True)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[tuple[Progress, TaskID]]:
    """Show a progress bar on stderr; nothing where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield bar, bar.add_task(label, total=total)


def summary(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the outcome of a command: a small table for people, or one JSON line."""
    if as_json:
        print(json.dumps(dict(facts), allow_nan=False))
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in facts.items():
        lines = [f"{count} x {text}" for text, count in value.items()] if isinstance(value, dict) else [_number(value)]
        for i, line in enumerate(lines):
            table.add_row("" if i else name.replace("_", " "), line)
    console.print(table)


def rows(headings: Iterable[str], lines: Iterable[Iterable[Any]]) -> None:
    """Print a table on stdout."""
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for line in lines:
        table.add_row(*(_number(value) for value in line))
    out = Console()
    if not out.is_terminal:
        out.width = 1000  # a pipe has no edge at which to break lines
    out.print(table)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "-" if value is None else str(value)
