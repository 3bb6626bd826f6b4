"""The report of a study: one page, from the answers down to what they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from judgekit.report import Answered, Page, histogram_pair
from judgekit.report.versions import versions
from judgekit.studies import (
    report_bias,
    report_calibration,
    report_judge,
    report_needed,
    report_people,
    report_systems,
)
from judgekit.studies.analysis import Analysis
from judgekit.studies.answers import QUESTIONS, Answer, lights
from judgekit.studies.crosscheck import CrossCheck
from judgekit.studies.gates import Gate
from judgekit.studies.provenance import PACKAGES, thresholds
from judgekit.studies.words import percent, sentence, shown

SIMULATED = (
    "SIMULATED: no people gave these ratings. The figures below say that the arithmetic works, not that a judge does."
)
TONES: Mapping[Answer, Literal["good", "part", "bad", "open"]] = {
    "yes": "good",
    "with its map": "part",
    "no": "bad",
    "open": "open",
    "not estimable": "open",
}


def page(analysis: Analysis, gates: Sequence[Gate], check: CrossCheck, inputs: Mapping[str, str]) -> Page:
    """Return the report; ``inputs``: the hash of each file that was read."""
    study = analysis.study
    made = Page(title(analysis))
    if study.simulated:
        made.loud(SIMULATED)
    made.text(study.about)
    made.text(
        "Intervals are 95 % and draw whole groups anew, unless it is said otherwise; what the data do not say is "
        "called not estimable, with the reason.",
        soft=True,
    )
    _answers(made, analysis)
    _gates(made, gates)
    _data(made, analysis)
    report_people.add(made, analysis, check)
    report_judge.add(made, analysis)
    report_calibration.add(made, analysis)
    report_bias.add(made, analysis)
    report_systems.add(made, analysis)
    report_judge.add_others(made, analysis)
    report_needed.add(made, analysis)
    _provenance(made, analysis, inputs)
    return made


def title(analysis: Analysis) -> str:
    """Return who is held against whom."""
    return f"{analysis.study.judge}, held against {'simulated raters' if analysis.study.simulated else 'people'}"


def _answers(made: Page, analysis: Analysis) -> None:
    made.heading("May the judge be trusted?")
    last = list(analysis.criteria)[-1]
    for name, it in analysis.criteria.items():
        found = lights(analysis, it)
        given = [
            Answered(QUESTIONS[key], light.answer, TONES[light.answer], light.sentence) for key, light in found.items()
        ]
        made.answers(name, given, unfolded=name == last)
    made.text(
        "Replaceable: by the alt-test, and more than a score that is the same for every item would be. "
        "With its map: not as the scores are, but once they are mapped to the human scale as the profile does it. "
        "Open: too few data to say. Rank-safe: it orders as people do, about as well as one person would. "
        "RL-safe looks at length, which a policy finds first; the other biases stand below.",
        soft=True,
    )


def _gates(made: Page, gates: Sequence[Gate]) -> None:
    made.heading(f"Gates: {sum(gate.passed for gate in gates)} of {len(gates)} passed")
    rows = [
        (gate.criterion, gate.wanted, _got(gate), "passed" if gate.passed else "FAILED")
        for gate in sorted(gates, key=lambda gate: gate.passed)
    ]
    made.table(("criterion", "what the study asks for", "found", ""), rows)


def _got(gate: Gate) -> str:
    return f"not estimable: {gate.reason}" if gate.got is None else shown(gate.got, 3)


def _data(made: Page, analysis: Analysis) -> None:
    made.heading("The data")
    made.table(("", ""), list(facts(analysis)))
    if analysis.ratings.left_out:
        made.table(("left out", "scores"), [(reason, count) for reason, count in analysis.ratings.left_out.items()])
    rows = [
        (
            name,
            int((~np.isnan(sheet.human).all(0)).sum()),
            int((~np.isnan(sheet.human)).sum()),
            it.items,
            percent(it.unscored),
        )
        for sheet, (name, it) in zip(analysis.ratings.sheets(), analysis.criteria.items(), strict=True)
    ]
    made.table(
        (
            "criterion",
            "items that people rated",
            "ratings by people",
            "items that both rated",
            "rated, but not by the judge",
        ),
        rows,
    )
    ratings = analysis.ratings
    human = np.concatenate([ratings.human[name].ravel() for name in ratings.criteria])
    judge = np.concatenate([ratings.judges[analysis.study.judge][name].ravel() for name in ratings.criteria])
    kept = [series[~np.isnan(series)].tolist() for series in (human, judge)]
    made.figure(histogram_pair(*kept), "How people and the judge use the scale, all criteria together.")


def facts(analysis: Analysis) -> Iterator[tuple[str, str]]:
    """Yield what the data are, in words."""
    study, ratings = analysis.study, analysis.ratings
    filled = np.stack([~np.isnan(ratings.human[name]) for name in ratings.criteria])
    each = filled[0].sum(0)
    scale = study.scale
    step = f" in steps of {scale.step:g}" if scale.step else ", any value"
    turned = "" if scale.higher_is_better else "; lower is better, so every score was turned round at the middle"
    yield "ratings", "simulated, not by people" if study.simulated else "by people"
    yield "scale", f"{scale.low:g} to {scale.high:g}{step}{turned}"
    yield "items", f"{len(ratings.items):,} in {len(set(ratings.groups)):,} groups"
    yield "what wrote them", f"{len(set(ratings.systems))} systems" if ratings.systems else "the data do not say"
    yield "raters", f"{len(ratings.raters)}; {each.min()} to {each.max()} an item, {each.mean():.1f} on average"
    yield "filled", f"{100 * filled.mean():.1f} % of all cells of raters x items x criteria"
    yield "judge", f"{study.judge}, {_repeats(analysis)}"
    yield "other judges", ", ".join(name for name in ratings.judges if name != study.judge) or "none"
    known = ratings.words is not None
    yield (
        "length",
        f"{np.median(ratings.words):.0f} words (median)" if ratings.words is not None and known else "not known",
    )


def _repeats(analysis: Analysis) -> str:
    count = len(next(iter(analysis.ratings.judges[analysis.study.judge].values())))
    by = f"fingerprint {analysis.fingerprint}" if analysis.fingerprint else "recorded scores, without a fingerprint"
    return f"{by}; {'one score an item' if count == 1 else f'the mean of up to {count} scores an item'}"


def _provenance(made: Page, analysis: Analysis, inputs: Mapping[str, str]) -> None:
    made.heading("What this rests on")
    made.table(
        ("file", "SHA-256"), list(inputs.items()) or [("none", "the tables were made on the spot from the seed")]
    )
    made.table(("version of", ""), list(versions(PACKAGES).items()))
    made.table(("threshold", ""), [(name, f"{value:g}") for name, value in thresholds(analysis.study).items()])
    made.text(sentence("figures of several tests at once carry q values after Benjamini & Hochberg"), soft=True)
