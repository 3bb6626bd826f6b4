"""Davidson's model of comparisons with ties, by Newton's method on counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.estimate import Array, NotEstimableError

Ints = NDArray[np.int64]
Y = np.array([-0.5, 0.0, 0.5])  # what an outcome (lost, tied, won) adds to the points, less the half that ties give
STEPS = 60
SMALL = 1e-8  # of what a step gains: the next step would move nothing by more than 1e-8 of its error
RUNAWAY = 1e6  # times the variance at the start: a parameter on its way to infinity
ALIKE = 1e-11  # the least eigenvalue, of 1 on average: parameters that only their sum is known of
CELLS = 1 << 21  # numbers held at a time: bounds memory, changes nothing in the result


@dataclass(frozen=True)
class Rows:
    """Comparisons, those that are alike counted together.

    P(a wins), P(tie), P(b wins) are as exp(d / 2), exp(t), exp(-d / 2), where d = strength of a - strength of b +
    covariates @ slopes (Davidson 1970, JASA 65:317, written in logarithms). The parameters stand in the order:
    strengths (models,), slopes (covariates,), t; t only where there are ties.

    Attributes:
        i, j: the two models of a row, shape (rows,).
        x: shape (rows, covariates).
        counts: how often a lost, tied and won; shape (rows, 3).
    """

    models: int
    i: Ints
    j: Ints
    x: Array
    counts: Array

    @property
    def ties(self) -> bool:
        """Whether there are ties, and so a parameter for them."""
        return bool(self.counts[:, 1].any())

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.models + int(self.x.shape[1]) + self.ties

    def chances(self, at: Array) -> tuple[Array, float]:
        """Return the probabilities of the outcomes, shape (rows, 3), and the logarithm of the likelihood."""
        m, q = self.models, self.x.shape[1]
        half = (at[self.i] - at[self.j] + self.x @ at[m : m + q]) / 2
        tie = at[-1] if self.ties else -math.inf
        top = np.maximum(np.abs(half), tie)
        found = np.exp(np.stack([-half - top, tie - top, half - top], axis=1))
        total = found.sum(1)
        lost, tied, won = self.counts.T
        value = (won - lost) @ half - (lost + tied + won) @ (np.log(total) + top)
        return np.asarray(found / total[:, None]), float(value + tied.sum() * tie if self.ties else value)

    def gradient(self, p: Array) -> Array:
        """Return the slope of the likelihood at these probabilities; shape (parameters,)."""
        lost, tied, won = self.counts.T
        n = lost + tied + won
        return self.spread((won - lost) / 2 - n * (p @ Y), tied - n * p[:, 1])

    def information(self, p: Array) -> Array:
        """Return minus the curvature of the likelihood; shape (parameters, parameters)."""
        n, mean, tie = self.counts.sum(1), p @ Y, p[:, 1]
        return self.matrix(n * ((1 - tie) / 4 - mean**2), -n * mean * tie, n * tie * (1 - tie))

    def meat(self, p: Array) -> Array:
        """Return the sum over the comparisons of their slopes' products; shape (parameters, parameters)."""
        d, t = scores(p)
        return self.matrix(*((self.counts * product).sum(1) for product in (d * d, d * t, t * t)))

    def spread(self, d: Array, t: Array) -> Array:
        """Return slopes of d and t, shape (rows,), as those of the parameters."""
        strengths = np.bincount(self.i, d, self.models) - np.bincount(self.j, d, self.models)
        return np.concatenate([strengths, d @ self.x, [t.sum()] * self.ties])

    def matrix(self, dd: Array, dt: Array, tt: Array) -> Array:
        """Return products of slopes of d and t, shape (rows,), as those of the parameters."""
        m, q = self.models, self.x.shape[1]
        found = np.zeros((self.size, self.size))
        met = np.bincount(self.i * m + self.j, dd, m * m).reshape(m, m)
        met = met + met.T
        found[:m, :m] = np.diag(met.sum(1)) - met
        columns = [dd * column for column in self.x.T] + [dt] * self.ties
        for k, column in enumerate(columns):
            found[:m, m + k] = np.bincount(self.i, column, m) - np.bincount(self.j, column, m)
        found[m : m + q, m : m + q] = (self.x * dd[:, None]).T @ self.x
        if self.ties:
            found[m : m + q, -1], found[-1, -1] = dt @ self.x, tt.sum()
        upper = np.triu(found, 1)
        return np.asarray(np.diag(np.diag(found)) + upper + upper.T)

    def by_cluster(self, p: Array, row: Ints, outcome: NDArray[np.int8], cluster: Ints) -> Iterator[Array]:
        """Yield the slopes summed over clusters, shape (some clusters, parameters).

        Args:
            row, outcome, cluster: of every comparison; shape (comparisons,), numbers from 0.
        """
        d, t = scores(p)
        order = np.argsort(cluster, kind="stable")
        bounds = np.searchsorted(cluster[order], np.arange(int(cluster.max()) + 2))
        step = max(1, CELLS // self.size)
        for start in range(0, len(bounds) - 1, step):
            stop = min(start + step, len(bounds) - 1)
            own = order[bounds[start] : bounds[stop]]
            yield self._summed(d, t, row[own], outcome[own], cluster[own] - start, stop - start)

    def _summed(self, d: Array, t: Array, row: Ints, outcome: NDArray[np.int8], cluster: Ints, k: int) -> Array:
        m, one, tie = self.models, d[row, outcome], t[row, outcome]
        strengths = np.bincount(cluster * m + self.i[row], one, k * m) - np.bincount(
            cluster * m + self.j[row], one, k * m
        )
        columns = [one * column[row] for column in self.x.T] + [tie] * self.ties
        others = [np.bincount(cluster, column, k)[:, None] for column in columns]
        return np.concatenate([strengths.reshape(k, m), *others], axis=1)


def scores(p: Array) -> tuple[Array, Array]:
    """Return what a comparison with each outcome adds to the slopes of d and of t; shape (rows, 3) each."""
    return Y - (p @ Y)[:, None], np.array([0.0, 1.0, 0.0]) - p[:, 1:2]


def solve(rows: Rows, prior: Array, gauge: Array) -> tuple[Array, Array, Array]:
    """Return the most likely parameters, the probabilities, and the inverse information, prior and gauge included.

    Args:
        prior: the precision of a normal prior with mean 0; ``gauge``: what fixes the level of the strengths. Both of
            shape (parameters, parameters).

    Raises:
        NotEstimableError: the parameters cannot be told apart, or a term decides every comparison.
    """
    at = np.zeros(rows.size)
    p, value = rows.chances(at)
    information = rows.information(p) + prior + gauge
    if not _told_apart(information):
        raise NotEstimableError("the order or a covariate does not vary, or cannot be told apart from the models")
    begin = np.diag(np.linalg.inv(information))
    for _ in range(STEPS):
        gradient = rows.gradient(p) - prior @ at
        step = np.asarray(np.linalg.solve(information, gradient), dtype=np.float64)
        at, p, value = _ahead(rows, prior, at, step, value)
        information = rows.information(p) + prior + gauge
        if gradient @ step < SMALL:
            break
    inverse = np.asarray(np.linalg.inv(information))
    variances = np.diag(inverse)
    if not ((variances > 0) & (variances <= RUNAWAY * begin)).all():
        raise NotEstimableError("the order, a covariate or the ties decide every comparison, so that they have no size")
    return at, p, inverse


def _ahead(rows: Rows, prior: Array, at: Array, step: Array, value: float) -> tuple[Array, Array, float]:
    """Go the step, or half of it and so on, until the likelihood is not less than it was."""
    size = 1.0
    while True:
        new = at + size * step
        p, found = rows.chances(new)
        found -= float(new @ prior @ new) / 2
        if found >= value - 1e-9 * abs(value) or size < 1e-6:
            return new, p, found
        size /= 2


def _told_apart(information: Array) -> bool:
    """Return whether the data say more of the parameters than some sum of them."""
    scale = np.sqrt(np.diag(information))
    return bool((scale > 0).all() and np.linalg.eigvalsh(information / np.outer(scale, scale))[0] >= ALIKE)
