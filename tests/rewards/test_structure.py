"""What all structural channels have in common: any text has a value or a reason, quickly, and in any order."""

from __future__ import annotations

import json
import pickle  # noqa: TID251 - trainers send rewards to other processes so
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.rewards import (
    BlankPenalty,
    Channel,
    CompositeReward,
    CREReward,
    FormatReward,
    LengthReward,
    RepetitionPenalty,
    RequestedLengthReward,
    Rollout,
    ThinkingBudgetPenalty,
    TransitionReward,
    story_text,
)

CHANNELS: list[Channel] = [
    FormatReward(),
    FormatReward({"type": "object"}, name="object"),
    FormatReward(variant="mended", name="mended"),
    TransitionReward(),
    TransitionReward({"1": "2"}, name="graph"),
    LengthReward(80, 100),
    LengthReward(80, 100, text=story_text, name="story"),
    RequestedLengthReward(),
    RepetitionPenalty(),
    BlankPenalty(),
    ThinkingBudgetPenalty(),
    CREReward(),
]
COLUMNS: dict[str, Any] = {
    "next_episode": "2",
    "episode": "1",
    "old_log_probs": [-1.0],
    "old_entropy": [1.0],
    "entropy_wo_r": [1.0],
    "info_flow": [0.0],
}
GOOD = json.dumps(
    {"plot_list": [{"narrative": "雨停了。 " + "The rain stopped. " * 30, "role_dialogue": {}}], "next_episode": "2"}
)
TEXTS = [
    "",
    " ",
    GOOD,
    f"<think>Hm.</think>{GOOD}",
    f"<think>{GOOD}",
    GOOD[:-1],
    "混合 of languages, かな 한국어 🙂" * 50,
]


def rollouts(texts: list[str]) -> list[Rollout]:
    return [Rollout("Write 200 words.", text, "g", COLUMNS) for text in texts]


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_no_rollout_and_any_order(channel: Channel) -> None:
    order = random.Random(0).sample(range(len(TEXTS)), len(TEXTS))
    values = channel(rollouts(TEXTS))

    assert channel([]) == []
    assert channel(rollouts([TEXTS[i] for i in order])) == [values[i] for i in order]
    assert all(value is not None and (channel.lowest or 0) <= value <= 1 for value in values)


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_it_can_be_sent_to_another_process(channel: Channel) -> None:
    assert pickle.loads(pickle.dumps(channel))(rollouts(TEXTS)) == channel(rollouts(TEXTS))


@pytest.mark.parametrize("text", ["x" * 100_000, "雨" * 100_000, "\u0301" * 100_000, "&" * 100_000, "\ud800" * 100_000])
def test_100_kilobytes(text: str) -> None:
    begin = time.process_time()
    found = CompositeReward(CHANNELS).score(rollouts([text]))

    assert found.unscored == 0
    assert time.process_time() - begin < 3


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=3))
def test_no_text_breaks_a_channel(texts: list[str]) -> None:
    assert CompositeReward(CHANNELS, on_error="raise").score(rollouts(texts)).unscored == 0


def test_a_turn_as_episodebench_rewards_it() -> None:
    """0.15 fmt + 0.30 acc + 0.15 len + 0.40 CRE, of 1, 1, 1 (3 + 30 * 3 = 93 lies in [80, 100]) and exp(-1)."""
    channels = [FormatReward(), TransitionReward(), LengthReward(80, 100, text=story_text), CREReward()]
    found = CompositeReward(channels, [0.15, 0.30, 0.15, 0.40]).score(rollouts([GOOD]))

    assert found.values == {"format": [1], "transition": [1], "length": [1], "cre": [pytest.approx(0.36787944)]}
    assert found.totals == [pytest.approx(0.6 + 0.4 * 0.36787944)]
