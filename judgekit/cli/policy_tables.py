"""How ``judgekit policy evaluate`` shows its tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from judgekit.cli.show import rows
from judgekit.episodes.metrics import Table
from judgekit.policy.evaluation import Evaluation
from judgekit.policy.evaluation.episodebench import ordered

Tables = Mapping[str, Table]
HEADINGS = ("value", "low", "high", "items", "always stay", "above it")
PART = ", "  # between the name of a table and the part of the items that it is of
REASONS = 5


def show_evaluation(found: Evaluation, tables: Tables) -> None:
    """Print every table, what is missing, and where it all is."""
    for name, parts in _families(tables).items():
        print(f"{name}: {', '.join(f'{count} {what}' for what, count in tables[name].counts.items())}")
        rows((name, *HEADINGS), [_row(metric, tables[name]) for metric in ordered(tables[name].rows)])
        if parts:
            heads = [part.removeprefix(f"{name}{PART}") for part in parts]
            print()
            rows(("by part", *heads), _side_by_side([tables[part] for part in parts], ordered(tables[name].rows)))
        for line in _reasons(tables[name]):
            print(line)
        print()
    for line in missing(found):
        print(line)
    print(f"written to {found.folder}")


def _families(tables: Tables) -> dict[str, list[str]]:
    """Return the tables of all items, and those of their parts."""
    whole = [name for name in tables if PART not in name]
    return {name: [part for part in tables if part.startswith(f"{name}{PART}")] for name in whole}


def _row(metric: str, table: Table) -> tuple[Any, ...]:
    row = table.rows[metric]
    stay, gain = (None if it is None else it.value for it in (row.always_stay, row.gain))
    if row.estimate is None:
        return metric, None, None, None, None, stay, gain
    it = row.estimate
    return metric, it.value, it.low, it.high, it.n, stay, gain


def _side_by_side(tables: Sequence[Table], metrics: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for metric in metrics:
        found = [table.rows[metric].estimate if metric in table.rows else None for table in tables]
        yield metric, *(None if it is None else str(it) for it in found)


def _reasons(table: Table) -> Iterator[str]:
    """Yield why items have no value."""
    for metric in ordered(table.rows):
        for reason, count in table.rows[metric].left_out.items():
            yield f"{metric}: {count} without a value: {reason}"
        if table.rows[metric].reason:
            yield f"{metric}: not estimated: {table.rows[metric].reason}"


def missing(found: Evaluation) -> Iterator[str]:
    """Yield what is missing and why, the most frequent reasons of each kind."""
    for what, reasons in found.counts.items():
        told = Counter(reasons).most_common()
        for reason, count in told[:REASONS]:
            yield f"{what}: {count} x {reason}"
        if len(told) > REASONS:
            yield f"{what}: {len(told) - REASONS} further reasons"
