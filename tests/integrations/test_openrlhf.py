"""OpenRLHF: what its own code (0.11.2) makes of a reward file, and the same call repeated: lists of one, in threads."""

from __future__ import annotations

import asyncio
import logging
import math
from pathlib import Path
from typing import Any

import pytest

from judgekit import InputError
from judgekit.integrations.openrlhf import reward_func
from judgekit.rewards import CompositeReward
from tests.integrations.own.report import report
from tests.integrations.rewards import Written, named, needy, plain

torch = pytest.importorskip("torch")
PROMPT = "<|im_start|>write<|im_end|>"


Own = dict[str, Any]


@pytest.fixture(scope="module")
def own(tiny: Path) -> Own:
    """What OpenRLHF's own code made of `tests/integrations/own/reward_file.py`."""
    found: Own = report("of_openrlhf.py", "openrlhf", str(tiny))
    return found


def test_openrlhfs_own_executor_loads_the_file_and_makes_experiences(own: Own) -> None:
    """The judge fails on the second response, and raises on the third; put together and taken apart all keys stay."""
    found, info = own["batch"], own["batch"]["info"]

    assert found["rewards"] == found["scores"] == info["reward"] == [1.25, 0.5, 0.5, 0.25]
    assert info["unscored"] == [0, 1, 1, 0] and info["format"] == [1, 1, 1, 0]
    assert [math.isnan(value) for value in info["judge"]] == [False, True, True, False]
    assert own["shown"] == [PROMPT, "0.75 1", "truth"]


def test_a_prompt_that_it_cut_leaves_the_response_unscored(own: Own) -> None:
    assert own["cut"] == [0.5]


def test_why_the_adapter_always_gives_a_number_for_every_key(own: Own) -> None:
    """What raises has no reward there, and its batch fails later; so does one that lacks a key, or has None."""
    assert own["raising"] == [None]
    assert own["raising_last"].startswith("AttributeError") and own["raising_first"].startswith("ValueError")
    assert own["without_a_key"] == "ValueError: Size of info[judge] (3) does not match batch_size (4)"
    assert "NoneType" in own["none"]


async def execute(function: Any, response: str, label: Any = None) -> dict[str, Any]:
    """Fetch a reward and make an experience of it as the executor and the samples generator do."""
    info = (await asyncio.gather(asyncio.to_thread(function, [PROMPT + response], [PROMPT], [label])))[0]
    reward, score = info.get("rewards"), info.get("scores")
    score = info.get("rewards") if score is None else score
    logs = {key: torch.tensor([value]) for key, value in (info.get("extra_logs") or {}).items()}
    return {"rewards": torch.tensor([reward]), "scores": torch.tensor([score]), **logs}


def replay(function: Any, responses: list[str]) -> dict[str, Any]:
    """Return the experiences of a step, each key in one tensor."""

    async def all_() -> list[dict[str, Any]]:
        return await asyncio.gather(*(execute(function, response) for response in responses))

    found = asyncio.run(all_())
    return {key: torch.cat([one[key] for one in found]) for key in found[0]}


def test_values_arrive_in_order_and_one_failed_judge_is_marked(caplog: pytest.LogCaptureFixture) -> None:
    found = replay(reward_func(plain(), unscored=0.5), ["0.75 1", "fail 1", "0.25 0"])

    assert found["rewards"].tolist() == [1.25, 0.5, 0.25] and found["rewards"].shape == (3,)
    assert found["unscored"].tolist() == [0, 1, 0] and found["format"].tolist() == [1, 1, 0]
    assert math.isnan(found["judge"][1]) and "judge: no verdict" in caplog.text


def test_all_failed_and_exceptions_of_a_channel() -> None:
    found = replay(reward_func(plain(), unscored=0.5), ["fail 1", "boom 1"])
    assert found["rewards"].tolist() == [0.5, 0.5] and found["unscored"].tolist() == [1, 1]


def test_empty_and_longer_lists() -> None:
    function = reward_func(plain(), unscored=0.5)

    assert function([], [], []) == {"rewards": [], "extra_logs": {"judge": [], "format": [], "unscored": []}}
    found = function(["p0.5 1", "p0.25 1"], ["p", "p"], [None, None])
    assert found["rewards"] == [1.0, 0.75] and found["extra_logs"]["unscored"] == [0, 0]


def test_a_query_that_does_not_begin_with_its_prompt(caplog: pytest.LogCaptureFixture) -> None:
    """As where a prompt was cut to fit; the others of the call are scored."""
    with caplog.at_level(logging.WARNING):
        found = reward_func(plain(), unscored=0.5)(["ut0.75 1", "cut0.75 1"], ["cut", "cut"], [None, None])

    assert found["rewards"] == [0.5, 1.25] and found["extra_logs"]["unscored"] == [1, 0]
    assert list(found["extra_logs"]) == ["judge", "format", "unscored"]
    assert "1 queries do not begin with their prompt" in caplog.text


def test_special_tokens_are_taken_off_and_the_label_is_the_reference() -> None:
    judge = Written()
    function = reward_func(CompositeReward([judge]), unscored=0.5, ends=["<|im_end|>"])
    function(["p0.5<|im_end|>"], ["p"], ["truth"])

    assert judge.seen[0].completion == "0.5" and judge.seen[0].sample.reference == "truth"


def test_refusals() -> None:
    for reward in needy():
        with pytest.raises(InputError, match="OpenRLHF gives a reward one rollout at a time"):
            reward_func(reward, unscored=0)
    with pytest.raises(InputError, match="loses the reward when a reward raises"):
        reward_func(plain(on_error="raise"), unscored=0)
    with pytest.raises(InputError, match="score has a meaning of its own here"):
        reward_func(named("score"), unscored=0)
