"""The figures of a study in Markdown: the table that its README can hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from judgekit.calibration import AltTest, Estimate, LeaveOneOut
from judgekit.studies.analysis import Analysis
from judgekit.studies.answers import QUESTIONS, lights
from judgekit.studies.criterion import Criterion
from judgekit.studies.crosscheck import CrossCheck
from judgekit.studies.gates import Gate
from judgekit.studies.report import SIMULATED, title
from judgekit.studies.report_bias import why
from judgekit.studies.unknown import Unknown
from judgekit.studies.words import MISSING, Notes, chance, shown, told

HEADS = (
    "criterion",
    "items",
    "people: alpha",
    "item",
    "within groups",
    "alpha with people",
    "one person / the judge, against the others",
    "alt-test: winning rate, advantage",
    "map",
    "error before / after",
)
LEGEND = (
    "Spearman's rho over items and within groups; Krippendorff's alpha of the raters, and of the judge with their "
    "mean; one rater and the judge held against the same other raters, within groups where there are any; the alt-test "
    "at the study's epsilon; the map that cross-validation chose, and the mean absolute error on the human scale "
    "before it and after it, on groups that it was not fitted on. In brackets: 95 % intervals, groups resampled."
)


def markdown(analysis: Analysis, gates: Sequence[Gate], check: CrossCheck, created: date) -> str:
    """Return the tables of results, answers and gates, and why figures are missing."""
    study = analysis.study
    parts = [f"# {title(analysis)}", study.about]
    if study.simulated:
        parts.append(f"**{SIMULATED}**")
    parts.append(f"Run on {created.day} {created:%B %Y}, seed {study.seed}; {study.judge} as judge.")
    parts.append("\n".join(table(HEADS, [_row(it) for it in analysis.criteria.values()])))
    lost = [f"- left out: {count:,} {reason}" for reason, count in analysis.ratings.left_out.items()]
    parts += ["\n".join([*(f"- {line}" for line in remarks(analysis)), *lost]), LEGEND]
    parts.append("\n".join(table(("criterion", *QUESTIONS.values()), list(_answers(analysis)))))
    parts += ["\n".join(list(_sentences(analysis))), "\n".join(_gates(gates)), "\n".join(_others(analysis))]
    parts += ["\n".join(_bias(analysis)), str(check)]
    return "\n\n".join(part for part in parts if part) + "\n"


def remarks(analysis: Analysis) -> Iterator[str]:
    """Yield what is to be known of the figures: too few groups for the interval, groups left out."""
    notes = Notes(list(analysis.criteria))
    for name, it in analysis.criteria.items():
        for column, found in _estimates(it):
            if not isinstance(found, Unknown):
                notes.add(name, column, found.note)
    return notes.lines()


def _estimates(it: Criterion) -> Iterator[tuple[str, Estimate | Unknown]]:
    yield from zip(
        ("people: alpha", "item", "within groups", "alpha with people", "error before", "error after"),
        (it.people, it.item, it.within_group, it.alpha, it.before, it.after),
        strict=True,
    )
    if not isinstance(it.ceiling, Unknown):
        yield from (("one person", it.ceiling.human), ("the judge", it.ceiling.judge))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield _line(heads)
    yield _line(["---"] * len(heads))
    yield from (_line(row) for row in rows)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _row(it: Criterion) -> tuple[str, ...]:
    return (
        it.name,
        str(it.items),
        _why(it.people),
        _why(it.item),
        _why(it.within_group),
        _why(it.alpha),
        _ceiling(it.ceiling),
        _alternative(it.alternative),
        f"{MISSING}: {it.choice.reason}" if isinstance(it.choice, Unknown) else it.choice.kind,
        f"{_why(it.before)} / {_why(it.after)}",
    )


def _why(found: Estimate | Unknown) -> str:
    return f"{MISSING}: {found.reason}" if isinstance(found, Unknown) else told(found)


def _ceiling(found: LeaveOneOut | Unknown) -> str:
    return _why(found) if isinstance(found, Unknown) else f"{told(found.human)} / {told(found.judge)}"


def _alternative(found: AltTest | Unknown) -> str:
    return _why(found) if isinstance(found, Unknown) else f"{shown(found.winning_rate)}, {told(found.advantage)}"


def _answers(analysis: Analysis) -> Iterator[tuple[str, ...]]:
    for name, it in analysis.criteria.items():
        yield (name, *(light.answer for light in lights(analysis, it).values()))


def _sentences(analysis: Analysis) -> Iterator[str]:
    name, it = list(analysis.criteria.items())[-1]
    for key, light in lights(analysis, it).items():
        yield f"- {QUESTIONS[key]} {name}: {light.answer}. {light.sentence}"


def _gates(gates: Sequence[Gate]) -> Iterator[str]:
    failed = [gate for gate in gates if not gate.passed]
    yield f"Gates: {len(gates) - len(failed)} of {len(gates)} passed.{' Not passed:' if failed else ''}"
    if failed:
        yield ""
    for gate in failed:
        got = f"{MISSING}: {gate.reason}" if gate.got is None else shown(gate.got, 3)
        yield f"- {gate.criterion}: {gate.wanted}; found: {got}"


def _others(analysis: Analysis) -> Iterator[str]:
    name, it = list(analysis.criteria.items())[-1]
    if not it.rivals:
        return
    rows = []
    for rival in sorted(it.rivals, key=lambda one: -_value(one.correlation)):
        if isinstance(rival.test, Unknown):
            rows.append((rival.name, _why(rival.correlation), f"{MISSING}: {rival.test.reason}", MISSING))
        else:
            rows.append((rival.name, told(rival.correlation), told(rival.test.difference), chance(rival.q)))
    judge = analysis.study.judge
    yield from table((f"other judge, {name}", "rho", f"{judge} is higher by", "q (BH)"), rows)


def _value(found: Estimate | Unknown) -> float:
    return -2.0 if isinstance(found, Unknown) else found.value


def _bias(analysis: Analysis) -> Iterator[str]:
    rows = [(it.name, told(it.effect), chance(it.q), str(it.verdict)) for it in analysis.bias.findings]
    if rows:
        yield from table(("bias", "standardised effect", "q", "verdict"), rows)
    if analysis.bias.missing:
        yield ""
    for name, reason in analysis.bias.missing.items():
        yield f"- {name} was not looked at: {why(name, reason)}."
