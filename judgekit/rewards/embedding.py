"""Texts -> vectors, by whatever embeds them; the last ones are remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from judgekit.errors import InputError, require

Embedder = Callable[[Sequence[str]], Any]
REMEMBERED = 10_000


class Embedding:
    """Embeds each different text once. Loads its model at the first call, and again after it has been pickled.

    Args:
        model: None for the installed MiniLM (its first 256 tokens of a text), the name or the folder of a
            sentence-transformers model, or a function of texts that returns an array with a row for each. The first two
            run on a GPU where there is one.
    """

    def __init__(self, model: str | Embedder | None = None) -> None:
        self.model = model
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()  # a call that came too late for its batch may still be at work in the next one
        self._embedder: Embedder | None = None
        self._known: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.model = state["model"]
        self._begin()

    def __call__(self, texts: Sequence[str]) -> Any:
        """Return a row for each of one or more texts, shape (texts, width), in float64.

        It is an array of numpy, or a tensor where the embedder left one on a GPU. The last 10,000 rows are remembered,
        but none that is not finite: the next call may have more luck.

        Raises:
            InputError: the embedder gave something else than a row for each text.
        """
        with self._lock:
            new = list(dict.fromkeys(text for text in texts if text not in self._known))
            rows = self._rows(new) if new else ()
            known = self._known | dict(zip(new, rows, strict=True))
            found = [known[text] for text in texts]
            finite = home(rows).isfinite(rows).all(-1).tolist() if new else []
            for text in (text for text, fine in zip(new, finite, strict=True) if not fine):
                del known[text]
            self._known = dict(list(known.items())[-REMEMBERED:])
        return home(found[0]).stack(found)

    def _rows(self, texts: Sequence[str]) -> Any:
        self._embedder = self._embedder or _loaded(self.model)
        # Half a surrogate pair, as JSON can hold one, is no text for a tokenizer.
        rows = _float64(self._embedder([text.encode("utf-8", "replace").decode("utf-8") for text in texts]))
        if rows.ndim != 2 or len(rows) != len(texts) or not rows.shape[1]:
            raise InputError(f"the embedder gave an array of shape {tuple(rows.shape)} for {len(texts)} texts")
        return rows


def home(array: Any) -> Any:
    """Return the module that an array is of, numpy or torch."""
    return np if isinstance(array, np.ndarray) else require("torch", "embed")


def _loaded(model: str | Embedder | None) -> Embedder:
    if callable(model):
        return model
    if model is None:
        from judgekit.models.encoder import Encoder

        return Encoder().run
    library = require("sentence_transformers", "embed")
    encoder = library.SentenceTransformer(model, model_kwargs={"use_safetensors": True})
    return lambda texts: encoder.encode(list(texts), convert_to_tensor=True, show_progress_bar=False)


def _float64(found: Any) -> Any:
    """Return numbers of any precision and kind as float64; what is on a CUDA device stays there."""
    if hasattr(found, "detach"):
        found = found.detach()
        found = found.double() if found.is_cuda else found.cpu().double().numpy()
    if hasattr(found, "is_cuda"):
        return found
    try:
        return np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"the embedder gave no array of numbers: {error}") from error
