"""Bradley-Terry with features: P(a beats b) = logistic(w . (x_a - x_b)), w shrunk towards 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEPS = 100


def fit(differences: Array, labels: Array, penalty: float, counts: Array | None = None) -> Array:
    """Return the weights that minimise ``sum_i count_i loss_i + penalty/2 |w|^2``, by Newton's method.

    The loss is the logistic one of Bradley & Terry (1952) for ``x_a - x_b``; there is no intercept, so that swapping a
    pair changes nothing.

    Args:
        differences: x_a - x_b, shape (pairs, features), on comparable scales.
        labels: 1 where a is better, 0 where b is, 1/2 for a tie; shape (pairs,).
        penalty: strength of the ridge, above 0; makes the optimum unique and finite.
        counts: how much each pair counts, shape (pairs,), above 0; default 1.
    """
    counts = np.ones(len(labels)) if counts is None else counts
    weights: Array = np.zeros(differences.shape[1])
    value = _loss(differences, labels, counts, penalty, weights)
    for _ in range(STEPS):
        chance = _logistic(differences @ weights)
        gradient = differences.T @ (counts * (chance - labels)) + penalty * weights
        curvature = (differences * (counts * chance * (1 - chance))[:, None]).T @ differences
        step = np.linalg.solve(curvature + penalty * np.eye(len(weights)), gradient)
        size = 1.0
        while (new := _loss(differences, labels, counts, penalty, weights - size * step)) > value and size > 1e-9:
            size /= 2
        weights = weights - size * step
        if value - new <= 1e-10 * (1 + abs(value)):
            break
        value = new
    return weights


def _loss(differences: Array, labels: Array, counts: Array, penalty: float, weights: Array) -> float:
    z = differences @ weights
    return float(counts @ (np.logaddexp(0, z) - labels * z) + penalty / 2 * weights @ weights)


def _logistic(z: Array) -> Array:
    return 0.5 * (1 + np.tanh(z / 2))
