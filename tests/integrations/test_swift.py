"""ms-swift: what its own code (4.6.0) makes of a plugin, and its call repeated. None is NaN there, and summed as 0."""

from __future__ import annotations

import asyncio
import inspect
import math
from typing import Any

import pytest

from judgekit import InputError
from judgekit.integrations.swift import async_orm, orm
from judgekit.rewards.ranks import Ranks
from tests.integrations.own.report import report
from tests.integrations.rewards import grouped, plain

Own = dict[str, Any]


@pytest.fixture(scope="module")
def own() -> Own:
    """What ms-swift's own code made of `tests/integrations/own/swift_plugin.py`."""
    found: Own = report("of_swift.py", "swift")
    return found


def test_swifts_own_code_finds_both_forms_and_gives_a_failed_judge_no_advantage(own: Own) -> None:
    """1.2, 0.4, 0.1, 0.1 have mean 0.45, which the failed one gets. As None it is summed as 0, of mean 0.36."""
    assert own["names"] == ["story", "story"]
    assert own["story"] == own["async_story"] == pytest.approx([0.75, 0, -0.05, -0.35, -0.35], abs=1e-6)
    assert own["none"] == pytest.approx([0.84, -0.36, 0.04, -0.26, -0.26], abs=1e-6)


def test_what_a_channel_is_shown_there_and_equal_responses_once(own: Own) -> None:
    """The last two of five are equal but for their request."""
    prompt, completion, reference, columns = own["saw"]
    assert prompt == [{"role": "user", "content": "write"}] and (completion, reference) == ("0.7 1", "truth")
    assert "reference" in columns and "request_id" not in columns and own["shown"] == 4


def rewards_per_func(function: Any, texts: list[str], prompts: list[str]) -> list[float]:
    """Call as ms-swift does: completions first, the chat with the response in it, a column for each field of a row."""
    messages = [
        [{"role": "user", "content": prompt}, {"role": "assistant", "content": text}]
        for prompt, text in zip(prompts, texts, strict=True)
    ]
    columns = {"trainer_state": None, "messages": messages, "prompt_id": prompts, "is_truncated": [False] * len(texts)}
    output = function(texts, **columns)
    if inspect.iscoroutinefunction(type(function).__call__):

        async def all_() -> list[Any]:
            return await asyncio.gather(output)

        [output] = asyncio.run(all_())
    return [math.nan if reward is None else reward for reward in output]


def advantages(rewards: list[float]) -> list[float]:
    """One function, one group, ``scale_rewards="none"``: nansum over functions, then less the mean."""
    summed = [0.0 if math.isnan(reward) else reward for reward in rewards]
    return [reward - sum(summed) / len(summed) for reward in summed]


FORMS = pytest.mark.parametrize("form", [orm, async_orm])


@FORMS
def test_one_failed_judge_has_no_advantage(form: Any) -> None:
    """1.2 and 0.4 with the missing one as 0.8: 0.4, 0, -0.4. As None it would have had (0 - 1.6 / 3) = -0.53."""
    function = form(plain(), unscored=0.5)(args=None)
    found = rewards_per_func(function, ["0.7 1", "fail 1", "0.4 0"], ["p"] * 3)

    assert advantages(found) == pytest.approx([0.4, 0, -0.4])
    assert advantages([1.2, math.nan, 0.4])[1] == pytest.approx(-1.6 / 3)


@FORMS
def test_order_all_failed_exceptions_and_step_after_step(form: Any) -> None:
    function = form(plain(), unscored=0.5)(args=None)
    texts, prompts = ["0.7 1", "fail 1", "0.1 0", "fail 1"], ["p", "q", "p", "q"]

    for _ in range(2):  # each step has an event loop of its own
        assert rewards_per_func(function, texts, prompts) == [1.2, 0.5, 0.1, 0.5]
    assert rewards_per_func(function, ["boom 1", "0.5 1"], ["p", "p"]) == [0.5, 0.5]
    assert rewards_per_func(function, [], []) == []


def test_channels_that_need_the_group() -> None:
    function = orm(grouped(), unscored=0)()
    assert rewards_per_func(function, ["0 short", "0 a longer one", "0 x"], ["p", "p", "q"]) == [0.5, 0, 0]


def test_the_class_has_the_name_that_logs_will_show() -> None:
    assert orm(plain(name="story"), unscored=0).__name__ == async_orm(plain(name="story"), unscored=0).__name__
    assert orm(plain(name="story"), unscored=0).__name__ == "story"


def test_bad_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="a column 'messages'"):
        orm(plain(), unscored=0)()(["0.5 1"])
    monkeypatch.setattr(Ranks, "current", classmethod(lambda cls: cls(0, 2)))
    with pytest.raises(InputError, match="use the synchronous form"):
        rewards_per_func(async_orm(plain(), unscored=0)(), ["0.5 1"], ["p"])


@FORMS
def test_equal_responses_are_judged_once_whatever_names_their_requests_have(form: Any) -> None:
    reward = plain()
    messages = [[{"role": "user", "content": "p"}, {"role": "assistant", "content": "0.7 1"}]] * 4
    function = form(reward, unscored=0.5)()
    found = function(["0.7 1"] * 4, messages=messages, prompt_id=["p"] * 4, request_id=list("abcd"))
    found = asyncio.run(found) if inspect.isawaitable(found) else found

    assert found == [1.2] * 4 and reward.last is not None and reward.last.asked["judge"] == 1
