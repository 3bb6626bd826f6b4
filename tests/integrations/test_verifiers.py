"""verifiers: a v1 task's scoring, by its own code (0.4.0) and repeated; a rubric's group call, where exceptions are 0.

Rubrics are not in 0.4 any more, and two versions of one package do not lie in one folder: their call is repeated alone.
"""

from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace
from typing import Any

import pytest

from judgekit import InputError
from judgekit.integrations.answers import UnscoredError
from judgekit.integrations.verifiers import group_reward, task_reward
from judgekit.rewards import CompositeReward
from tests.integrations.own.report import report
from tests.integrations.rewards import Written, grouped, needy, plain


@pytest.fixture(scope="module")
def own() -> dict[str, Any]:
    """What verifiers' own code made of `tests/integrations/own/reward_file.py`."""
    found: dict[str, Any] = report("of_verifiers.py", "verifiers")
    return found


def test_verifiers_own_task_loads_the_file_and_adds_up_the_channels(own: dict[str, Any]) -> None:
    """With weight 2: 2 (0.7 + 0.5)."""
    expected = {"rewards": {"judge": [0.7, 2.0], "format": [0.5, 2.0]}, "reward": 2.4, "error": ""}
    assert own["task"]["0.7 1"] == own["again"] == expected


@pytest.mark.parametrize(("reply", "why"), [("fail 1", "no value"), ("boom 1", "ConnectionError: no route")])
def test_a_failed_judge_is_its_own_unscored(own: dict[str, Any], reply: str, why: str) -> None:
    found = own["task"][reply]
    assert found["rewards"] == {"story": None} and found["error"].startswith("TaskError")
    assert f"UnscoredError: a rollout has no reward: judge: {why}" in found["error"]


def test_the_fields_of_a_row_are_columns_also_of_a_trace_that_was_read_back(own: dict[str, Any]) -> None:
    assert own["saw"] == [["write", "0.7 1", "truth", 3]] * 2


def score(function: Any, *replies: str) -> list[float]:
    """Do what `Task.score` does: arguments by name, a mapping recorded key by key, the trace's reward their sum."""

    async def one(reply: str) -> float:
        available = {"task": TASK, "trace": SimpleNamespace(last_reply=reply), "runtime": None}
        taken = {name: available[name] for name in inspect.signature(function).parameters if name in available}
        result = await function(**taken)
        return sum(float(value) for value in result.values())

    async def all_() -> list[float]:
        return await asyncio.gather(*map(one, replies))

    return asyncio.run(all_())


TASK = SimpleNamespace(prompt="write", prompt_text="write", answer="truth", level=3)


def test_a_task() -> None:
    assert score(task_reward(plain()), "0.7 1", "0.1 0") == [1.2, 0.1]


@pytest.mark.parametrize("reply", ["fail 1", "boom 1"])
def test_a_failed_judge_fails_the_rollout(reply: str) -> None:
    with pytest.raises(UnscoredError, match="a rollout has no reward: judge"):
        score(task_reward(plain()), reply)


def test_what_a_channel_sees() -> None:
    judge = Written()
    score(task_reward(CompositeReward([judge])), "0.5")

    assert (judge.seen[0].prompt, judge.seen[0].sample.reference) == ("write", "truth")
    assert judge.seen[0].sample.metadata["level"] == 3


def rubric(function: Any, texts: list[str]) -> list[float]:
    """Call as `Rubric._call_group_reward_func` does."""
    names = set(inspect.signature(function).parameters)
    assert names & {"states", "prompts", "completions", "answers", "tasks", "infos"}  # a group reward by these
    chat = [{"role": "user", "content": "write"}]
    merged = {
        "prompts": [chat for _ in texts],
        "completions": [[{"role": "assistant", "content": text}] for text in texts],
        "answers": ["truth" for _ in texts],
        "states": [{} for _ in texts],
        "tasks": ["default" for _ in texts],
        "infos": [{} for _ in texts],
    }
    try:
        return asyncio.run(function(**{name: value for name, value in merged.items() if name in names}))
    except Exception:  # as verifiers itself has it: the zeros below would fail the tests that expect a number
        return [0.0] * len(texts)


def test_a_rubrics_group() -> None:
    """1.2 and 0.4 beside the failed one: 0.8."""
    function = group_reward(plain(name="story"), unscored=0.5)

    assert rubric(function, ["0.7 1", "fail 1", "0.4 0"]) == pytest.approx([1.2, 0.8, 0.4])
    assert rubric(function, ["fail 1", "fail 1"]) == rubric(function, ["boom 1", "0.5 1"]) == [0.5, 0.5]
    assert rubric(function, []) == [] and function.__name__ == "story"
    assert rubric(group_reward(grouped(), unscored=0), ["0 short", "0 a longer one"]) == [0.5, 0]


def test_refusals() -> None:
    for reward in needy():
        with pytest.raises(InputError, match="verifiers gives a reward one rollout at a time"):
            task_reward(reward)
    with pytest.raises(InputError, match="a rubric of verifiers scores 0 when a reward raises"):
        group_reward(plain(on_error="raise"), unscored=0)
