"""From what a study found to the profile that its judge is used with."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np

import judgekit
from judgekit.calibration import Conformal, Estimate, LeaveOneOut, NotEstimableError
from judgekit.calibration.maps import Map
from judgekit.calibration.profile import (
    Calibrated,
    Data,
    Figure,
    Fit,
    GateResult,
    Profile,
    Rater,
    Scale,
)
from judgekit.errors import InputError
from judgekit.studies.analysis import Analysis
from judgekit.studies.criterion import Criterion
from judgekit.studies.gates import gates
from judgekit.studies.served import FLAT, rises
from judgekit.studies.study import Study
from judgekit.studies.table import OVERALL, Array, Ratings
from judgekit.studies.unknown import Unknown

DAYS = 365  # for which a profile counts: models behind a name change, and so do the texts they are shown
DIGITS = 6  # of a figure; those of maps and intervals are kept whole, since results must repeat


def profile(
    analysis: Analysis, *, fingerprint: str | None = None, created: date | None = None, days: int = DAYS
) -> Profile:
    """Return the profile of the study's judge.

    The maps are those that the study chose. The overall score comes from the mean of the judge's criteria; where the
    study has a single criterion called ``overall``, from the judge's own value.

    Args:
        fingerprint: of the judge that gave the ratings; without it nobody can tell later whether it is the same one,
            and `judgekit.judges.CalibratedJudge` has to be told to accept that.
        created: the day; today without it. ``days``: how long it counts.

    Raises:
        NotEstimableError: no map to the overall score could be fitted.
        InputError: scores of which the lower is the better: a judge's score is better the higher it is.
    """
    study, ratings = analysis.study, analysis.ratings
    _higher_is_better(study)
    of: Literal["mean", "value"] = "value" if ratings.criteria == (OVERALL,) else "mean"
    mapped, unmapped = {}, {}
    for name, it in analysis.criteria.items():
        if isinstance(it.choice, Unknown):
            unmapped[name] = it.choice.reason
        elif not rises(it.choice.map):
            unmapped[name] = FLAT
        else:
            mapped[name] = _calibrated(it, it.choice.map, of if name == OVERALL else "criterion")
    last = list(analysis.criteria)[-1]  # the mean, or the only one
    if last in unmapped:
        raise NotEstimableError(f"no profile without a map for {last}: {unmapped[last]}")
    day = created or date.today()
    return Profile.sealed(
        created=day,
        expires=day + timedelta(days),
        judge=Rater(name=study.judge, fingerprint=fingerprint),
        scale=Scale(low=study.scale.low, high=study.scale.high, step=study.scale.step),
        criteria=mapped,
        unmapped=unmapped,
        data=_data(study, ratings),
        fit=Fit(version=judgekit.__version__, seed=study.seed, draws=study.draws),
        gates=tuple(GateResult(**asdict(gate)) for gate in gates(analysis)),
    )


def _higher_is_better(study: Study) -> None:
    scales = [study.scale, *(table.scale for table in study.ratings if table.scale)]
    if not all(scale.higher_is_better for scale in scales):
        raise InputError("a profile is of scores where higher is better; turn round those of judge and people first")


def _calibrated(it: Criterion, fitted: Map, of: Literal["criterion", "mean", "value"]) -> Calibrated:
    quality, unknown = dict[str, Figure](), dict[str, str]()
    for name, found in _figures(it):
        if isinstance(found, Unknown):
            unknown[name] = found.reason
        else:
            quality[name] = found
    interval: Conformal | None = None
    if isinstance(it.interval, Unknown):
        unknown["interval"] = it.interval.reason
    else:
        interval = it.interval
    return Calibrated.made(of, fitted, interval, quality, unknown)


def _figures(it: Criterion) -> Iterator[tuple[str, Figure | Unknown]]:
    named: Mapping[str, Any] = {
        "within_group": it.within_group,
        "item": it.item,
        "system": it.system,
        "alpha": it.alpha,
        "people_alpha": it.people,
        "people_reliability": it.reliability,
        **_ceiling(it.ceiling),
        "error_before": it.before,
        "error_after": it.after,
        "unscored": it.unscored,
    }
    for name, found in named.items():
        yield name, found if isinstance(found, Unknown) else _figure(found)
    if isinstance(it.alternative, Unknown):
        yield "winning_rate", it.alternative
    else:
        yield "winning_rate", Figure(value=it.alternative.winning_rate, n=it.alternative.items)


def _ceiling(found: LeaveOneOut | Unknown) -> dict[str, Estimate | Unknown]:
    if isinstance(found, Unknown):
        return {"ceiling": found}
    return {"ceiling": found.human, "ceiling_judge": found.judge}


def _figure(found: Estimate) -> Figure:
    low, high = (end if end is None or not math.isfinite(end) else _short(end) for end in (found.low, found.high))
    return Figure(value=_short(found.value), low=low, high=high, n=found.n, note=found.note)


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _data(study: Study, ratings: Ratings) -> Data:
    return Data(
        items=len(ratings.items),
        groups=len(set(ratings.groups)),
        raters=len(ratings.raters),
        sha256=_digest(ratings),
        simulated=study.simulated,
    )


def _digest(ratings: Ratings) -> str:
    """Return the hash of every score and of whose and what it is, in the order in which they were read."""
    found = hashlib.sha256()
    names = (ratings.items, ratings.groups, ratings.criteria, ratings.raters, tuple(ratings.judges))
    found.update(json.dumps(names).encode())
    for rows in (ratings.human, *ratings.judges.values()):
        for name in ratings.criteria:
            found.update(_bytes(rows[name]))
    return found.hexdigest()


def _bytes(rows: Array) -> bytes:
    return json.dumps(rows.shape).encode() + np.where(np.isnan(rows), np.nan, rows).astype("<f8").tobytes()
