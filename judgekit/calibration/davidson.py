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
        return self.models + self.x.shape[1] + self.ties

    def chances(self, at: Array) -> Array:
        """Return the probabilities of the outcomes; shape (rows, 3)."""
        logits = self._logits(at)
        found = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(found / found.sum(1, keepdims=True))

    def likelihood(self, at: Array) -> float:
        """Return the logarithm of the likelihood."""
        logits = self._logits(at)
        top = logits.max(1)
        total = np.log(np.exp(logits - top[:, None]).sum(1)) + top
        used = self.counts > 0
        return float((self.counts * np.where(used, logits, 0)).sum() - (self.counts.sum(1) * total).sum())

    def scores(self, at: Array) -> tuple[Array, Array]:
        """Return what one comparison with each outcome adds to the slopes of d and of t; shape (rows, 3) each."""
        p = self.chances(at)
        return Y - (p @ Y)[:, None], np.array([0.0, 1.0, 0.0]) - p[:, 1:2]

    def gradient(self, at: Array) -> Array:
        """Return the slope of the likelihood; shape (parameters,)."""
        d, t = self.scores(at)
        return self.spread((self.counts * d).sum(1), (self.counts * t).sum(1))

    def information(self, at: Array) -> Array:
        """Return minus the curvature of the likelihood; shape (parameters, parameters)."""
        p, n = self.chances(at), self.counts.sum(1)
        mean = p @ Y
        dd, dt, tt = p @ Y**2 - mean**2, -mean * p[:, 1], p[:, 1] * (1 - p[:, 1])
        return self.matrix(n * dd, n * dt, n * tt)

    def meat(self, at: Array) -> Array:
        """Return the sum over the comparisons of their slopes' products; shape (parameters, parameters)."""
        d, t = self.scores(at)
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

    def by_cluster(self, at: Array, row: Ints, outcome: Ints, cluster: Ints) -> Iterator[Array]:
        """Yield the slopes summed over clusters, shape (some clusters, parameters).

        Args:
            row, outcome, cluster: of every comparison; shape (comparisons,), numbers from 0.
        """
        d, t = self.scores(at)
        order = np.argsort(cluster, kind="stable")
        bounds = np.searchsorted(cluster[order], np.arange(int(cluster.max()) + 2))
        step = max(1, CELLS // self.size)
        for start in range(0, len(bounds) - 1, step):
            stop = min(start + step, len(bounds) - 1)
            own = order[bounds[start] : bounds[stop]]
            yield self._summed(d, t, row[own], outcome[own], cluster[own] - start, stop - start)

    def _summed(self, d: Array, t: Array, row: Ints, outcome: Ints, cluster: Ints, k: int) -> Array:
        m, one, tie = self.models, d[row, outcome], t[row, outcome]
        strengths = np.bincount(cluster * m + self.i[row], one, k * m) - np.bincount(
            cluster * m + self.j[row], one, k * m
        )
        columns = [one * column[row] for column in self.x.T] + [tie] * self.ties
        others = [np.bincount(cluster, column, k)[:, None] for column in columns]
        return np.concatenate([strengths.reshape(k, m), *others], axis=1)

    def _logits(self, at: Array) -> Array:
        m, q = self.models, self.x.shape[1]
        half = (at[self.i] - at[self.j] + self.x @ at[m : m + q]) / 2
        tie = at[-1] if self.ties else -math.inf
        return np.stack([-half, np.full(len(half), tie), half], axis=1)


def solve(rows: Rows, prior: Array, gauge: Array) -> tuple[Array, Array]:
    """Return the most likely parameters, and the information there, prior and gauge included.

    Args:
        prior: the precision of a normal prior with mean 0; ``gauge``: what fixes the level of the strengths. Both of
            shape (parameters, parameters).

    Raises:
        NotEstimableError: the parameters cannot be told apart, or a term decides every comparison.
    """
    at = np.zeros(rows.size)
    information = rows.information(at) + prior + gauge
    begin = _variances(information)
    value = rows.likelihood(at)
    for _ in range(STEPS):
        gradient = rows.gradient(at) - prior @ at
        step = np.linalg.solve(information, gradient)
        size = 1.0
        while (new := _value(rows, prior, at + size * step)) < value - 1e-9 * abs(value) and size > 1e-6:
            size /= 2
        at, value = at + size * step, new
        information = rows.information(at) + prior + gauge
        if gradient @ step < 1e-12:
            break
    if (_variances(information) > 1e6 * begin).any():
        raise NotEstimableError("the order, a covariate or the ties decide every comparison, so that they have no size")
    return at, information


def _value(rows: Rows, prior: Array, at: Array) -> float:
    return rows.likelihood(at) - float(at @ prior @ at) / 2


def _variances(information: Array) -> Array:
    scale = np.sqrt(np.diag(information))
    if (scale <= 0).any() or np.linalg.cond(information / np.outer(scale, scale)) > 1e12:
        raise NotEstimableError("the order or a covariate does not vary, or cannot be told apart from the models")
    return np.asarray(np.diag(np.linalg.inv(information)))
