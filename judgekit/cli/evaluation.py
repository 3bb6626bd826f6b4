"""How ``judgekit evaluate`` shows its figures: in the terminal, and on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from judgekit.calibration import Bin, Estimate, PairedTest, PairEvaluation, evaluate, longer, paired
from judgekit.calibration.slices import Mask
from judgekit.cli.show import rows
from judgekit.report import Page
from judgekit.types import Pair, Preference

HEADINGS = ("", "value", "low", "high", "pairs")
FIGURES = {
    "accuracy": "accuracy",
    "accuracy_both": "right in both orders",
    "accuracy_ab": "accuracy, order a, b",
    "accuracy_ba": "accuracy, order b, a",
    "agreement": "orders agree",
    "kappa": "kappa of the orders",
    "first_shown": "side shown first wins",
    "unscored_share": "unscored",
    "ece": "calibration error (ECE)",
}
BY_CHANCE = "of that, by chance"
REASONS_SHOWN = 5
LABEL = 26  # characters that fit beside the plot


@dataclass(frozen=True)
class Judged:
    """A judge's verdicts on the pairs, and what they are worth."""

    name: str
    preferences: Sequence[Preference]
    evaluation: PairEvaluation

    @property
    def reasons(self) -> dict[str, int]:
        """The most frequent reasons for a missing verdict."""
        return dict(list(self.evaluation.reasons.items())[:REASONS_SHOWN])


Line = tuple[Any, ...]
Tests = Sequence[tuple[str, PairedTest]]


def from_file(name: str, path: Path, pairs: Sequence[Pair], slices: Mapping[str, Mask]) -> Judged:
    """Read recorded verdicts and hold them against the labels."""
    from judgekit.files import recorded

    preferences, others = recorded(path, [pair.comparison for pair in pairs])
    if others:
        typer.echo(f"{path}: {others} rows belong to none of the pairs, and were left out", err=True)
    return Judged(name, preferences, evaluate(pairs, preferences, slices))


def longer_wins(pairs: Sequence[Pair]) -> Judged:
    """Return the baseline that prefers the longer response."""
    preferences = longer([pair.comparison for pair in pairs])
    return Judged("longer wins", preferences, evaluate(pairs, preferences))


def against_first(pairs: Sequence[Pair], judged: Sequence[Judged]) -> Tests:
    """Return the paired test of every further judge against the first."""
    first = judged[0].preferences
    return [(it.name, paired(pairs, first, it.preferences)) for it in judged[1:]]


def facts(judged: Sequence[Judged], baseline: Judged, tests: Tests, report: Path | None) -> dict[str, Any]:
    """Return everything as JSON can hold it."""
    return {
        "judges": [{"name": it.name, **asdict(it.evaluation), "reasons": it.reasons} for it in judged],
        "longer_wins": baseline.evaluation.accuracy and asdict(baseline.evaluation.accuracy),
        "paired": [{"judge": name, "against": judged[0].name, **asdict(test)} for name, test in tests],
        "report": report and str(report),
    }


def show(judged: Sequence[Judged], baseline: Judged, tests: Tests, report: Path | None) -> None:
    """Print everything on stdout."""
    for it in judged:
        print(f"{it.name}\n{counts(it.evaluation)}")
        for title, lines in tables(it.evaluation):
            rows((title, *HEADINGS[1:]), lines)
        for note in notes(it):
            print(note)
        print()
    rows(("beside it", *HEADINGS[1:]), [_line("longer wins", baseline.evaluation.accuracy)])
    if tests:
        rows((f"minus {judged[0].name}", *HEADINGS[1:], "p", "left out"), [_test(*test) for test in tests])
    if report:
        print(f"report: {report}")


def page(source: str, judged: Sequence[Judged], baseline: Judged, tests: Tests, about: str = "") -> Page:
    """Return the report; ``about``: what stands first in it."""
    report = Page(f"Judges against the labels of {source}")
    if about:
        report.text(about)
    report.text(
        f"{counts(judged[0].evaluation, scored=False)}. Intervals are 95 %, from resampling whole groups.", soft=True
    )
    report.heading("Accuracy")
    _plot(report, [(it.name, it.evaluation.accuracy) for it in [*judged, baseline]])
    if tests:
        report.table(
            (f"accuracy minus that of {judged[0].name}", *HEADINGS[1:], "p", "left out"), [_test(*t) for t in tests]
        )
    for it in judged:
        report.heading(it.name)
        report.text(counts(it.evaluation), soft=True)
        _plot(report, [(name, part.accuracy) for name, part in it.evaluation.slices.items()])
        for title, lines in tables(it.evaluation):
            report.table((title, *HEADINGS[1:]), lines)
        for note in notes(it):
            report.text(note, soft=True)
    return report


def counts(evaluation: PairEvaluation, *, scored: bool = True) -> str:
    """Say how many pairs there are, and which of them count."""
    text = (
        f"{evaluation.pairs} pairs: {evaluation.labelled} labelled a or b, {evaluation.tie_labels} labelled tie, "
        f"{evaluation.unlabelled} without a label"
    )
    return f"{text}; {evaluation.unscored} unscored" if scored else text


def tables(evaluation: PairEvaluation) -> Iterator[tuple[str, list[Line]]]:
    """Yield the tables of one judge, each with its title; a figure that could not be estimated is among the notes."""
    figures = [_line(words, getattr(evaluation, name)) for name, words in FIGURES.items() if getattr(evaluation, name)]
    if evaluation.ece_by_chance is not None:
        figures.append((BY_CHANCE, evaluation.ece_by_chance, None, None, None))
    yield "figure", figures
    curve = [
        _line(f"{size} {'votes' if size > 1 else 'vote'} an order", it) for size, it in evaluation.by_votes.items()
    ]
    parts = {
        "accuracy by votes": curve,
        "accuracy by part": [_line(name, it.accuracy, it.pairs) for name, it in evaluation.slices.items()],
        "accuracy by difference of scores": [_bin(it) for it in evaluation.by_margin],
        "accuracy by stated probability": [_bin(it) for it in evaluation.by_probability],
    }
    yield from ((title, lines) for title, lines in parts.items() if lines)


def notes(it: Judged) -> Iterator[str]:
    """Yield why verdicts are missing, and why figures are; in the other tables a dash stands for too few groups."""
    for reason, count in it.reasons.items():
        yield f"unscored: {count} x {reason}"
    evaluation = it.evaluation
    if len(evaluation.reasons) > REASONS_SHOWN:
        yield f"unscored: {len(evaluation.reasons) - REASONS_SHOWN} further reasons"
    by_reason: dict[str, list[str]] = {}
    for name, words in FIGURES.items():
        if name in evaluation.missing:
            by_reason.setdefault(evaluation.missing[name], []).append(words)
    for reason, names in by_reason.items():
        yield f"not estimated: {'; '.join(names)} ({reason})"


def _line(name: str, estimate: Estimate | None, pairs: int | None = None) -> Line:
    if estimate is None:
        return name, None, None, None, pairs
    return name, estimate.value, estimate.low, estimate.high, estimate.n


def _bin(it: Bin) -> Line:
    name = f"{it.low:.3g}" if it.low == it.high else f"{it.low:.3g} to {it.high:.3g}"
    return _line(name, it.accuracy, it.pairs)


def _test(name: str, test: PairedTest) -> Line:
    p = None if test.p is None else "< 0.0001" if test.p < 0.0001 else f"{test.p:.4f}"
    return (*_line(name, test.difference)[:4], test.pairs, p, test.left_out)


def _plot(report: Page, estimates: Sequence[tuple[str, Estimate | None]]) -> None:
    shown = [(_short(name), it.value, it.low, it.high) for name, it in estimates if it]
    if shown:
        report.intervals(shown, chance=0.5)


def _short(name: str) -> str:
    return name if len(name) <= LABEL else f"{name[: LABEL - 1]}…"
