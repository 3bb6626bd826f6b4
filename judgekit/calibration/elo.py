"""Elo ratings: in the order that games were played, and as their mean over all orders."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, Clusters, Estimate, number
from judgekit.calibration.games import Games, Outcomes
from judgekit.calibration.interval import expanded
from judgekit.errors import InputError

Ints = NDArray[np.int64]
CELLS = 1 << 23  # numbers held at a time: bounds memory
DEFAULT = Bootstrap(draws=1000)


@dataclass(frozen=True)
class Elo:
    """Ratings by model, the best mean first.

    Attributes:
        ratings: the mean over orders of the games, with an interval for what other games would have given.
        as_played: from the games in the order given.
        spread: the standard deviation over orders: how much of a rating is the order of the games.
        missing: comparisons without a verdict, which were left out; ``unseen``: models that only those hold.
    """

    ratings: dict[Hashable, Estimate]
    as_played: dict[Hashable, float]
    spread: dict[Hashable, float]
    missing: int
    unseen: tuple[Hashable, ...]


def elo(
    a: Clusters,
    b: Clusters,
    outcomes: Outcomes,
    *,
    k: float = 16.0,
    scale: float = 400.0,
    start: float = 1000.0,
    shuffles: int = 1000,
    units: Clusters | None = None,
    bootstrap: Bootstrap = DEFAULT,
) -> Elo:
    """Return Elo ratings (Elo 1978, The Rating of Chessplayers): r += k * (points - 1 / (1 + 10 ** (-gap / scale))).

    The last games weigh most, so that one order of games that were not played in time says little; take the mean.
    `bradley_terry` has no such weakness, and more precise strengths from the same games.

    Args:
        a, b: the models of each comparison, names or numbers; shape (comparisons,).
        outcomes: "a", "b", "tie" or None; or the points of a, from 1 to 0, with NaN for none.
        k: the most that one game can move a rating; scale: the gap at which odds are 10 to 1.
        shuffles: over how many random orders to take the mean.
        units: the cluster of each comparison, such as its prompt, which the interval resamples.

    Raises:
        NotEstimableError: no comparison has a verdict.
        InputError: arrays of different lengths, a model against itself, a k or scale that is not above 0, one shuffle.
    """
    if not (k > 0 and scale > 0 and shuffles > 1 and math.isfinite(start)):
        raise InputError("k and scale are above 0, start is finite, and a spread needs two shuffles or more")
    games = Games.of(a, b, outcomes)
    names, players = games.names, len(games.names)
    play = _Play(games, players, k, scale, start)
    rng = np.random.default_rng(bootstrap.seed)
    n = len(games.points)
    orders = np.concatenate([play(chunk) for chunk in _shuffled(n, shuffles, rng)], axis=1)
    mean, spread = orders.mean(1), orders.std(1, ddof=1)
    cluster = np.arange(n) if units is None else _clusters(units, games)
    clusters = int(cluster.max()) + 1
    error = _error(play, cluster, bootstrap.draws, rng) if clusters > 1 else None
    error = None if error is None else np.sqrt(error + spread**2 / shuffles)
    best = sorted(range(players), key=lambda i: -mean[i])
    played = play(np.arange(n)[:, None])[:, 0]
    return Elo(
        {names[i]: _estimate(mean[i], None if error is None else error[i], n, clusters, bootstrap) for i in best},
        {names[i]: float(played[i]) for i in best},
        {names[i]: float(spread[i]) for i in best},
        games.missing,
        games.unseen,
    )


class _Play:
    """Plays games in many orders at once."""

    def __init__(self, games: Games, players: int, k: float, scale: float, start: float) -> None:
        # One game more, which moves nothing, fills up the shorter of the orders.
        self.a, self.b = np.append(games.a, 0), np.append(games.b, 1)
        self.points = np.append(games.points, 0.0)
        self.k = np.append(np.full(len(games.a), k), 0.0)
        self.players, self.rate, self.start = players, math.log(10) / scale, start

    def __call__(self, orders: Ints) -> Array:
        """Return the ratings at the end of each order; shape (games, orders) -> (players, orders)."""
        ratings = np.full((orders.shape[1], self.players), float(self.start))
        lane = np.arange(orders.shape[1])
        for game in orders:
            one, two = self.a[game], self.b[game]
            gap = ratings[lane, one] - ratings[lane, two]
            gain = self.k[game] * (self.points[game] - 1 / (1 + np.exp(-self.rate * gap)))
            ratings[lane, one] += gain
            ratings[lane, two] -= gain
        return np.asarray(ratings.T, dtype=np.float64)


def _shuffled(n: int, orders: int, rng: np.random.Generator) -> Iterator[Ints]:
    step = max(1, CELLS // n)
    for begin in range(0, orders, step):
        yield rng.permuted(np.repeat(np.arange(n)[:, None], min(step, orders - begin), axis=1), axis=0)


def _error(play: _Play, cluster: Ints, draws: int, rng: np.random.Generator) -> Array:
    """Return the variance of the mean over orders, from resampled clusters: shape (players,).

    Each resample is played in two orders. What they have in common is the resample's: their covariance is the variance
    without that of the order.
    """
    order = np.argsort(cluster, kind="stable")
    k = int(cluster.max()) + 1
    sizes = np.bincount(cluster)
    begins = np.append(0, sizes.cumsum())
    step = max(1, CELLS // (4 * len(cluster)))
    pairs = []
    for begin in range(0, draws, step):
        drawn = [_games(order, begins, sizes, rng.integers(k, size=k)) for _ in range(min(step, draws - begin))]
        longest = max(map(len, drawn))
        pairs.append([play(_padded(drawn, longest, len(cluster), rng)) for _ in range(2)])
    one, two = (np.concatenate([pair[i] for pair in pairs], axis=1) for i in (0, 1))
    middle = (one.mean(1) + two.mean(1))[:, None] / 2
    return np.asarray(np.maximum(((one - middle) * (two - middle)).mean(1), 0.0))


def _games(order: Ints, begins: Ints, sizes: Ints, picked: Ints) -> Ints:
    """Return the games of the picked clusters."""
    lengths = sizes[picked]
    within = np.arange(lengths.sum()) - np.repeat(lengths.cumsum() - lengths, lengths)
    return np.asarray(order[np.repeat(begins[picked], lengths) + within])


def _padded(drawn: list[Ints], longest: int, none: int, rng: np.random.Generator) -> Ints:
    found = np.full((longest, len(drawn)), none)
    for column, games in enumerate(drawn):
        found[: len(games), column] = rng.permutation(games)
    return found


def _clusters(units: Clusters, games: Games) -> Ints:
    items = len(games.points) + games.missing
    if len(units) != items:
        raise InputError(f"{items} comparisons, but {len(units)} clusters")
    return number(number(units)[games.kept])


def _estimate(value: float, error: float | None, n: int, k: int, bootstrap: Bootstrap) -> Estimate:
    if error is None:
        return Estimate(float(value), None, None, n, k, "", "no interval: it needs two clusters or more")
    reach = expanded(1 - (1 - bootstrap.confidence) / 2, k) * float(error)
    method = f"bootstrap error of the mean over orders, {bootstrap.draws} draws"
    return Estimate(float(value), float(value) - reach, float(value) + reach, n, k, method)
