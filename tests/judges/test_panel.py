"""The panel: how members are put together, and what a failed one changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from judgekit import Comparison, InputError, Judge, PanelJudge, Preference, Sample, Score


class Says(Judge):
    """A judge that says one thing."""

    def __init__(self, verdict: object, scale: tuple[float, float] | None = (0.0, 10.0)) -> None:
        self.verdict, self.scale = verdict, scale

    @property
    def identity(self) -> dict:
        return {"says": self.verdict}

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        error = "broken" if self.verdict is None else None
        return [Score(self.verdict, self.scale, error=error) for _ in samples]

    def compare(self, comparisons: Sequence[Comparison]) -> list[Preference]:
        if self.verdict is None:
            return [Preference(None, error="broken") for _ in comparisons]
        return [Preference(*self.verdict) for _ in comparisons]


def score(*values: float | None, **settings: object) -> Score:
    return PanelJudge([Says(value) for value in values], **settings).score([Sample("p", "r")])[0]


def compare(*verdicts: tuple | None, **settings: object) -> Preference:
    return PanelJudge([Says(verdict) for verdict in verdicts], **settings).compare([Comparison("p", "x", "y")])[0]


@pytest.mark.parametrize(
    ("combine", "value"),
    [("mean", 5.0), ("median", 4.0), ("majority", 2.0)],  # of 2, 2, 4, 8, 9
)
def test_scores_are_put_together(combine: str, value: float) -> None:
    assert score(2.0, 2.0, 4.0, 8.0, 9.0, combine=combine).value == value


def test_weights_weigh() -> None:
    assert score(2.0, 8.0, combine="weighted", weights=[3, 1]).value == (3 * 2 + 8) / 4


def test_spread_and_members_are_shown() -> None:
    panel = score(2.0, 4.0, 6.0)

    assert panel.spread == 2
    assert panel.criteria == {"judge_1": 2.0, "judge_2": 4.0, "judge_3": 6.0}


def test_a_failed_member_is_left_out_and_named() -> None:
    panel = score(2.0, None, 6.0)

    assert panel.value == 4
    assert panel.criteria["judge_2"] is None
    assert "judge_2: broken" in panel.rationale


def test_half_of_the_members_are_not_enough() -> None:
    panel = score(2.0, None)

    assert panel.value is None
    assert panel.error == "1 of 2 judges failed: judge_2: broken"


def test_members_on_different_scales_meet_on_zero_to_one() -> None:
    panel = PanelJudge([Says(5.0), Says(4.0, (1.0, 5.0)), Says(0.0, None)])
    [result] = panel.score([Sample("p", "r")])

    # 5/10, 3/4, logistic(0) = 1/2
    assert result.value == pytest.approx((0.5 + 0.75 + 0.5) / 3)
    assert result.scale == (0.0, 1.0)


def test_pairs_pool_probabilities_or_count_winners() -> None:
    members = (("a", 0.9), ("b", 0.4), ("b", 0.4))

    assert compare(*members).winner == "a"
    assert compare(*members).probability == pytest.approx(1.7 / 3)
    assert compare(*members).consistent is False
    assert compare(*members, combine="majority").winner == "b"


def test_pairs_tolerate_a_failed_member() -> None:
    assert compare(("a", 1.0), ("a", 1.0), None).winner == "a"
    assert compare(("a", 1.0), None).winner is None


@pytest.mark.parametrize(
    "settings",
    [
        {"combine": "weighted"},
        {"weights": [1, 1]},
        {"combine": "weighted", "weights": [1]},
        {"combine": "weighted", "weights": [1, 0]},
    ],
)
def test_weights_must_fit(settings: dict) -> None:
    with pytest.raises(InputError, match="weights"):
        score(1.0, 2.0, **settings)


def test_an_empty_panel_is_refused() -> None:
    with pytest.raises(InputError, match="at least one"):
        PanelJudge([])


class Mapped(Says):
    """A judge with a profile: it gives its score a reward, and says whether it vouches for it."""

    def __init__(self, value: float | None, reward: float | None, supported: bool = True, **scale: object) -> None:
        super().__init__(value, **scale)
        self.reward, self.supported = reward, supported

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        mapped = {"reward": self.reward, "supported": self.supported}
        return [replace(score, **mapped) for score in super().score(samples)]


def test_rewards_of_profiles_are_put_together_as_the_values_are() -> None:
    """Both maps are flat at 5; the rewards still tell. On 1 to 5 and 0 to 10: (3.2 - 1) / 4 = .55 and .61."""
    [same] = PanelJudge([Mapped(5.0, 4.9), Mapped(5.0, 5.5, False)]).score([Sample("p", "r")])
    [two] = PanelJudge([Mapped(3.0, 3.2, scale=(1.0, 5.0)), Mapped(5.0, 6.1)]).score([Sample("p", "r")])

    assert same.value == 5 and same.reward == pytest.approx(5.2) and same.supported is False
    assert two.reward == pytest.approx((0.55 + 0.61) / 2) and two.supported is True


def test_a_reward_is_the_panels_only_where_every_verdict_has_one() -> None:
    [one] = PanelJudge([Mapped(5.0, 4.9), Says(2.0)]).score([Sample("p", "r")])
    [failed] = PanelJudge([Mapped(5.0, 4.9), Mapped(5.0, 5.5), Mapped(None, None)]).score([Sample("p", "r")])

    assert one.value == 3.5 and one.reward is None
    assert failed.reward == pytest.approx(5.2)
