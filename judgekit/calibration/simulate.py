"""Ratings of a judge and of people from a world whose truth is known, with a dial for every bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.estimate import Array
from judgekit.errors import InputError

MIDDLE, LOWEST, HIGHEST, STEP = 3.0, 1.0, 5.0, 0.5
ROUND = 0.2  # share of values that everybody rounds to a whole number


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What to simulate: scores from 1 to 5 in halves. At the defaults the judge is like any of the raters.

    Longer texts, texts of the judge's own family and texts with markdown are better in truth, so that a probe which
    does not hold quality fixed finds biases that are none.

    Attributes:
        noise: standard deviation of one rating around the truth; of the judge as of people.
        severity: points that the judge adds; ``slope``: its points for a point of quality.
        length: its points for one standard deviation of log length, ``padding`` for a text made longer,
            ``self_preference`` for its own family, ``markup`` for markdown: all beyond what they are worth.
        halo: how far it moves a criterion's score towards the mean of all, from 0 to 1.
        heaping: share of its values that it rounds to whole numbers, beyond that of people.
        template: standard deviation of the means of its prompt templates; ``position``: how much it favours the
            response shown first, in points.
        missing: share of cells that are missing, of the judge and of people.
    """

    items: int = 300
    groups: int = 60
    raters: int = 3
    criteria: int = 3
    templates: int = 4
    noise: float = 0.6
    severity: float = 0.0
    slope: float = 1.0
    length: float = 0.0
    padding: float = 0.0
    self_preference: float = 0.0
    markup: float = 0.0
    halo: float = 0.0
    heaping: float = 0.0
    template: float = 0.0
    position: float = 0.0
    missing: float = 0.0

    def __post_init__(self) -> None:
        counts = (self.items, self.groups, self.raters, self.criteria, self.templates)
        if min(counts) < 1 or not all(0 <= share <= 1 for share in (self.halo, self.heaping, self.missing)):
            raise InputError(f"{self}: counts are above 0, and halo, heaping and missing are between 0 and 1")


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a world gives; the columns that `audit` takes.

    Attributes:
        judge: shape (items, criteria); humans: shape (raters, items, criteria).
        padded: the judge on texts made longer but no better, shape (items, criteria).
        templates: shape (templates, items); orders: shape (items, 2), one pair for each item.
        length: words, own and markup 0 or 1, group: shape (items,); quality: the truth, shape (items, criteria).
    """

    judge: Array
    humans: Array
    padded: Array
    templates: Array
    orders: Array
    length: Array
    own: Array
    markup: Array
    group: NDArray[np.int64]
    quality: Array


def simulate(world: World, rng: np.random.Generator) -> Simulated:
    """Draw ratings from a world."""
    n, criteria = world.items, world.criteria
    group = rng.integers(world.groups, size=n)
    whole = 0.3 * rng.normal(size=world.groups)[group] + 0.5 * rng.normal(size=n)
    quality = MIDDLE + whole[:, None] + 0.4 * rng.normal(size=(n, criteria))
    length: Array = (0.7 * whole + rng.normal(size=n)) / 1.2
    own, markup = (np.asarray(0.8 * whole + rng.normal(size=n) > 0, dtype=float) for _ in range(2))
    gain = world.severity + world.length * length + world.self_preference * own + world.markup * markup
    expected = MIDDLE + world.slope * (quality - MIDDLE) + gain[:, None]
    felt = expected + world.noise * rng.normal(size=(n, criteria))
    felt += world.halo * (felt.mean(1, keepdims=True) - felt)
    severity = 0.2 * rng.normal(size=world.raters)
    people = quality + world.noise * rng.normal(size=(world.raters, n, criteria))
    people += (severity - severity.mean())[:, None, None]
    shifts = np.linspace(-1, 1, world.templates)
    shifts *= world.template / max(float(shifts.std(ddof=min(1, world.templates - 1))), 1e-9)
    worded = expected.mean(1) + shifts[:, None] + world.noise * rng.normal(size=(world.templates, n))
    again = felt + world.padding + world.noise / 2 * rng.normal(size=(n, criteria))
    return Simulated(
        _blank(_written(felt, world.heaping, rng), world.missing, rng),
        _blank(_written(people, 0.0, rng), world.missing, rng),
        _blank(_written(again, world.heaping, rng), world.missing, rng),
        _blank(_written(worded, world.heaping, rng), world.missing, rng),
        _blank(_orders(world, n, rng), world.missing, rng),
        np.asarray(np.ceil(300 * np.exp(0.5 * length)), dtype=float),
        own,
        markup,
        group,
        quality,
    )


def _written(values: Array, heaping: float, rng: np.random.Generator) -> Array:
    """Return the values as they are put on the scale."""
    step = np.where(rng.random(values.shape) < ROUND + (1 - ROUND) * heaping, 1.0, STEP)
    return np.clip(np.round(values / step) * step, LOWEST, HIGHEST)


def _orders(world: World, pairs: int, rng: np.random.Generator) -> Array:
    """Return points for a where it is shown first and where second; near ties are called ties."""
    gap = rng.normal(size=(pairs, 1)) + np.array([world.position, -world.position])
    felt = gap + world.noise * rng.normal(size=(pairs, 2))
    return np.where(np.abs(felt) < 0.1, 0.5, (felt > 0) * 1.0)


def _blank(values: Array, share: float, rng: np.random.Generator) -> Array:
    return np.where(rng.random(values.shape) < share, np.nan, values)
