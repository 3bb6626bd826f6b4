"""What `judgekit policy train` costs beside the same GRPO written directly with TRL: same data, model, steps, reward.

Ours runs as it does by default: the monitor watches, rollouts are kept, the page is written. The other side is
`trl.GRPOTrainer` with the same reward object. The third is ours with entropy shaping and human references. Sides run in
turn; a ratio is taken within a round, and the median of the rounds counts. ``cpu`` has the same of processor time,
which other programs of the machine disturb less. Losses must be equal where nothing is shaped and injected::

    python -m benchmarks.policy_overhead --json
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from judgekit.cli.policy_train import _show
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.policy.grpo import REFERENCE, Watched, grpo
from judgekit.policy.recipe import PolicyRecipe
from judgekit.policy.source import chat, row
from judgekit.policy.training import PolicyTraining
from judgekit.rewards import CompositeReward, Monitor, Rollout
from judgekit.training.arguments import theirs
from judgekit.training.grpo import block_order
from judgekit.training.weights import load_trainable

ROUNDS, SEED, TAUGHT, PROMPTS = 5, 0, 150, 200
ON_CPU = {"use_cpu": True, "bf16": False, "gradient_checkpointing": False, "dataloader_pin_memory": False}
COMMON = {"report_to": "none", "disable_tqdm": True, "save_strategy": "no"}
SIDES = ("plain", "shaped_and_injected")
Seconds = tuple[float, float]  # of a clock on the wall, and of a processor
SHAPED = {"shaping": {"kind": "entropy"}, "references": {"warmup_steps": 0}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        facts = measure(Path(folder), args.rounds, args.steps)
    print(json.dumps(facts, indent=None if args.json else 2))


def measure(folder: Path, rounds: int, steps: int) -> dict[str, Any]:
    """Return the ratios of the times of a step.

    Raises:
        SystemExit: the losses differ, so that the times are of different trainings.
    """
    training = storyworld(folder / "run", steps)
    fresh = (folder / str(i) for i in range(1000))
    training.reward.score([Rollout("", "Ana slept."), Rollout("", "Ana ran.")])  # loads the encoder
    sides: dict[str, Callable[[], tuple[Seconds, list[float]]]] = {
        "trl": lambda: plain(training, next(fresh)),
        "plain": lambda: ours(training, next(fresh), {}),
        "shaped_and_injected": lambda: ours(training, next(fresh), SHAPED),
    }
    times: dict[str, list[Seconds]] = {name: [] for name in sides}
    for _ in range(rounds):
        losses = {}
        for name, side in sides.items():
            seconds, losses[name] = side()
            times[name].append(seconds)
            print(f"{name}: {seconds[0] / steps:.3f} s a step, {seconds[1] / steps:.3f} s of a processor", flush=True)
        if not any(losses["trl"]) or losses["plain"] != losses["trl"]:
            raise SystemExit(f"the losses differ, or all are 0: {losses}")
    wall, cpu = ({name: ratio(times[name], times["trl"], clock) for name in SIDES} for clock in (0, 1))
    seconds = statistics.median(one[0] for one in times["trl"]) / steps
    return {**wall, "cpu": cpu, "equal_losses": True, "step_seconds": round(seconds, 3)}


def storyworld(folder: Path, steps: int) -> PolicyTraining:
    """Return the storyworld's run with a short SFT, so that its replies have the length of replies."""
    recipe, home = PolicyRecipe.load("storyworld-episodes")
    plan = recipe.model_dump(exclude_unset=True)
    plan["sft"]["trl"] |= {"max_steps": TAUGHT, "save_strategy": "no"}
    plan["grpo"]["trl"] |= {"max_steps": steps, "save_strategy": "no", "warmup_steps": 0, "logging_steps": 1}
    plan["data"]["limit"] = PROMPTS
    plan["reward"] |= {"normalize": "none"}  # as references want it; all sides have one reward
    training = PolicyTraining(folder, PolicyRecipe.model_validate(plan | {"evaluation": None}), home)
    _ = training.sft
    return training


def start(training: PolicyTraining) -> LocalConfig:
    assert training.sft is not None
    return training.sft.model


def rewarded(training: PolicyTraining, monitor: Monitor | None) -> CompositeReward:
    """Return the recipe's reward; one object for all sides, so that its encoder is loaded once."""
    reward = training.reward
    reward.monitor = monitor
    return reward


def ours(training: PolicyTraining, folder: Path, more: dict[str, Any]) -> tuple[Seconds, list[float]]:
    recipe = training.recipe
    monitor = Monitor(folder / "grpo" / "monitor.jsonl")
    clock: list[Seconds] = []
    settings = type(recipe.grpo).model_validate(recipe.grpo.model_dump(exclude_unset=True) | more)
    watched = Watched(
        rewarded(training, monitor), monitor, rollouts=recipe.rollouts, show=lambda s: _show(folder, recipe, s)
    )
    with timed(clock):
        found = grpo(start(training), training.data.asked, watched, settings, folder / "grpo", seed=SEED)
    return clock[-1], curve(found.curve)


def plain(training: PolicyTraining, folder: Path) -> tuple[Seconds, list[float]]:
    """Write the same with TRL alone."""
    import trl
    from datasets import Dataset
    from transformers import PrinterCallback

    where, given, asked = start(training), training.recipe.grpo.trl, training.data.asked
    clock: list[Seconds] = []
    model = LocalModel(where)
    how = {"output_dir": str(folder), "seed": SEED, "data_seed": SEED, "shuffle_dataset": False}
    how["chat_template_kwargs"] = {"enable_thinking": where.thinking}
    batch = given["per_device_train_batch_size"] // given["num_generations"]
    order = block_order(len(asked), 1, (given["max_steps"] + 1) * batch, SEED)
    with theirs(), timed(clock):
        trainer = trl.GRPOTrainer(
            model=load_trainable(where, None),
            args=trl.GRPOConfig(**{**COMMON, **ON_CPU, **given, **how}),
            train_dataset=Dataset.from_list([row(asked[i], REFERENCE) | {"prompt": chat(asked[i])} for i in order]),
            processing_class=model.tokenizer,
            reward_funcs=[rewarded(training, None)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return clock[-1], curve(trainer.state.log_history)


@contextmanager
def timed(clock: list[Seconds]) -> Iterator[None]:
    """Take the time that a trainer's loop needs, from its first step to the end of its last callback."""
    from transformers import Trainer

    whole = Trainer.train

    def train(trainer: Any, *args: Any, **kwargs: Any) -> Any:
        begin, used = time.perf_counter(), time.process_time()
        found = whole(trainer, *args, **kwargs)
        clock.append((time.perf_counter() - begin, time.process_time() - used))
        return found

    Trainer.train = train  # type: ignore[method-assign]
    try:
        yield
    finally:
        Trainer.train = whole  # type: ignore[method-assign]


def curve(log: Sequence[dict[str, Any]]) -> list[float]:
    return [float(entry[key]) for entry in log for key in ("loss", "grad_norm", "reward") if key in entry]


def ratio(one: Sequence[Seconds], two: Sequence[Seconds], clock: int) -> float:
    return round(statistics.median(a[clock] / b[clock] for a, b in zip(one, two, strict=True)), 3)


if __name__ == "__main__":
    main()
