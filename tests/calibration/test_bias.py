"""The audit as a whole: planted defects are found, and a clean judge is left in peace."""

from __future__ import annotations

import numpy as np
import pytest

from judgekit import InputError
from judgekit.calibration import Bootstrap
from judgekit.calibration.bias import BANDS, Audit, audit
from judgekit.calibration.simulate import World, simulate

pytest.importorskip("scipy")
FAST = Bootstrap(draws=100)


def audited(world: World, seed: int) -> Audit:
    data = simulate(world, np.random.default_rng(seed))
    return audit(
        data.judge,
        data.humans,
        length=data.length,
        padded=data.padded,
        own=data.own,
        formats={"markdown": data.markup},
        round_to=1,
        templates=data.templates,
        orders=data.orders,
        units=data.group,
        order_units=data.group,
        bootstrap=FAST,
    )


def test_every_probe_runs_where_all_columns_are_there() -> None:
    found = audited(World(missing=0.05), 0)

    assert {f.name.split(":")[0] for f in found.findings} == set(BANDS) and not found.missing
    assert all(f.q >= f.p and f.verdict and f.band == BANDS[f.name.split(":")[0]] for f in found.findings)
    assert found["length"].left_out > 0
    assert all(f.effect.low <= f.effect.value <= f.effect.high for f in found.findings)


PLANTED = [
    ("severity", {"severity": -0.6}, -1),
    ("slope", {"slope": 0.4}, -1),
    ("spread", {"slope": 0.2}, -1),
    ("length", {"length": 0.4}, 1),
    ("padding", {"padding": 0.4}, 1),
    ("self-preference", {"self_preference": 0.7}, 1),
    ("format: markdown", {"markup": -0.7}, -1),
    ("halo", {"halo": 0.7}, 1),
    ("heaping", {"heaping": 0.6}, 1),
    ("template", {"template": 0.4}, 1),
    ("position", {"position": 0.6}, 1),
]


@pytest.mark.parametrize(("name", "dials", "sign"), PLANTED)
def test_a_planted_defect_is_found_with_its_sign(name: str, dials: dict[str, float], sign: int) -> None:
    found = audited(World(**dials), 1)[name]

    assert found.verdict == "biased" and found.effect.value * sign > 0


def test_what_cannot_be_run_says_why() -> None:
    one = simulate(World(raters=1, criteria=1), np.random.default_rng(0))
    found = audit(one.judge[:, 0], one.humans[:, :, 0], length=one.length, units=one.group, bootstrap=FAST)

    assert [f.name for f in found.findings] == ["severity", "spread"]
    assert "two raters" in found.missing["length"] and "two raters" in found.missing["slope"]
    assert found.missing["position"] == "it needs orders="
    assert found.missing["padding"] == "it needs padded="
    assert found.missing["halo"] == "it needs two criteria in judge= and humans="
    assert set(found.missing) | {"severity", "spread"} == set(BANDS)
    assert audit().missing.keys() == BANDS.keys() and not audit().findings
    assert "judge= and humans=" in audit(humans=[[float("nan")]]).missing["severity"]
    with pytest.raises(InputError, match=r"no finding 'halo': it needs two criteria"):
        found["halo"]


def test_bands_are_the_callers_to_set() -> None:
    data = simulate(World(), np.random.default_rng(0))
    how = {"orders": data.orders, "bootstrap": FAST}

    assert audit(**how, bands={"position": 0.3})["position"].verdict == "innocent"
    assert audit(**how, bands={"position": 0.001})["position"].verdict != "innocent"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"bands": {"lenght": 1}}, "did you mean 'length'"),
        ({"length": [3, 0]}, "length is not above 0"),
        ({"judge": [[[1.0]]]}, "axes"),
        ({"judge": [np.inf]}, "infinity"),
        ({"judge": [1, 2, 3], "humans": [[1, 2]]}, r"of \[2, 3\] items"),
    ],
)
def test_bad_input(given: dict, why: str) -> None:
    with pytest.raises(InputError, match=why):
        audit(**given)


@pytest.mark.slow
def test_a_clean_judge_is_left_in_peace() -> None:
    """All nulls are true: at most 5 % of audits may call anything biased, and a test of 5 % rejects as often.

    100 audits of 11 probes; 3 standard errors of a share of .05 among 1,100 tests that are not independent.
    """
    found = [audited(World(missing=0.05), 100 + seed).findings for seed in range(100)]

    assert np.mean([any(f.verdict == "biased" for f in each) for each in found]) <= 0.05
    assert 0.02 < np.mean([f.p < 0.05 for each in found for f in each]) < 0.08
