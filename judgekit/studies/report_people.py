"""The part of a report about people: how far they agree, and who does not."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.correlation import plain
from judgekit.report import Page, heat_map, steps
from judgekit.studies.analysis import Analysis
from judgekit.studies.criterion import Criterion
from judgekit.studies.crosscheck import CrossCheck
from judgekit.studies.unknown import Unknown
from judgekit.studies.words import Notes, shown

Array = NDArray[np.float64]
SHARED = 10  # items that two raters need in common for a correlation that is shown
RATERS = 25


def add(made: Page, analysis: Analysis, check: CrossCheck) -> None:
    """Add agreement, reliability, severity, and who agrees with whom."""
    study, notes = analysis.study, Notes(list(analysis.criteria))
    made.heading("People")
    rows = [
        (
            name,
            notes.cell(name, "alpha", it.people),
            notes.cell(name, "AC", it.ac),
            notes.cell(name, "ICC2", it.icc),
            notes.cell(name, "split halves", it.reliability),
        )
        for name, it in analysis.criteria.items()
    ]
    gwet = f"Gwet's {'AC1' if study.level == 'nominal' else 'AC2'}"
    alpha = f"Krippendorff's alpha, {study.level}"
    made.table(("criterion", alpha, gwet, "ICC2, one rater", "reliability of their mean (split halves)"), rows)
    made.notes(notes.lines())
    made.text(
        f"Alpha and {gwet} differ in what chance would give: of ratings that are nearly all alike, alpha is low "
        "however few of them differ. ICC2 asks for the same scores, severities included.",
        soft=True,
    )
    made.text(str(check), soft=True)
    sheet = analysis.ratings.sheets()[-1]
    _more_raters(made, analysis.criteria[sheet.name])
    _raters(made, analysis, sheet.human, sheet.name)


def _more_raters(made: Page, it: Criterion) -> None:
    """Draw what the mean of more raters would reach, and the judge beside it."""
    if isinstance(it.ceiling, Unknown) or not it.ceiling.curve:
        return
    curve, judge = it.ceiling.curve, it.ceiling.judge.value
    ends = [one.low for one in curve], [one.high for one in curve]
    places, values = list(range(1, len(curve) + 1)), [one.value for one in curve]
    where = "within groups" if it.grouped else "over items"
    made.figure(
        steps(places, values, *ends, ("raters", f"rho {where}"), ("the judge", judge)),
        f"{it.name}: what the mean of so many raters would have as its rho with the mean of the others (Spearman and "
        "Brown), and what the judge has.",
    )


def _raters(made: Page, analysis: Analysis, human: Array, name: str) -> None:
    raters = analysis.ratings.raters
    if len(raters) < 2:
        made.text("One rater alone: nobody to hold them against.", soft=True)
        return
    counts = (~np.isnan(human)).sum(1)
    most = np.argsort(-counts, kind="stable")[:RATERS].tolist()
    matrix = {(i, j): _agreement(human[i], human[j]) for i in most for j in most if i != j}
    some = [i for i in most if any(matrix[i, j] is not None for j in most if j != i)]
    if some:
        caption = f"Spearman's rho of every two raters, {name}; a dash: fewer than {SHARED} items in common."
        alone = len(raters) - len(some)
        alone_words = f" {alone} raters share so many items with nobody, and are not drawn." if alone else ""
        rows = [[matrix.get((i, j)) for j in some] for i in some]
        made.figure(heat_map([raters[i] for i in some], rows, -1, 1), caption + alone_words)
    else:
        made.text(f"No two raters share {SHARED} items: there is no rho of two of them.", soft=True)
    made.table(("rater", f"items, {name}", "severity"), _severity(human, raters, counts))
    made.text("Severity: by how many points a rater lies below (-) or above the others on the same items.", soft=True)


def _agreement(one: Array, two: Array) -> float | None:
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
