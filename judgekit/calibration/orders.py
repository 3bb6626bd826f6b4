"""Two verdicts on a comparison, one in each order, made into one result: as POLARIS and as EQ-Bench do it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array
from judgekit.errors import InputError

Ints = NDArray[np.int64]
CLEAR = 10  # a margin from which POLARIS calls a win a clear one
LARGEST = 45  # nine criteria of up to five plus signs each: what EQ-Bench divides a margin by
GAMES = 4  # the most games that EQ-Bench makes of one comparison


@dataclass(frozen=True)
class TwoOrders:
    """One result for each comparison, from its two orders.

    Attributes:
        share: of a win, what a gets: 1 to 0; NaN where an order has no verdict. Shape (comparisons,).
        games: the games that a won, that were tied and that b won, for a rating; none without a verdict in both
            orders. Shape (comparisons, 3).
        missing: comparisons without a verdict in one order or in both.
        flipped: comparisons whose orders name different winners.
    """

    share: Array
    games: Ints
    missing: int
    flipped: int

    def unrolled(self) -> tuple[Ints, Array]:
        """Return the comparison of each game, and the points of its a (1, 1/2, 0): what `elo` and `bradley_terry` take.

        Games of one comparison are not independent: give `bradley_terry` the comparison, or its prompt, as unit.
        """
        comparison, kind = np.nonzero(self.games)
        times = self.games[comparison, kind]
        return np.repeat(comparison, times), np.repeat(1 - kind / 2, times)


def polaris(margins: ArrayLike) -> TwoOrders:
    """Count each order as a game of its own; no agreement is asked for (POLARIS, arXiv 2606.04095, eval/story_elo.py).

    ``share`` is the mean of the two orders' grades: 1 for a margin of 10 and more, 3/4 for any other win, 1/2 for none.

    Unlike there, a verdict that could not be read is no tie: the comparison is missing, and counted.

    Args:
        margins: by how many plus signs a is better, in each of the two orders; below 0 where b is. Where a judge gives
            no margins, 1, 0 and -1. Shape (2, comparisons); NaN for no verdict.
    """
    both, known = _read(margins)
    signs = np.sign(both)
    grades = 0.5 + signs / 4 + np.where(np.abs(both) >= CLEAR, signs / 4, 0)
    games = np.stack([(signs == sign).sum(0) for sign in (1, 0, -1)], axis=1) * known[:, None]
    return _result(grades.mean(0), games, both, known)


def eq_bench(margins: ArrayLike) -> TwoOrders:
    """Sum the margins of both orders, and let a large one count as several games (EQ-Bench Creative Writing v3).

    ``share`` is 1/2 + sum / 90; the winner's share beyond 1/2, in eighths rounded up, is the number of games won (1 to
    4); a sum of 0 is one tied game (github.com/EQ-bench/creative-writing-bench, core/trueskill_solver_cw.py).

    Unlike there, one order alone decides nothing: the comparison is missing, and counted.

    Args:
        margins: as for `polaris`; of EQ-Bench's nine criteria at most 45 in one order.
    """
    both, known = _read(margins)
    total = both.sum(0)
    share = np.clip(0.5 + total / (2 * LARGEST), 0, 1)
    step = 0.5 / GAMES
    wins = np.clip(np.ceil(np.abs(share - 0.5) / step), 1, GAMES)
    games = np.stack([wins * (total > 0), total == 0, wins * (total < 0)], axis=1) * known[:, None]
    return _result(share, games, both, known)


def _read(margins: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    """Return the margins, 0 where a comparison lacks one of them, and which comparisons lack none."""
    both = np.asarray(margins, dtype=float)
    if both.ndim != 2 or len(both) != 2 or np.isinf(both).any():
        raise InputError(f"margins have the shape (2, comparisons), one row for each order, not {both.shape}")
    known = ~np.isnan(both).any(0)
    return np.where(known, both, 0.0), known


def _result(share: Array, games: Array, both: Array, known: NDArray[np.bool_]) -> TwoOrders:
    flipped = int((both[0] * both[1] < 0).sum())
    return TwoOrders(np.where(known, share, np.nan), games.astype(np.int64), int((~known).sum()), flipped)
