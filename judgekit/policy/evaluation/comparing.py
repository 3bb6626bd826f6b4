"""Two evaluations side by side: each metric of both, their difference, and whether it could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judgekit.calibration import Bootstrap, Estimate
from judgekit.episodes.contrasts import Contrast
from judgekit.episodes.metrics import Table
from judgekit.errors import InputError
from judgekit.policy.evaluation.contrasts import turn_contrasts
from judgekit.policy.evaluation.episodebench import TIMING, TURNS, ordered
from judgekit.policy.evaluation.folder import Evaluation

Tables = Mapping[str, Table]


@dataclass(frozen=True, slots=True)
class Line:
    """One metric of two policies: each over all items with a value of its own, ``contrast`` over those of both."""

    metric: str
    one: Estimate | None
    two: Estimate | None
    contrast: Contrast


def compare(one: Evaluation, two: Evaluation, bootstrap: Bootstrap | None = None) -> dict[str, list[Line]]:
    """Compare two evaluations, the second less the first; the tests of a table are adjusted together.

    Raises:
        InputError: they were not made in the same way, or of other items.
    """
    _comparable(one, two)
    tables = one.tables(bootstrap), two.tables(bootstrap)
    found = turn_contrasts(one.items, two.items, (one.played, two.played), bootstrap)
    return {name: _lines(name, contrasts, tables) for name, contrasts in found.items()}


def _comparable(one: Evaluation, two: Evaluation) -> None:
    for name in ("kind", "k", "band", "judge", "encoder", "stories"):
        first, second = (getattr(it.settings, name) for it in (one, two))
        if first != second:
            found = f"differ in {name}: {_said(first)} and {_said(second)}"
            raise InputError(f"{one.folder} and {two.folder} {found}; evaluate both alike")


def _said(value: object) -> str:
    return "none" if value is None else str(getattr(value, "fingerprint", value))


def _lines(name: str, contrasts: Sequence[Contrast], tables: tuple[Tables, Tables]) -> list[Line]:
    found = {it.metric: it for it in contrasts}
    one, two = tables
    return [Line(m, _estimate(one, name, m), _estimate(two, name, m), found[m]) for m in ordered(found)]


def _estimate(tables: Tables, name: str, metric: str) -> Estimate | None:
    """Return a metric of a table; the timing of all stories stands among all turns."""
    for place in (name, *([TIMING] if name == TURNS else [])):
        if place in tables and metric in tables[place].rows:
            return tables[place].rows[metric].estimate
    return None
