"""Which items a judge may keep: limits by hand, the risk held in simulation."""

from __future__ import annotations

import numpy as np
import pytest

from judgekit.calibration import Bootstrap, NotEstimableError, escalate
from judgekit.errors import InputError

QUICK = Bootstrap(draws=200)


def test_a_limit_on_the_width_by_hand() -> None:
    found = escalate([1.0, 2, 3, np.nan, 2], [0, 1, 1, np.nan, 0], width=2.0)

    assert found.kept.tolist() == [True, True, False, False, True]
    assert found.share.value == pytest.approx(3 / 5)
    assert found.risk is not None and found.risk.value == pytest.approx(1 / 3)


def test_nothing_kept_has_no_risk() -> None:
    found = escalate([3.0, 4], [0, 1], width=1.0)

    assert found.risk is None and found.share.value == 0
    assert "keeps nothing" in found.note


def planted(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return doubt, loss and groups: the probability of a loss is half of the doubt."""
    rng = np.random.default_rng(seed)
    doubt = rng.random(n)
    return doubt, (rng.random(n) < doubt / 2).astype(float), np.arange(n) // 4


def test_a_limit_on_the_risk_keeps_what_it_can() -> None:
    """Kept up to a doubt of t, the risk is t / 4: 10 % allows t = .4, and the limit must stay below it."""
    doubt, loss, groups = planted(0, 2000)

    found = escalate(doubt, loss, risk=0.1, groups=groups)

    assert 0.2 < found.limit <= 0.4
    assert found.kept.tolist() == (doubt <= found.limit).tolist()
    assert found.risk is not None and found.risk.value < 0.1
    assert found.share.value == pytest.approx(found.limit, abs=0.15)


def test_a_risk_that_cannot_be_had_keeps_nothing() -> None:
    doubt, _, groups = planted(0)

    found = escalate(doubt, np.ones(len(doubt)), risk=0.1, groups=groups)

    assert not found.kept.any() and found.limit == -np.inf
    assert "keeps nothing" in found.note


@pytest.mark.slow
def test_the_risk_stays_below_the_limit() -> None:
    """300 studies: the true risk of what is kept, limit / 4, passes 20 % in at most one of forty, give or take."""
    limits = []
    for seed in range(300):
        doubt, loss, groups = planted(seed)
        limits.append(escalate(doubt, loss, risk=0.2, groups=groups, bootstrap=QUICK).limit)

    assert np.mean(np.array(limits) / 4 > 0.2) <= 0.05
    assert np.isfinite(limits).mean() > 0.9


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: escalate([1.0], [0.0]), InputError, "one limit"),
        (lambda: escalate([1.0], [0.0], width=1, risk=1), InputError, "one limit"),
        (lambda: escalate([1.0], [2.0], width=1), InputError, "between 0 and 1"),
        (lambda: escalate([1.0, 2], [1.0], width=1), InputError, "loss and a group"),
        (lambda: escalate([1.0], [np.nan], width=1), InputError, "loss and a group"),
        (lambda: escalate([1.0, 2, 3], [1.0, 0, 0], risk=0.1), NotEstimableError, "4 groups"),
    ],
)
def test_bad_input(call: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
