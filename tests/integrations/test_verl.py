"""verl's reward loop, as its 0.9.1 has it: keyword calls for one sample each, and the dicts put side by side."""

from __future__ import annotations

import asyncio
import inspect
import math
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from judgekit import InputError
from judgekit.integrations.answers import UnscoredError
from judgekit.integrations.verl import compute_score, reward_manager
from judgekit.rewards import CompositeReward
from tests.integrations.rewards import Written, named, needy, plain


def extra(prompt: str = "p") -> dict[str, Any]:
    return {"prompt": prompt, "num_turns": None, "rollout_reward_scores": {}}


async def run_single(compute: Any, text: str, info: dict[str, Any]) -> dict[str, Any]:
    """Call as `NaiveRewardManager.run_single` does."""
    assert inspect.iscoroutinefunction(compute)
    result = await compute(data_source="d", solution_str=text, ground_truth="truth", extra_info=info)
    return {"reward_score": result["score"], "reward_extra_info": dict(result)}


def side_by_side(outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """Do what the agent loop does with a batch of answers: an array for each key that the first one has."""
    infos = [output["reward_extra_info"] for output in outputs]
    return {key: np.array([info[key] for info in infos]) for key in infos[0]}


def replay(compute: Any, texts: list[str]) -> tuple[list[float], dict[str, Any]]:
    async def all_() -> list[dict[str, Any]]:
        return await asyncio.gather(*(run_single(compute, text, extra()) for text in texts))

    outputs = asyncio.run(all_())
    return [output["reward_score"] for output in outputs], side_by_side(outputs)


def test_values_arrive_in_order_and_one_failed_judge_is_marked() -> None:
    scores, infos = replay(compute_score(plain(), unscored=0.6), ["fail 1", "0.7 1", "0.1 0"])

    assert scores == [0.6, 1.2, 0.1]
    assert infos["unscored"].tolist() == [1, 0, 0] and infos["format"].tolist() == [1, 1, 0]
    assert math.isnan(infos["judge"][0]) and all(array.dtype == np.float64 for array in infos.values())


def test_all_failed_and_exceptions_of_a_channel() -> None:
    scores, infos = replay(compute_score(plain(), unscored=0.6), ["fail 1", "boom 1"])
    assert scores == [0.6, 0.6] and infos["unscored"].tolist() == [1, 1]


def test_without_a_number_the_run_stops() -> None:
    with pytest.raises(UnscoredError, match="judge: no verdict"):
        replay(compute_score(plain(), unscored=None), ["0.5 1", "fail 1"])


def test_the_judge_sees_prompt_reference_and_columns() -> None:
    judge = Written()
    replay(compute_score(CompositeReward([judge]), unscored=None), ["0.5"])
    [seen] = judge.seen

    assert (seen.prompt, seen.sample.reference, seen.columns["data_source"]) == ("p", "truth", "d")
    assert "prompt" not in seen.columns


def test_samples_wait_at_the_same_time() -> None:
    """Each judges when all 32 are there, or fails."""
    meeting = CompositeReward([Written(barrier=threading.Barrier(32))])
    scores, _ = replay(compute_score(meeting, unscored=None), [str(i) for i in range(32)])

    assert scores == list(range(32))


def test_refusals() -> None:
    for reward in needy():
        with pytest.raises(InputError, match="verl gives a reward one rollout at a time"):
            compute_score(reward, unscored=0)
        with pytest.raises(InputError, match="verl gives a reward one rollout at a time"):
            reward_manager(reward, unscored=0)
    with pytest.raises(InputError, match="score has a meaning of its own here"):
        compute_score(named("score"), unscored=0)
    with pytest.raises(InputError, match=r"put it into extra_info\['prompt'\]"):
        asyncio.run(compute_score(plain(), unscored=0)("d", "0.5 1", "t", {}))


class Items(list[Any]):
    """A `DataProto` as far as a manager looks: a slice is one again, an index an item."""

    def __getitem__(self, key: Any) -> Any:
        return Items(super().__getitem__(key)) if isinstance(key, slice) else super().__getitem__(key)


class Words:
    words = ("<pad>", "0.7", "1", "fail")

    def decode(self, tokens: Any, skip_special_tokens: bool) -> str:
        return " ".join(self.words[int(token)] for token in tokens)


def test_the_manager() -> None:
    """The response is two tokens of three; the mask ends where it does."""
    torch = pytest.importorskip("torch")
    judge = Written()
    manager = reward_manager(CompositeReward([judge]), unscored=0.5)(None, Words(), None, reward_router_address=None)
    item = SimpleNamespace(
        batch={"responses": torch.tensor([1, 2, 0]), "attention_mask": torch.tensor([1, 1, 1, 1, 0])},
        non_tensor_batch={
            "raw_prompt": [{"role": "user", "content": "write"}],
            "data_source": "d",
            "reward_model": {"ground_truth": "truth"},
            "extra_info": {"x": 1},
        },
    )
    found = asyncio.run(manager.run_single(Items(["another turn", item])))

    assert found == {"reward_score": 0.7, "reward_extra_info": {"score": 0.7, "judge": 0.7, "unscored": 0.0}}
    assert judge.seen[0].completion == "0.7 1" and judge.seen[0].sample.metadata["x"] == 1
    assert judge.seen[0].prompt == [{"role": "user", "content": "write"}]


def test_scores_stand_at_the_last_token() -> None:
    """Prompts of 2, responses of 3: the first has all 3 tokens, the second 1."""
    torch = pytest.importorskip("torch")
    mask = torch.tensor([[1, 1, 1, 1, 1], [0, 1, 1, 0, 0]])
    data = SimpleNamespace(
        batch={"prompts": torch.zeros(2, 2), "responses": torch.zeros(2, 3, dtype=torch.long), "attention_mask": mask}
    )
    found = reward_manager(plain(), unscored=0).assemble_rm_scores(data, [0.5, -1.0])  # type: ignore[attr-defined]

    assert found.tolist() == [[0, 0, 0.5], [-1, 0, 0]] and found.dtype == torch.float32
