"""Random draws that belong to a request, not to the batch it happens to stand in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from judgekit.models.base import Decoding, Request


class Draws:
    """A transformers logits processor that picks each row's next token with that row's own random numbers.

    The numbers follow from seed, draw and question alone, so the same request gives the same reply in any batch, and
    k draws of one question are independent. The token is the inverse of the cumulative distribution at the next number.
    """

    def __init__(self, requests: Sequence[Request], decoding: Decoding) -> None:
        self._decoding = decoding
        self._numbers = [_generator(request, decoding.seed) for request in requests]

    def __call__(self, tokens: Any, scores: Any) -> Any:
        chances = (scores.float() / self._decoding.temperature).softmax(-1)
        ordered, order = chances.sort(-1, descending=True)
        sums = ordered.cumsum(-1)
        if self._decoding.top_p < 1:  # keep the likeliest tokens that reach top_p together
            ordered = ordered.masked_fill(sums - ordered >= self._decoding.top_p, 0.0)
            sums = ordered.cumsum(-1)
        numbers = sums.new_tensor([[generator.random()] for generator in self._numbers])
        place = (sums > numbers * sums[:, -1:]).int().argmax(-1, keepdim=True)
        return scores.new_full(scores.shape, float("-inf")).scatter(-1, order.gather(-1, place), 0.0)


def _generator(request: Request, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed} {request.draw} {request.identity}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
