"""A scalar reward model: a transformers sequence classifier with one output, in logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from judgekit.config import Config
from judgekit.errors import ModelError, require
from judgekit.models.weights import fingerprint, resolved
from judgekit.types import Sample, prompt_text

BATCH = 16


class SequenceConfig(Config):
    """``provider: sequence`` in a judge.yaml: a folder or hub id of a sequence classifier with one label."""

    provider: Literal["sequence"]
    path: str
    revision: str | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = "auto"
    trust_remote_code: bool = False

    def build(self) -> SequenceClassifier:
        return SequenceClassifier(self)


@dataclass
class SequenceClassifier:
    """Reads prompt and response as one chat and returns the classification head's single logit."""

    config: SequenceConfig

    @property
    def identity(self) -> dict[str, Any]:
        """Provider, precision and weights."""
        return {
            "provider": "sequence",
            "dtype": self.config.dtype,
            "weights": fingerprint(self.config.path, self.config.revision),
        }

    def save(self, folder: Path) -> dict[str, Any]:
        """Return the ``model:`` entry of a judge.yaml; the weights stay where they are."""
        return {**self.config.model_dump(exclude_none=True), **resolved(self.config, "path")}

    @cached_property
    def _parts(self) -> tuple[Any, Any, Any]:
        torch, transformers = require("torch", "train"), require("transformers", "train")
        common = {"revision": self.config.revision, "trust_remote_code": self.config.trust_remote_code}
        dtype = self.config.dtype if self.config.dtype == "auto" else getattr(torch, self.config.dtype)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(self.config.path, padding_side="right", **common)
            model = transformers.AutoModelForSequenceClassification.from_pretrained(
                self.config.path, dtype=dtype, use_safetensors=True, **common
            )
        except (OSError, ValueError) as problem:
            raise ModelError(f"{self.config.path}: cannot be loaded: {problem}") from problem
        if model.config.num_labels != 1:
            raise ModelError(f"{self.config.path}: has {model.config.num_labels} labels; a reward model has one")
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        model.config.get_text_config().pad_token_id = tokenizer.pad_token_id
        return torch, tokenizer, model.to(device if self.config.device == "auto" else self.config.device).eval()

    def strengths(self, samples: Sequence[Sample]) -> list[float | str]:
        """Return one logit a sample, or why there is none."""
        torch, tokenizer, model = self._parts
        tokens = [tokenizer(self._text(sample), add_special_tokens=False)["input_ids"] for sample in samples]
        limit = int(getattr(model.config.get_text_config(), "max_position_embeddings", 1 << 30))
        found: list[float | str] = [f"the text has {len(row)} tokens; the model has room for {limit}" for row in tokens]
        order = sorted((i for i, row in enumerate(tokens) if len(row) <= limit), key=lambda i: len(tokens[i]))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            inputs = tokenizer.pad({"input_ids": [tokens[i] for i in batch]}, return_tensors="pt").to(model.device)
            with torch.inference_mode():
                logits = model(**inputs).logits[:, 0].float().tolist()
            for i, logit in zip(batch, logits, strict=True):
                found[i] = logit
        return found

    def _text(self, sample: Sample) -> str:
        _, tokenizer, _ = self._parts
        if not tokenizer.chat_template:
            return f"{prompt_text(sample.prompt)}\n\n{sample.response}"
        turns = [{"role": "user", "content": sample.prompt}] if isinstance(sample.prompt, str) else list(sample.prompt)
        chat = [*turns, {"role": "assistant", "content": sample.response}]
        return str(tokenizer.apply_chat_template(chat, tokenize=False))
