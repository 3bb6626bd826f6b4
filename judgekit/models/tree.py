"""The logits at the end of many token sequences, with what they begin with run once.

The sequences are sorted and walked as a tree: what a group of them has in common runs through the model once, and its
key/value cache is handed to all that follow (the rubric for all stories, a story for all its questions).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

from judgekit.errors import require
from judgekit.models.menu import Tokens

MIN_SHARED = 32  # tokens that rows must have in common before sharing them pays for copying the cache


class Row(NamedTuple):
    """A token sequence, and the tokens whose logits are wanted after it."""

    tokens: Tokens
    wanted: tuple[int, ...]


@dataclass
class PrefixTree:
    """Runs rows through one causal language model.

    Attributes:
        pad: any token that the model knows; it fills up shorter rows.
        batch_tokens: tokens, shared ones included, that rows finished together may hold.
    """

    model: Any
    device: Any
    pad: int
    batch_tokens: int

    def logits(self, rows: list[Row]) -> list[Any]:
        """Return, for every row, the logits of its wanted tokens after its last one, in float32 on the CPU."""
        torch = require("torch", "train")
        order = sorted(range(len(rows)), key=lambda i: rows[i].tokens)
        found: dict[int, Any] = {}
        with torch.inference_mode():
            if rows:
                self._walk([(i, rows[i]) for i in order], 0, None, found)
        return [found[i] for i in range(len(rows))]

    @cached_property
    def _layers(self) -> set[type]:
        """The kinds of layers that the model's cache has."""
        torch = require("torch", "train")
        cache = self.model(input_ids=torch.tensor([[0]], device=self.device), use_cache=True).past_key_values
        return {type(layer) for layer in getattr(cache, "layers", [None])}

    @cached_property
    def _packs(self) -> bool:
        """Whether rows can stand in one line behind a shared cache: every layer sees all that a mask lets it see."""
        return self._layers == {require("transformers.cache_utils", "train").DynamicLayer}

    @cached_property
    def _shares(self) -> bool:
        """Whether the cache can be repeated along the batch: only pure attention's can."""
        cache_utils = require("transformers.cache_utils", "train")
        return self._layers <= {cache_utils.DynamicLayer, cache_utils.DynamicSlidingWindowLayer}

    def _walk(self, rows: list[tuple[int, Row]], start: int, cache: Any, found: dict[int, Any]) -> None:
        """Answer sorted rows whose first ``start`` tokens are in ``cache``; shared beginnings run once."""
        first, last = rows[0][1].tokens, rows[-1][1].tokens
        shared = min(_common(first, last), len(first) - 1)
        if len(rows) > 1 and shared - start >= MIN_SHARED and self._shares:
            cache = self._extend(cache, first[start:shared])
            start = shared
        alone: list[tuple[int, Row]] = []
        for family in _families(rows, start + MIN_SHARED):
            if 1 < len(family) < len(rows) and self._shares:
                self._walk(family, start, copy.deepcopy(cache), found)
            else:
                alone += family
        alone.sort(key=lambda row: len(row[1].tokens))
        finish = self._finish_packed if cache is not None and self._packs else self._finish
        for batch in batches(list(range(len(alone))), [row.tokens for _, row in alone], 0, self.batch_tokens):
            finish([alone[i] for i in batch], start, cache, found)

    def _extend(self, cache: Any, tokens: Tokens) -> Any:
        torch = require("torch", "train")
        ids = torch.tensor([tokens], device=self.device)
        return self.model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).past_key_values

    def _finish_packed(self, rows: list[tuple[int, Row]], start: int, cache: Any, found: dict[int, Any]) -> None:
        """Run what is left of each row, all in one line behind one copy of the cache, and keep the wanted logits.

        A mask keeps the rows apart: each token sees the shared beginning and its own row up to itself.
        """
        torch = require("torch", "train")
        tails = [row.tokens[start:] for _, row in rows]
        owner = torch.tensor([i for i, tail in enumerate(tails) for _ in tail])
        own = (owner[:, None] == owner[None, :]).tril()
        seen = torch.cat([torch.ones(len(owner), start, dtype=torch.bool), own], dim=1)
        mask = torch.zeros(seen.shape, dtype=self.model.dtype).masked_fill(~seen, torch.finfo(self.model.dtype).min)
        last = torch.tensor([len(tail) for tail in tails]).cumsum(0) - 1
        logits = self.model(
            input_ids=torch.tensor([[token for tail in tails for token in tail]], device=self.device),
            attention_mask=mask[None, None].to(self.device),
            position_ids=torch.tensor([[start + i for tail in tails for i in range(len(tail))]], device=self.device),
            past_key_values=copy.deepcopy(cache),
            use_cache=True,
            logits_to_keep=last.to(self.device),
        ).logits[0]
        for (index, row), at_end in zip(rows, logits, strict=True):
            found[index] = at_end[list(row.wanted)].float().cpu()

    def _finish(self, rows: list[tuple[int, Row]], start: int, cache: Any, found: dict[int, Any]) -> None:
        """Run what is left of each row, side by side and padded on the right, and keep the wanted logits."""
        torch = require("torch", "train")
        tails = [row.tokens[start:] for _, row in rows]
        width, pad = max(map(len, tails)), self.pad
        ids = torch.tensor([(*tail, *[pad] * (width - len(tail))) for tail in tails])
        mask = torch.tensor([[1] * (start + len(tail)) + [0] * (width - len(tail)) for tail in tails])
        if cache is not None:
            cache = copy.deepcopy(cache)
            cache.batch_repeat_interleave(len(rows))
        ends = sorted({len(tail) - 1 for tail in tails})
        logits = self.model(
            input_ids=ids.to(self.device),
            attention_mask=mask.to(self.device),
            position_ids=torch.arange(start, start + width, device=self.device).expand(len(rows), -1),
            past_key_values=cache,
            use_cache=cache is not None,
            logits_to_keep=torch.tensor(ends, device=self.device),
        ).logits
        for place, (index, row) in enumerate(rows):
            at_end = logits[place, ends.index(len(tails[place]) - 1)]
            found[index] = at_end[list(row.wanted)].float().cpu()


def batches(order: list[int], rows: Sequence[Sequence[int]], new: int, most: int) -> Iterator[list[int]]:
    """Split rows, given in the order of their lengths, such that a padded batch and its new tokens hold ``most``."""
    batch: list[int] = []
    for index in order:  # shortest first, so that the newest row sets the width
        if batch and (len(batch) + 1) * (len(rows[index]) + new) > most:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _common(a: Tokens, b: Tokens) -> int:
    """Return how many tokens two rows have in common at the start."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))


def _families(rows: list[tuple[int, Row]], length: int) -> Iterator[list[tuple[int, Row]]]:
    """Split sorted rows into runs whose neighbours share at least ``length`` tokens."""
    family = [rows[0]]
    for before, row in pairwise(rows):
        if _common(before[1].tokens, row[1].tokens) < length:
            yield family
            family = []
        family.append(row)
    yield family
