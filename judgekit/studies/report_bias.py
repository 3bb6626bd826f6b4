"""The part of a report about the judge's biases."""

from __future__ import annotations

from judgekit.calibration import Finding
from judgekit.report import Page, forest
from judgekit.studies.analysis import Analysis
from judgekit.studies.unknown import Unknown
from judgekit.studies.words import MISSING, Notes, chance, shown, told

NEEDS = {  # of the probes that the tables of a study cannot feed; `judgekit.calibration.audit` can run them
    "position": "pairs that were judged in both orders (judgekit evaluate)",
    "padding": "scores of the same texts made longer, but no better",
    "self-preference": "which texts a model of the judge's family wrote",
    "format": "what is in a text: markdown, lists",
    "heaping": "a scale with values between the whole numbers",
    "template": "scores under several wordings of the prompt",
    "length": "the texts: name their column as 'text' of the study's items",
    "halo": "several criteria",
}


def add(made: Page, analysis: Analysis) -> None:
    """Add every probe that the data allow, and why the others could not be run."""
    made.heading("Biases")
    audit = analysis.bias
    notes = Notes([it.name for it in audit.findings])
    if audit.findings:
        rows = [
            (it.name, it.effect.value, it.effect.low, it.effect.high, f"q {chance(it.q)}, {it.verdict}")
            for it in audit.findings
        ]
        widest = max(it.band for it in audit.findings)
        one_band = (-widest, widest) if len({it.band for it in audit.findings}) == 1 else None
        made.figure(forest(rows, one_band, "standardised effect"), "Effects on the mean of all criteria; 0 is no bias.")
        made.table(
            ("probe", "standardised", "counts as none up to", "q", "detectable", "verdict", "in points"),
            [_row(it, notes) for it in audit.findings],
        )
        made.notes(notes.lines())
    made.text(
        "Detectable: the smallest effect that these data would have shown with a probability of 80 %. Innocent: the "
        "whole interval counts as none. Undecided is not innocent.",
        soft=True,
    )
    made.notes(f"{name} was not looked at: {why(name, reason)}." for name, reason in audit.missing.items())
    _lengths(made, analysis)


def why(name: str, reason: str) -> str:
    """Say why a probe was not run, in words of a study where it lacks a column."""
    return f"it needs {NEEDS[name]}" if name in NEEDS and reason.startswith("it needs") else reason


def _row(it: Finding, notes: Notes) -> tuple[str, ...]:
    return (
        it.name,
        notes.cell(it.name, "effect", it.effect),
        f"{'below' if it.one_sided else '±'} {it.band:g}",
        chance(it.q),
        f"{MISSING}: every group says the same" if it.detectable is None else shown(it.detectable),
        str(it.verdict),
        f"{told(it.points)} {it.unit}",
    )


def _lengths(made: Page, analysis: Analysis) -> None:
    """Add what length does on each criterion."""
    found = {name: it.length for name, it in analysis.criteria.items() if not isinstance(it.length, Unknown)}
    if not found:
        return
    rows = [
        (name, it.effect.value, it.effect.low, it.effect.high, f"q {chance(it.q)}, {it.verdict}")
        for name, it in found.items()
    ]
    band = next(iter(found.values())).band
    made.figure(
        forest(rows, (-band, band), "standardised effect of twice the length"),
        "What length does to the judge where people give the same, criterion by criterion.",
    )
