"""How far a judge agrees with itself when it is asked again, and how often to ask it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.columns import Sheet
from judgekit.calibration.estimate import Array, Estimate, NotEstimableError
from judgekit.calibration.humans import table
from judgekit.calibration.units import Units
from judgekit.errors import InputError

DEFAULT = Bootstrap()


def retest_icc(scores: ArrayLike, *, units: Units = None, bootstrap: Bootstrap = DEFAULT) -> Estimate:
    """Return the reliability of one judgment: the one-way ICC(1) of repeats that are all alike.

    (between - within) / (between + (m - 1) within), of mean squares; with unequal numbers of repeats m is
    (N - sum m^2 / N) / (items - 1) (Shrout & Fleiss 1979, Psychological Bulletin 86:420; Donner 1986, International
    Statistical Review 54:67). It may be negative. Items with one repeat are left out.

    Args:
        scores: shape (repeats, items), NaN is missing; ``units``: the cluster of each item.

    Raises:
        NotEstimableError: fewer than three items have two repeats, or all scores are equal.
    """
    cells = table(scores)
    count = (~np.isnan(cells)).sum(0)
    sheet = Sheet([np.where(count > 1, 0.0, math.nan)], units)
    kept, m = cells[:, sheet.kept], count[sheet.kept] * 1.0
    kept = kept - np.nanmean(kept)
    mean = np.nanmean(kept, axis=0)
    within = np.nansum((kept - mean) ** 2, axis=0)
    if not (within.any() or mean.any()):
        raise NotEstimableError("all scores are equal")
    rows = np.column_stack([np.ones(len(m)), m, m * m, m * mean, m * mean**2, within])
    return bootstrap.of_sums(rows, _icc, sheet.units)


def flip_rate(
    verdicts: Sequence[Sequence[object]] | NDArray[Any], *, units: Units = None, bootstrap: Bootstrap = DEFAULT
) -> Estimate:
    """Return how often two judgments of one item differ: the share of its pairs of repeats, averaged over the items.

    Args:
        verdicts: shape (repeats, items): numbers or names; NaN or None is missing. Items with one are left out.

    Raises:
        NotEstimableError: fewer than three items have two verdicts.
    """
    names: NDArray[Any] = np.asarray(verdicts, dtype=object)
    if names.ndim != 2:
        raise InputError("verdicts have the shape (repeats, items)")
    kinds = sorted({v for v in names.ravel() if not _missing(v)}, key=str)
    counts = np.array([(names == kind).sum(0) for kind in kinds], dtype=float).reshape(len(kinds), names.shape[1])
    m = counts.sum(0)
    sheet = Sheet([np.where(m > 1, 0.0, math.nan)], units)
    counts, m = counts[:, sheet.kept], m[sheet.kept]
    same = (counts * (counts - 1)).sum(0) / (m * (m - 1))
    return bootstrap.share(1 - same, sheet.units)


@dataclass(frozen=True, slots=True)
class Components:
    """What the variance of a score is made of.

    Attributes:
        item, template, residual: variances, as the ANOVA gives them: negative ones are real, and mean about 0. The
            residual holds what template and item do together, and chance. An interval resamples items; of the template
            it says what other items would give, not other templates.
        shares: of their sum, a negative one counting as 0, in this order.
        scores: how many.
    """

    item: Estimate
    template: Estimate
    residual: Estimate
    shares: tuple[float, float, float]
    scores: int

    def reliability(self, repeats: int, *, absolute: bool = True) -> float:
        """Return the reliability of a mean over templates or repeats (Brennan 2001, Generalizability Theory, ch. 2).

        Args:
            absolute: of the score itself, which a template's level moves; else of the order of the items, when all of
                them are judged under the same templates.
        """
        item, template, residual = self.shares
        return item / (item + (residual + template * absolute) / repeats) if item else 0.0

    def repeats_for(self, reliability: float = 0.9, *, absolute: bool = True) -> int:
        """Return how many repeats (each under another template) give a mean of this reliability.

        Raises:
            NotEstimableError: the items do not differ, so that no number does.
        """
        if not 0 < reliability < 1:
            raise InputError(f"a reliability to reach lies between 0 and 1, not at {reliability:g}")
        item, template, residual = self.shares
        if item <= 0:
            raise NotEstimableError("the items do not differ beyond chance: no number of repeats makes this reliable")
        needed = reliability / (1 - reliability) * (residual + template * absolute) / item
        return max(1, math.ceil(needed - 1e-9))


def variance_components(scores: ArrayLike, *, units: Units = None, bootstrap: Bootstrap = DEFAULT) -> Components:
    """Split the variance of scores into item, template (or repeat) and residual.

    From the sums of squares of items, of templates and of all, and what each expects (Henderson 1953, Biometrics 9:226,
    method 1); without missing cells this is the two-way ANOVA.

    Args:
        scores: shape (templates, items), NaN is missing; ``units``: the cluster of each item.

    Raises:
        NotEstimableError: fewer than two templates or three items, or no cell beyond one for each.
    """
    cells = table(scores)
    cells = cells[(~np.isnan(cells)).any(1)]
    if len(cells) < 2:
        raise NotEstimableError("it needs two templates or repeats with scores")
    known = ~np.isnan(cells)
    count = known.sum(0) * 1.0
    sheet = Sheet([np.where(count > 0, 0.0, math.nan)], units)
    cells, known, count = cells[:, sheet.kept], known[:, sheet.kept], count[sheet.kept]
    if count.sum() < len(cells) + len(count):
        raise NotEstimableError("it needs items with scores under two templates or more")
    filled = np.where(known, cells - np.nanmean(cells), 0.0)
    total = filled.sum(0)
    rows = np.column_stack(
        [np.ones(len(count)), count**2, total**2 / count, (filled**2).sum(0), known.T * 1.0, filled.T]
    )
    item = bootstrap.of_sums(rows, lambda sums: _components(sums)[:, 0], sheet.units)
    template = bootstrap.of_sums(rows, lambda sums: _components(sums)[:, 1], sheet.units)
    residual = bootstrap.of_sums(rows, lambda sums: _components(sums)[:, 2], sheet.units)
    floors = np.maximum([item.value, template.value, residual.value], 0)
    if not floors.any():
        raise NotEstimableError("all scores are equal")
    a, b, c = (float(part) for part in floors / floors.sum())
    return Components(item, template, residual, (a, b, c), int(count.sum()))


def _icc(sums: Array) -> Array:
    items, n, squares, total, between, within = sums.T
    free = items - 1
    between = (between - total**2 / n) / free
    within = within / (n - items)
    m = (n - squares / n) / free
    scale = between + (m - 1) * within
    return np.where(scale > 0, (between - within) / np.where(scale > 0, scale, 1), math.nan)


def _components(sums: Array) -> Array:
    """Return the three variances from summed rows; shape (any, 3)."""
    items, squares, by_item, total = sums[:, :4].T
    counts, levels = np.split(sums[:, 4:], 2, axis=1)
    there = counts > 0
    n, t = counts.sum(1), there.sum(1)
    mean = levels.sum(1) ** 2 / n
    by_template = (levels**2 / np.where(there, counts, 1)).sum(1)
    crossed_items, crossed_templates = squares / n, (counts**2).sum(1) / n
    one = np.ones_like(n)
    expected = np.array(
        [
            [n - crossed_items, items - crossed_templates, items - one],  # of items: their own, templates, residual
            [t - crossed_items, n - crossed_templates, t - one],
            [n - crossed_items, n - crossed_templates, n - one],
        ]
    )
    seen = np.stack([by_item - mean, by_template - mean, total - mean])
    matrices = expected.transpose(2, 0, 1)
    fine = np.abs(np.linalg.det(matrices)) > 1e-9
    matrices = np.where(fine[:, None, None], matrices, np.eye(3))
    return np.where(fine[:, None], np.linalg.solve(matrices, seen.T[:, :, None])[:, :, 0], math.nan)


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
