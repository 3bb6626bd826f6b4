"""GRPO refinement, with TRL's GRPOTrainer: a judge that samples verdicts and learns which of them were right."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from judgekit.config import Config
from judgekit.errors import ConfigError, InputError, require
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.training.arguments import Arguments, arguments
from judgekit.training.chains import ORDERS, in_order
from judgekit.training.questions import Task, Writer
from judgekit.training.running import run
from judgekit.training.shaping import Shaping
from judgekit.training.verdict import VerdictReward, label_shown
from judgekit.training.weights import Lora, Trained, load_trainable, saved
from judgekit.types import Pair

Say = Callable[[str], None]


class GRPOSettings(Config):
    """``trl`` takes any field of TRL's ``GRPOConfig`` under its own name."""

    reward: VerdictReward = VerdictReward()
    shaping: Shaping = Shaping()
    trl: Arguments = {}


def verdict_tasks(pairs: Sequence[Pair], writer: Writer) -> tuple[list[Task], dict[str, int]]:
    """Return both orders of every pair that says which side is better, one after the other; count the others."""
    tasks, left_out = [], Counter[str]()
    for pair in pairs:
        if pair.label is None or (pair.label == "tie" and not writer.rubric.ties):
            left_out["no label" if pair.label is None else "a tie, which the rubric does not know"] += 1
        elif pair.comparison.a == pair.comparison.b:
            left_out["the same text on both sides"] += 1
        elif problem := writer.problem(pair.comparison):
            left_out[problem] += 1
        else:
            for order in ORDERS:
                facts = {"label": label_shown(pair.label, order), "weight": pair.weight}
                tasks.append(Task(writer.prompt(in_order(pair.comparison, order)), facts))
    return tasks, dict(left_out)


def grpo(
    start: LocalConfig,
    tasks: Sequence[Task],
    rewards: tuple[Sequence[Callable[..., list[float]]], Sequence[float]],
    settings: GRPOSettings,
    folder: Path,
    *,
    block: int = 2,
    lora: Lora | None = None,
    seed: int = 0,
    say: Say = lambda _: None,
) -> Trained:
    """Refine a model by the rewards of its own replies; continue from the newest whole checkpoint if there is one.

    Args:
        rewards: TRL reward functions and their weights; where shaping or consistency is asked for, the first must be +1
            or -1 for right or wrong.
        block: how many tasks in a row belong together and are sampled in one batch (2: both orders of a pair).

    Raises:
        InputError: no task leaves room for a reply.
        ConfigError: a batch does not hold whole blocks.
    """
    trl = require("trl", "train")
    from judgekit.training.trainer import JudgeTrainer

    model = LocalModel(start)
    functions, weights = rewards
    config = arguments(trl.GRPOConfig, settings.trl, folder, seed, shuffle_dataset=False, reward_weights=list(weights))
    kept, left_out = fitting(model, [task.prompt for task in tasks], config.max_completion_length, block)
    order = block_order(len(kept) // block, block, prompts_needed(config, len(kept), block), seed)
    rows = [{"prompt": tasks[i].prompt, **tasks[i].facts} for i in kept]
    dataset = require("datasets", "train").Dataset.from_list(rows)
    config.num_train_epochs = 1.0 if config.max_steps <= 0 else config.num_train_epochs
    trainer = JudgeTrainer(
        model=load_trainable(start, lora),
        args=config,
        train_dataset=dataset.select(order),
        processing_class=model.tokenizer,
        reward_funcs=list(functions),
        peft_config=lora.build() if lora and not start.adapter else None,
        shaping=settings.shaping,
        consistency=settings.reward.consistency,
    )
    curve = run(trainer, "grpo", say)
    return Trained(saved(start, folder / "model", adapter=bool(lora or start.adapter)), curve, left_out)


def fitting(model: LocalModel, prompts: Sequence[str], reply: int, block: int = 1) -> tuple[list[int], dict[str, int]]:
    """Return the places of the prompts that leave room for a reply of so many tokens, whole blocks; count the others.

    Raises:
        InputError: there is none.
    """
    room = model.context - reply
    lengths = [len(tokens) for tokens in model.tokens(prompts)]
    blocks = [range(i, i + block) for i in range(0, len(prompts), block)]
    kept = [i for places in blocks if max(lengths[i] for i in places) <= room for i in places]
    if not kept:
        shortest = min(lengths, default=0)
        raise InputError(
            f"no prompt leaves room for a reply of {reply} tokens; of {len(prompts)} the shortest has {shortest} "
            f"tokens, and the model takes {room + reply} in all"
        )
    left_out = len(prompts) - len(kept)
    return kept, {f"longer than {room} tokens": left_out} if left_out else {}


def prompts_needed(config: Any, tasks: int, block: int) -> int:
    """Return how many prompts the run will take from the dataset, in whole batches: TRL drops a part of one."""
    batch = int(config.generation_batch_size // config.num_generations)
    if batch % block:
        raise ConfigError(
            f"a generation batch holds {batch} prompts, but both orders of a pair must stand in one: make it even "
            f"(per_device_train_batch_size x gradient_accumulation_steps x processes / num_generations)"
        )
    if config.max_steps > 0:
        micro_batches: int = config.max_steps * config.gradient_accumulation_steps
        served: int = config.steps_per_generation * config.num_iterations  # micro-batches by one batch of replies
        return (math.ceil(micro_batches / served) + 1) * batch
    return max(1, math.ceil(round(float(config.num_train_epochs) * tasks) / batch)) * batch


def block_order(blocks: int, block: int, needed: int, seed: int) -> list[int]:
    """Return task numbers, block by block, each pass over the data in a new order; fixed by the seed alone.

    The trainer's own sampler would tear blocks apart, and begins again at the first order when a run is resumed.
    """
    rng = np.random.default_rng(seed)
    passes = math.ceil(needed / (blocks * block))
    order = [int(i) for _ in range(passes) for i in rng.permutation(blocks)]
    return [i * block + k for i in order for k in range(block)][: needed - needed % block]
