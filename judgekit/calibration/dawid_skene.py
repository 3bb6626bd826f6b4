"""Dawid & Skene's model of raters who err (1979, Applied Statistics 28:20): the true category and each one's errors."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array, NotEstimableError, number
from judgekit.errors import InputError

TINY = 1e-300
TOLERANCE = 1e-7
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """What the labels say of the items and of those who gave them, when nothing else is known.

    Attributes:
        values: the categories, sorted, shape (k,).
        posterior: the probability of each category, shape (items, k); NaN for an item without a label.
        share: of each category among the items, shape (k,).
        errors: ``errors[r, i, j]``, how often rater r says ``values[j]`` of an item that is ``values[i]``; NaN where no
            item that r rated can be ``values[i]``. Shape (raters, k, k).
        likelihood: log likelihood; ``steps``: of the EM; ``converged``: whether it came to rest.
    """

    values: Array
    posterior: Array
    share: Array
    errors: Array
    likelihood: float
    steps: int
    converged: bool

    @property
    def label(self) -> Array:
        """The most probable category of each item, shape (items,); NaN without a label."""
        best = self.values[np.argmax(np.nan_to_num(self.posterior), axis=1)]
        return np.where(np.isnan(self.posterior[:, 0]), np.nan, best)

    @property
    def expected(self) -> Array:
        """The mean of the categories under the posterior, shape (items,); NaN without a label."""
        return np.asarray(self.posterior @ self.values)


def dawid_skene(labels: ArrayLike, raters: Sequence[Hashable] | None = None, *, steps: int = 1000) -> DawidSkene:
    """Fit the model by EM, from the share of the votes for each category (their equation 3.1).

    It takes raters to err independently given the truth. Judges of one family do not: there the posterior is far too
    sure, and only labels of people say how good it is.

    Args:
        labels: shape (rows, items), categories as numbers; NaN is missing.
        raters: whose each row is, where one rater has several; without it each row is a rater of its own.
        steps: at most so many; it rests when no posterior moves by more than 1e-7.

    Raises:
        NotEstimableError: no labels, or a single category.
        InputError: labels that are not of this shape, or infinite.
    """
    table = np.asarray(labels, dtype=float)
    if table.ndim != 2 or np.isinf(table).any() or (raters is not None and len(raters) != len(table)):
        raise InputError(f"labels have the shape (rows, items), all finite or NaN, a rater for each row: {table.shape}")
    row, item = np.nonzero(~np.isnan(table))
    values, label = np.unique(table[row, item], return_inverse=True)
    if len(values) < 2:
        raise NotEstimableError(f"{len(values)} categories among the labels; the model needs two")
    votes = _Votes.of(item, (np.arange(len(table)) if raters is None else number(raters))[row], label.reshape(-1))
    posterior = votes.shares()
    step, done, likelihood = 0, False, -np.inf
    while step < steps and not done:
        step += 1
        share, errors = votes.rates(posterior)
        found, likelihood = votes.posterior(share, errors)
        done = bool(np.abs(found - posterior).max() <= TOLERANCE)
        posterior = found
    share, errors = votes.rates(posterior)
    whole = np.full((table.shape[1], len(values)), np.nan)
    whole[np.unique(item)] = posterior
    seen = errors.sum(2, keepdims=True)
    rates = np.where(seen > 0, errors, np.nan)
    return DawidSkene(values, whole, share, rates, likelihood, step, done)


@dataclass(frozen=True, slots=True)
class _Votes:
    """One entry a label: its item and the pair of rater and category, numbered."""

    item: Ints
    said: Ints
    items: int
    raters: int
    k: int

    @classmethod
    def of(cls, item: Ints, rater: Ints, label: Ints) -> _Votes:
        items, k = number(item), int(label.max()) + 1
        return cls(items, rater * k + label, int(items.max()) + 1, int(rater.max()) + 1, k)

    def shares(self) -> Array:
        counts = np.bincount(self.item * self.k + self.said % self.k, minlength=self.items * self.k)
        table = counts.reshape(self.items, self.k)
        return np.asarray(table / table.sum(1, keepdims=True))

    def rates(self, posterior: Array) -> tuple[Array, Array]:
        """Return the share of each category, (k,), and the errors of each rater, (raters, k, k): the M step."""
        size = self.raters * self.k
        counts = np.stack([np.bincount(self.said, column[self.item], size) for column in posterior.T])
        errors = counts.reshape(self.k, self.raters, self.k).transpose(1, 0, 2)
        total = errors.sum(2, keepdims=True)
        return posterior.mean(0), errors / np.where(total > 0, total, 1)

    def posterior(self, share: Array, errors: Array) -> tuple[Array, float]:
        """Return the posterior, (items, k), and the log likelihood: the E step."""
        logs = np.log(np.maximum(errors, TINY)).transpose(1, 0, 2).reshape(self.k, -1)
        total = np.stack([np.bincount(self.item, row[self.said], self.items) for row in logs], axis=1)
        total += np.log(np.maximum(share, TINY))
        top = total.max(1, keepdims=True)
        weight = np.exp(total - top)
        norm = weight.sum(1, keepdims=True)
        return weight / norm, float((top + np.log(norm)).sum())
