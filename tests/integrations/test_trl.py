"""TRL's own code: what its trainer makes of rewards that are missing, and of the async form."""

from __future__ import annotations

import asyncio
import inspect
import math
import pickle  # noqa: TID251 - AsyncGRPOTrainer sends rewards to another process so
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from judgekit import InputError
from judgekit.integrations.trl import asynchronous
from judgekit.rewards import Channel, CompositeReward, Rollout
from judgekit.rewards.ranks import Ranks
from tests.integrations.rewards import plain

pytest.importorskip("trl")
JUDGE = [0.7, 0.8, None, 0.75]


class InTurn(Channel):
    """Gives its values to the rollouts of a batch in turn, whatever the tiny model wrote."""

    grouped = True

    def __init__(self, name: str, values: Sequence[float | None]) -> None:
        self.name, self.values = name, values

    def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
        return [self.values[i % len(self.values)] for i in range(len(rollouts))]


def apart(name: str, values: Sequence[float | None]) -> Callable[..., list[float | None]]:
    def function(completions: Sequence[Any], **_: Any) -> list[float | None]:
        return [values[i % len(values)] for i in range(len(completions))]

    function.__name__ = name
    return function


Make = Callable[..., Any]


@pytest.fixture(scope="module")
def trainer(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return a maker of real trainers: a tiny model, one prompt, one group, one step."""
    import trl
    from datasets import Dataset

    from judgekit.models.local import LocalConfig, LocalModel
    from judgekit.training.arguments import arguments, theirs
    from judgekit.training.weights import load_trainable

    where = LocalConfig(provider="local", path=str(tiny))

    def make(functions: Any, group: int = 4, **more: Any) -> Any:
        how = {"max_steps": 1, "per_device_train_batch_size": group, "num_generations": group, "logging_steps": 1}
        settings = {**how, "max_completion_length": 4, "save_strategy": "no", "learning_rate": 1e-2, **more}
        with theirs():
            return trl.GRPOTrainer(
                model=load_trainable(where, None),
                args=arguments(trl.GRPOConfig, settings, tmp_path_factory.mktemp("run"), 5),
                train_dataset=Dataset.from_list([{"prompt": "<|im_start|>user\nwrite<|im_end|>\n", "level": 3}] * 4),
                processing_class=LocalModel(where).tokenizer,
                reward_funcs=functions,
            )

    return make


def advantages(trainer: Any) -> list[float]:
    from judgekit.training.arguments import theirs

    with theirs():
        trainer.train()
    return list(trainer._logs["advantages"])


def test_beside_another_function_trls_default_makes_a_failed_judge_the_worst(trainer: Make) -> None:
    """1.7, 1.8, 1 (nansum) and 1.75: mean 1.5625, deviation 0.3772, so (1 - 1.5625) / 0.3773 = -1.49."""
    run = trainer([apart("judge", JUDGE), apart("format", [1.0])])
    assert run.multi_objective_aggregation == "sum_then_normalize"

    assert advantages(run) == pytest.approx([0.364, 0.629, -1.491, 0.497], abs=1e-3)


def test_as_channels_it_has_no_advantage_and_the_others_those_of_a_group_without_it(trainer: Make) -> None:
    """1.7, 1.8, 1.75: mean 1.75, deviation 0.05; -0.05 / (0.05 + 0.0001) = -0.998."""
    found = advantages(trainer(CompositeReward([InTurn("judge", JUDGE), InTurn("format", [1.0])])))
    known = [value for value in JUDGE if value is not None]
    without = advantages(trainer(CompositeReward([InTurn("judge", known), InTurn("format", [1.0])]), group=3))

    assert found == pytest.approx([-0.998, 0.998, 0, 0], abs=1e-3)
    assert [found[0], found[1], found[3]] == pytest.approx(without, abs=1e-4) and found[2] == 0


def test_a_step_in_which_every_judge_failed_moves_nothing(trainer: Make) -> None:
    run = trainer(CompositeReward([InTurn("judge", [None])], name="story"))

    assert advantages(run) == [0, 0, 0, 0]
    [entry] = [entry for entry in run.state.log_history if "reward" in entry]
    assert entry["story/unscored"] == 1 and entry["grad_norm"] == 0 and entry["reward"] is None


def test_trl_calls_both_forms(trainer: Make) -> None:
    """`_calculate_rewards` with real rows: values in order, NaN for None, the async form beside the synchronous one."""
    reward = plain(name="story")
    run = trainer([reward, asynchronous(reward)])
    texts = ["0.7 1", "fail 1", "0.1 0", "0.25 1"]
    rows = [{"prompt": "p", "level": i} for i in range(4)]
    found = run._calculate_rewards(rows, ["p"] * 4, texts, [[1]] * 4)

    assert run.reward_func_names == ["story", "judged"]
    for column in range(2):
        assert found[[0, 2, 3], column].tolist() == pytest.approx([1.2, 0.1, 0.75])
        assert math.isnan(found[1, column])
    chats = [[{"role": "assistant", "content": text}] for text in texts]
    again = run._calculate_rewards(rows, [[{"role": "user", "content": "p"}]] * 4, chats, [[1]] * 4)
    assert again[3].tolist() == pytest.approx([0.75, 0.75])
    run.reward_funcs[1] = asynchronous(plain(on_error="raise"))
    with pytest.raises(ConnectionError, match="no route"):
        run._calculate_rewards(rows[:1], ["p"], ["boom 1"], [[1]])


def test_every_trl_knows_the_async_form_as_one() -> None:
    from trl.trainer.utils import is_async_callable

    function = asynchronous(plain())
    assert inspect.iscoroutinefunction(function) and is_async_callable(function)
    copy = pickle.loads(pickle.dumps(function))
    assert asyncio.run(copy(prompts=["p", "p"], completions=["0.7 1", "fail 1"], reward=[1, 2])) == [1.2, None]
    assert asyncio.run(function(prompts=[], completions=[])) == []


def test_the_async_form_is_for_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ranks, "current", classmethod(lambda cls: cls(0, 2)))
    with pytest.raises(InputError, match="use the synchronous form"):
        asyncio.run(asynchronous(plain())(prompts=["p"], completions=["0.7 1"]))
