"""What judgekit's training costs beside the same training written directly with TRL: same data, model, steps and seed.

Each side runs in turn, several times; a ratio is taken within a round, whose sides run one after the other, and the
median of the rounds counts: one lucky run of one side decides nothing. Losses must be equal::

    python -m benchmarks.training_overhead --json
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from judgekit.judges import PairwiseJudge
from judgekit.models import LocalConfig, LocalModel
from judgekit.rubrics.reply import read_preference
from judgekit.rubrics.rubric import Rubric
from judgekit.storyworld import World
from judgekit.storyworld.model import StoryworldConfig
from judgekit.training.genrm import GenRMTraining
from judgekit.training.grpo import GRPOSettings, block_order, grpo, verdict_tasks
from judgekit.training.questions import Example, Task, Writer
from judgekit.training.recipe import Recipe
from judgekit.training.sft import SFTSettings, sft
from judgekit.training.verdict import VerdictReward, verdict_rewards
from judgekit.training.weights import load_trainable

PAIRS, ROUNDS, SEED = 200, 5, 0
SAME = 1e-4  # difference of two losses as TRL logs them, rounded
ON_CPU = {"use_cpu": True, "bf16": False, "gradient_checkpointing": False, "dataloader_pin_memory": False}
COMMON = {"report_to": "none", "disable_tqdm": True, "save_strategy": "no"}
SFT = {"max_steps": 40, "logging_steps": 2, "per_device_train_batch_size": 16, "learning_rate": 1e-3}
GRPO = {"max_steps": 6, "logging_steps": 2, "per_device_train_batch_size": 64, "num_generations": 8,
        "max_completion_length": 96, "learning_rate": 1e-4}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        facts = measure(Path(folder))
    if max(facts["sft_loss_difference"], facts["grpo_loss_difference"]) > SAME:
        raise SystemExit(f"the losses differ, so the times compare different trainings: {facts}")
    print(json.dumps(facts, indent=None if args.json else 2))


def measure(folder: Path) -> dict[str, Any]:
    """Return the ratios, and the greatest difference of a loss."""
    training = storyworld(folder / "run")
    start, rubric = training.base, training.rubric
    writer = Writer(rubric, LocalModel(start), SEED)
    examples = writer.examples(training.explained, training.kept)
    tasks, _ = verdict_tasks(training.pairs, writer)
    fresh = (folder / str(i) for i in range(1000))
    sides: dict[str, Callable[[], list[float]]] = {
        "sft": lambda: ours_sft(start, examples, next(fresh)),
        "sft_trl": lambda: plain_sft(start, examples, next(fresh)),
        "grpo": lambda: ours_grpo(start, tasks, rubric, next(fresh), "none"),
        "grpo_shaped": lambda: ours_grpo(start, tasks, rubric, next(fresh), "entropy"),
        "grpo_trl": lambda: plain_grpo(start, tasks, rubric, next(fresh)),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    losses: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            begin = time.perf_counter()
            losses[name] = side()
            if not any(losses[name]):
                raise SystemExit(f"{name}: every loss is 0, so that equal losses say nothing")
            times[name].append(time.perf_counter() - begin)
            print(f"{name}: {times[name][-1]:.1f} s", flush=True)
    return {
        "sft_ratio": ratio(times["sft"], times["sft_trl"]),
        "grpo_ratio": ratio(times["grpo"], times["grpo_trl"]),
        "grpo_shaped_ratio": ratio(times["grpo_shaped"], times["grpo_trl"]),
        "sft_loss_difference": difference(losses["sft"], losses["sft_trl"]),
        "grpo_loss_difference": difference(losses["grpo"], losses["grpo_trl"]),
    }


def storyworld(folder: Path) -> GenRMTraining:
    """Return the storyworld's run, with chains from its teacher and a model from scratch."""
    recipe = Recipe.load("genrm/storyworld").model_copy(update={"seed": SEED})
    teacher = PairwiseJudge(Rubric.load(recipe.rubric), StoryworldConfig(provider="storyworld").build())
    return GenRMTraining(folder, recipe, World(SEED).pairs(PAIRS), teacher)


def ours_sft(start: LocalConfig, examples: Sequence[Example], folder: Path) -> list[float]:
    settings = SFTSettings(trl={**SFT, "save_strategy": "no"})
    return curve(sft(start, examples, settings, folder, seed=SEED).curve)


def plain_sft(start: LocalConfig, examples: Sequence[Example], folder: Path) -> list[float]:
    """Do what TRL's documentation shows: prompts and completions as text."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    model = LocalModel(start)
    trainer = SFTTrainer(
        model=load_trainable(start, None),
        args=SFTConfig(output_dir=str(folder), seed=SEED, data_seed=SEED, max_length=None, **SFT, **COMMON, **ON_CPU),
        train_dataset=Dataset.from_list([{"prompt": e.prompt, "completion": e.completion} for e in examples]),
        processing_class=model.tokenizer,
    )
    trainer.train()
    trainer.save_model(str(folder / "model"))
    return curve(trainer.state.log_history)


def ours_grpo(start: LocalConfig, tasks: Sequence[Task], rubric: Rubric, folder: Path, kind: str) -> list[float]:
    settings = GRPOSettings.model_validate({"trl": {**GRPO, "save_strategy": "no"}, "shaping": {"kind": kind}})
    functions, weights = verdict_rewards(rubric, LocalModel(start), VerdictReward())
    rewards = [*functions, vowels], [*weights, 1.0]
    return curve(grpo(start, tasks, rewards, settings, folder, seed=SEED).curve)


def plain_grpo(start: LocalConfig, tasks: Sequence[Task], rubric: Rubric, folder: Path) -> list[float]:
    """Write the same in TRL alone: a reward function on the completions as text."""
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    def verdict(completions: Sequence[str], label: Sequence[str], **_: Any) -> list[float]:
        winners = [read_preference(rubric, text).winner for text in completions]
        return [1.0 if winner == right else -1.0 for winner, right in zip(winners, label, strict=True)]

    model = LocalModel(start)
    rows = Dataset.from_list([{"prompt": task.prompt, **task.facts} for task in tasks])
    how = {"output_dir": str(folder), "seed": SEED, "data_seed": SEED, "shuffle_dataset": False}
    trainer = GRPOTrainer(
        model=load_trainable(start, None),
        args=GRPOConfig(**how, **GRPO, **COMMON, **ON_CPU),
        # The same prompts in the same order.
        train_dataset=rows.select(block_order(len(tasks) // 2, 2, len(tasks), SEED)),
        processing_class=model.tokenizer,
        reward_funcs=[verdict, vowels],
    )
    trainer.train()
    trainer.save_model(str(folder / "model"))
    return curve(trainer.state.log_history)


def vowels(completions: Sequence[str], **_: Any) -> list[float]:
    """Reward what an untrained model does now more and now less, so that there is something to learn."""
    return [sum(map(text.count, "aeiou")) / 100 for text in completions]


def curve(log: Sequence[dict[str, Any]]) -> list[float]:
    """Return losses and norms of gradients, whether logged on the way or at the end."""
    return [float(entry[key]) for entry in log for key in ("loss", "grad_norm", "train_loss") if key in entry]


def ratio(ours: Sequence[float], plain: Sequence[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(ours, plain, strict=True)), 3)


def difference(one: Sequence[float], two: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, two, strict=True))


if __name__ == "__main__":
    main()
