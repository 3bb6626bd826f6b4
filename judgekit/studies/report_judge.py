"""The parts of a report about the judge beside people, and beside other judges."""

from __future__ import annotations

from judgekit.calibration import LeaveOneOut, Panel, stars
from judgekit.report import Page, heat_map
from judgekit.studies.analysis import Analysis
from judgekit.studies.criterion import Criterion, Rival
from judgekit.studies.unknown import Unknown
from judgekit.studies.verdicts import Rates, verdicts
from judgekit.studies.words import MISSING, Notes, chance, shown, told


def add(made: Page, analysis: Analysis) -> None:
    """Add the judge's agreement with people, beside what one person reaches."""
    made.heading("The judge and people")
    notes = Notes(list(analysis.criteria))
    rows = [
        (
            name,
            it.items,
            notes.cell(name, "items", it.item),
            notes.cell(name, "within groups", it.within_group),
            notes.cell(name, "systems", it.system),
            notes.cell(name, "tau-b", it.kendall),
            notes.cell(name, "pairs", it.pairwise),
            notes.cell(name, "alpha", it.alpha),
            notes.cell(name, "concordance", it.concordance),
        )
        for name, it in analysis.criteria.items()
    ]
    heads = ("rho, items", "rho, within groups", "rho, systems", "tau-b", "pairs in order", "alpha", "concordance")
    made.table(("criterion", "items", *heads), rows)
    made.notes(notes.lines())
    made.text(
        "Rho: Spearman's, with the mean rating. Within groups is what best-of-n and GRPO live on; tau-b and the share "
        "of pairs in people's order (acc_eq: ties calibrated on the other half of the groups) are taken there too, "
        "where items share groups. Alpha (interval) and Lin's concordance ask for the same scores, not only the same "
        "order.",
        soft=True,
    )
    _ceilings(made, analysis)
    _repeats(made, analysis)
    _rates(made, analysis)


def _repeats(made: Page, analysis: Analysis) -> None:
    """Add whether the judge agrees with itself, where it was asked several times."""
    if max(len(rows) for rows in analysis.ratings.judges[analysis.study.judge].values()) < 2:
        return
    notes = Notes(list(analysis.criteria))
    rows = [
        (name, notes.cell(name, "ICC", it.retest), notes.cell(name, "differ", it.flips))
        for name, it in analysis.criteria.items()
    ]
    made.table(("criterion", "reliability of one judgment (ICC)", "two judgments of an item differ"), rows)
    made.notes(notes.lines())


def _ceilings(made: Page, analysis: Analysis) -> None:
    notes = Notes(list(analysis.criteria))
    made.table(
        ("criterion", "one person", "the judge", "difference", "share of the ceiling", "worth how many raters"),
        [_ceiling(name, it.ceiling, notes) for name, it in analysis.criteria.items()],
    )
    made.notes(notes.lines())
    grouped = any(it.grouped for it in analysis.criteria.values())
    where = "within groups" if grouped else "over items"
    made.text(f"Both against the mean of the same other raters, on the same items: rho {where}.", soft=True)


def _ceiling(name: str, found: LeaveOneOut | Unknown, notes: Notes) -> tuple[str, ...]:
    if isinstance(found, Unknown):
        return (name, *[notes.cell(name, "all of them", found)] * 5)
    share = MISSING if found.human.value <= 0 else f"{100 * found.judge.value / found.human.value:.0f} %"
    if found.human.value <= 0:
        notes.add(name, "share", "people do not agree with each other, so there is no ceiling to have a share of")
    equals = Unknown("neither people nor the judge agree with the others") if found.equals is None else found.equals
    return (
        name,
        notes.cell(name, "one person", found.human),
        notes.cell(name, "the judge", found.judge),
        notes.cell(name, "difference", found.difference),
        share,
        notes.cell(name, "worth", equals, 1),
    )


def _rates(made: Page, analysis: Analysis) -> None:
    """Add yes and no against the majority of people, on a scale of two answers."""
    found = verdicts(analysis.study, analysis.ratings)
    if not found:
        return
    published = analysis.study.convention
    head = ["judge", "criterion", "items", "missing", "people divided", "accuracy", "balanced accuracy", "F1"]
    rows: list[list[object]] = [
        [it.judge, it.criterion, it.items, it.missing, it.tied, *_of(it.ours)]
        + ([_of(it.published)[0]] if it.published else [])
        for it in found
    ]
    made.table([*head, *([f"accuracy where {published}"] if published else [])], rows)
    made.text(
        "Against the majority of people; the higher answer is the yes. A missing verdict is left out, and counted."
        + (" The last column counts it as the publication of the data does." if published else ""),
        soft=True,
    )


def _of(found: Rates) -> tuple[str, str, str]:
    none = f"{MISSING}: no item has a verdict and a majority"
    accuracy = none if found.accuracy is None else told(found.accuracy)
    if found.rates is None:
        return accuracy, none, none
    balanced, f1 = found.rates.balanced_accuracy, found.rates.f1
    return accuracy, _or_why(balanced), _or_why(f1)


def _or_why(found: object) -> str:
    return f"{MISSING}: an answer never occurs" if found is None else str(found)


def add_others(made: Page, analysis: Analysis) -> None:
    """Add the other judges on the same items, and all of them as a panel."""
    made.heading("Other judges, and all of them together")
    if len(analysis.ratings.judges) < 2:
        made.text("There is no other judge in the data.")
        return
    names, its = list(analysis.criteria), list(analysis.criteria.values())
    order = sorted(range(len(its[-1].rivals)), key=lambda i: -_value(its[-1].rivals[i]))
    notes = Notes([rival.name for rival in its[-1].rivals])
    made.table(
        ("judge", *names),
        [
            (its[-1].rivals[i].name, *(_beside(name, it.rivals[i], notes) for name, it in zip(names, its, strict=True)))
            for i in order
        ],
    )
    made.notes(notes.lines())
    made.text(
        f"Rho with people ({_level(its[-1])}), and in brackets how much higher that of {analysis.study.judge} is on "
        "the same items; * q < .05, ** q < .01, *** q < .001, over all of these tests.",
        soft=True,
    )
    _tests(made, analysis, [its[-1].rivals[i] for i in order], names[-1])
    _panel(made, analysis)


def _value(rival: Rival) -> float:
    return -2.0 if isinstance(rival.correlation, Unknown) else rival.correlation.value


def _level(it: Criterion) -> str:
    return "over items" if isinstance(it.within_group, Unknown) else "within groups"


def _beside(name: str, rival: Rival, notes: Notes) -> str:
    if isinstance(rival.correlation, Unknown):
        return notes.cell(rival.name, name, rival.correlation)
    value = shown(rival.correlation.value)
    if isinstance(rival.test, Unknown):
        notes.add(rival.name, name, f"no test: {rival.test.reason}")
        return value
    gap = rival.test.difference.value
    return f"{value} ({'+' if gap > 0 else ''}{shown(gap)}{stars(rival.q)})"


def _tests(made: Page, analysis: Analysis, rivals: list[Rival], name: str) -> None:
    made.text(f"The tests on {name}:", soft=True)
    rows = []
    for rival in rivals:
        if isinstance(rival.test, Unknown):
            rows.append((rival.name, told(rival.correlation), f"{MISSING}: {rival.test.reason}", MISSING, MISSING))
        else:
            p = chance(rival.test.p)
            rows.append((rival.name, told(rival.correlation), told(rival.test.difference), p, chance(rival.q)))
    made.table(("judge", "its rho", f"{analysis.study.judge} is higher by", "p", "q"), rows)


def _panel(made: Page, analysis: Analysis) -> None:
    notes = Notes(list(analysis.panel))
    rows = [_panel_row(name, found, analysis, notes) for name, found in analysis.panel.items()]
    made.table(
        ("criterion", "weights", "error of the panel (RMSE)", "error of the judge alone", "worth independent judges"),
        rows,
    )
    made.notes(notes.lines())
    name, found = list(analysis.panel.items())[-1]
    if isinstance(found, Unknown):
        return
    judges = list(analysis.ratings.judges)
    matrix = [
        [None if i == j else float(value) for j, value in enumerate(row)] for i, row in enumerate(found.correlation)
    ]
    made.figure(
        heat_map(judges, matrix, -1, 1),
        f"How the errors of every two judges go together, {name}: judges who err alike add little to each other.",
    )
    ordered = sorted(zip(judges, found.weights, found.worth, strict=True), key=lambda row: -abs(row[1]))
    made.table(
        ("judge", f"weight in the panel, {name}", "squared error grows without it by"),
        [(judge, shown(float(weight)), told(worth, 4)) for judge, weight, worth in ordered],
    )


def _panel_row(name: str, found: Panel | Unknown, analysis: Analysis, notes: Notes) -> tuple[str, ...]:
    choice = analysis.criteria[name].choice
    alone = notes.cell(name, "judge alone", choice if isinstance(choice, Unknown) else choice.error)
    if isinstance(found, Unknown):
        return (name, notes.cell(name, "panel", found), MISSING, alone, MISSING)
    return (
        name,
        {"mean": "plain mean", "nnls": "none below 0", "stack": "any (ridge)"}.get(
            found.choice.kind, found.choice.kind
        ),
        notes.cell(name, "panel", found.choice.error),
        alone,
        f"{told(found.effective, 1)} of {len(found.weights)}",
    )
