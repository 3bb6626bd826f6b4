"""Weights to train: a whole network or a LoRA adapter on top of one, loaded, saved, and found again after a kill."""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from judgekit.config import Config
from judgekit.errors import require
from judgekit.models.local import LocalConfig
from judgekit.models.weights import whole


class Lora(Config):
    """A LoRA adapter (Hu et al. 2021) instead of training every weight; ``targets`` as in PEFT."""

    rank: Annotated[int, Field(ge=1)] = 16
    alpha: Annotated[int, Field(ge=1)] = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    targets: str | list[str] = "all-linear"

    def build(self, task: str = "CAUSAL_LM") -> Any:
        """Return PEFT's configuration."""
        peft = require("peft", "train")
        how = {"lora_alpha": self.alpha, "lora_dropout": self.dropout, "target_modules": self.targets}
        return peft.LoraConfig(task_type=task, r=self.rank, **how)


@dataclass(frozen=True)
class Trained:
    """What a stage of training made.

    Attributes:
        model: where its weights are: a folder, or a base model and the folder of its adapter.
        curve: what the trainer logged, step by step.
        left_out: how many items were not trained on, by reason.
    """

    model: LocalConfig
    curve: list[dict[str, float]]
    left_out: dict[str, int]


def load_trainable(start: LocalConfig, lora: Lora | None, kind: str = "AutoModelForCausalLM", **how: Any) -> Any:
    """Load what a stage starts from. An adapter that is there already goes on being trained.

    Weights are float32, so that small steps are not lost (on a GPU the trainer computes in bfloat16), unless the
    configuration says otherwise; under an adapter they do not change, and are bfloat16 on a GPU.
    """
    torch, transformers = require("torch", "train"), require("transformers", "train")
    dtype = start.dtype
    if dtype == "auto":
        dtype = "bfloat16" if (lora or start.adapter) and torch.cuda.is_available() else "float32"
    with whole(start.path):
        model = getattr(transformers, kind).from_pretrained(
            start.path,
            revision=start.revision,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            trust_remote_code=start.trust_remote_code,
            **how,
        )
    if start.adapter:
        peft = require("peft", "train")
        with whole(start.adapter):
            model = peft.PeftModel.from_pretrained(model, start.adapter, is_trainable=True)
    return model


def saved(start: LocalConfig, folder: Path, *, adapter: bool) -> LocalConfig:
    """Return the configuration that finds what a trainer saved in ``folder``."""
    if adapter:
        return start.model_copy(update={"adapter": str(folder)})
    return start.model_copy(update={"path": str(folder), "revision": None, "adapter": None})


def newest_checkpoint(folder: Path) -> tuple[Path | None, list[Path]]:
    """Return the newest whole checkpoint of a run, and the broken ones that are newer.

    A checkpoint is whole when its last file is there and no file of it is cut short.
    """
    broken: list[Path] = []
    found = [path for path in folder.glob("checkpoint-*") if path.name.removeprefix("checkpoint-").isdigit()]
    for path in sorted(found, key=lambda p: -int(p.name.removeprefix("checkpoint-"))):
        if _whole(path):
            return path, broken
        broken.append(path)
    return None, broken


def _whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        tensors = all(_whole_tensors(path) for path in checkpoint.rglob("*.safetensors"))
    except (OSError, ValueError, KeyError, struct.error):
        return False
    archives = [path for suffix in ("pt", "pth") for path in checkpoint.rglob(f"*.{suffix}")]
    return tensors and all(zipfile.is_zipfile(path) for path in archives)


def _whole_tensors(path: Path) -> bool:
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return bool(path.stat().st_size == 8 + length + max(ends, default=0))
