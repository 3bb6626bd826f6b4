"""Strengths of models from comparisons: Bradley-Terry with ties, the order shown, covariates, and honest errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.connected import parts, unbeaten
from judgekit.calibration.davidson import Rows, solve
from judgekit.calibration.estimate import Array, Clusters, Estimate, NotEstimableError, number
from judgekit.calibration.games import Games, Outcomes
from judgekit.calibration.interval import expanded, few
from judgekit.calibration.ranks import rank_intervals
from judgekit.errors import InputError

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Sides = str | Sequence[str] | NDArray[np.str_]
SPREAD = 3.0  # of the prior, in logits: two models in three are taken to win less than 20 points for each they lose
CELLS = 1 << 22  # kinds of comparisons up to which they are counted in a table


@dataclass(frozen=True)
class BradleyTerry:
    """Strengths in logits: of comparisons without a tie, a model stronger by 1 wins e times as many as it loses.

    Attributes:
        strengths: by model, the strongest first; less the mean of the models that it can be compared with.
        order: what being shown first is worth; None where it was not asked.
        covariates: what one unit of each is worth to the side that has it.
        tie: equal models tie exp(tie) times as often as one of them wins; None where there are no ties.
        covariance: of the strengths, in their order; shape (models, models).
        parts: the models that can be compared with each other; several where no comparison connects them.
        prior: the models whose strengths a normal prior (mean 0, standard deviation 3) keeps finite, because some of
            those in their part never lost, or never won, a point against the others.
        missing: comparisons without a verdict, which were left out; ``unseen``: models that only those hold.
    """

    strengths: dict[Hashable, Estimate]
    order: Estimate | None
    covariates: tuple[Estimate, ...]
    tie: Estimate | None
    covariance: Array
    parts: tuple[tuple[Hashable, ...], ...]
    prior: tuple[Hashable, ...]
    missing: int
    unseen: tuple[Hashable, ...] = ()
    confidence: float = 0.95

    def difference(self, one: Hashable, two: Hashable) -> Estimate:
        """Return how much stronger ``one`` is than ``two``.

        Raises:
            NotEstimableError: no chain of comparisons connects the two.
            InputError: a model that was in no comparison.
        """
        i, j = self._place(one), self._place(two)
        if not any(one in part and two in part for part in self.parts):
            raise NotEstimableError(f"no chain of comparisons connects {one!r} and {two!r}")
        a, b, cov = self.strengths[one], self.strengths[two], self.covariance
        return _wald(
            a.value - b.value, cov[i, i] + cov[j, j] - 2 * cov[i, j], a.n + b.n, a, _point(self.confidence, a.clusters)
        )

    def ranks(self, draws: int = 10_000, seed: int = 0) -> dict[Hashable, Estimate]:
        """Return each model's rank within its part, 1 the strongest, with an interval (see `rank_intervals`)."""
        values = np.array([estimate.value for estimate in self.strengths.values()])
        found: dict[Hashable, Estimate] = {}
        for part in self.parts:
            own = [self._place(name) for name in part]
            known = self.strengths[part[0]]
            cov = self.covariance[np.ix_(own, own)]
            low, high = rank_intervals(values[own], cov, known.clusters - 1, self.confidence, draws, seed)
            for name, k, first, last in zip(part, own, low, high, strict=True):
                old, rank = self.strengths[name], 1 + int((values[own] > values[k]).sum())
                method = f"{draws} joint draws of the differences"
                found[name] = Estimate(rank, float(first), float(last), old.n, old.clusters, method, old.note)
        return {name: found[name] for name in self.strengths}

    def _place(self, name: Hashable) -> int:
        for place, known in enumerate(self.strengths):
            if known == name:
                return place
        raise InputError(f"{name!r} was in no comparison that has a verdict")


def bradley_terry(
    a: Clusters,
    b: Clusters,
    outcomes: Outcomes,
    *,
    first: Sides | None = None,
    covariates: ArrayLike | None = None,
    units: Clusters | None = None,
    confidence: float = 0.95,
) -> BradleyTerry:
    """Return the strengths of models from comparisons, most likely under Davidson's model of ties (1970, JASA 65:317).

    Davidson's, and not Rao & Kupper's: a tie is then worth half a win to each side, so that points and the number of
    ties are all that the data say; the likelihood has one maximum; and with all ties half-won one is back at plain
    points. What is shown first adds to a strength, as in Davidson & Beaver (1977, Biometrics 33:693). Errors are
    sandwich ones (over clusters: Liang & Zeger 1986, Biometrika 73:13), right also where the model is not.

    Args:
        a, b: the models of each comparison, names or numbers; shape (comparisons,).
        outcomes: "a", "b", "tie" or None; or the points of a: 1, 0, 1/2, NaN.
        first: which side was shown first, "a" or "b", of each comparison or of all.
        covariates: how much more of something, such as length, a has than b; (comparisons,) or (comparisons, q).
        units: the cluster of each comparison, such as its prompt; without it each stands for itself.

    Raises:
        NotEstimableError: fewer than two verdicts, a single cluster, an order or a covariate that cannot be told from
            the models.
        InputError: arrays of different lengths, a model against itself, an outcome, side or covariate of another kind.
    """
    games = Games.of(a, b, outcomes)
    outcome = _outcomes(games.points)
    x = _design(games, first, covariates)
    rows, row = _rows(games, outcome, x, counted=covariates is None, clustered=units is not None)
    part, weak = _graph(rows)
    prior, gauge = _level(rows, part, weak)
    at, p, bread = solve(rows, prior, gauge)
    k, meat = len(outcome), rows.meat(p) if units is None else np.zeros_like(bread)
    if units is not None:
        cluster = _clusters(units, games)
        k = int(cluster.max()) + 1
        for slopes in rows.by_cluster(p, row(), outcome, cluster):
            meat += slopes.T @ slopes
    # The prior counts as one more observation, so that a strength that only the prior holds back has its spread.
    covariance = bread @ (meat + prior) @ bread
    estimates = _estimates(rows, at, np.diag(covariance), k, units is None, confidence)
    return _result(games, estimates, covariance, part, weak, first is not None, confidence)


def _outcomes(points: Array) -> NDArray[np.int8]:
    twice = points + points
    outcome = twice.astype(np.int8)
    if not (outcome == twice).all():
        raise InputError("an outcome is 1, 1/2 or 0 points for a; a share between them is no comparison")
    return outcome


def _design(games: Games, first: Sides | None, covariates: ArrayLike | None) -> Array:
    """Return the covariates, the order before them; shape (comparisons with a verdict, q)."""
    items = len(games.points) + games.missing
    columns: list[Array] = []
    if first is not None:
        side = np.full(items, first) if isinstance(first, str) else np.asarray(first)
        if side.shape != (items,) or not np.isin(side, ["a", "b"]).all():
            raise InputError(f'first is "a" or "b", for each of the {items} comparisons or for all')
        columns.append(np.where(side == "a", 1.0, -1.0)[games.kept])
    if covariates is not None:
        given = np.asarray(covariates, dtype=float)
        if given.ndim not in (1, 2) or len(given) != items or not np.isfinite(given[games.kept]).all():
            raise InputError(f"covariates have the shape ({items},) or ({items}, q), and are finite")
        columns.extend(given.reshape(items, -1)[games.kept].T)
    return np.stack(columns, axis=1) if columns else np.empty((len(games.points), 0))


def _rows(
    games: Games, outcome: NDArray[np.int8], x: Array, counted: bool, clustered: bool
) -> tuple[Rows, Callable[[], Ints]]:
    """Return the comparisons, counted where they can be alike, and what gives the row of each."""
    m = len(games.names)
    sides = 1 + x.shape[1]
    if not counted or 3 * sides * m * m > max(CELLS, 4 * len(outcome)):
        return Rows(m, games.a, games.b, x, np.eye(3)[outcome]), lambda: np.arange(len(outcome))
    code = games.a * m  # in place from here on: of a million comparisons, new arrays take longer than the sums
    code += games.b
    if x.shape[1]:
        code *= 2
        code += x[:, 0] > 0
    code *= 3
    code += outcome
    counts = np.bincount(code, minlength=3 * sides * m * m).reshape(-1, 3).astype(np.float64)
    if not x.shape[1] and not clustered:  # then i against j is j against i
        both = counts.reshape(m, m, 3)
        both = both + both.transpose(1, 0, 2)[:, :, ::-1]
        counts = np.where(np.triu(np.ones((m, m), dtype=bool), 1)[:, :, None], both, 0).reshape(-1, 3)
    there = counts.any(1)
    cell = np.flatnonzero(there)
    pair, shown = np.divmod(cell, sides)
    rows = Rows(m, pair // m, pair % m, np.where(shown, 1.0, -1.0)[:, None][:, : sides - 1], counts[there])
    return rows, lambda: (there.cumsum() - 1)[code // 3]


def _clusters(units: Clusters, games: Games) -> Ints:
    items = len(games.points) + games.missing
    if len(units) != items:
        raise InputError(f"{items} comparisons, but {len(units)} clusters")
    cluster = number(number(units)[games.kept])
    if not cluster.any():
        raise NotEstimableError("all comparisons are of one cluster: there is nothing to measure an error by")
    return cluster


def _graph(rows: Rows) -> tuple[Ints, Mask]:
    """Return the part of each model, and which parts need a prior."""
    part = parts(rows.models, rows.i, rows.j)
    lost, tied, won = (rows.counts > 0).T
    winner = np.concatenate([rows.i[won | tied], rows.j[lost | tied]])
    loser = np.concatenate([rows.j[won | tied], rows.i[lost | tied]])
    return part, unbeaten(part, winner, loser)


def _level(rows: Rows, part: Ints, weak: Mask) -> tuple[Array, Array]:
    """Return the prior's precision, and what holds the mean of each part at 0."""
    m = rows.models
    mean = (part[:, None] == part[None, :]) / np.bincount(part)[part]
    held = weak[part]
    prior, gauge = np.zeros((rows.size, rows.size)), np.zeros((rows.size, rows.size))
    prior[:m, :m] = np.where(held[:, None] & held[None, :], np.eye(m) - mean, 0) / SPREAD**2
    gauge[:m, :m] = mean * rows.counts.sum() / m
    return prior, gauge


def _estimates(rows: Rows, at: Array, variance: Array, k: int, single: bool, confidence: float) -> list[Estimate]:
    if k < 2:
        raise NotEstimableError("a single comparison has a verdict: there is nothing to measure an error by")
    n = rows.counts.sum(1)
    used = np.bincount(rows.i, n, rows.models) + np.bincount(rows.j, n, rows.models)
    counts = [*used, *[n.sum()] * (len(at) - rows.models)]
    method = f"sandwich over {'comparisons' if single else 'clusters'}"
    note = few(k)
    known = Estimate(0.0, None, None, 0, k, method, note)
    point = _point(confidence, k)
    return [_wald(v, s, int(c), known, point) for v, s, c in zip(at, variance, counts, strict=True)]


def _point(confidence: float, clusters: int) -> float:
    return expanded(1 - (1 - confidence) / 2, clusters)


def _wald(value: float, variance: float, n: int, like: Estimate, point: float) -> Estimate:
    reach = point * math.sqrt(max(variance, 0.0))
    low, high = float(value - reach), float(value + reach)
    return Estimate(float(value), low, high, n, like.clusters, like.method, like.note)


def _result(
    games: Games,
    estimates: list[Estimate],
    covariance: Array,
    part: Ints,
    weak: Mask,
    ordered: bool,
    confidence: float,
) -> BradleyTerry:
    names, m = games.names, len(games.names)
    best = sorted(range(m), key=lambda k: -estimates[k].value)
    others = estimates[m:]
    tie = others.pop() if (games.points == 0.5).any() else None
    return BradleyTerry(
        strengths={names[k]: estimates[k] for k in best},
        order=others.pop(0) if ordered else None,
        covariates=tuple(others),
        tie=tie,
        covariance=covariance[np.ix_(best, best)],
        parts=tuple(tuple(names[k] for k in best if part[k] == p) for p in range(len(weak))),
        prior=tuple(names[k] for k in best if weak[part[k]]),
        missing=games.missing,
        unseen=games.unseen,
        confidence=confidence,
    )
