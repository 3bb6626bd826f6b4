"""What a judge gives once its scores are mapped: looked at on groups that had no part in fitting the map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration import (
    AltTest,
    Bootstrap,
    Choice,
    Equivalence,
    Estimate,
    NotEstimableError,
    alt_test,
    conformal,
    equivalence_test,
    fit,
)
from judgekit.calibration.choice import folds_of
from judgekit.calibration.estimate import number
from judgekit.calibration.maps import Map
from judgekit.studies.study import Study
from judgekit.studies.unknown import Unknown, attempt

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
MARGIN = 0.05  # of the scale: a mean that is off by less counts as right
FOLDS = 5  # in which intervals are tried on groups that they were not made from
REFITS, POINTS = 200, 41  # of the band around a map


@dataclass(frozen=True)
class Band:
    """A map and where 95 % of its refits run, groups drawn anew; shape (points,) each."""

    judge: Array
    human: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Served:
    """The mapped scores.

    Attributes:
        alternative: the alt-test of them, written on the steps of the scale as a person's are (what ties with a rater
            counts for both, and a fraction never ties).
        level: whether their mean is that of people, to within `MARGIN`.
        covered: how often the interval of one item held its human score, in groups that it was not made from;
            ``width``: of such an interval, on average. It is of intervals made like this: the very one that the profile
            serves rests on fewer labels, and lies further off (within these ends in 80 to 95 %, simulated).
    """

    alternative: AltTest | Unknown
    level: Equivalence | Unknown
    covered: Estimate | Unknown
    width: float | None


FLAT = "its map does not rise: people's scores do not go up with the judge's"


def rises(fitted: Map) -> bool:
    """Return whether a map's value at the upper end of its support is above that at the lower."""
    low, high = fitted.apply(np.array(fitted.support[0]))
    return bool(high > low)


def on_steps(study: Study, scores: Array) -> Array:
    """Return scores as a person would have to write them: on the steps of the scale, where it has any."""
    scale = study.scale
    if scale.step is None:
        return scores
    steps = np.rint((scores - scale.low) / scale.step)
    return np.clip(scale.low + steps * scale.step, scale.low, scale.high)


def served(
    study: Study, choice: Choice, judge: Array, people: Array, human: Array, groups: Ints, step: float | None
) -> Served | Unknown:
    """Try a chosen map; the arguments as in `judgekit.calibration.choose`, ``people`` of shape (raters, items)."""
    if not rises(choice.map):
        return Unknown(FLAT)
    bootstrap = Bootstrap(study.draws, seed=study.seed)
    tried = attempt(lambda: held_out(study, choice, judge, human, groups, step, COVERAGE))
    if isinstance(tried, Unknown):
        covered: Estimate | Unknown = tried
        width = None
    else:
        hits, widths, known = tried
        covered, width = attempt(lambda: bootstrap.share(hits, groups[known])), float(widths.mean())
    written = on_steps(study, choice.predicted)
    return Served(
        attempt(lambda: alt_test(written, people, study.epsilon, "neg_rmse", units=groups, bootstrap=bootstrap)),
        attempt(lambda: level(study, choice.predicted, human, groups)),
        covered,
        width,
    )


COVERAGE = 0.9  # of the interval for the human score of one item


def level(study: Study, score: Array, human: Array, groups: Ints) -> Equivalence:
    """Say whether the mean score is that of people, to within `MARGIN` of the scale."""
    known = ~np.isnan(score + human)
    margin = MARGIN * (study.scale.high - study.scale.low)
    return equivalence_test((score - human)[known], margin, groups[known])


def held_out(
    study: Study, choice: Choice, judge: Array, human: Array, groups: Ints, step: float | None, coverage: float
) -> tuple[Array, Array, Ints]:
    """Make intervals without each fifth of the groups, and try them there: hits and widths, of which items."""
    known = np.flatnonzero(~np.isnan(judge + human))
    own = number(groups[known])
    if len(np.unique(own)) < 2 * FOLDS:
        raise NotEstimableError(f"{len(np.unique(own))} groups; trying intervals on others needs {2 * FOLDS}")
    x, y = judge[known], human[known]
    folds = folds_of(own, study.seed, most=FOLDS)[own]
    hits, widths = np.empty((2, len(known)))
    scale = (study.scale.low, study.scale.high)
    for fold in range(FOLDS):
        at = folds == fold
        made = conformal(
            choice.kind, x[~at], y[~at], groups=own[~at], coverage=coverage, scale=scale, step=step, seed=study.seed
        )
        low, high = made.interval(x[at])
        hits[at], widths[at] = (low - 1e-9 <= y[at]) & (y[at] <= high + 1e-9), high - low
    return hits, widths, known


def band(study: Study, choice: Choice, judge: Array, human: Array, groups: Ints) -> Band:
    """Refit a map with groups drawn anew; scores and labels that are alike are fitted as one, with their number."""
    known = ~np.isnan(judge + human)
    pairs, place = np.unique(np.stack([judge[known], human[known]]), axis=1, return_inverse=True)
    own, kinds = number(groups[known]), pairs.shape[1]
    table = np.bincount(own * kinds + place.reshape(-1), minlength=(int(own.max()) + 1) * kinds).reshape(-1, kinds)
    at = np.linspace(*choice.map.support[0], POINTS)
    rng, found = np.random.default_rng(study.seed), []
    for _ in range(REFITS):
        weights = rng.multinomial(len(table), np.full(len(table), 1 / len(table))) @ table
        kept = weights > 0
        try:
            one = fit(choice.kind, pairs[0, kept], pairs[1, kept], weights[kept], scale=choice.map.scale)
        except NotEstimableError:
            continue  # a draw in which the scores do not vary has no map
        found.append(one.apply(at))
    low, high = np.quantile(found, [0.025, 0.975], axis=0) if found else np.full((2, POINTS), np.nan)
    return Band(at, choice.map.apply(at), low, high)
