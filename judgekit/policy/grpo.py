"""GRPO of a policy, with TRL's trainer: prompts in, weights out, watched on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judgekit.errors import require
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.policy.asked import Asked
from judgekit.policy.recipe import RL
from judgekit.policy.source import chat, row, table
from judgekit.policy.watching import Keeper, PausedError, watcher
from judgekit.rewards import CompositeReward, Monitor
from judgekit.training.arguments import arguments, theirs
from judgekit.training.grpo import block_order, fitting, prompts_needed
from judgekit.training.running import run
from judgekit.training.weights import Lora, Trained, load_trainable, saved

Say = Callable[[str], None]
REFERENCE = "human_reference"


@dataclass(frozen=True)
class Watched:
    """A reward, and who looks on.

    Attributes:
        judge_tokens: where the judges have read and written so many, the run pauses.
        rollouts: how many groups of each step are kept.
        show: is given the trainer's state now and then.
    """

    reward: CompositeReward
    monitor: Monitor | None = None
    judge_tokens: int | None = None
    rollouts: int = 0
    show: Callable[[Any], None] = lambda _: None


def grpo(
    start: LocalConfig,
    asked: Sequence[Asked],
    watched: Watched,
    settings: RL,
    folder: Path,
    *,
    lora: Lora | None = None,
    seed: int = 0,
    say: Say = lambda _: None,
) -> Trained:
    """Train a policy by its rewards; continue from the newest whole checkpoint if there is one.

    Raises:
        InputError, PausedError: no prompt leaves room for a reply; the judges' tokens are spent.
    """
    trl = require("trl", "train")
    model = LocalModel(start)
    template = {**settings.trl.get("chat_template_kwargs", {}), "enable_thinking": start.thinking}
    given = {**settings.trl, "chat_template_kwargs": template}  # one text of a prompt, in SFT, RL and use
    config = arguments(trl.GRPOConfig, given, folder, seed, shuffle_dataset=False)
    kept, left_out = fitting(model, [model.text(chat(one)) for one in asked], config.max_completion_length)
    order = block_order(len(kept), 1, prompts_needed(config, len(kept), 1), seed)
    column = column_of(settings)
    watched.reward.group_size = watched.reward.group_size or config.num_generations  # a prompt twice makes two groups
    rows = table([{**row(asked[i], column), "prompt": model.plain(chat(asked[i]))} for i in kept])
    dataset = require("datasets", "train").Dataset.from_list(rows, on_mixed_types="use_json")
    config.num_train_epochs = 1.0 if config.max_steps <= 0 else config.num_train_epochs
    with theirs():
        trainer = _trainer(
            settings,
            model=load_trainable(start, lora),
            args=config,
            train_dataset=dataset.select(order),
            processing_class=model.tokenizer,
            reward_funcs=[watched.reward],
            peft_config=lora.build() if lora and not start.adapter else None,
            callbacks=[watched.monitor.callback()] if watched.monitor else [],
        )
    keeper = Keeper(folder, watched.reward, watched.rollouts)
    watching = watcher(trainer, keeper, watched.judge_tokens, watched.show)
    trainer.add_callback(watching)
    curve = run(trainer, "grpo", say)
    if watching.paused:
        raise PausedError(
            f"the judges have used {keeper.tokens} tokens, of {watched.judge_tokens}: the run pauses at step "
            f"{trainer.state.global_step}; raise judge_tokens and run the same command, and it goes on there"
        )
    left_out |= {f"groups without a reference: {why}": n for why, n in getattr(trainer, "left_out", {}).items() if n}
    return Trained(saved(start, folder / "model", adapter=bool(lora or start.adapter)), curve, left_out)


def column_of(settings: RL) -> str:
    """Return the name under which a row holds the reply to inject."""
    return settings.references.column if settings.references else REFERENCE


def _trainer(settings: RL, **how: Any) -> Any:
    from judgekit.policy.trainer import InjectingTrainer
    from judgekit.training.trainer import ShapingTrainer

    if settings.references is None:
        return ShapingTrainer(shaping=settings.shaping, **how)
    return InjectingTrainer(injection=settings.references, shaping=settings.shaping, **how)
