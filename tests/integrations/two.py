"""What one process of several makes of its part of a batch: TWO="RANK COUNT FILE" python two.py."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from judgekit.integrations.swift import orm
from judgekit.rewards import Channel, CompositeReward, Custom, Rollout

PROMPTS = ["p", "p", "p", "q", "q", "q", "r", "r"]  # in the middle, between two processes, stands a group
TEXTS = ["1 1", "2 1", "6 longer", "4 1", "fail 1", "2 longest of all", "fail 1", "fail 1"]


class Above(Channel):
    """Gives the share of the group that is longer: a channel that needs whole groups."""

    name, grouped = "above", True

    def __call__(self, rollouts: Sequence[Rollout]) -> list[float]:
        def longer(one: Rollout) -> int:
            return sum(r.group == one.group and len(r.completion) > len(one.completion) for r in rollouts)

        sizes = [sum(r.group == one.group for r in rollouts) for one in rollouts]
        return [longer(one) / size for one, size in zip(rollouts, sizes, strict=True)]


def judge(rollout: Rollout) -> float | None:
    word = rollout.completion.split()[0]
    return None if word == "fail" else float(word)


def found(part: slice) -> dict[str, Any]:
    """Return the rewards of a part of the batch, and what every process knows of the whole of it."""
    prompts, texts = PROMPTS[part], TEXTS[part]
    reward = CompositeReward([Custom(judge), Above()], [1.0, 0.5], normalize="group")
    own = reward(prompts, texts, level=list(range(len(texts))))
    whole = reward.last
    assert whole is not None
    chats = [[{"role": "user", "content": prompt}, {"role": "assistant", "content": "x"}] for prompt in prompts]
    swift = orm(CompositeReward([Custom(judge), Above()], [1.0, 0.5]), unscored=0.25)()
    return {
        "own": own,
        "totals": whole.totals,
        "above": whole.values["above"],
        "parts": whole.parts["judge"],
        "asked": whole.asked,
        "swift": swift(texts, messages=chats, prompt_id=prompts),
    }


if __name__ == "__main__":
    import torch.distributed as dist

    rank, count, file = os.environ["TWO"].split()
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=int(rank), world_size=int(count))
    size = len(TEXTS) // int(count)
    print(json.dumps(found(slice(int(rank) * size, (int(rank) + 1) * size))))
    dist.destroy_process_group()
