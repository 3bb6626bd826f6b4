"""A judge that is run on a study's items on the spot: what it reads, and its scores as cells of the ratings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judgekit.errors import InputError
from judgekit.files import sample_of
from judgekit.studies.cells import CLOSE, Given, Item, given, rows, text_of
from judgekit.studies.study import Scale, Study
from judgekit.studies.table import OVERALL
from judgekit.types import Sample


@dataclass(frozen=True)
class Questions:
    """What a judge is asked: the items that people rated, as samples, and the criteria that they rated them on."""

    samples: tuple[Sample, ...]
    criteria: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """What a judge gave on the spot: its scores, and how often one is missing, by reason.

    Attributes:
        scale: its own, as far as its scores reach, where they are not on the study's.
    """

    rows: tuple[Given, ...]
    left_out: Mapping[str, int]
    scale: Scale | None = None


def questions(study: Study, data: Path | None, judge: str) -> Questions:
    """Return what a judge of this name is asked; the columns of an item's row are the metadata of its sample.

    Raises:
        InputError: the study's items have no 'prompt' or 'text', a row lacks one, the ratings have a judge of this name
            already, or a scale on which less is better.
    """
    table = study.items
    if table is None or table.text is None or table.prompt is None:
        raise InputError("a judge needs something to read: name the columns 'prompt' and 'text' of the study's 'items'")
    if not study.scale.higher_is_better:
        raise InputError("a judge's score is better the higher it is: turn round the people's scale first")
    rated, criteria = set[str](), dict[str, None]()
    for one in (one for table in study.ratings for one in given(table, study, data, Counter())):
        if one.human:
            rated.add(one.item.name)
            criteria |= dict.fromkeys(one.scores)
        elif one.rater == judge:
            raise InputError(f"the ratings have a judge {judge!r} already; rename the file or folder of the one to run")
    named = ((place, row, text_of(table.item, row, place)) for place, row in rows(table, study, data))
    found = [_sample(place, row, name, table.prompt, table.text) for place, row, name in named if name in rated]
    return Questions(tuple(found), study.criteria or tuple(criteria))


def _sample(place: tuple[Path, int], row: dict[str, Any], name: str, prompt: str, text: str) -> Sample:
    own = {"id": name, "prompt": text_of(prompt, row, place), "response": text_of(text, row, place)}
    try:
        return sample_of({**own, "metadata": dict(row)}, place[1])
    except InputError as problem:
        raise InputError.at(*place, str(problem)) from None


def judged(
    study: Study, judge: str, criteria: Iterable[str], written: Iterable[tuple[int, Mapping[str, Any]]], path: Path
) -> Judged:
    """Return the rows that ``judgekit score`` wrote as scores of the study.

    A criterion takes the judge's value for the criterion of that name; one called ``overall``, its value as a whole.

    Args:
        written: line numbers and rows of the file at ``path``.

    Raises:
        InputError: the judge has none of the criteria, or no verdict at all.
    """
    found, lacking, other, errors = list[Given](), Counter[str](), set[str](), list[str]()
    strange = False
    for line, row in written:
        values = {**row["criteria"], OVERALL: row["value"]}
        errors += [row["error"]] if row["value"] is None else []
        other |= values.keys() - {OVERALL}
        scores = dict[str, float]()
        for criterion in criteria:
            value = values.get(criterion) if row["value"] is not None else None
            if value is None:
                lacking[f"{judge}, {criterion}: {row['error'] or 'the judge has no such value'}"] += 1
                continue
            strange |= not _on_scale(study.scale, value, row["unit"] if criterion == OVERALL else None)
            scores[criterion] = float(value)
        if scores:
            found.append(Given(Item(row["id"], None, None, None), False, judge, "", scores, (path, line)))
    if not found and errors:
        raise InputError(f"{path}: not one of {len(errors)} items has a verdict: {errors[0]}")
    if not found and other:
        raise InputError(f"the judge rates {', '.join(sorted(other))}; the study rates {', '.join(criteria)}")
    return Judged(tuple(found), dict(lacking), _reach(found) if strange else None)


def _on_scale(scale: Scale, value: float, unit: float | None) -> bool:
    """Return whether a value is on people's scale; ``unit``: what the judge says it is on [0, 1], if it says so."""
    place = (value - scale.low) / (scale.high - scale.low)
    return 0 <= place <= 1 and (unit is None or abs(unit - place) < CLOSE)


def _reach(found: Iterable[Given]) -> Scale | None:
    values = [score for row in found for score in row.scores.values()]
    return Scale(low=min(values), high=max(values)) if min(values) < max(values) else None
