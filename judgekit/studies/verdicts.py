"""Studies on a scale of two answers: each judge's yes and no against the majority of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from judgekit.calibration import BinaryRates, Bootstrap, Estimate, NotEstimableError, binary_rates
from judgekit.studies.study import Study
from judgekit.studies.table import Array, Ratings

ALL = "all criteria"


@dataclass(frozen=True)
class Rates:
    """How often a judge is right, and its rates; the higher answer is the yes. None: no item has verdict and truth."""

    accuracy: Estimate | None
    rates: BinaryRates | None


@dataclass(frozen=True)
class Verdicts:
    """A judge's verdicts on one criterion, or on all of them together.

    Attributes:
        items: with a majority of people; ``missing``: of those, without a verdict of the judge; ``tied``: items on
            which people are divided evenly, which are left out.
        ours: where a missing verdict is left out; ``published``: by the study's ``convention``, None without one.
    """

    judge: str
    criterion: str
    items: int
    missing: int
    tied: int
    ours: Rates
    published: Rates | None


def verdicts(study: Study, ratings: Ratings) -> tuple[Verdicts, ...]:
    """Return the rates of every judge on each criterion and, where there are several, on all; nothing on other scales.

    A judge's repeats vote; an even vote is a missing verdict.
    """
    if not study.scale.two_valued:
        return ()
    found = []
    for judge, rows in ratings.judges.items():
        parts = {name: [name] for name in ratings.criteria}
        if len(parts) > 1:
            parts[ALL] = list(ratings.criteria)
        found += [_verdicts(study, ratings, judge, rows, name, pooled) for name, pooled in parts.items()]
    return tuple(found)


def _verdicts(
    study: Study, ratings: Ratings, judge: str, rows: Mapping[str, Array], name: str, pooled: list[str]
) -> Verdicts:
    truth = np.concatenate([_majority(ratings.human[criterion], study) for criterion in pooled])
    rated = np.concatenate([~np.isnan(ratings.human[criterion]).all(0) for criterion in pooled])
    said = np.concatenate([_majority(rows[criterion], study) for criterion in pooled])
    units = ratings.groups * len(pooled)
    known = ~np.isnan(truth)
    bootstrap = Bootstrap(study.draws, seed=study.seed)
    return Verdicts(
        judge,
        name,
        items=int(known.sum()),
        missing=int((known & np.isnan(said)).sum()),
        tied=int((rated & ~known).sum()),
        ours=_rates(said, truth, units, bootstrap),
        published=_rates(_filled(said, truth, study), truth, units, bootstrap) if study.convention else None,
    )


def _majority(rows: Array, study: Study) -> Array:
    """Return what most of the rows say, 1 or 0, shape (items,); NaN where nobody says anything, or as many say both."""
    yes, no = (rows == study.scale.high).sum(0), (rows == study.scale.low).sum(0)
    return np.where(yes == no, np.nan, yes > no)


def _filled(said: Array, truth: Array, study: Study) -> Array:
    """Return the verdicts with the missing ones as the publication counts them."""
    return np.where(np.isnan(said), 0.0 if study.convention == "missing is no" else 1 - truth, said)


def _rates(said: Array, truth: Array, units: tuple[str, ...], bootstrap: Bootstrap) -> Rates:
    try:
        rates = binary_rates(said, truth, units=units, bootstrap=bootstrap)
    except NotEstimableError:
        return Rates(None, None)
    known = np.flatnonzero(~np.isnan(said + truth))
    right = bootstrap.mean((said == truth)[known] * 1.0, [units[i] for i in known])
    return Rates(right, rates)
