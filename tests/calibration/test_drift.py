"""The anchor watch: its bets are fair, false alarms are rare for ever, drift is found, and it can be continued."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration.drift import Drift


def stream(rng: np.random.Generator, length: int, shift: float = 0.0, start: int = 0) -> list[tuple[float, float]]:
    """Half steps around the expected score, which lies far enough from the ends that none is cut off."""
    expected = rng.choice([2.5, 3.0, 3.5], length)
    moved = shift * (np.arange(length) >= start)
    noise = rng.choice([-1, -0.5, 0, 0.5, 1], length, p=[0.1, 0.2, 0.4, 0.2, 0.1])
    return list(zip((expected + noise + moved).tolist(), expected.tolist(), strict=True))


def test_one_bettor_by_hand() -> None:
    """No bet on the first. Then mean .5 / 2 = .25; variance (16/16 + .25) / 2 - .0625 = .5625; bet .25 / .625 = .4;
    the next gap is 1: 1.4. Half of the first bettor's half of the money is on "up", and a second has started."""
    drift = Drift(1, 5, 0).update([(3.5, 3)])
    assert drift.evidence == pytest.approx(1)

    drift = drift.update([(4, 3)])
    assert drift.bettors[0].up == pytest.approx(math.log(1.4)) and len(drift.bettors) == 2
    assert drift.evidence == pytest.approx(1 + 0.5 * 0.5 * 0.4)


@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 3, 4.5, 5]), st.sampled_from([1, 2, 3, 5])), max_size=12),
    st.sampled_from([1, 2, 3, 4, 5]),
    st.sampled_from([0, 0.1, 0.5]),
    st.integers(-1, 1),
)
def test_no_bet_is_better_than_fair(
    past: list[tuple[float, float]], expected: float, tolerance: float, side: int
) -> None:
    """Whatever was seen: if the next gap has any mean within the tolerance, the evidence does not grow on average."""
    drift = Drift(1, 5, tolerance).update(past)
    mean = min(max(expected + side * tolerance, 1), 5)
    high = (mean - 1) / 4  # on 1 or 5 only, the widest there is
    average = (1 - high) * drift.update([(1, expected)]).evidence + high * drift.update([(5, expected)]).evidence

    assert average <= drift.evidence * (1 + 1e-9)
    assert drift.update([(1, expected)]).evidence > 0


def test_it_continues_from_a_file() -> None:
    judged = stream(np.random.default_rng(0), 60, 0.5)
    whole = Drift(1, 5, 0.02).update(judged)
    half = json.loads(json.dumps(asdict(Drift(1, 5, 0.02).update(judged[:25]))))

    assert Drift.of(half).update(judged[25:]) == whole
    assert json.loads(json.dumps(asdict(whole))) == json.loads(json.dumps(asdict(Drift.of(asdict(whole)))))


def test_a_missing_verdict_bets_nothing() -> None:
    judged = stream(np.random.default_rng(0), 20, 0.5)
    gaps = [item for pair in judged for item in (pair, (None, 3.0))]
    one, two = Drift(1, 5, 0).update(judged), Drift(1, 5, 0).update(gaps)

    assert (two.seen, two.unscored, two.evidence) == (40, 20, one.evidence)


@pytest.mark.parametrize(("shift", "start", "within"), [(0.5, 0, 80), (-0.5, 0, 80), (0.5, 150, 120)])
def test_drift_is_found(shift: float, start: int, within: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        drift = Drift(1, 5, 0).update(stream(rng, start + within, shift, start))
        assert drift.drifted and drift.direction == ("up" if shift > 0 else "down")
        assert drift.alarm > start and drift.peak >= 100


def test_drift_within_the_tolerance_is_none() -> None:
    drift = Drift(1, 5, 0.3, alpha=0.05).update(stream(np.random.default_rng(2), 300, 0.25))

    assert not drift.drifted


@pytest.mark.slow
def test_false_alarms_at_any_time() -> None:
    """2,000 clean streams of 60, looked at after every judgment: at most 5 % ever alarm."""
    rng = np.random.default_rng(3)
    alarms = sum(Drift(1, 5, 0, alpha=0.05).update(stream(rng, 60)).drifted for _ in range(2000))

    assert alarms / 2000 <= 0.05


@pytest.mark.parametrize("at", [(5, 1, 0, 0.01), (1, 5, -1, 0.01), (1, 5, 4, 0.01), (1, 5, 0, 1)])
def test_watches_that_cannot_be(at: tuple[float, float, float, float]) -> None:
    with pytest.raises(InputError, match="low is below high"):
        Drift(*at)


def test_bad_input() -> None:
    with pytest.raises(InputError, match="judgment 2: score 6, expected 3: off the scale"):
        Drift(1, 5, 0).update([(3, 3), (6, 3)])
    with pytest.raises(InputError, match="off the scale"):
        Drift(1, 5, 0).update([(float("nan"), 3)])
    with pytest.raises(InputError, match="not the state"):
        Drift.of({"low": 1})
