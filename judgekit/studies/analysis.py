"""A judge held against people, criterion by criterion: agreement, ceiling, replaceability, map, interval, bias."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration import (
    AltTest,
    Audit,
    Bootstrap,
    Choice,
    Estimate,
    NotEstimableError,
    Panel,
    adjust_pvalues,
    alt_test,
    audit,
    bland_altman,
    choose,
    compare_correlations,
    concordance,
    conformal,
    correlation,
    fit_panel,
    flip_rate,
    gwet_ac,
    icc,
    krippendorff_alpha,
    leave_one_out,
    retest_icc,
    split_half,
    tie_calibration,
)
from judgekit.calibration.correlation import Level
from judgekit.calibration.estimate import number
from judgekit.studies.cells import CLOSE
from judgekit.studies.criterion import Criterion, Rival
from judgekit.studies.doubt import Kept, keep
from judgekit.studies.lengths import length_effect, together
from judgekit.studies.processes import spread
from judgekit.studies.served import COVERAGE, band, level, served
from judgekit.studies.study import Study
from judgekit.studies.systems import systems_of
from judgekit.studies.table import Array, Ratings, Sheet
from judgekit.studies.unknown import Unknown, attempt

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Analysis:
    """Everything that a study found; ``fingerprint``: of the judge, where it was run on the spot."""

    study: Study
    ratings: Ratings
    criteria: Mapping[str, Criterion]
    bias: Audit
    panel: Mapping[str, Panel | Unknown]
    fingerprint: str | None = None


def analyse(study: Study, ratings: Ratings, fingerprint: str | None = None) -> Analysis:
    """Hold the study's judge against its people."""
    bootstrap = Bootstrap(study.draws, seed=study.seed)
    sheets = ratings.sheets()[::-1]  # their mean takes longest, and goes first; the biases fill what is left over
    jobs: list[Callable[[], Any]] = [partial(_sheet, study, ratings, bootstrap, sheet) for sheet in sheets]
    jobs.append(partial(_bias, study, ratings, bootstrap))
    *last_first, bias = spread(_done, jobs)
    found = last_first[::-1]
    criteria = {it.name: it for it, _ in found}
    panels = {it.name: panel for it, panel in found if panel is not None}
    return Analysis(study, ratings, together(_with_q(criteria)), bias, panels, fingerprint)


def _done(job: Callable[[], Any]) -> Any:
    return job()


def _sheet(
    study: Study, ratings: Ratings, bootstrap: Bootstrap, sheet: Sheet
) -> tuple[Criterion, Panel | Unknown | None]:
    """Return what is found on one criterion, and the panel of all judges, where there are several."""
    panel = attempt(partial(_panel, study, ratings, sheet, bootstrap)) if len(sheet.judges) > 1 else None
    return _criterion(study, ratings, sheet, bootstrap), panel


def _criterion(study: Study, ratings: Ratings, sheet: Sheet, bootstrap: Bootstrap) -> Criterion:
    people, judge = sheet.human, mean(sheet.judges[study.judge])
    human, groups = mean(people), number(ratings.groups)
    rated, grouped = ~np.isnan(human), _shared(groups)
    scale = (study.scale.low, study.scale.high)
    choice = attempt(lambda: choose(judge, human, groups, scale=scale, bootstrap=bootstrap))
    again = partial(_again, sheet.judges[study.judge], groups, bootstrap)
    like = _other_scale if study.judge in ratings.other_scale else attempt  # what compares the very numbers
    within = groups if grouped else None  # where what is compared is compared inside of groups
    return Criterion(
        name=sheet.name,
        grouped=grouped,
        items=int((~np.isnan(human + judge)).sum()),
        unscored=Unknown("nobody has rated an item")
        if not rated.any()
        else attempt(lambda: bootstrap.share(np.isnan(judge[rated]) * 1.0, groups[rated])),
        **_among_people(study, people, groups, bootstrap),
        **_in_order(ratings, judge, human, groups, bootstrap),
        alpha=like(lambda: krippendorff_alpha([judge, human], "interval", units=groups, bootstrap=bootstrap)),
        concordance=like(lambda: concordance(judge, human, units=groups, bootstrap=bootstrap)),
        ceiling=attempt(lambda: leave_one_out(judge, people, groups=within, units=groups, bootstrap=bootstrap)),
        alternative=like(lambda: alt_test(judge, people, study.epsilon, "neg_rmse", units=groups, bootstrap=bootstrap)),
        constant=attempt(lambda: _constant(study, people, human, groups, bootstrap)),
        limits=like(lambda: bland_altman(judge, human, units=groups, bootstrap=bootstrap)),
        before=like(lambda: _error(judge, human, groups, bootstrap)),
        choice=choice,
        **_mapped(study, ratings, sheet, choice, groups, bootstrap),
        level=like(lambda: level(study, judge, human, groups)),
        length=length_effect(judge, people, ratings.words, groups, bootstrap),
        retest=again(retest_icc),
        flips=again(flip_rate),
        systems=systems_of(judge, human, groups, ratings.systems, bootstrap),
        rivals=_rivals(study.judge, sheet, human, groups, bootstrap),
    )


def _among_people(study: Study, people: Array, groups: Ints, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return the figures of how far people agree."""
    weights: Literal["quadratic"] | None = None if study.level == "nominal" else "quadratic"
    return {
        "people": attempt(lambda: krippendorff_alpha(people, study.level, units=groups, bootstrap=bootstrap)),
        "ac": attempt(lambda: gwet_ac(people, weights, units=groups, bootstrap=bootstrap)),
        "icc": attempt(lambda: icc(people, "ICC2", units=groups, bootstrap=bootstrap)),
        "reliability": attempt(lambda: split_half(people, units=groups, bootstrap=bootstrap)),
    }


def _in_order(ratings: Ratings, judge: Array, human: Array, groups: Ints, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return the figures of whether the judge orders as people do."""
    spearman = partial(_spearman, ratings, judge, human, groups, bootstrap)
    inside: Level = "within_group" if _shared(groups) else "item"
    within = groups if _shared(groups) else None
    return {
        "item": spearman("item"),
        "within_group": spearman("within_group"),
        "system": spearman("system"),
        "kendall": attempt(lambda: correlation(judge, human, "kendall", inside, groups=groups, bootstrap=bootstrap)),
        "pairwise": attempt(
            lambda: tie_calibration(judge, human, groups=within, units=groups, bootstrap=bootstrap).accuracy
        ),
    }


def _mapped(
    study: Study, ratings: Ratings, sheet: Sheet, choice: Choice | Unknown, groups: Ints, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Return what the map makes of the judge; where there is none, why."""
    if isinstance(choice, Unknown):
        return dict.fromkeys(("after", "band", "interval", "served", "escalation"), choice)
    people, judge = sheet.human, mean(sheet.judges[study.judge])
    human, scale = mean(people), (study.scale.low, study.scale.high)
    step = step_of(study, human)
    return {
        "after": attempt(lambda: _error(choice.predicted, human, groups, bootstrap)),
        "band": band(study, choice, judge, human, groups),
        "interval": attempt(
            lambda: conformal(choice.kind, judge, human, groups=groups, coverage=COVERAGE, scale=scale, step=step)
        ),
        "served": served(study, choice, judge, people, human, groups, step),
        "escalation": attempt(lambda: _kept(study, ratings, sheet, choice, human, groups, bootstrap)),
    }


def _rivals(judge: str, sheet: Sheet, human: Array, groups: Ints, bootstrap: Bootstrap) -> tuple[Rival, ...]:
    own = mean(sheet.judges[judge])
    return tuple(
        _rival(other, own, mean(rows), human, groups, bootstrap)
        for other, rows in sheet.judges.items()
        if other != judge
    )


def _spearman(
    ratings: Ratings, judge: Array, human: Array, groups: Ints, bootstrap: Bootstrap, level: Level
) -> Estimate | Unknown:
    if level == "within_group" and not _shared(groups):
        return Unknown("no item shares its group with another")
    if level == "system" and ratings.systems is None:
        return Unknown("the data do not say what wrote an item")
    systems = ratings.systems
    return attempt(lambda: correlation(judge, human, level=level, groups=groups, systems=systems, bootstrap=bootstrap))


def _constant(study: Study, people: Array, human: Array, groups: Ints, bootstrap: Bootstrap) -> AltTest:
    rated = ~np.isnan(human)
    if not rated.any():
        raise NotEstimableError("nobody has rated an item")
    middle, step = float(human[rated].mean()), study.scale.step
    scores = {middle}
    if step is not None:  # as a person would have to write it: either step beside the mean
        below = study.scale.low + step * math.floor((middle - study.scale.low) / step)
        scores = {below, min(below + step, study.scale.high)}
    found = [
        alt_test(np.where(rated, score, np.nan), people, study.epsilon, "neg_rmse", units=groups, bootstrap=bootstrap)
        for score in sorted(scores)
    ]
    return max(found, key=lambda test: test.advantage.value)


def step_of(study: Study, human: Array) -> float | None:
    """Return the step of the grid that the human scores lie on; means of several raters lie between its points."""
    if study.scale.step is None:
        return None
    steps = (human[~np.isnan(human)] - study.scale.low) / study.scale.step
    return study.scale.step if np.abs(steps - np.rint(steps)).max(initial=0) < CLOSE else None


def _rival(name: str, own: Array, theirs: Array, human: Array, groups: Ints, bootstrap: Bootstrap) -> Rival:
    level: Level = "within_group" if _shared(groups) else "item"
    test = attempt(lambda: compare_correlations(own, theirs, human, level=level, groups=groups, bootstrap=bootstrap))
    if not isinstance(test, Unknown):
        return Rival(name, test.two, test)
    alone = attempt(lambda: correlation(theirs, human, level=level, groups=groups, bootstrap=bootstrap))
    return Rival(name, alone, test)


def _kept(
    study: Study, ratings: Ratings, sheet: Sheet, choice: Choice, human: Array, groups: Ints, bootstrap: Bootstrap
) -> Kept:
    alike = [] if study.judge in ratings.other_scale else sheet.judges.keys() - {study.judge, *ratings.other_scale}
    others = [mean(rows) for name, rows in sheet.judges.items() if name in alike]
    scale = (study.scale.low, study.scale.high)
    return keep(sheet.judges[study.judge], others, choice.predicted, human, scale, groups, bootstrap)


def _shared(groups: Ints) -> bool:
    """Return whether items share a group."""
    return len(np.unique(groups)) < len(groups)


def _error(score: Array, human: Array, groups: Ints, bootstrap: Bootstrap) -> Estimate:
    """Return the mean absolute error where both are known."""
    off = np.abs(score - human)
    known = ~np.isnan(off)
    if not known.any():
        raise NotEstimableError("no item has a score of the judge and of a person")
    return bootstrap.mean(off[known], groups[known])


def _again(
    repeats: Array, groups: Ints, bootstrap: Bootstrap, statistic: Callable[..., Estimate]
) -> Estimate | Unknown:
    if len(repeats) < 2:
        return Unknown("the judge has scored every item once")
    return attempt(lambda: statistic(repeats, units=groups, bootstrap=bootstrap))


def _other_scale(_: object) -> Unknown:
    return Unknown("the judge keeps to another scale than people; see the figures after the map")


def _with_q(criteria: Mapping[str, Criterion]) -> dict[str, Criterion]:
    """Adjust the p of all paired tests together (Benjamini & Hochberg)."""
    tests = [rival.test for it in criteria.values() for rival in it.rivals]
    q = iter(adjust_pvalues([None if isinstance(test, Unknown) else test.p for test in tests], "bh"))
    return {
        name: replace(it, rivals=tuple(replace(rival, q=next(q)) for rival in it.rivals))
        for name, it in criteria.items()
    }


def _bias(study: Study, ratings: Ratings, bootstrap: Bootstrap) -> Audit:
    judge = np.stack([mean(ratings.judges[study.judge][name]) for name in ratings.criteria], axis=1)
    if own := ratings.other_scale.get(study.judge):  # brought onto people's, so that level and spread can be told
        judge = study.scale.low + (judge - own.low) / (own.high - own.low) * (study.scale.high - study.scale.low)
    humans = np.stack([ratings.human[name] for name in ratings.criteria], axis=2)
    return audit(
        judge,
        humans,
        length=ratings.words,
        round_to=None if study.scale.step is None or study.scale.step >= 1 else 1.0,
        units=number(ratings.groups),
        bootstrap=bootstrap,
    )


def _panel(study: Study, ratings: Ratings, sheet: Sheet, bootstrap: Bootstrap) -> Panel:
    scores = np.stack([mean(rows) for rows in sheet.judges.values()])
    scale = (study.scale.low, study.scale.high)
    return fit_panel(scores, mean(sheet.human), groups=number(ratings.groups), scale=scale, bootstrap=bootstrap)


def mean(rows: Array) -> Array:
    """Return the mean over the rows where there is a value; shape (items,), NaN where there is none."""
    known = ~np.isnan(rows)
    count = known.sum(0)
    return np.where(count > 0, np.where(known, rows, 0).sum(0) / np.maximum(count, 1), np.nan)
