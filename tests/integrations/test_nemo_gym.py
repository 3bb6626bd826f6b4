"""NeMo-Gym's /verify: a request as its models dump it, and what NeMo-RL checks of the answer.

Its own code (0.4.0) runs here only where it is put into the folder by hand: its wheel has 32 MB, and wants Python 3.12.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from judgekit import InputError
from judgekit.integrations.nemo_gym import verify
from judgekit.rewards import CompositeReward
from tests.integrations.own.report import report
from tests.integrations.rewards import Written, needy, plain

HOW = (
    "`pip install --no-deps --ignore-requires-python --target FOLDER nemo-gym==0.4.0 fastapi"
    " itsdangerous orjson omegaconf` puts it there"
)


@pytest.fixture(scope="module")
def own() -> dict[str, Any]:
    """What NeMo-Gym's own code made of a server with `tests/integrations/own/reward_file.py`."""
    found: dict[str, Any] = report("of_nemo_gym.py", "nemo_gym", how=HOW)
    return found


def test_gyms_own_collection_keeps_a_failed_judge_out_of_the_results_and_asks_again(own: dict[str, Any]) -> None:
    first, second = own["first"], own["second"]

    assert {row["says"]: row["reward"] for row in first["results"]} == {"good": 1.2, "poor": 0.1}
    [failed] = first["failures"]
    assert failed["says"] == "silent" and failed["_ng_failure_judge_error"] == "judge: no value"
    assert {row["says"]: row["reward"] for row in second["results"]} == {"good": 1.2, "poor": 0.1, "silent": 0.7}
    assert own["asked"] == 4 and own["saw"] == ["write", "0.7 1", "truth"]
    for row in second["results"]:
        assert row["reward"] == sum(row["reward_components"].values())


def body(text: str, **more: Any) -> dict[str, Any]:
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
    return {
        "responses_create_params": {"input": [{"role": "user", "content": "write"}]},
        "response": {"id": "r", "output": [{"type": "reasoning", "summary": []}, said]},
        **more,
    }


def replay(reward: CompositeReward, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask for all at the same time, and send the answers over the wire."""

    async def all_() -> list[dict[str, Any]]:
        return await asyncio.gather(*map(verify(reward), bodies))

    return [json.loads(json.dumps(answer, allow_nan=False)) for answer in asyncio.run(all_())]


def test_rewards_are_the_sum_of_their_components() -> None:
    found = replay(plain(), body("0.7 1"), body("0.1 0", level=3))

    assert [row["reward"] for row in found] == [1.2, 0.1]
    assert found[0]["reward_components"] == {"judge": 0.7, "format": 0.5}
    assert all(row["reward"] == sum(row["reward_components"].values()) for row in found)
    assert found[1]["level"] == 3 and found[1]["response"] == body("0.1 0")["response"]
    assert "_ng_failure_class" not in found[0] and "mask_sample" not in found[0]


@pytest.mark.parametrize(("text", "why"), [("fail 1", "judge: no verdict"), ("boom 1", "ConnectionError: no route")])
def test_a_failed_judge_is_a_failure_row(text: str, why: str) -> None:
    [row, other] = replay(plain(), body(text), body("0.7 1"))

    assert row["_ng_failure_class"] == row["failure_kind"] == "judge_failed" and row["mask_sample"] is True
    assert why in row["_ng_failure_judge_error"] and row["_ng_failure_judge_error"] == row["failure_reason"]
    assert row["reward"] == sum(row["reward_components"].values()) == 0
    assert row["reward_components"].keys() == other["reward_components"].keys() and other["reward"] == 1.2


def test_what_a_channel_sees() -> None:
    judge = Written()
    replay(CompositeReward([judge]), body("0.5", reference="r"))

    assert judge.seen[0].prompt == [{"role": "user", "content": "write"}] and judge.seen[0].completion == "0.5"
    assert judge.seen[0].sample.reference == "r"


def test_a_prompt_as_text_and_an_answer_without_words() -> None:
    class Length(Written):
        def __call__(self, rollouts: Any) -> Any:
            self.seen += rollouts
            return [float(len(rollout.completion)) for rollout in rollouts]

    length = Length()
    calls = {"responses_create_params": {"input": "write"}, "response": {"output": [{"type": "function_call"}]}}
    assert replay(CompositeReward([length]), calls)[0]["reward"] == 0
    assert length.seen[0].prompt == "write"


def test_an_item_without_a_type_is_not_scored_as_empty() -> None:
    strange = body("0.5 1")
    del strange["response"]["output"][1]["type"]
    with pytest.raises(InputError, match="has no type"):
        replay(plain(), strange)


def test_refusals() -> None:
    for reward in needy():
        with pytest.raises(InputError, match="NeMo-Gym gives a reward one rollout at a time"):
            verify(reward)
