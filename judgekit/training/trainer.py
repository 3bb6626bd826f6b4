"""TRL's GRPO trainer with entropy shaping, and with what a judge needs: both orders in one batch, pair weights.

Three methods of TRL 1.16 are extended: two whose signatures have been the same since 0.24, and the one that tokenizes
prompts. Only imported when training.
"""

from __future__ import annotations

from typing import Any

import torch
from trl import GRPOTrainer

from judgekit.training.shaping import (
    Shaping,
    entropy_weights,
    group_advantages,
    quadrants,
    ucas_response,
    ucas_tokens,
)
from judgekit.training.verdict import both_orders


class ShapingTrainer(GRPOTrainer):  # type: ignore[misc]
    """GRPO whose advantages are shaped by entropy; logged under ``shaping/``, with the variance of the rewards.

    What counts as right is a reply with an advantage above 0.
    """

    def __init__(self, *args: Any, shaping: Shaping, **kwargs: Any) -> None:
        self._shaping = shaping
        super().__init__(*args, **kwargs)

    def _calculate_rewards(self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: Any) -> Any:
        """Return the rewards of all processes, shape (replies, functions); only here is every group whole."""
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        weights = self.reward_weights.to(rewards)
        self._totals = (rewards * weights).nansum(1).masked_fill(rewards.isnan().all(1), float("nan"))
        return rewards

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        output = super()._generate_and_score_completions(inputs)
        if not self.model.training:
            return output
        known = self._totals[~self._totals.isnan()]
        if len(known) > 1:
            self._log("reward_variance", known.var())
        if self._shaping.kind != "none":
            plain, output["advantages"] = output["advantages"], self._shaped(output)
            self._log("advantage_variance_raw", self.accelerator.gather(plain).var())
            self._log("advantage_variance_shaped", self.accelerator.gather(self._per_reply(output)).var())
        return output

    def _right(self, output: Any) -> Any:
        """Return which replies of all processes are right."""
        return self.accelerator.gather(output["advantages"]) > 0

    def _sampled(self, replies: Any) -> Any:
        """Return which replies of all processes the model has sampled: the others are not shaped."""
        return torch.ones_like(replies, dtype=torch.bool)

    @torch.no_grad()
    def _shaped(self, output: Any) -> Any:
        entropy, certainty, logits = self._measure(output)
        gathered, right = self.accelerator.gather(entropy), self._right(output)
        own = slice(self.accelerator.process_index * len(entropy), (self.accelerator.process_index + 1) * len(entropy))
        for name, count in quadrants(gathered, right).items():
            self._log(name, count)
        if self._shaping.kind == "ucas":
            return self._ucas(output, certainty, logits, own)
        sampled, weights = self._sampled(gathered), torch.ones_like(gathered)
        weights[sampled] = entropy_weights(gathered[sampled], right[sampled], self._shaping.low, self._shaping.high)
        if self._shaping.kind == "entropy":
            return output["advantages"] * weights[own]
        shaped = self._totals * weights
        self._log("reward_variance_shaped", shaped.var())
        return group_advantages(shaped, self.num_generations, self.scale_rewards)[own]

    def _ucas(self, output: Any, certainty: Any, logits: Any, own: slice) -> Any:
        mask = output["completion_mask"]
        gather = self.accelerator.gather
        shaped = ucas_response(gather(output["advantages"]), gather(certainty), self.num_generations)[own]
        inside = logits[mask.bool()]
        lowest, highest = gather(inside.min()[None]).min(), gather(inside.max()[None]).max()
        return ucas_tokens(shaped, logits, mask, lowest, highest)

    def _measure(self, output: Any) -> tuple[Any, Any, Any]:
        """Return each reply's mean token entropy (nats); for UCAS also its certainty, and its tokens' logits."""
        mask = output["completion_mask"]
        ids = torch.cat([output["prompt_ids"], output["completion_ids"]], 1)
        attention = torch.cat([output["prompt_mask"], mask], 1)
        size = self.args.per_device_train_batch_size
        if self._shaping.kind != "ucas":
            measure = self._get_per_token_logps_and_entropies
            _, entropy, *_ = measure(self.model, ids, attention, mask.size(1), batch_size=size, compute_entropy=True)
            return (entropy * mask).sum(1) / mask.sum(1).clamp(min=1), None, None
        starts = range(0, len(ids), size)
        parts = [self._logits(ids[i : i + size], attention[i : i + size], mask.size(1)) for i in starts]
        entropy, certainty, logits = (torch.cat(part) for part in zip(*parts, strict=True))
        return (entropy * mask).sum(1) / mask.sum(1).clamp(min=1), (certainty * mask).sum(1), logits

    def _logits(self, ids: Any, attention: Any, keep: int) -> tuple[Any, Any, Any]:
        with self.accelerator.autocast():
            every = self.model(input_ids=ids, attention_mask=attention, logits_to_keep=keep + 1).logits
        logits = every[:, :-1].float() / self.temperature
        total = logits.logsumexp(-1)
        entropy = total - (logits.softmax(-1) * logits).sum(-1)
        written = logits.gather(-1, ids[:, -keep:, None]).squeeze(-1)
        return entropy, total - logits.mean(-1), written

    def _per_reply(self, output: Any) -> Any:
        """Return the advantages by reply, shape (replies,): the mean over its tokens where each has its own."""
        advantages, mask = output["advantages"], output["completion_mask"]
        return advantages if advantages.dim() == 1 else (advantages * mask).sum(1) / mask.sum(1).clamp(min=1)

    def _log(self, name: str, value: Any) -> None:
        self._metrics["train"][f"shaping/{name}"].append(float(value))


class JudgeTrainer(ShapingTrainer):
    """GRPO for judges. The dataset has a ``weight`` for each row; with ``consistency`` its rows come in pairs."""

    def __init__(self, *args: Any, shaping: Shaping, consistency: float = 0.0, **kwargs: Any) -> None:
        self._consistency = consistency
        super().__init__(*args, shaping=shaping, **kwargs)

    def _tokenize_prompts(self, prompts: Any) -> Any:
        """Return the prompts' tokens and nothing more: they are in the chat format, beginning of text included."""
        return self.processing_class(text=prompts, add_special_tokens=False)["input_ids"], None, {}

    def _calculate_rewards(self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: Any) -> Any:
        rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        if self._consistency and self.model.training:
            rewards[:, 0] = both_orders(rewards[:, 0], self.num_generations, self._consistency)
            self._totals = rewards @ self.reward_weights.to(rewards)
        self._verdicts = rewards[:, 0] > 0
        return rewards

    def _right(self, output: Any) -> Any:
        return self._verdicts

    def _generate_and_score_completions(self, inputs: Any) -> Any:
        output = super()._generate_and_score_completions(inputs)
        weights = output["advantages"].new_tensor([row.get("weight", 1.0) for row in inputs])
        if self.model.training and (weights != 1).any():
            output["advantages"] = output["advantages"] * weights.view(-1, *[1] * (output["advantages"].dim() - 1))
        return output
