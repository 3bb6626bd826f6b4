"""What a judge of single samples is worth: its scores held against those that were given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.correlation import Method, correlation
from judgekit.calibration.estimate import Array, Estimate, NotEstimableError
from judgekit.errors import InputError
from judgekit.types import Rated, Score

TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A judge's scores on one criterion, or in total, against the given ones (the mean of the raters).

    An estimate is None where it cannot be made: fewer than two groups, or a series that does not vary.

    Attributes:
        error: mean absolute error, on the criterion's own scale.
        items: how many have both scores.
    """

    spearman: Estimate | None
    pearson: Estimate | None
    error: Estimate | None
    items: int


@dataclass(frozen=True)
class RatingEvaluation:
    """A judge's scores against given ones.

    Attributes:
        parts: by criterion, and ``total``.
        items: how many samples; ``unscored``: the share without a verdict, ``reasons`` counts why.
        sources: who gave the scores: human, machine or simulated, with counts.
    """

    parts: Mapping[str, Agreement]
    items: int
    unscored: Estimate | None
    reasons: Mapping[str, int]
    sources: Mapping[str, int]


def evaluate_ratings(
    rows: Sequence[Rated], scores: Sequence[Score], total: Callable[[Mapping[str, float]], float], seed: int = 0
) -> RatingEvaluation:
    """Hold a judge's scores against the given ones.

    Args:
        scores: one for each row, in the same order.
        total: makes one value of all criteria (`Rubric.total`).

    Raises:
        InputError: no rows, or not as many scores.
    """
    if not rows or len(rows) != len(scores):
        raise InputError(f"{len(rows)} rated samples, but {len(scores)} scores")
    clusters = [row.cluster for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row.scores))
    parts = {
        name: _agreement([row.scores.get(name) for row in rows], [_of(s, name) for s in scores], clusters, seed)
        for name in names
    }
    given = [_total(row.scores, names, total) for row in rows]
    parts[TOTAL] = _agreement(given, [score.value for score in scores], clusters, seed)
    several = len(set(clusters)) > 1
    missing = [float(score.value is None) for score in scores]
    return RatingEvaluation(
        parts,
        len(rows),
        Bootstrap(seed=seed).share(missing, clusters) if several else None,
        dict(Counter(score.error for score in scores if score.error).most_common()),
        dict(Counter(row.source for row in rows)),
    )


def _of(score: Score, criterion: str) -> float | None:
    """Return what a judge gave for a criterion; nothing where it gave no verdict as a whole."""
    return None if score.value is None else score.criteria.get(criterion)


def _total(
    scores: Mapping[str, float | None], names: Sequence[str], total: Callable[[Mapping[str, float]], float]
) -> float | None:
    known = {name: value for name in names if (value := scores.get(name)) is not None}
    return total(known) if len(known) == len(names) else None


def _agreement(
    given: Sequence[float | None], judged: Sequence[float | None], clusters: Sequence[str], seed: int
) -> Agreement:
    known = [(g, j, c) for g, j, c in zip(given, judged, clusters, strict=True) if g is not None and j is not None]
    x, y = np.array([g for g, _, _ in known]), np.array([j for _, j, _ in known])
    groups = [c for _, _, c in known]
    if len(set(groups)) < 2:
        return Agreement(None, None, None, len(known))
    return Agreement(
        _correlation(x, y, groups, "spearman", seed),
        _correlation(x, y, groups, "pearson", seed),
        Bootstrap(seed=seed).mean(np.abs(x - y), groups),
        len(known),
    )


def _correlation(x: Array, y: Array, groups: Sequence[str], method: Method, seed: int) -> Estimate | None:
    try:
        return correlation(x, y, method, units=groups, bootstrap=Bootstrap(seed=seed))
    except NotEstimableError:
        return None
