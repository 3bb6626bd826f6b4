"""One of two processes that train with references: TWO="RANK COUNT FILE" python injecting_two.py MODEL FOLDER."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROWS: list[dict[str, Any]] = [
    {"prompt": "write 0", "human_reference": "<think>\nplan\n</think>\nonce a lamp"},
    {"prompt": "write 1", "human_reference": "a boat " * 40},
    {"prompt": "write 2", "human_reference": "a boat"},  # its group lies across both processes
    {"prompt": "write 3", "human_reference": "a key"},  # is not judged
    {"prompt": "write 4", "human_reference": None},
]
GROUP = 4


def judge(completions: Sequence[str], completion_ids: Sequence[Sequence[int]], **_: Any) -> list[float | None]:
    both = zip(completions, completion_ids, strict=True)
    return [None if text == "a key" else sum(ids) % 89 / 8 for text, ids in both]


def train(model: str, folder: Path, processes: int) -> dict[str, Any]:
    """Take two steps; the policy's rollouts are given, since processes sample each in their own way."""
    import trl
    from datasets import Dataset

    from judgekit.models.local import LocalConfig, LocalModel
    from judgekit.policy import ReferenceInjection
    from judgekit.policy.trainer import InjectingTrainer
    from judgekit.training.arguments import arguments
    from judgekit.training.weights import load_trainable

    class Given(trl.GRPOTrainer):  # type: ignore[misc]
        def _generate_single_turn(self, prompt_ids: Any, *args: Any, **kwargs: Any) -> Any:
            first = self.accelerator.process_index * len(prompt_ids)
            places = range(first, first + len(prompt_ids))
            return [[30 + i, 40 + i * i % 50, 50 + i % 7] for i in places], None

    class Trainer(InjectingTrainer, Given):
        pass

    size = GROUP * len(ROWS) // 2 // processes
    how = {"per_device_train_batch_size": size, "gradient_accumulation_steps": 2, "num_generations": GROUP}
    how |= {"max_steps": 2, "num_iterations": 2, "optim": "sgd", "learning_rate": 1.0, "beta": 0.1}
    how |= {"max_completion_length": 24, "save_strategy": "no", "logging_steps": 1, "max_grad_norm": 0.0}
    where = LocalConfig(provider="local", path=model)
    start = [weight.detach().clone() for weight in load_trainable(where, None).parameters()]
    trainer = Trainer(
        model=load_trainable(where, None),
        args=arguments(trl.GRPOConfig, how, folder, 5, shuffle_dataset=False),
        train_dataset=Dataset.from_list(ROWS),
        processing_class=LocalModel(where).tokenizer,
        reward_funcs=judge,
        injection=ReferenceInjection(warmup_steps=0),
    )
    trainer.train()
    end = trainer.accelerator.unwrap_model(trainer.model).parameters()
    moved = [(weight.detach() - before).flatten() for weight, before in zip(end, start, strict=True)]
    return {
        "advantages": list(trainer._logs["advantages"]),
        "injected": list(trainer._logs["extra"]["injected"]),
        "curve": [entry for entry in trainer.state.log_history if "loss" in entry],
        "moved": [[float(change.norm()), *change[:: len(change) // 7].tolist()] for change in moved],
        "left_out": dict(trainer.left_out),
    }


def main(model: str, folder: str) -> None:
    import torch.distributed as dist

    rank, count, file = os.environ["TWO"].split()
    os.environ |= {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}  # looked for, and not used: the group is there
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=int(rank), world_size=int(count))
    print(json.dumps(train(model, Path(folder), int(count))))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
