"""The reward for nearness, by hand: 1 for the given score, -1 for the far end and for what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from judgekit import Criterion, Rubric
from judgekit.config import load
from judgekit.errors import ConfigError
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.training.distance import DistanceSettings, closeness, distance_reward

PLOT, END = Criterion(id="plot", title="Plot", range=(0, 5), step=0.5), Criterion(id="end", title="End", range=(1, 3))
RUBRIC = Rubric(id="x/two", title="Two", criteria=(PLOT, END), reply="lines")


@pytest.mark.parametrize(
    ("reply", "given", "expected"),
    [
        ("Reasons: x\nplot: 3\nend: 2", (3.0, 2.0), 1.0),
        ("Reasons: x\nplot: 5\nend: 3", (0.0, 1.0), -1.0),
        # plot: 1 - 2 * 1/5 = 0.6; end: 1 - 2 * 1/2 = 0; the mean is 0.3
        ("Reasons: x\nplot: 4\nend: 2", (3.0, 3.0), 0.3),
        # a mean of raters between two values: plot 1 - 2 * 0.25/5 = 0.9, end 1
        ("Reasons: x\nplot: 3\nend: 2", (3.25, 2.0), 0.95),
        # end is off the menu: 1 and -1
        ("Reasons: x\nplot: 3\nend: 9", (3.0, 2.0), 0.0),
        ("Reasons: x\nplot: 3", (3.0, 2.0), 0.0),
        ("I cannot say.", (3.0, 2.0), -1.0),
        (None, (3.0, 2.0), -1.0),
    ],
)
def test_closeness(reply: str | None, given: tuple[float, float], expected: float) -> None:
    assert closeness(RUBRIC, reply, given) == pytest.approx(expected)


def test_a_reply_that_never_ends_is_worth_nothing(tiny: Path) -> None:
    model = LocalModel(LocalConfig(provider="local", path=str(tiny), device="cpu"))
    good = "Reasons: x\nplot: 3\nend: 2"
    ended, cut = model.tokens([good + model.turn_end, good])

    found = distance_reward(RUBRIC, model)(completion_ids=[ended, cut], scores=[[3.0, 2.0]] * 2, prompts=["", ""])

    assert found == [1.0, -1.0]


def test_shaping_is_no_setting_here(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("shaping: {kind: entropy}\n")

    with pytest.raises(ConfigError, match="unknown key 'shaping'"):
        load(path, DistanceSettings)
