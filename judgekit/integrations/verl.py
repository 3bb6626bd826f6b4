"""verl: ``compute_score`` for ``reward.custom_reward_function``, or a reward manager that knows the prompt.

How a missing reward is said: verl's default trainer leaves out a rollout whose reward raises; the others of its group
are trained on, by the mean and the deviation of their own. So ``unscored=None`` raises `UnscoredError`. Elsewhere an
exception is something else: the asynchronous trainers replace the whole group, the manager ``rate_limited`` makes it
the score 0, and a reward model that shares the policy's GPUs, as the trainer before (``trainer.use_v1=False``), ends
the run. For these ``unscored`` is a number, which is the score, and the key ``unscored`` is 1. The number enters the
group's mean: choose about what an average response gets. Every answer has the same keys: ``score``, one for each
channel and ``unscored``. A channel without a value is None, which verl leaves out of the figures of a validation; NaN
it does not.

verl asks for one sample at a time, siblings in different processes, so channels that look at the group are refused.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from judgekit.errors import InputError
from judgekit.integrations.answers import figures, free_names, in_thread, never_raises, single, single_rollouts
from judgekit.rewards import CompositeReward, Rollout

Answer = dict[str, float | None]


def compute_score(reward: CompositeReward, *, unscored: float | None) -> Callable[..., Awaitable[Answer]]:
    """Return verl's ``compute_score``. It is not told the prompt: rows need it in ``extra_info["prompt"]``.

    Raises:
        InputError: the reward needs the group, is to raise, or a channel is called score, acc or unscored.
    """
    _fits(reward)

    async def compute_score(
        data_source: Any,
        solution_str: str,
        ground_truth: Any,
        extra_info: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> Answer:
        columns = {**(extra_info or {}), "data_source": data_source, "reference": ground_truth}
        if (prompt := columns.pop("prompt", None)) is None:
            raise InputError("verl does not tell a reward the prompt: put it into extra_info['prompt'] of every row")
        return await in_thread(_answer, reward, Rollout(_plain(prompt), solution_str, "", columns), unscored)

    return compute_score


def reward_manager(reward: CompositeReward, *, unscored: float | None) -> type:
    """Return a class for ``reward.reward_manager`` (source: importlib): as `compute_score`, with verl's ``raw_prompt``.

    Raises:
        InputError: as for `compute_score`.
    """
    _fits(reward)

    class RewardManager:
        def __init__(self, config: Any, tokenizer: Any, compute_score: Any = None, *_: Any, **__: Any) -> None:
            self.config, self.tokenizer = config, tokenizer

        async def run_single(self, data: Any) -> dict[str, Any]:
            answer = await in_thread(_answer, reward, _rollout(data[-1:][0], self.tokenizer), unscored)
            return {"reward_score": answer["score"], "reward_extra_info": answer}

        @classmethod
        def assemble_rm_scores(cls, data: Any, scores: list[float]) -> Any:
            """Put each score at the last token of its response: float32, of the shape of the responses."""
            start = data.batch["prompts"].size(1)
            last = data.batch["attention_mask"][:, start:].sum(dim=1) - 1
            found = data.batch["responses"].new_zeros(data.batch["responses"].shape).float()
            found[list(range(len(scores))), last.tolist()] = found.new_tensor(scores)
            return found

    return RewardManager


def _rollout(item: Any, tokenizer: Any) -> Rollout:
    """Make a rollout of a verl ``DataProtoItem``."""
    about, tokens = item.non_tensor_batch, item.batch["responses"]
    length = int(item.batch["attention_mask"][-tokens.shape[-1] :].sum())
    columns = {**(about.get("extra_info") or {}), "data_source": about.get("data_source")}
    columns["reference"] = (about.get("reward_model") or {}).get("ground_truth")
    text = tokenizer.decode(tokens[:length], skip_special_tokens=True)
    return Rollout(_plain(about["raw_prompt"]), text, "", columns)


def _plain(prompt: Any) -> Any:
    """Return a prompt as a text or a list of turns; of a batch verl makes arrays of turns."""
    return prompt.tolist() if hasattr(prompt, "tolist") else prompt


def _fits(reward: CompositeReward) -> None:
    single_rollouts(reward, "verl")
    never_raises(reward, "verl", "leaves a rollout out")
    free_names(reward, "score", "acc")


def _answer(reward: CompositeReward, rollout: Rollout, unscored: float | None) -> Answer:
    score, found = single(reward, rollout, unscored)
    return {"score": score} | {name: None if math.isnan(v) else v for name, v in figures(found, 0).items()}
