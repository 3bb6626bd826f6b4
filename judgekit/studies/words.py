"""Figures as a report writes them: never without their interval, and where there is none, with the reason."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from judgekit.calibration import Estimate
from judgekit.studies.unknown import Unknown

MISSING = "not estimable"


def shown(value: float, places: int = 2) -> str:
    """Write a number; -0.00 is 0.00."""
    if math.isinf(value):
        return "unbounded"
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def told(found: Estimate | Unknown, places: int = 2) -> str:
    """Write a figure with its interval."""
    if isinstance(found, Unknown):
        return MISSING
    if found.low is None or found.high is None:
        return f"{shown(found.value, places)} (no interval)"
    return f"{shown(found.value, places)} [{shown(found.low, places)}, {shown(found.high, places)}]"


def percent(found: Estimate | Unknown) -> str:
    """Write a share with its interval, in percent."""
    if isinstance(found, Unknown):
        return MISSING
    value = f"{100 * found.value:.1f} %"
    if found.low is None or found.high is None:
        return f"{value} (no interval)"
    return f"{value} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def chance(p: float | None) -> str:
    """Write a p or q."""
    return MISSING if p is None else "< 0.001" if p < 0.001 else shown(p, 3)


def sentence(reason: str) -> str:
    """Return a reason as a sentence of its own."""
    return f"{reason[:1].upper()}{reason[1:]}{'' if reason.endswith('.') else '.'}"


@dataclass
class Notes:
    """What is to be said below a table: why figures are missing, and what to know of those that are there.

    Attributes:
        rows: all rows of the table; a note about all of them names none.
    """

    rows: Sequence[str]
    found: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def add(self, row: str, column: str, reason: str) -> None:
        """Remember a reason, and which figure it is about."""
        if reason:
            self.found.setdefault(reason, {}).setdefault(column, []).append(row)

    def cell(self, row: str, column: str, found: Estimate | Unknown, places: int = 2) -> str:
        """Return a figure as text, and remember what is to be said of it."""
        self.add(row, column, found.reason if isinstance(found, Unknown) else found.note)
        return told(found, places)

    def lines(self) -> Iterator[str]:
        """Yield each note once, with the figures that it is about."""
        for reason, columns in self.found.items():
            places = [
                column if len(set(rows)) == len(self.rows) else f"{column} ({', '.join(dict.fromkeys(rows))})"
                for column, rows in columns.items()
            ]
            yield f"{'; '.join(places)}: {reason}."
