"""One of two processes of TRL's trainer: TWO="RANK COUNT FILE" python trl_two.py MODEL FOLDER."""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Sequence

from judgekit.rewards import Channel, CompositeReward, Custom, Rollout


class Place(Channel):
    """Gives a rollout's place in its group, by what it says: known only where the whole group is."""

    name, grouped = "place", True

    def __call__(self, rollouts: Sequence[Rollout]) -> list[float]:
        def before(one: Rollout) -> int:
            return sum(r.group == one.group and drawn(r) < drawn(one) for r in rollouts)

        return [float(before(one)) for one in rollouts]


class Sixth(Channel):
    """Fails on the sixth rollout of the batch."""

    name, grouped = "sixth", True

    def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
        place = {"write 1": 1}  # of the second group, the second
        seen: dict[object, int] = {}
        found: list[float | None] = []
        for rollout in rollouts:
            i = seen[rollout.group] = seen.get(rollout.group, -1) + 1
            found.append(None if place.get(str(rollout.prompt)) == i else 0.0)
        return found


def drawn(rollout: Rollout) -> int:
    return zlib.crc32(rollout.completion.encode()) % 1000


def reward() -> CompositeReward:
    return CompositeReward([Custom(drawn, "drawn"), Place(), Sixth()], [0.001, 1.0, 1.0])


def main(model: str, folder: str) -> None:
    from pathlib import Path

    import torch.distributed as dist
    import trl
    from datasets import Dataset

    from judgekit.models.local import LocalConfig, LocalModel
    from judgekit.training.arguments import arguments
    from judgekit.training.weights import load_trainable

    rank, count, file = os.environ["TWO"].split()
    os.environ |= {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}  # looked for, and not used: the group is there
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=int(rank), world_size=int(count))
    settings = {
        "max_steps": 1,
        "per_device_train_batch_size": 3,
        "gradient_accumulation_steps": 2,
        "num_generations": 4,
    }
    more = {"max_completion_length": 4, "save_strategy": "no", "logging_steps": 1}
    where = LocalConfig(provider="local", path=model)
    judged = reward()
    trainer = trl.GRPOTrainer(
        model=load_trainable(where, None),
        args=arguments(trl.GRPOConfig, settings | more, Path(folder), 5, shuffle_dataset=False),
        train_dataset=Dataset.from_list([{"prompt": f"write {i}"} for i in range(3)]),
        processing_class=LocalModel(where).tokenizer,
        reward_funcs=judged,
    )
    trainer.train()
    assert judged.last is not None
    logs = {name: list(trainer._logs[name]) for name in ("prompt", "completion", "advantages")}
    answer = {"prompts": logs["prompt"], "completions": logs["completion"], "advantages": logs["advantages"]}
    print(json.dumps({**answer, "totals": judged.last.totals}))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
