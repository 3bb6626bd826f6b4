"""The scores of a study, one after the other, as its tables hold them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from judgekit.calibration.slices import word_count
from judgekit.errors import InputError, nearest
from judgekit.files.tables import read_table
from judgekit.studies.exports import read_export
from judgekit.studies.generated import generated
from judgekit.studies.study import ItemTable, RatingTable, Scale, Study

Row = dict[str, Any]
Place = tuple[Path, int]
CLOSE = 1e-6  # of a step, between a score and the grid
BRACES = re.compile(r"\{([^{}]+)\}")


class Item(NamedTuple):
    """What is known of an item."""

    name: str
    group: str | None
    system: str | None
    words: int | None


class Given(NamedTuple):
    """What one rater gave to one item at a time: its scores by criterion; ``place`` is their file and line."""

    item: Item
    human: bool
    rater: str
    repeat: str
    scores: dict[str, float]
    place: Place


def items(table: ItemTable, study: Study, data: Path | None) -> dict[str, Item]:
    """Return the items of their table by name.

    Raises:
        InputError: a column that is not there, an item that stands twice; names file and line.
    """
    found: dict[str, Item] = {}
    for place, row in rows(table, study, data):
        text = row.get(table.text) if table.text else None
        item = Item(*_item(table, row, place), None if text is None else word_count(str(text)) or None)
        if found.get(item.name, item) != item or (item.name in found and table.format == "table"):
            raise InputError.at(*place, f"the item {item.name!r} stands twice")
        found[item.name] = item
    if table.text and all(item.words is None for item in found.values()):
        raise InputError(f"{table.file}: no row has anything in the column {table.text!r}")
    return found


def given(table: RatingTable, study: Study, data: Path | None, left_out: Counter[str]) -> Iterator[Given]:
    """Yield the scores of one table, row by row; ``left_out`` counts cells without one.

    Raises:
        InputError: a column that is not there, a score that is no number, or off the scale; names file and line.
    """
    asked = {name: column for name, column in table.columns.items() if not study.criteria or name in study.criteria}
    columns, reading = set[str](), _Reading(table, table.scale or study.scale, left_out)
    for place, row in rows(table, study, data):
        columns |= row.keys()
        if table.only and any(str(row.get(column, "")) not in values for column, values in table.only.items()):
            continue
        item = Item(*_item(table, row, place), None)
        human, rater = _human(table, row, place), table.name or text_of(table.rater, row, place)
        repeat = str(_column(row, table.repeat, place)) if table.repeat else ""
        scores = reading.row([*_scores(table, asked, study, row, place)], human, place)
        if scores:
            yield Given(item, human, rater, repeat, scores, place)
    for column in [*table.only, *asked.values()]:
        if column not in columns:
            there = nearest(column, columns, "there are") if columns else ": it has no rows"
            raise InputError(f"{table.file}: no row has anything in the column {column!r}{there}")


@dataclass
class _Reading:
    """Reads the scores of a table; the same text is read once."""

    table: RatingTable
    scale: Scale
    left_out: Counter[str]
    known: dict[tuple[str, bool], float | str] = field(default_factory=dict)

    def row(self, cells: Iterable[tuple[str, Any]], human: bool, place: Place) -> dict[str, float]:
        """Return the scores of one row by criterion; cells without one are counted."""
        found = dict[str, float]()
        for criterion, raw in cells:
            score = self._cell(raw, human, place)
            if isinstance(score, str):
                self.left_out[f"{self.table.file}: {score}"] += 1
            elif criterion in found:
                raise InputError.at(*place, f"{criterion} stands twice in the row")
            else:
                found[criterion] = score
        return found

    def _cell(self, raw: Any, human: bool, place: Place) -> float | str:
        """Return a score, higher is better; or why it is left out."""
        if not isinstance(raw, str):
            return self._read(raw, human, place)
        if (raw, human) not in self.known:
            self.known[raw, human] = self._read(raw, human, place)
        return self.known[raw, human]

    def _read(self, raw: Any, human: bool, place: Place) -> float | str:
        score = None if raw is None else _number(raw, self.scale, place)
        if score is None:
            return "no score"
        if self.table.off_scale == "leave out" and not self.scale.low <= score <= self.scale.high:
            return "off the scale"
        return _on(self.scale, score, human, place)


def _scores(
    table: RatingTable, asked: dict[str, str], study: Study, row: Row, place: Place
) -> Iterator[tuple[str, Any]]:
    """Yield the criterion and the cell of each score of a row: of a long table one, of a wide one several."""
    if table.criterion is not None:
        criterion = str(_column(row, table.criterion, place))
        if not study.criteria or criterion in study.criteria:
            yield criterion, row.get(table.score)
    for name, column in asked.items():
        yield name, row.get(column)


def rows(table: ItemTable | RatingTable, study: Study, data: Path | None) -> Iterator[tuple[Place, Row]]:
    """Yield the rows of a table, each with its place."""
    if study.source == "storyworld":
        for line, row in enumerate(generated(table.file, study.seed), 1):
            yield (Path(f"storyworld/{table.file}"), line), row
        return
    if data is None:
        raise InputError(f"the study reads {table.file}: give the folder of its data (--data FOLDER)")
    path = data / table.file
    for line, row in read_table(path) if table.format == "table" else read_export(table.format, path):
        yield (path, line), row


def _item(table: ItemTable | RatingTable, row: Row, place: Place) -> tuple[str, str | None, str | None]:
    group = text_of(table.group, row, place) if table.group else None
    return text_of(table.item, row, place), group, text_of(table.system, row, place) if table.system else None


def text_of(named: str, row: Row, place: Place) -> str:
    """Return what a column says, or a text with columns in braces."""
    parts = _parts(named)
    if len(parts) == 1:
        return str(_column(row, named, place)).strip()
    return "".join(str(_column(row, part, place)) if i % 2 else part for i, part in enumerate(parts)).strip()


@cache
def _parts(named: str) -> list[str]:
    """Return texts and the columns between them, by turns."""
    return BRACES.split(named)


def _column(row: Row, name: str, place: Place) -> Any:
    if name not in row:
        raise InputError.at(*place, f"there is nothing in the column {name!r}{nearest(name, row, 'the row has')}")
    return row[name]


def _human(table: RatingTable, row: Row, place: Place) -> bool:
    kind = table.kind if table.kind != "column" else str(_column(row, "rater_kind", place))
    if kind not in ("human", "judge"):
        raise InputError.at(*place, f"rater_kind is {kind!r}; it must be 'human' or 'judge'")
    return kind == "human"


def _number(raw: Any, scale: Scale, place: Place) -> float:
    if scale.labels and str(raw) in scale.labels:
        return scale.labels[str(raw)]
    try:
        return float(raw)
    except (TypeError, ValueError):
        empty = "; leave the cell empty where there is none"
        mend = nearest(str(raw), scale.labels, "labels") if scale.labels else empty
        raise InputError.at(*place, f"{raw!r} is not a score{mend}") from None


def _on(scale: Scale, score: float, human: bool, place: Place) -> float:
    """Return the score, higher is better."""
    if not scale.low <= score <= scale.high:
        raise InputError.at(*place, f"the score {score:g} is off the scale of {scale.low:g} to {scale.high:g}")
    if human and scale.step:
        steps = (score - scale.low) / scale.step
        if abs(steps - round(steps)) > CLOSE:
            raise InputError.at(*place, f"the score {score:g} is not on the scale's steps of {scale.step:g}")
    return score if scale.higher_is_better else scale.low + scale.high - score
