"""Supervised fine-tuning on examples, with TRL's SFTTrainer: the loss is on the replies alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from judgekit.config import Config
from judgekit.errors import ConfigError, InputError, require
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.training.arguments import Arguments, arguments
from judgekit.training.questions import Example
from judgekit.training.running import run
from judgekit.training.weights import Lora, Trained, load_trainable, saved

Say = Callable[[str], None]
POOL = 40  # batches that are formed together, so that rows of like length meet


class SFTSettings(Config):
    """``trl`` takes any field of TRL's ``SFTConfig`` under its own name.

    Attributes:
        short_first: the share of the examples, the shortest, that the model sees before it sees all in random order;
            it decides the order alone, whatever ``train_sampling_strategy`` says.
        muon: learning rate for weight matrices, which Muon then steps instead of AdamW.
    """

    short_first: Annotated[float, Field(ge=0, lt=1)] = 0.0
    muon: Annotated[float, Field(gt=0)] | None = None
    trl: Arguments = {}

    @model_validator(mode="after")
    def _one_order(self) -> SFTSettings:
        if self.short_first and self.trl.get("packing"):
            raise ValueError("short_first orders single examples, and packing joins them; leave out one of them")
        return self


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
    if settings.short_first:
        how["train_sampling_strategy"] = "sequential"
    limit = settings.trl.get("max_length") or model.context
    config = arguments(trl.SFTConfig, {**settings.trl, "max_length": limit}, folder, seed, **how)
    rows = rows_of(model, examples)
    fitting = [row for row in rows if len(row["input_ids"]) <= limit]
    if not fitting:
        shortest = min((len(row["input_ids"]) for row in rows), default=0)
        raise InputError(
            f"no example fits into {limit} tokens: the shortest of {len(rows)} has {shortest}; raise "
            "sft.trl.max_length, or what the model takes (scratch.context)"
        )
    dataset = require("datasets", "train").Dataset.from_list(fitting)
    if settings.short_first:
        order = curriculum([len(row["input_ids"]) for row in fitting], settings.short_first, config, seed)
        dataset, config.num_train_epochs = dataset.select(order), 1.0
    trainer = trl.SFTTrainer(
        model=load_trainable(start, lora),
        args=config,
        train_dataset=dataset,
        processing_class=model.tokenizer,
        peft_config=lora.build() if lora and not start.adapter else None,
    )
    if settings.muon:
        trainer.optimizer = _muon(trainer, settings.muon)
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


def curriculum(lengths: Sequence[int], short: float, config: Any, seed: int) -> list[int]:
    """Return the rows that a run will see, in order: the shortest ``short`` of them, then pass after pass over all.

    Batches hold rows of like length, and come in random order.
    """
    batch = config.train_batch_size * config.gradient_accumulation_steps * config.world_size
    needed = config.max_steps * batch if config.max_steps > 0 else round(config.num_train_epochs * len(lengths))
    by_length = np.argsort(lengths, kind="stable")
    rng = np.random.default_rng(seed)
    order = _batched(by_length[: round(short * len(lengths))], lengths, batch, rng)
    while len(order) < needed:
        order += _batched(np.arange(len(lengths)), lengths, batch, rng)
    return order[:needed]


def _batched(rows: Any, lengths: Sequence[int], batch: int, rng: np.random.Generator) -> list[int]:
    """Return whole batches of the rows, each of like length, in random order; what is left over sits this pass out."""
    whole = max(batch, len(rows) // batch * batch)
    pools = np.split(rng.permutation(rows)[:whole], range(POOL * batch, whole, POOL * batch))
    order = []
    for pool in pools:
        ordered = sorted(map(int, pool), key=lengths.__getitem__)
        batches = [ordered[i : i + batch] for i in range(0, len(ordered), batch)]
        order += [row for i in rng.permutation(len(batches)) for row in batches[i]]
    return order


def _muon(trainer: Any, lr: float) -> Any:
    if trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled:
        raise ConfigError("sft: muon needs whole weight matrices, and here they are sharded; leave it out")
    from judgekit.training.muon import Muon

    args = trainer.args
    betas = (args.adam_beta1, args.adam_beta2)
    adam = {"lr": args.learning_rate, "betas": betas, "eps": args.adam_epsilon, "weight_decay": args.weight_decay}
    return Muon(trainer.model, lr, **adam)
