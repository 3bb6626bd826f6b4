"""verl's reward loop: what its own code (0.9.1) makes of a reward file, and the calls that it makes, repeated.

Its managers before the reward loop (naive, batch, dapo, prime) are called by nothing in 0.9.1, and take no coroutine.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from judgekit import InputError
from judgekit.integrations.answers import UnscoredError
from judgekit.integrations.verl import compute_score, reward_manager
from judgekit.rewards import CompositeReward, Monitor
from tests.integrations.own.report import report
from tests.integrations.rewards import Written, named, needy, plain

Own = dict[str, Any]


@pytest.fixture(scope="module")
def own(tiny: Path) -> Own:
    """What verl's own code made of `tests/integrations/own/reward_file.py`."""
    found: Own = report("of_verl.py", "verl", str(tiny))
    return found


FAILED = {"score": 0.6, "judge": None, "format": 1.0, "unscored": 1.0}
GOOD = {"score": 1.2, "judge": 0.7, "format": 1.0, "unscored": 0.0}
POOR = {"score": 0.1, "judge": 0.1, "format": 0.0, "unscored": 0.0}


def test_verls_own_managers_load_the_file_and_call_it(own: Own) -> None:
    """The judge fails on the first text. Four managers of the reward loop, and the one of the file itself."""
    for manager in ("naive", "dapo", "gdpo", "rate_limited", "Stories"):
        assert own["managers"][manager] == [[0.6, FAILED], [1.2, GOOD], [0.1, POOR]], manager


def test_what_a_channel_is_shown_there(own: Own) -> None:
    assert own["shown"]["naive"] == ["p", "truth", 3, "d"]
    assert own["shown"]["Stories"] == [[{"role": "user", "content": "write"}], "truth", 3, "d"]


def test_managers_that_take_no_coroutine_say_so(own: Own) -> None:
    assert "Async reward score is not supported" in own["remote"] and "coroutine" in own["legacy"]


def test_verls_colocated_loop_puts_the_keys_side_by_side(own: Own) -> None:
    """Texts of 6, 5 and 5 tokens: each score stands at the last one."""
    for manager in ("naive", "Stories"):
        found = own["colocated"][manager]
        assert [row.index(max(row)) for row in found["rm_scores"]] == [5, 4, 4]
        assert [sum(row) for row in found["rm_scores"]] == pytest.approx([0.6, 1.2, 0.1])
        assert (found["judge"], found["unscored"]) == ([None, 0.7, 0.1], [1, 0, 0])


def test_a_key_that_is_left_out_is_an_error_there_or_lost_for_all(own: Own) -> None:
    """Without it in the second answer, and in the first."""
    assert own["sparse"]["0.7 1"] == "KeyError: 'judge'"
    assert list(own["sparse"]["fail 1"]) == ["rm_scores", "score", "format", "unscored"]


def test_verls_default_trainer_leaves_out_a_rollout_whose_reward_raises(own: Own) -> None:
    """1.2, 1.3 and 1.25 have mean 1.25 and deviation 0.05: -1, 1 and 0 (less verl's epsilon). The group is trained on.

    With 0.6 instead: mean 1.0875, deviation 0.3276, and (0.6 - 1.0875) / 0.3276 = -1.488 for the judge's failure.
    """
    raising, number = own["sessions"]["strict"], own["sessions"]["compute_score"]
    found = dict(zip(raising["keys"], raising["advantages"], strict=True))

    assert raising["end"] == "failure" and found == pytest.approx({"u_0_0": -1, "u_1_0": 1, "u_3_0": 0}, abs=1e-4)
    assert own["buffers"]["ReplayBuffer"] == {"trained": ["u", "whole"], "thrown": []}
    filled = dict(zip(number["keys"], number["advantages"], strict=True))
    assert number["end"] == "finished" and filled["u_2_0"] == pytest.approx(-1.488, abs=1e-3)


def test_elsewhere_in_verl_an_exception_is_something_else(own: Own) -> None:
    """In the asynchronous trainers the end of the group, for the rate-limited manager the score 0 and other keys."""
    assert own["buffers"]["ReplayBufferAsync"] == {"trained": ["whole"], "thrown": ["u"]}
    failed, good, _ = own["strict"]["rate_limited"]
    assert failed[0] == 0 and failed[1].keys() == {"error", "acc"} and good == [1.2, GOOD]
    assert own["strict"]["naive"] == ["UnscoredError: a rollout has no reward: judge: no value", good, [0.1, POOR]]


def test_a_validation_leaves_out_none_and_not_nan(own: Own) -> None:
    """0.7 and 0.9, and nothing."""
    assert own["validation"]["None"]["mean@2"] == pytest.approx(0.8)
    assert np.isnan(own["validation"]["NaN"]["mean@3"])


def test_gdpo_has_no_place_for_a_missing_value(own: Own) -> None:
    """It spreads over both groups, and a key that is not there is an error; the default trainer has no GDPO at all.

    With numbers -1, 1, 0 and -1, 0, 1: of mean 0 and variance 4 / 5, so over sqrt(0.8).
    """
    for missing in ("None", "NaN"):
        assert np.isnan(own["gdpo"][missing]).all() and len(own["gdpo"][missing]) == 6
    assert own["gdpo"]["number"] == pytest.approx([one / 0.8**0.5 for one in (-1, 1, 0, -1, 0, 1)], abs=1e-3)
    assert "GDPO reward key 'judge' not found" in own["gdpo_without"]
    assert own["v1_gdpo"].startswith("KeyError")


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
    assert infos["judge"].tolist() == [None, 0.7, 0.1]


def test_all_failed_and_exceptions_of_a_channel() -> None:
    scores, infos = replay(compute_score(plain(), unscored=0.6), ["fail 1", "boom 1"])
    assert scores == [0.6, 0.6] and infos["unscored"].tolist() == [1, 1]


def test_without_a_number_it_raises() -> None:
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
    for reward in (plain(on_error="raise"), plain(monitor=Monitor())):
        with pytest.raises(InputError, match="verl leaves a rollout out when a reward raises, it does not stop"):
            compute_score(reward, unscored=None)
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
            "raw_prompt": np.array([{"role": "user", "content": "write"}]),  # as verl's agent loop makes it
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
