"""Every alpha of a report beside that of the krippendorff package, where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration import Bootstrap, krippendorff_alpha
from judgekit.calibration.agreement import Level
from judgekit.studies.analysis import Analysis, mean
from judgekit.studies.unknown import Unknown, attempt

Array = NDArray[np.float64]
CLOSE = 1e-9
CELLS = 1 << 22  # items x values x values, which the package holds in memory: of more items it is given a part


@dataclass(frozen=True)
class CrossCheck:
    """How our alphas compare.

    Attributes:
        version: of the package; None where it is not installed, and then nothing was compared.
        compared: how many alphas; ``in_part``: of those, on a part of the items; ``difference``: the largest.
    """

    version: str | None
    compared: int
    in_part: int
    difference: float

    @property
    def agrees(self) -> bool:
        """Whether all are equal, to within rounding."""
        return self.difference <= CLOSE

    def __str__(self) -> str:
        if self.version is None:
            return "Krippendorff's alpha was not cross-checked: the krippendorff package is not installed."
        if not self.compared:
            return "There was no Krippendorff's alpha to cross-check."
        verb = "agree" if self.agrees else "DO NOT AGREE"
        part = f"; {self.in_part} of them on a part of the items, as many as it can hold" if self.in_part else ""
        return (
            f"All {self.compared} values of Krippendorff's alpha {verb} with the krippendorff package {self.version} "
            f"(largest difference {self.difference:.1g}{part})."
        )


def cross_check(analysis: Analysis) -> CrossCheck:
    """Compute every alpha of the analysis once more."""
    if find_spec("krippendorff") is None:
        return CrossCheck(None, 0, 0, 0.0)
    from importlib.metadata import version

    import krippendorff

    differences, in_part = [], 0
    for ours, rows, level in _alphas(analysis):
        part = _part(rows)
        found: float | Unknown = ours
        if part.shape[1] < rows.shape[1]:
            found, in_part = _alpha(part, level), in_part + 1
        if not isinstance(found, Unknown):
            theirs = krippendorff.alpha(reliability_data=part, level_of_measurement=level)
            differences.append(abs(found - float(theirs)))
    return CrossCheck(version("krippendorff"), len(differences), in_part, max(differences, default=0.0))


def _part(rows: Array) -> Array:
    """Return the first items, as many as the package can hold."""
    values = len(np.unique(rows[~np.isnan(rows)]))
    return rows[:, : max(1, CELLS // max(1, values**2))]


def _alpha(rows: Array, level: Level) -> float | Unknown:
    found = attempt(lambda: krippendorff_alpha(rows, level, bootstrap=Bootstrap(100, "percentile")))
    return found if isinstance(found, Unknown) else found.value


def _alphas(analysis: Analysis) -> Iterator[tuple[float, Array, Level]]:
    for sheet, it in zip(analysis.ratings.sheets(), analysis.criteria.values(), strict=True):
        if not isinstance(it.people, Unknown):
            yield it.people.value, sheet.human, analysis.study.level
        if not isinstance(it.alpha, Unknown):
            yield it.alpha.value, np.stack([mean(sheet.judges[analysis.study.judge]), mean(sheet.human)]), "interval"
