"""Supervised fine-tuning on examples, with TRL's SFTTrainer: the loss is on the replies alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from judgekit.config import Config
from judgekit.errors import InputError, require
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.training.arguments import Arguments, arguments
from judgekit.training.questions import Example
from judgekit.training.running import run
from judgekit.training.weights import Lora, Trained, load_trainable, saved

Say = Callable[[str], None]


class SFTSettings(Config):
    """``trl`` takes any field of TRL's ``SFTConfig`` under its own name."""

    trl: Arguments = {}


def sft(
    start: LocalConfig,
    examples: Sequence[Example],
    settings: SFTSettings,
    folder: Path,
    *,
    lora: Lora | None = None,
    seed: int = 0,
    say: Say = lambda _: None,
) -> Trained:
    """Fine-tune on the examples; continue from the newest whole checkpoint in ``folder`` if there is one.

    An example longer than ``max_length`` (unless set, the model's context) is left out and counted, never cut.

    Raises:
        InputError: no example fits.
    """
    trl = require("trl", "train")
    model = LocalModel(start)
    packing = bool(settings.trl.get("packing", False))
    how: dict[str, Any] = {} if packing else {"dataset_kwargs": {"skip_prepare_dataset": True}}
    limit = settings.trl.get("max_length") or model.context
    config = arguments(trl.SFTConfig, {**settings.trl, "max_length": limit}, folder, seed, **how)
    rows = rows_of(model, examples)
    fitting = [row for row in rows if len(row["input_ids"]) <= limit]
    if not fitting:
        shortest = min((len(row["input_ids"]) for row in rows), default=0)
        raise InputError(f"no example fits into max_length={limit}; the shortest of {len(rows)} has {shortest} tokens")
    trainer = trl.SFTTrainer(
        model=load_trainable(start, lora),
        args=config,
        train_dataset=require("datasets", "train").Dataset.from_list(fitting),
        processing_class=model.tokenizer,
        peft_config=lora.build() if lora and not start.adapter else None,
    )
    curve = run(trainer, "sft", say)
    left_out = {f"longer than {limit} tokens": len(rows) - len(fitting)} if len(rows) > len(fitting) else {}
    return Trained(saved(start, folder / "model", adapter=bool(lora or start.adapter)), curve, left_out)


def rows_of(model: LocalModel, examples: Sequence[Example]) -> list[dict[str, list[int]]]:
    """Return token ids and labels; prompt and reply are tokenized apart, as they are when the judge serves."""
    prompts = model.tokens([example.prompt for example in examples])
    replies = model.tokens([example.completion for example in examples])
    return [
        {"input_ids": prompt + reply, "labels": [-100] * len(prompt) + reply}
        for prompt, reply in zip(prompts, replies, strict=True)
    ]
