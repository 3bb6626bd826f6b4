"""How ``judgekit policy`` shows its tables: in the terminal, and on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from judgekit.calibration import Estimate
from judgekit.cli.show import rows
from judgekit.episodes.metrics import Table
from judgekit.policy.evaluation import Evaluation, Line
from judgekit.policy.evaluation.episodebench import ordered
from judgekit.report import Page, forest

Tables = Mapping[str, Table]
Pair = tuple[Evaluation, Evaluation]
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
    for line in _missing(found):
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


def _missing(found: Evaluation) -> Iterator[str]:
    for what, reasons in found.counts.items():
        told = list(reasons.items())
        for reason, count in told[:REASONS]:
            yield f"{what}: {count} x {reason}"
        if len(told) > REASONS:
            yield f"{what}: {len(told) - REASONS} further reasons"


# --- two policies ----------------------------------------------------------------------------------------------------

Lines = Mapping[str, Sequence[Line]]


def comparison_facts(pair: Pair, found: Lines) -> dict[str, Any]:
    """Return everything as JSON can hold it."""
    return {
        "one": str(pair[0].folder),
        "two": str(pair[1].folder),
        "tables": {name: [asdict(line) for line in lines] for name, lines in found.items()},
    }


def show_comparison(pair: Pair, found: Lines, out: Path | None) -> None:
    """Print every table on stdout."""
    for name, lines in found.items():
        rows(_heads(name, pair), [_line(line) for line in lines])
        for note in _notes(lines):
            print(note)
        print()
    if out is not None:
        print(f"report: {out / 'report.html'}")


def comparison_page(pair: Pair, found: Lines) -> Page:
    """Return the report."""
    one, two = _names(pair)
    page = Page(f"{two} against {one}")
    page.text(
        f"{pair[0].settings.data}, {pair[0].settings.k} responses to each prompt. Differences are {two} less {one}, on "
        "what both have; intervals are 95 %, from resampling whole stories. q is p adjusted for all tests of a table "
        "(Benjamini & Hochberg); stars are of q: * .05, ** .01, *** .001.",
        soft=True,
    )
    for name, lines in found.items():
        page.heading(name)
        shown = [_effect(line) for line in lines if line.contrast.difference is not None]
        if shown:
            page.figure(forest(shown), f"{two} less {one}")
        page.table(_heads(name, pair), [_line(line) for line in lines])
        page.notes(_notes(lines))
    for evaluation in pair:
        page.heading(f"What is missing in {evaluation.folder.name}")
        page.notes(_missing(evaluation) if evaluation.counts else ["Nothing."])
    return page


def _names(pair: Pair) -> tuple[str, str]:
    """Return what the two are called: by their folders, and by their paths where these have one name."""
    one, two = (str(it.folder.resolve().name) for it in pair)
    return (one, two) if one != two else (str(pair[0].folder), str(pair[1].folder))


def _heads(name: str, pair: Pair) -> tuple[str, ...]:
    return name, *_names(pair), "difference", "low", "high", "p", "q", "", "left out"


def _line(line: Line) -> tuple[Any, ...]:
    it = line.contrast
    gap: Estimate | None = it.difference
    ends = (None, None, None) if gap is None else (gap.value, gap.low, gap.high)
    values = (None if one is None else str(one) for one in (line.one, line.two))
    return line.metric, *values, *ends, _p(it.p), _p(it.q), it.stars, it.left_out


def _p(p: float | None) -> str | None:
    return None if p is None else "< .0001" if p < 0.0001 else f"{p:.4f}"


def _effect(line: Line) -> tuple[str, float | None, float | None, float | None, str]:
    gap = line.contrast.difference
    q = _p(line.contrast.q)
    text = "" if q is None else f"q {q} {line.contrast.stars}".strip()
    return line.metric, *((None, None, None) if gap is None else (gap.value, gap.low, gap.high)), text


def _notes(lines: Sequence[Line]) -> Iterator[str]:
    """Yield what is to be said of the lines, each remark once with the metrics that it is about."""
    if unpaired := max((line.contrast.unpaired for line in lines), default=0):
        yield f"{unpaired} items are of one of the two alone, and left out"
    told: dict[str, list[str]] = {}
    for line in lines:
        gap = line.contrast.difference
        for text in filter(None, (line.contrast.reason, "" if gap is None else gap.note)):
            told.setdefault(text, []).append(line.metric)
    yield from (f"{', '.join(metrics)}: {text}" for text, metrics in told.items())
