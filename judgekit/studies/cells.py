"""The scores of a study, one after the other, as its tables hold them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from judgekit.errors import InputError, nearest
from judgekit.files.tables import read_table
from judgekit.studies.study import ItemTable, RatingTable, Scale, Study

Row = dict[str, Any]
CLOSE = 1e-6  # of a step, between a score and the grid


class Item(NamedTuple):
    """What is known of an item."""

    name: str
    group: str | None
    system: str | None
    words: int | None


class Cell(NamedTuple):
    """One score; ``place`` is its file and line."""

    item: Item
    human: bool
    rater: str
    criterion: str
    repeat: str
    score: float
    place: tuple[Path, int]


def items(table: ItemTable, data: Path) -> Iterator[Item]:
    """Yield the rows of the items' table."""
    for line, row in read_table(data / table.file):
        text = table.text and str(_column(row, table.text, data / table.file, line))
        yield Item(*_item(table, row, data / table.file, line), len(text.split()) if text else None)


def cells(table: RatingTable, study: Study, data: Path, left_out: Counter[str]) -> Iterator[Cell]:
    """Yield the scores of one table; ``left_out`` counts cells without one.

    Raises:
        InputError: a column that is not there, a score that is no number, or off the scale; names file and line.
    """
    path, scale = data / table.file, table.scale or study.scale
    for line, row in read_table(path):
        if any(str(row.get(column, "")) not in values for column, values in table.only.items()):
            continue
        item = Item(*_item(table, row, path, line), None)
        human, rater = _human(table, row, path, line), _rater(table, row, path, line)
        repeat = str(_column(row, table.repeat, path, line)) if table.repeat else ""
        for criterion, raw in _scores(table, row, path, line):
            if study.criteria and criterion not in study.criteria:
                continue
            score = None if raw is None else _number(raw, path, line)
            if score is None:
                left_out[f"{table.file}: no score"] += 1
            elif table.off_scale == "leave out" and not scale.low <= score <= scale.high:
                left_out[f"{table.file}: off the scale"] += 1
            else:
                yield Cell(item, human, rater, criterion, repeat, _on(scale, score, human, path, line), (path, line))


def _item(table: ItemTable | RatingTable, row: Row, path: Path, line: int) -> tuple[str, str | None, str | None]:
    name = str(_column(row, table.item, path, line))
    group = str(_column(row, table.group, path, line)) if table.group else None
    return name, group, str(_column(row, table.system, path, line)) if table.system else None


def _column(row: Row, name: str, path: Path, line: int) -> Any:
    if name not in row:
        raise InputError.at(path, line, f"there is nothing in the column {name!r}{nearest(name, row, 'the row has')}")
    return row[name]


def _human(table: RatingTable, row: Row, path: Path, line: int) -> bool:
    kind = table.kind if table.kind != "column" else str(_column(row, "rater_kind", path, line))
    if kind not in ("human", "judge"):
        raise InputError.at(path, line, f"rater_kind is {kind!r}; it must be 'human' or 'judge'")
    return kind == "human"


def _rater(table: RatingTable, row: Row, path: Path, line: int) -> str:
    try:
        return table.named.format_map(row)
    except KeyError as missing:
        raise InputError.at(path, line, f"the rater is {table.rater!r}, but there is no {missing} in the row") from None


def _scores(table: RatingTable, row: Row, path: Path, line: int) -> Iterator[tuple[str, Any]]:
    if table.criterion is not None:
        yield str(_column(row, table.criterion, path, line)), row.get(table.score)
    for name in table.criteria or ():
        yield name, row.get(name)


def _number(raw: Any, path: Path, line: int) -> float:
    try:
        return float(raw)
    except (TypeError, ValueError):
        raise InputError.at(path, line, f"{raw!r} is not a score; leave the cell empty where there is none") from None


def _on(scale: Scale, score: float, human: bool, path: Path, line: int) -> float:
    """Return the score, higher is better."""
    if not scale.low <= score <= scale.high:
        raise InputError.at(path, line, f"the score {score:g} is off the scale of {scale.low:g} to {scale.high:g}")
    if human and scale.step:
        steps = (score - scale.low) / scale.step
        if abs(steps - round(steps)) > CLOSE:
            raise InputError.at(path, line, f"the score {score:g} is not on the scale's steps of {scale.step:g}")
    return score if scale.higher_is_better else scale.low + scale.high - score
