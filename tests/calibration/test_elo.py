"""Elo by hand, against a plain loop, and over all orders."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, elo

FAST = Bootstrap(draws=200)


def plain(a, b, points, k=16.0, scale=400.0, start=1000.0) -> dict:
    ratings = dict.fromkeys([*a, *b], start)
    for x, y, won in zip(a, b, points, strict=True):
        gain = k * (won - 1 / (1 + 10 ** ((ratings[y] - ratings[x]) / scale)))
        ratings[x] += gain
        ratings[y] -= gain
    return ratings


def test_two_games_by_hand() -> None:
    """Even: 16 * 1/2 = 8. Then the gap is 16, the loser's chance 1 / (1 + 10 ** .04) = .47698: 16 * .52302 = 8.368."""
    found = elo(["x", "y"], ["y", "x"], ["a", "a"], shuffles=10, bootstrap=FAST)

    assert found.as_played == pytest.approx({"x": 1008 - 8.368, "y": 992 + 8.368}, abs=1e-3)


def test_a_plain_loop_says_the_same() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 6, 200)
    b = (a + rng.integers(1, 6, 200)) % 6
    points = rng.integers(0, 3, 200) / 2
    found = elo(a, b, points, k=32, scale=300, start=1500, shuffles=10, bootstrap=FAST)

    assert found.as_played == pytest.approx(plain(a.tolist(), b.tolist(), points, 32, 300, 1500))


@settings(deadline=None, max_examples=1000)
@given(st.integers(0, 1 << 32), st.integers(1, 60), st.floats(1, 64), st.floats(100, 800), st.floats(0, 2000))
def test_evalica_says_the_same(seed: int, games: int, k: float, scale: float, start: float) -> None:
    """A game without a verdict moves nothing. One cluster has no interval, so that none is made 1,000 times."""
    evalica = pytest.importorskip("evalica")
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 6, games)
    b = (a + rng.integers(1, 6, games)) % 6
    points = rng.choice([0, 0.5, 1, np.nan], games)
    assume(not np.isnan(points).all())
    played = ~np.isnan(points)
    won = [{0: evalica.Winner.Y, 0.5: evalica.Winner.Draw, 1: evalica.Winner.X}[p] for p in points[played]]
    theirs = evalica.elo(a[played].tolist(), b[played].tolist(), won, initial=start, scale=scale, k=k)
    found = elo(a, b, points, k=k, scale=scale, start=start, shuffles=2, units=[0] * games)

    assert found.as_played == pytest.approx(theirs.scores.to_dict(), rel=1e-9, abs=1e-9)
    assert found.missing == games - played.sum()


def test_the_mean_over_all_orders() -> None:
    """Five games have 120 orders: the exact mean and spread, which 4000 random ones come near."""
    a, b, points = list("xxyzx"), list("yzzxy"), [1, 0, 0.5, 1, 0]
    ends = [
        plain([a[i] for i in o], [b[i] for i in o], [points[i] for i in o], k=64)["x"] for o in permutations(range(5))
    ]
    found = elo(a, b, points, k=64, shuffles=4000, bootstrap=FAST)

    assert found.ratings["x"].value == pytest.approx(np.mean(ends), abs=4 * np.std(ends) / 4000**0.5)
    assert found.spread["x"] == pytest.approx(np.std(ends), rel=0.08)


def test_the_interval_leaves_the_order_out() -> None:
    """A large k makes one order say little; the mean over orders is known better than its spread, and centred there."""
    rng = np.random.default_rng(1)
    a = rng.integers(0, 4, 400)
    b = (a + rng.integers(1, 4, 400)) % 4
    found = elo(a, b, rng.random(400) < 0.5, k=64, shuffles=400, bootstrap=FAST)
    one = found.ratings[0]

    assert one.low is not None
    assert one.value - one.low < 1.96 * found.spread[0]


def test_missing_verdicts_are_counted() -> None:
    found = elo(list("xxq"), list("yyx"), ["a", "b", None], shuffles=10, bootstrap=FAST)

    assert (found.missing, found.unseen) == (1, ("q",))


@pytest.mark.parametrize(
    ("options", "says"),
    [({"k": 0}, "above 0"), ({"scale": -1}, "above 0"), ({"shuffles": 1}, "two shuffles"), ({"units": [1]}, "2 comp")],
)
def test_what_makes_no_rating_is_refused(options: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        elo(["x", "y"], ["y", "x"], ["a", "b"], **options)
    with pytest.raises(NotEstimableError, match="no comparison has a verdict"):
        elo(["x"], ["y"], [None])
