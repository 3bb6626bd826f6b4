"""TRL's reward trainer with pair weights, and a padding token that no text ends with. Only imported when training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from torch.nn.functional import logsigmoid
from trl import RewardTrainer
from trl.trainer.reward_trainer import DataCollatorForPreference, suppress_seqcls_warning


@dataclass
class WeightedCollator(DataCollatorForPreference):  # type: ignore[misc]
    """TRL's, with the weights of the pairs; shape (pairs,)."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        weights = torch.tensor([example["weight"] for example in examples], dtype=torch.float)
        return {**super().torch_call(examples), "weight": weights}


class WeightedRewardTrainer(RewardTrainer):  # type: ignore[misc]
    """Bradley-Terry with pair weights: the loss is the mean of ``-weight log(logistic(chosen - rejected))``."""

    def __init__(self, *args: Any, padding: int, **kwargs: Any) -> None:
        super().__init__(*args, data_collator=WeightedCollator(padding), **kwargs)
        self.model.config.get_text_config().pad_token_id = self.model.config.pad_token_id = padding

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        weights = inputs.pop("weight")
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if (weights != 1).any():
            chosen, rejected = outputs.logits.squeeze(-1).chunk(2)
            loss = loss - ((weights - 1) * logsigmoid(chosen - rejected)).mean()
        return (loss, outputs) if return_outputs else loss


@contextmanager
def untrained_head(seed: int) -> Iterator[None]:
    """Fix the random weights of the head that a language model gets as a classifier, and take its lack as said."""
    transformers.set_seed(seed)
    with suppress_seqcls_warning():
        yield
