"""The simulated world does what its dials say."""

from __future__ import annotations

import numpy as np
import pytest

from judgekit import InputError
from judgekit.calibration.simulate import World, simulate


def drawn(**dials: float):
    return simulate(World(items=4000, groups=400, **dials), np.random.default_rng(0))


def test_shapes_and_scale() -> None:
    data = simulate(World(items=10, groups=3, raters=2, criteria=4, templates=5), np.random.default_rng(0))

    assert data.judge.shape == data.padded.shape == data.quality.shape == (10, 4)
    assert data.humans.shape == (2, 10, 4) and data.templates.shape == (5, 10) and data.orders.shape == (10, 2)
    assert data.length.shape == data.own.shape == data.markup.shape == data.group.shape == (10,)
    assert set(np.unique(data.judge * 2)) <= set(range(2, 11)) and data.length.min() > 0


def test_without_a_dial_the_judge_is_like_a_rater() -> None:
    data = drawn()

    assert data.judge.mean() == pytest.approx(data.humans.mean(), abs=0.05)
    assert data.judge.std() == pytest.approx(data.humans.std(), abs=0.05)
    assert np.corrcoef(data.length, data.quality.mean(1))[0, 1] > 0.2


def test_dials() -> None:
    plain = drawn()

    assert drawn(severity=-0.5).judge.mean() == pytest.approx(plain.judge.mean() - 0.5, abs=0.05)
    assert drawn(slope=0.2).judge.std() < 0.8 * plain.judge.std()
    assert (drawn(heaping=1).judge % 1 == 0).all() and (plain.judge % 1 == 0).mean() < 0.8
    assert np.ptp(drawn(halo=1).judge, axis=1).max() <= 1
    assert np.isnan(drawn(missing=0.3).humans).mean() == pytest.approx(0.3, abs=0.02)
    assert (drawn(padding=0.5).padded - plain.judge).mean() == pytest.approx(0.5, abs=0.06)
    assert drawn(template=0.5).templates.mean(1).std(ddof=1) == pytest.approx(0.5, abs=0.05)
    first = drawn(position=0.5).orders
    assert (first[:, 0] + 1 - first[:, 1]).mean() / 2 > 0.6
    for dial, column in (("self_preference", "own"), ("markup", "markup")):
        data = drawn(**{dial: 0.5})
        gain = (data.judge - plain.judge).mean(1)
        assert gain[getattr(data, column) == 1].mean() == pytest.approx(0.47, abs=0.05)
        assert gain[getattr(data, column) == 0].mean() == pytest.approx(0)


@pytest.mark.parametrize("dials", [{"items": 0}, {"halo": 2}, {"missing": -0.1}])
def test_worlds_that_cannot_be(dials: dict) -> None:
    with pytest.raises(InputError, match="World"):
        World(**dials)
