"""The part of a report about the map to the human scale, and the intervals around what it gives."""

from __future__ import annotations

from functools import partial

import numpy as np

from judgekit.calibration import Bootstrap, Choice
from judgekit.calibration.estimate import number
from judgekit.report import Page, bland_altman, coverage, reliability, steps
from judgekit.studies.analysis import Analysis, mean, step_of
from judgekit.studies.criterion import Criterion
from judgekit.studies.doubt import kept_of
from judgekit.studies.served import COVERAGE, held_out
from judgekit.studies.table import Sheet
from judgekit.studies.unknown import Unknown, attempt
from judgekit.studies.words import MISSING, Notes, percent, shown

LEVELS = (0.5, 0.8, 0.9, 0.95)


def add(made: Page, analysis: Analysis) -> None:
    """Add what the map does, its pictures, and how often the intervals hold."""
    made.heading("From the judge's scale to people's")
    _before_and_after(made, analysis)
    for sheet, it in zip(analysis.ratings.sheets(), analysis.criteria.values(), strict=True):
        _pictures(made, analysis, sheet, it)
    _intervals(made, analysis)
    _escalation(made, analysis)


def _before_and_after(made: Page, analysis: Analysis) -> None:
    notes = Notes(list(analysis.criteria))
    rows = []
    for name, it in analysis.criteria.items():
        after = it.served if isinstance(it.served, Unknown) else it.served.level
        rows.append(
            (
                name,
                MISSING if isinstance(it.choice, Unknown) else it.choice.kind,
                notes.cell(name, "before", it.before),
                notes.cell(name, "after", it.after),
                notes.cell(name, "bias before", it.level if isinstance(it.level, Unknown) else it.level.difference),
                notes.cell(name, "bias after", after if isinstance(after, Unknown) else after.difference),
                _spread(analysis, it),
            )
        )
    heads = ("mean absolute error", "after the map", "mean less people's", "after the map", "spread, of people's")
    made.table(("criterion", "map", *heads), rows)
    made.notes(notes.lines())
    made.text(
        "After the map: on groups that had no part in choosing or fitting it. Means: 90 % intervals. A map with the "
        "least error draws scores together (regression to the mean): their spread, over that of people's.",
        soft=True,
    )


def _spread(analysis: Analysis, it: Criterion) -> str:
    if isinstance(it.choice, Unknown):
        return MISSING
    sheet = next(sheet for sheet in analysis.ratings.sheets() if sheet.name == it.name)
    human, mapped = mean(sheet.human), it.choice.predicted
    known = ~np.isnan(human + mapped)
    people = float(human[known].std())
    return f"{100 * float(mapped[known].std()) / people:.0f} %" if people > 0 else f"{MISSING}: people's do not vary"


def same_scale(analysis: Analysis) -> bool:
    """Return whether the judges score on the people's scale."""
    return all(table.scale in (None, analysis.study.scale) for table in analysis.study.ratings)


def _pictures(made: Page, analysis: Analysis, sheet: Sheet, it: Criterion) -> None:
    judge, human = mean(sheet.judges[analysis.study.judge]), mean(sheet.human)
    known = ~np.isnan(judge + human)
    if not known.any():
        made.text(f"{it.name}: no item has a score of the judge and of a person.", soft=True)
        return
    x, y = judge[known], human[known]
    curve: tuple[list[float], ...] = ([], [], [], [])
    if isinstance(it.band, Unknown):
        made.text(f"{it.name}: no map: {it.band.reason}.", soft=True)
    else:
        curve = (it.band.judge.tolist(), it.band.human.tolist(), it.band.low.tolist(), it.band.high.tolist())
    made.figure(
        reliability(x.tolist(), y.tolist(), *curve, same_scale=same_scale(analysis)),
        f"{it.name}: what people gave where the judge gave so much, and the map{_of(it.choice)}.",
    )
    bias: float | None = None
    limits: tuple[float | None, float | None] = (None, None)
    if not isinstance(it.limits, Unknown):
        bias, limits = it.limits.bias.value, (it.limits.lower.value, it.limits.upper.value)
    made.figure(
        bland_altman(((x + y) / 2).tolist(), (x - y).tolist(), bias, limits),
        f"{it.name}, before the map: where the judge lies above people, and between which limits 95 % of items do.",
    )


def _of(choice: Choice | Unknown) -> str:
    return "" if isinstance(choice, Unknown) else f" ({choice.kind}), with the band of its refits"


def _intervals(made: Page, analysis: Analysis) -> None:
    made.heading("Intervals for one item")
    notes, rows = Notes(list(analysis.criteria)), []
    for name, it in analysis.criteria.items():
        if isinstance(it.served, Unknown) or isinstance(it.interval, Unknown):
            reason = next(part.reason for part in (it.served, it.interval) if isinstance(part, Unknown))
            rows.append((name, notes.cell(name, "both", Unknown(reason)), MISSING))
            continue
        covered = it.served.covered
        notes.add(name, "coverage", covered.reason if isinstance(covered, Unknown) else covered.note)
        width = MISSING if it.served.width is None else f"{shown(it.served.width)} of {_range(analysis):g}"
        rows.append((name, percent(covered), width))
    made.table(
        ("criterion", f"{100 * COVERAGE:.0f} % intervals hold the human score in", "width, points of the scale"), rows
    )
    made.notes(notes.lines())
    _curve(made, analysis)


def _range(analysis: Analysis) -> float:
    return analysis.study.scale.high - analysis.study.scale.low


def _curve(made: Page, analysis: Analysis) -> None:
    """Draw how often intervals of several levels hold, on the last criterion."""
    sheet, it = analysis.ratings.sheets()[-1], list(analysis.criteria.values())[-1]
    if isinstance(it.choice, Unknown):
        return
    choice, study = it.choice, analysis.study
    judge, human, groups = mean(sheet.judges[study.judge]), mean(sheet.human), number(analysis.ratings.groups)
    bootstrap, step, found = Bootstrap(study.draws, seed=study.seed), step_of(study, human), []
    for level in LEVELS:
        tried = attempt(partial(held_out, study, choice, judge, human, groups, step, level))
        if isinstance(tried, Unknown):
            return
        found.append(bootstrap.share(tried[0], groups[tried[2]]))
    made.figure(
        coverage(LEVELS, [it.value for it in found], [it.low for it in found], [it.high for it in found]),
        f"How often intervals hold the human score in groups that they were not made from, {sheet.name}.",
    )


def _escalation(made: Page, analysis: Analysis) -> None:
    """Draw what it would bring to hand the judge's least sure items to people, on the last criterion."""
    made.heading("Its surest items only")
    it = list(analysis.criteria.values())[-1]
    found = it.escalation
    if isinstance(found, Unknown):
        made.text(f"{MISSING}: {found.reason}.", soft=True)
        return
    kept, points = kept_of(found), _range(analysis)
    share, risk = [100 * one for one, _ in kept], [risk.value * points for _, risk in kept]
    low = [None if risk.low is None else risk.low * points for _, risk in kept]
    high = [None if risk.high is None else risk.high * points for _, risk in kept]
    made.figure(
        steps(share, risk, low, high, ("% of items kept", "mean absolute error"), (f"{share[-1]:.0f} %", risk[-1])),
        f"{it.name}: the error after the map where the judge keeps so many of its items, the surest first (by "
        f"{found.doubt}), and the others go to people. A line that does not rise: its doubt does not "
        "say where it errs.",
    )
