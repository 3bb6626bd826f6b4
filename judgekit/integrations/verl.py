"""verl: ``compute_score`` for ``reward.custom_reward_function``, or a reward manager that knows the prompt.

How a missing reward is said: verl has no way; NaN would spoil the mean of the whole group. With ``unscored=None`` the
adapter raises `UnscoredError`, and the run stops; with a number, that number is the score, and the key ``unscored`` is
1. The number enters the group's mean: choose about what an average response gets. Every answer has the same keys:
``score``, one for each channel (NaN where it has no value) and ``unscored``.

verl asks for one sample at a time, siblings in different processes, so channels that look at the group are refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from judgekit.errors import InputError
from judgekit.integrations.answers import figures, free_names, in_thread, single, single_rollouts
from judgekit.rewards import CompositeReward, Rollout


def compute_score(reward: CompositeReward, *, unscored: float | None) -> Callable[..., Awaitable[dict[str, float]]]:
    """Return verl's ``compute_score``. It is not told the prompt: rows need it in ``extra_info["prompt"]``.

    Raises:
        InputError: the reward needs the group, or a channel is called score or unscored.
    """
    _fits(reward)

    async def compute_score(
        data_source: Any,
        solution_str: str,
        ground_truth: Any,
        extra_info: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> dict[str, float]:
        columns = {**(extra_info or {}), "data_source": data_source, "reference": ground_truth}
        if (prompt := columns.pop("prompt", None)) is None:
            raise InputError("verl does not tell a reward the prompt: put it into extra_info['prompt'] of every row")
        return await in_thread(_answer, reward, Rollout(prompt, solution_str, "", columns), unscored)

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
    return Rollout(about["raw_prompt"], tokenizer.decode(tokens[:length], skip_special_tokens=True), "", columns)


def _fits(reward: CompositeReward) -> None:
    single_rollouts(reward, "verl")
    free_names(reward, "score", "acc")


def _answer(reward: CompositeReward, rollout: Rollout, unscored: float | None) -> dict[str, float]:
    score, found = single(reward, rollout, unscored)
    return {"score": score, **figures(found, 0)}
