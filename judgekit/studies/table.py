"""The ratings of a study as arrays: who gave what to which item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from judgekit.errors import InputError, nearest
from judgekit.studies.cells import Given, Item, given, items
from judgekit.studies.study import Scale, Study

Array = NDArray[np.float64]
Numbers = dict[str, int]


OVERALL = "overall"  # the mean of all criteria


@dataclass(frozen=True)
class Sheet:
    """The ratings on one criterion, or overall: ``human`` (raters, items), and of each judge (repeats, items)."""

    name: str
    human: Array
    judges: Mapping[str, Array]


@dataclass(frozen=True)
class Ratings:
    """All ratings of a study; missing cells are NaN.

    Attributes:
        items: their names; ``groups`` (an item of its own where no group is known), ``systems`` and ``words`` (length
            of the text): one for each, the last two None where the tables do not tell.
        raters: the people; ``human[criterion]`` has the shape (raters, items).
        judges: ``judges[name][criterion]`` has the shape (repeats, items).
        left_out: counts what was passed over, by reason.
        other_scale: the scale of each judge whose table declares another than people's.
    """

    items: tuple[str, ...]
    groups: tuple[str, ...]
    systems: tuple[str, ...] | None
    words: Array | None
    criteria: tuple[str, ...]
    raters: tuple[str, ...]
    human: Mapping[str, Array]
    judges: Mapping[str, Mapping[str, Array]]
    left_out: Mapping[str, int]
    other_scale: Mapping[str, Scale] = field(default_factory=dict)

    def sheets(self) -> list[Sheet]:
        """Return the ratings on each criterion; where there are several, their mean too, of complete ones alone."""
        found = [
            Sheet(name, self.human[name], {judge: rows[name] for judge, rows in self.judges.items()})
            for name in self.criteria
        ]
        if len(found) == 1:
            return found
        means = {judge: _overall(rows) for judge, rows in self.judges.items()}
        return [*found, Sheet(OVERALL, _overall(self.human), means)]


def read_ratings(
    study: Study,
    data: Path | None = None,
    also: Iterable[Given] = (),
    lacking: Mapping[str, int] | None = None,
    scales: Mapping[str, Scale] | None = None,
) -> Ratings:
    """Read the tables of a study; ``data`` is the folder that their names are relative to, if it reads files.

    Args:
        also: scores that no table has: of a judge that was run on the spot; ``lacking``: those that it did not give;
            ``scales``: its own, where it keeps to another than people.

    Raises:
        InputError: a file or a column that is not there, a score that is no number or off the scale, a cell that
            stands twice, an item of two groups: with file and line; no human ratings; no such judge.
    """
    left_out = Counter[str](lacking or {})
    found = items(study.items, study, data) if study.items else {}
    read, other = list[Given](), dict(scales or {})
    for table in study.ratings:
        own = list(given(table, study, data, left_out))
        if table.scale and table.scale != study.scale:
            other |= {row.rater: table.scale for row in own if not row.human}
        read += own
    read += also
    if study.items:
        unknown = [row for row in read if row.item.name not in found]
        _known_items(study, read, unknown, found)
        left_out[f"of items that {study.items.file} does not have"] += sum(len(row.scores) for row in unknown)
        read = [row for row in read if row.item.name in found]
    _describe(found, read)
    scored = {row.item.name for row in read}
    left_out["items without a score"] += len(found.keys() - scored)
    return _arrays(study, [item for item in found.values() if item.name in scored], read, +left_out, other)


def _known_items(study: Study, read: list[Given], unknown: list[Given], found: Mapping[str, Item]) -> None:
    """Refuse ratings of which not one is of a known item: two tables that name the same items differently."""
    for whose, is_theirs in (("people", lambda row: row.human), (study.judge, lambda row: row.rater == study.judge)):
        theirs, strange = (sum(map(is_theirs, some)) for some in (read, unknown))
        if theirs and theirs == strange and study.items:
            row, known = next(filter(is_theirs, unknown)), next(iter(found), "nothing")
            raise InputError.at(
                *row.place,
                f"no rating of {whose} is of an item that {study.items.file} has: here {row.item.name!r}, there "
                f"{known!r}, ...; see 'item' of both tables",
            )


def _overall(rows: Mapping[str, Array]) -> Array:
    return np.asarray(np.stack(list(rows.values())).mean(0))


def _describe(found: dict[str, Item], read: Iterable[Given]) -> None:
    """Add what the ratings tell of the items; no two rows may tell different things of one."""
    for row in read:
        known, told = found.setdefault(row.item.name, row.item), row.item
        if told.group in (None, known.group) and told.system in (None, known.system):
            continue
        if None not in (known.group, told.group) and known.group != told.group:
            raise InputError.at(*row.place, f"{known.name!r} has the group {told.group!r}, and {known.group!r} before")
        if None not in (known.system, told.system) and known.system != told.system:
            raise InputError.at(
                *row.place, f"{known.name!r} has the system {told.system!r}, and {known.system!r} before"
            )
        found[known.name] = known._replace(group=known.group or told.group, system=known.system or told.system)


def _arrays(
    study: Study, found: list[Item], read: list[Given], left_out: Mapping[str, int], scales: Mapping[str, Scale]
) -> Ratings:
    place = {item.name: i for i, item in enumerate(found)}
    criteria = study.criteria or _criteria(study, read)
    people = [row for row in read if row.human]
    repeats = dict[str, Numbers]()
    for row in read:
        if not row.human:
            own = repeats.setdefault(row.rater, {})
            own.setdefault(row.repeat, len(own))
    _complete(study, criteria, people, repeats)
    raters = _numbered(row.rater for row in people)
    human, judges = _grids(read, place, _numbered(criteria), raters, repeats)
    return Ratings(
        items=tuple(place),
        groups=tuple(item.name if item.group is None else item.group for item in found),
        systems=_if_all([item.system for item in found]),
        words=_lengths(found),
        criteria=criteria,
        raters=tuple(raters),
        human=dict(zip(criteria, human, strict=True)),
        judges={name: dict(zip(criteria, grid, strict=True)) for name, grid in judges.items()},
        left_out=left_out,
        other_scale=scales,
    )


def _criteria(study: Study, read: Iterable[Given]) -> tuple[str, ...]:
    """Return the criteria that have a score: in the order of wide tables, else as they come."""
    found = dict.fromkeys(name for row in read for name in row.scores)
    named = (name for table in study.ratings for name in table.columns if name in found)
    return tuple(dict.fromkeys([*named, *found]))


def _numbered(names: Iterable[str]) -> Numbers:
    return {name: i for i, name in enumerate(dict.fromkeys(names))}


def _grids(
    read: Iterable[Given], items: Numbers, criteria: Numbers, raters: Numbers, repeats: Mapping[str, Numbers]
) -> tuple[Array, dict[str, Array]]:
    """Return the scores of people, shape (criteria, raters, items), and of each judge, (criteria, repeats, items)."""
    human = np.full((len(criteria), len(raters), len(items)), np.nan)
    judges = {name: np.full((len(criteria), len(rows), len(items)), np.nan) for name, rows in repeats.items()}
    for row in read:
        grid, line = (human, raters[row.rater]) if row.human else (judges[row.rater], repeats[row.rater][row.repeat])
        column = items[row.item.name]
        for name, score in row.scores.items():
            at = criteria[name], line, column
            if grid[at] == grid[at]:  # not NaN
                again = "" if row.human else "; number the repeats in a column, and name it under 'repeat'"
                raise InputError.at(*row.place, f"{row.rater} has scored {row.item.name!r} on {name} before{again}")
            grid[at] = score
    return human, judges


def _complete(study: Study, criteria: tuple[str, ...], people: list[Given], judges: Iterable[str]) -> None:
    if OVERALL in criteria and len(criteria) > 1:
        raise InputError(f"a criterion is called {OVERALL!r}, the name of their mean; leave it out, or rename it")
    rated = {name for row in people for name in row.scores}
    if missing := [name for name in criteria if name not in rated]:
        raise InputError(f"nobody has rated {', '.join(missing)}{nearest(missing[0], rated) if rated else ''}")
    if not people:
        raise InputError("there are no human ratings; a study holds a judge against people")
    if both := {row.rater for row in people} & set(judges):
        raise InputError(f"{min(both)!r} is a judge and a person; call one of them otherwise")
    if not study.judge:
        known = f", one of: {', '.join(judges)}" if judges else ""
        raise InputError(f"the study names no judge: write 'judge: NAME'{known}; or run one with --judge judge.yaml")
    if study.judge not in judges:
        raise InputError(f"the judge {study.judge!r} has no ratings{nearest(study.judge, judges)}")


def _if_all(values: list[str | None]) -> tuple[str, ...] | None:
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) else None


def _lengths(found: list[Item]) -> Array | None:
    known = [item.words for item in found if item.words is not None]
    return np.array(known, dtype=float) if len(known) == len(found) else None
