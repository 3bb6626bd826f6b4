"""A scalar reward model: a transformers sequence classifier with one output, in logits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from judgekit.config import Config
from judgekit.errors import ModelError, require
from judgekit.models.control import Control
from judgekit.models.weights import commit, fingerprint, quiet, resolved, whole
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

    @cached_property
    def revision(self) -> str | None:
        """The hub's commit that is loaded; None for a folder."""
        return commit(self.config.path, self.config.revision, trust_remote_code=self.config.trust_remote_code)

    @property
    def identity(self) -> dict[str, Any]:
        """Provider, precision and weights."""
        weights = fingerprint(self.config.path, self.revision)
        return {"provider": "sequence", "dtype": self.config.dtype, "weights": weights}

    def save(self, folder: Path) -> dict[str, Any]:
        """Return the ``model:`` entry of a judge.yaml; the weights stay where they are."""
        pinned = {"revision": self.revision} if self.revision else {}
        return {**self.config.model_dump(exclude_none=True), **resolved(self.config, "path"), **pinned}

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer; needs no weights."""
        return self._load("AutoTokenizer", padding_side="right")

    @cached_property
    def _model(self) -> Any:
        torch = require("torch", "train")
        dtype = self.config.dtype if self.config.dtype == "auto" else getattr(torch, self.config.dtype)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = self._load("AutoModelForSequenceClassification", dtype=dtype, use_safetensors=True)
        if model.config.num_labels != 1:
            raise ModelError(f"{self.config.path}: has {model.config.num_labels} labels; a reward model has one")
        return model.to(device if self.config.device == "auto" else self.config.device).eval()

    def _load(self, kind: str, **how: Any) -> Any:
        transformers = require("transformers", "train")
        quiet()
        common = {"revision": self.revision, "trust_remote_code": self.config.trust_remote_code}
        with whole(self.config.path):
            return getattr(transformers, kind).from_pretrained(self.config.path, **common, **how)

    @cached_property
    def _control(self) -> Control:
        return Control(self.tokenizer)

    @cached_property
    def limit(self) -> int:
        """How many tokens the model can take."""
        positions = getattr(self._load("AutoConfig").get_text_config(), "max_position_embeddings", None) or 1 << 30
        return min(int(positions), int(self.tokenizer.model_max_length))

    def strengths(self, samples: Sequence[Sample]) -> list[float | str]:
        """Return one logit a sample, or why there is none."""
        rows = [self.encode(sample) for sample in samples]
        lengths = [len(row["input_ids"]) for row in rows]
        found: list[float | str] = [f"the text has {n} tokens; the model has room for {self.limit}" for n in lengths]
        order = sorted((i for i, n in enumerate(lengths) if n <= self.limit), key=lengths.__getitem__)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            for i, logit in zip(batch, self._run([rows[i] for i in batch]), strict=True):
                found[i] = logit
        return found

    def encode(self, sample: Sample) -> dict[str, list[int]]:
        """Return the tokens of one chat, or of the two texts as the tokenizer pairs them where it knows no chat."""
        tokenizer = self.tokenizer
        response = self._control.broken(sample.response)
        if not tokenizer.chat_template:
            return dict(tokenizer(self._control.broken(prompt_text(sample.prompt)), response))
        prompt = [{"role": "user", "content": sample.prompt}] if isinstance(sample.prompt, str) else sample.prompt
        turns = [{**turn, "content": self._control.broken(turn["content"])} for turn in prompt]
        text = tokenizer.apply_chat_template([*turns, {"role": "assistant", "content": response}], tokenize=False)
        return dict(tokenizer(text, add_special_tokens=False))

    def _run(self, rows: list[dict[str, list[int]]]) -> list[float]:
        torch, model = require("torch", "train"), self._model
        pad = padding(self.tokenizer, (row["input_ids"] for row in rows))
        model.config.get_text_config().pad_token_id = model.config.pad_token_id = pad
        width = max(len(row["input_ids"]) for row in rows)
        inputs = {name: [row[name] + [0] * (width - len(row[name])) for row in rows] for name in rows[0]}
        inputs["input_ids"] = [row["input_ids"] + [pad] * (width - len(row["input_ids"])) for row in rows]
        with torch.inference_mode():
            logits = model(**{name: torch.tensor(value, device=model.device) for name, value in inputs.items()}).logits
        return list(logits[:, 0].float().tolist())


def padding(tokenizer: Any, rows: Iterable[Sequence[int]]) -> int:
    """Return a token to pad with that ends none of these rows.

    A decoder's head reads the last token that is not the padding one: were that how a row ends, it would read too
    early. It is the tokenizer's own where that will do.
    """
    last = {row[-1] for row in rows}
    known = (tokenizer.pad_token_id, *range(len(last) + 1))
    return next(int(token) for token in known if token is not None and token not in last)
