"""A Bradley-Terry classifier out of a language model, with TRL's RewardTrainer: one number a response.

Bradley & Terry (1952): P(chosen beats rejected) is the logistic function of the difference of their strengths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judgekit.config import Config
from judgekit.errors import ConfigError, InputError, require
from judgekit.judges import ClassifierJudge
from judgekit.judges.classifier import shown_to_classifier
from judgekit.models.local import LocalConfig
from judgekit.models.scalar import SequenceClassifier, SequenceConfig, padding
from judgekit.training.arguments import Arguments, arguments, theirs
from judgekit.training.running import run
from judgekit.training.weights import Lora, load_trainable
from judgekit.types import Pair, Sample

Say = Callable[[str], None]
Row = dict[str, Any]


class ScalarSettings(Config):
    """``trl`` takes any field of TRL's ``RewardConfig`` under its own name."""

    trl: Arguments = {}


@dataclass(frozen=True)
class ScalarTraining:
    """A trained classifier.

    Attributes:
        model: where its weights are, in the run's folder; ``judge`` scores with them.
        curve: what the trainer logged, step by step.
        pairs: how many it was trained on; ``left_out`` counts the others by reason.
    """

    model: SequenceConfig
    judge: ClassifierJudge
    curve: list[dict[str, float]]
    pairs: int
    left_out: dict[str, int]


def train_scalar(
    start: LocalConfig,
    pairs: Sequence[Pair],
    settings: ScalarSettings,
    folder: Path,
    *,
    lora: Lora | None = None,
    seed: int = 0,
    say: Say = lambda _: None,
) -> ScalarTraining:
    """Train a classifier; continue from the newest whole checkpoint in ``folder`` if there is one.

    A response is shown just as the judge shows it in use. Pair weights multiply the loss: TRL has none of its own (its
    ``margin`` is another thing). A LoRA adapter is merged into the weights in the end, which are saved whole. A pair
    with a side longer than ``max_length`` (unless set, the model's context) is left out and counted, never cut.

    Raises:
        InputError: no pair can be learnt from.
        ConfigError: the start has an adapter of its own, which has no head to train.
    """
    trl = require("trl", "train")
    from judgekit.training.weighted import WeightedRewardTrainer, untrained_head

    check_scalar(settings, start, folder)
    serving = SequenceClassifier(_sequence(start, start.path, start.revision))
    limit = settings.trl.get("max_length") or serving.limit
    whole = {**settings.trl, "max_length": None}  # what is longer is not there any more
    config = arguments(trl.RewardConfig, whole, folder, seed, remove_unused_columns=False)
    rows, left_out = preference_rows(pairs, serving, limit)
    say(f"classifier: {len(rows)} of {len(pairs)} pairs")
    with theirs(), untrained_head(seed):
        trainer = WeightedRewardTrainer(
            model=load_trainable(start, lora, "AutoModelForSequenceClassification", num_labels=1),
            args=config,
            train_dataset=require("datasets", "train").Dataset.from_list(rows),
            processing_class=serving.tokenizer,
            padding=padding(serving.tokenizer, (row[side] for row in rows for side in ("chosen_ids", "rejected_ids"))),
            peft_config=lora.build("SEQ_CLS") if lora else None,
        )
    curve = run(trainer, "classifier", say)
    path = merged(trainer, folder) if lora else folder / "model"
    model = _sequence(start, str(path), None)
    return ScalarTraining(model, ClassifierJudge(model.build()), curve, len(rows), left_out)


def check_scalar(settings: ScalarSettings, start: LocalConfig | None, folder: Path) -> None:
    """Refuse settings that no classifier can be trained with; see `train_scalar`."""
    if start and start.adapter:
        raise ConfigError(f"{start.adapter}: a classifier starts from whole weights; merge the adapter into them first")
    arguments(require("trl", "train").RewardConfig, settings.trl, folder, 0)


def preference_rows(pairs: Sequence[Pair], serving: SequenceClassifier, limit: int) -> tuple[list[Row], dict[str, int]]:
    """Return the tokens of the better and of the worse side and the weight of each pair; count what is left out.

    Raises:
        InputError: nothing is left.
        ConfigError: the tokenizer gives more than token ids, which TRL would drop.
    """
    rows, left_out = [], Counter[str]()
    for pair in pairs:
        found = _row(pair, serving, limit)
        if isinstance(found, str):
            left_out[found] += 1
        else:
            rows.append(found)
    if not rows:
        reasons = ", ".join(f"{count} with {reason}" for reason, count in left_out.most_common())
        raise InputError(f"no pair of {len(pairs)} can be learnt from{f': {reasons}' if reasons else ''}")
    return rows, dict(left_out.most_common())


def _row(pair: Pair, serving: SequenceClassifier, limit: int) -> Row | str:
    if pair.label is None:
        return "no label"
    if pair.label == "tie":
        return "a tie, for which TRL has no loss"
    a, b = (shown_to_classifier(side) for side in pair.comparison.sides())
    if a.response == b.response:
        return "the same text on both sides"
    if not (a.response.strip() and b.response.strip()):
        return "an empty response"
    chosen, rejected = (a, b) if pair.label == "a" else (b, a)
    better, worse = _tokens(chosen, serving), _tokens(rejected, serving)
    if max(len(better), len(worse)) > limit:
        return f"longer than {limit} tokens"
    return {"chosen_ids": better, "rejected_ids": worse, "weight": pair.weight}


def _tokens(sample: Sample, serving: SequenceClassifier) -> list[int]:
    encoded = serving.encode(sample)
    if more := set(encoded) - {"input_ids", "attention_mask"}:
        raise ConfigError(f"{serving.config.path}: the tokenizer gives {', '.join(sorted(more))}, which TRL would drop")
    return list(encoded["input_ids"])


def merged(trainer: Any, folder: Path) -> Path:
    """Merge a trained adapter into its base and save both as one model; return its folder."""
    whole = trainer.accelerator.unwrap_model(trainer.model).merge_and_unload()
    if trainer.is_world_process_zero():
        whole.save_pretrained(folder / "merged")
        trainer.processing_class.save_pretrained(folder / "merged")
    trainer.accelerator.wait_for_everyone()
    return folder / "merged"


def _sequence(start: LocalConfig, path: str, revision: str | None) -> SequenceConfig:
    how = start.model_dump(include={"dtype", "device", "trust_remote_code"})
    return SequenceConfig(provider="sequence", path=path, revision=revision, **how)
