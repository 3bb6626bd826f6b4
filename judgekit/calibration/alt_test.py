"""The alternative annotator test: may a judge take the place of a human annotator?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number, one_of
from judgekit.calibration.multiple import adjust_pvalues
from judgekit.errors import InputError, require

Score = Literal["accuracy", "neg_rmse"] | Callable[[Any, Any], float]
DEFAULT = Bootstrap()
RATE = 0.05  # the false discovery rate over the annotators
PASS = 0.5
CURVE = tuple(round(0.05 * step, 2) for step in range(11))
ROUNDING = 1e-9  # scores nearer than this are equal: the same numbers, summed in another order
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Annotator:
    """The judge against one annotator, both held against the annotator's colleagues.

    Attributes:
        row: which row of the annotations; ``items``: on how many items, in ``clusters`` clusters.
        judge_wins, human_wins: how often one is as near to the colleagues as the other, or nearer.
        p: of "the human is ahead by epsilon or more"; ``won``: whether that is refused.
    """

    row: int
    items: int
    clusters: int
    judge_wins: float
    human_wins: float
    p: float
    won: bool


@dataclass(frozen=True, slots=True)
class AltTest:
    """What the alternative annotator test says of a judge.

    Attributes:
        winning_rate: the share of annotators whom the judge may replace; ``passed``: it is one half or more.
        advantage: the probability that the judge is as near to the colleagues as an annotator, or nearer, averaged over
            the annotators; the figure to compare judges by.
        annotators: one each; ``left_out``: how many have too few items.
        items: how many have two annotators and a verdict; ``dropped``: how many do not.
        curve: the winning rate for each of several epsilons, 0 to .5.
    """

    winning_rate: float
    passed: bool
    advantage: Estimate
    epsilon: float
    annotators: tuple[Annotator, ...]
    left_out: int
    items: int
    dropped: int
    curve: tuple[tuple[float, float], ...]


def alt_test(
    judge: ArrayLike,
    annotations: ArrayLike,
    epsilon: float,
    score: Score = "accuracy",
    *,
    units: Clusters | None = None,
    least: int = 30,
    bootstrap: Bootstrap = DEFAULT,
) -> AltTest:
    """Test whether a judge may replace human annotators (Calderon, Reichart & Dror 2025, ACL; arXiv 2501.10970).

    Each annotator is left out in turn; the annotator and the judge are scored against the others on every item. d is 1
    where only the human is ahead, -1 where only the judge is, else 0. A one-sided t-test asks whether mean d is below
    epsilon; Benjamini and Yekutieli (2001, Annals of Statistics 29:1165) keep the false discoveries at 5 %. With few
    items on which d is not 0 the t-test is loose: of 30, a quarter of them 1, it refuses a true epsilon of 1/4 in 10 %.

    With ``units`` the t-test is of clusters (Liang & Zeger 1986, Biometrika 73:13), with clusters - 1 degrees of
    freedom: for several criteria of one text, which the plain test takes for many texts. Where all d are equal there is
    no t, and p is the largest chance of that if mean d is epsilon: (1 - epsilon)^n for 0, ((1 - epsilon) / 2)^n for -1.

    Args:
        judge: shape (items,); ``annotations``: (annotators, items): numbers with NaN, or any values with None.
        epsilon: from 0 to below 1; the paper takes .2 where annotators are experts, .15 skilled, .1 crowd workers.
        score: ``accuracy`` for labels, ``neg_rmse`` for numbers, or a similarity of two values, averaged.
        units: the cluster of each item; the interval of ``advantage`` resamples them, without it the items.
        least: the items that an annotator must have, 30 in the paper.

    Raises:
        NotEstimableError: no annotator has so many items with a verdict and another annotator.
        InputError: other shapes, an epsilon outside its range, an unknown score, or ``neg_rmse`` of what is no number.
    """
    if not callable(score):
        one_of("score", score, ("accuracy", "neg_rmse"))
    if not 0 <= epsilon < 1:
        raise InputError(f"epsilon is from 0 to below 1, not {epsilon}")
    verdicts, table = _read(judge, annotations, score)
    there = _there(table)
    kept = _there(verdicts) & (there.sum(0) >= 2)
    clusters = np.arange(len(kept)) if units is None else number(units)
    if len(clusters) != len(kept):
        raise InputError(f"{len(kept)} items, but {len(clusters)} clusters")
    items = {row: np.flatnonzero(there[row] & kept) for row in range(len(table))}
    items = {row: own for row, own in items.items() if len(own) >= least and np.ptp(clusters[own])}
    if not items:
        raise NotEstimableError(f"none of {len(table)} annotators has {least} items, in two clusters, that others have")
    wins = {row: _wins(verdicts, table, there, own, row, score) for row, own in items.items()}
    trials = [_Trial.of(row, *wins[row], clusters[items[row]]) for row in items]
    advantage = _advantage(wins, items, None if units is None else clusters, bootstrap)
    return _result(trials, advantage, epsilon, len(table) - len(items), kept)


@dataclass(frozen=True, slots=True)
class _Trial:
    """One annotator's differences d: their mean, its standard error, and in how many independent parts they come."""

    row: int
    judge_wins: float
    human_wins: float
    mean: float
    error: float
    items: int
    parts: int

    @classmethod
    def of(cls, row: int, judge: Array, human: Array, clusters: Ints) -> _Trial:
        d = human - judge
        sums, sizes = np.bincount(clusters, d - d.mean()), np.bincount(clusters)
        parts = int((sizes > 0).sum())
        # Clusters whose deviations all cancel say nothing of the error; the items then do.
        square = (sums**2).sum() * parts / (parts - 1) or d.var(ddof=1) * len(d)
        error = math.sqrt(square) / len(d)
        return cls(row, float(judge.mean()), float(human.mean()), float(d.mean()), error, len(d), parts)

    def p(self, epsilon: float) -> float:
        if self.error > 0:
            stdtr = require("scipy.special", "calibrate").stdtr
            return float(stdtr(self.parts - 1, (self.mean - epsilon) / self.error))
        if self.mean >= 1:
            return 1.0
        return ((1 - epsilon) / (2 if self.mean < 0 else 1)) ** self.parts


def _result(
    trials: list[_Trial], advantage: Estimate, epsilon: float, left_out: int, kept: NDArray[np.bool_]
) -> AltTest:
    p = [trial.p(epsilon) for trial in trials]
    won = _refused(p)
    return AltTest(
        float(won.mean()),
        bool(won.mean() >= PASS),
        advantage,
        epsilon,
        tuple(_annotator(*found) for found in zip(trials, p, won, strict=True)),
        left_out,
        int(kept.sum()),
        int((~kept).sum()),
        tuple((at, float(_refused([trial.p(at) for trial in trials]).mean())) for at in CURVE),
    )


def _annotator(trial: _Trial, p: float, won: bool) -> Annotator:
    return Annotator(trial.row, trial.items, trial.parts, trial.judge_wins, trial.human_wins, p, bool(won))


def _advantage(
    wins: dict[int, tuple[Array, Array]], items: dict[int, Ints], clusters: Ints | None, bootstrap: Bootstrap
) -> Estimate:
    """Return the mean over the annotators of the share of their items where the judge is as near or nearer."""
    known = np.unique(np.concatenate(list(items.values())))
    rows = np.zeros((len(known), 2, len(items)))
    for column, (row, own) in enumerate(items.items()):
        rows[np.searchsorted(known, own), :, column] = np.stack([wins[row][0], np.ones(len(own))], axis=1)

    def statistic(sums: Array) -> Array:
        won, count = sums.reshape(len(sums), 2, -1).transpose(1, 0, 2)
        there = count > 0
        return np.asarray((np.where(there, won / np.where(there, count, 1), 0)).sum(1) / there.sum(1))

    return bootstrap.of_sums(rows.reshape(len(known), -1), statistic, None if clusters is None else clusters[known])


def _read(judge: ArrayLike, annotations: ArrayLike, score: Score) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both as numbers with NaN, or as objects with None; labels become numbers."""
    verdicts, table = _values(judge), _values(annotations)
    if table.ndim != 2 or verdicts.shape != table.shape[1:]:
        raise InputError(
            f"a judge of shape {verdicts.shape} and annotations of {table.shape}, not (items,), (annotators, items)"
        )
    if verdicts.dtype == table.dtype != object or callable(score):
        return verdicts, table
    if score != "accuracy":
        raise InputError("neg_rmse is of numbers; give labels to accuracy, or a similarity for texts")
    names: dict[Any, float] = {None: math.nan}
    for value in (*verdicts, *table.ravel()):
        names.setdefault(value, len(names))
    coded = [np.array([names[value] for value in array.ravel()], dtype=float) for array in (verdicts, table)]
    return coded[0], coded[1].reshape(table.shape)


def _values(values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind in "fiub":
        return array.astype(float)
    array = np.array(values, dtype=object)
    array[np.asarray(array != array, dtype=bool)] = None  # noqa: PLR0124 - NaN among other objects
    return array


def _there(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(values != None) if values.dtype == object else ~np.isnan(values)  # noqa: E711 - elementwise


def _wins(
    verdicts: NDArray[Any],
    table: NDArray[Any],
    there: NDArray[np.bool_],
    own: Ints,
    row: int,
    score: Score,
) -> tuple[Array, Array]:
    """Return where the judge, and where the annotator, is as near to the others as the other of the two, or nearer."""
    others, known = np.delete(table[:, own], row, axis=0), np.delete(there[:, own], row, axis=0)
    judge, human = (_scores(values[own], others, known, score) for values in (verdicts, table[row]))
    return (judge >= human - ROUNDING).astype(float), (human >= judge - ROUNDING).astype(float)


def _scores(values: NDArray[Any], others: NDArray[Any], known: NDArray[np.bool_], score: Score) -> Array:
    """Return how near values are to what others said of the same items; shape (items,)."""
    if callable(score):
        near = np.zeros(known.shape)
        for other, item in zip(*np.nonzero(known), strict=True):
            near[other, item] = score(values[item], others[other, item])
    elif score == "accuracy":
        near = np.where(known, others == values, 0.0)
    else:
        near = np.where(known, (others - values) ** 2, 0.0)
    mean = near.sum(0) / known.sum(0)
    return np.asarray(-np.sqrt(mean) if score == "neg_rmse" else mean)


def _refused(p: list[float]) -> NDArray[np.bool_]:
    """Return which hypotheses Benjamini and Yekutieli refuse."""
    return np.array([q is not None and q <= RATE for q in adjust_pvalues(p, "by")])
