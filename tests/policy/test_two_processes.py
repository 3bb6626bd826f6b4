"""Two processes with groups that lie across them: references, advantages, logs and steps are those of one process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integrations.test_two_processes import run
from tests.policy import injecting_two

pytest.importorskip("trl")
LOGGED = ("loss", "grad_norm", "reward", "reward_std")
INJECTION = (
    "groups missing too_long unscored reference_minus_policy wins advantage weight loss_policy loss_reference"
).split()


@pytest.fixture(scope="module")
def one(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from judgekit.training.arguments import theirs

    with theirs():
        return injecting_two.train(str(tiny), tmp_path_factory.mktemp("one"), 1)


@pytest.fixture(scope="module")
def both(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("two")
    return run(str(Path(injecting_two.__file__)), folder, str(tiny), str(folder / "run"))


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(one: Any, both: Any) -> None:
    """The second step is by the same rollouts, so the ratios of the policy's own are no longer 1."""
    assert [entry["clip_ratio/region_mean"] > 0 for entry in one["curve"]] == [False, True]
    assert sum(change[0] for change in one["moved"]) > 1
    for process in both:
        for found, expected in zip(process["moved"], one["moved"], strict=True):
            assert found == pytest.approx(expected, abs=1e-5)
        for entry, alone in zip(process["curve"], one["curve"], strict=True):
            names = [name for name in alone if name in LOGGED or name.startswith("injection/")]
            assert {n: entry[n] for n in names} == pytest.approx({n: alone[n] for n in names}, abs=1e-4)


@pytest.mark.slow
def test_the_references_are_the_last_of_their_groups_everywhere(one: Any, both: Any) -> None:
    assert {name for entry in one["curve"] for name in entry if name.startswith("injection/")} == {
        f"injection/{name}" for name in INJECTION
    }
    for process in both:
        assert process["advantages"] == pytest.approx(one["advantages"], abs=1e-6)
        assert process["injected"] == one["injected"]
        assert process["left_out"] == one["left_out"] == {"missing": 1, "too long": 1}
    places = [i for i, there in enumerate(one["injected"]) if there]
    assert places == [3, 11, 15]
    assert one["advantages"][15] == 0 and all(one["advantages"][i] for i in (3, 11))
