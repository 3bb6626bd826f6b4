"""The part of a report about people: how far they agree, and who does not."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.correlation import plain
from judgekit.report import Page, heat_map
from judgekit.studies.analysis import Analysis
from judgekit.studies.crosscheck import CrossCheck
from judgekit.studies.words import Notes, shown

Array = NDArray[np.float64]
SHARED = 10  # items that two raters need in common for a correlation that is shown
RATERS = 25


def add(made: Page, analysis: Analysis, check: CrossCheck) -> None:
    """Add agreement, reliability, severity, and who agrees with whom."""
    study, notes = analysis.study, Notes()
    made.heading("People")
    rows = [
        (
            name,
            notes.cell(f"{name}, alpha", it.people),
            notes.cell(f"{name}, split halves", it.reliability),
        )
        for name, it in analysis.criteria.items()
    ]
    made.table(("criterion", f"Krippendorff's alpha, {study.level}", "reliability of their mean (split halves)"), rows)
    made.notes(notes.lines())
    made.text(str(check), soft=True)
    sheet = analysis.ratings.sheets()[-1]
    _raters(made, analysis, sheet.human, sheet.name)


def _raters(made: Page, analysis: Analysis, human: Array, name: str) -> None:
    raters = analysis.ratings.raters
    if len(raters) < 2:
        made.text("One rater alone: nobody to hold them against.", soft=True)
        return
    counts = (~np.isnan(human)).sum(1)
    most = sorted(np.argsort(-counts, kind="stable")[:RATERS].tolist())
    matrix = [[_agreement(human[i], human[j]) for j in most] for i in most]
    names = [raters[i] for i in most]
    caption = (
        f"Spearman's rho of every two raters, {name}; a dash: fewer than {SHARED} items in common, or no variation."
    )
    if any(value is not None for row in matrix for value in row):
        made.figure(heat_map(names, matrix, -1, 1, [int(counts[i]) for i in most]), caption)
    else:
        made.text(f"No two raters share {SHARED} items: there is no rho of two of them.", soft=True)
    made.table(("rater", f"items, {name}", "severity"), _severity(human, raters, counts))
    made.text("Severity: by how many points a rater lies below (-) or above the others on the same items.", soft=True)


def _agreement(one: Array, two: Array) -> float | None:
    if one is two:
        return None
    both = ~np.isnan(one + two)
    if both.sum() < SHARED:
        return None
    rho = plain(one[both], two[both], "spearman")
    return None if math.isnan(rho) else rho


def _severity(human: Array, raters: tuple[str, ...], counts: NDArray[np.int64]) -> list[tuple[str, int, str]]:
    rows = []
    for i in np.argsort(-counts, kind="stable")[:RATERS]:
        others = np.delete(human, i, axis=0)
        shared = ~np.isnan(human[i]) & (~np.isnan(others)).any(0)
        if not shared.any():
            rows.append((raters[i], int(counts[i]), "nobody else rated the same items"))
            continue
        off = human[i, shared] - np.nanmean(others[:, shared], axis=0)
        rows.append((raters[i], int(counts[i]), f"{'+' if off.mean() > 0 else ''}{shown(float(off.mean()))}"))
    return rows
