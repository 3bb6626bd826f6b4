"""The probabilities of a menu of answers, read off next-token logits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Tokens = tuple[int, ...]
END = -1  # stands in a path for any token that ends the model's turn


@dataclass(frozen=True)
class Menu:
    """Answers as token sequences, and where they part.

    P(answer) is the product, over the points at which answers part, of the next token's probability among the tokens
    that lead to an answer there. An answer that begins another ("1", "10") is closed by any of ``ends``, taken
    together. Where all answers are single tokens this is the softmax over their logits.
    """

    answers: tuple[Tokens, ...]
    ends: tuple[int, ...]

    @cached_property
    def _paths(self) -> tuple[Tokens, ...]:
        begun = {answer[:i] for answer in self.answers for i in range(len(answer))}
        return tuple((*answer, END) if answer in begun else answer for answer in self.answers)

    @cached_property
    def _children(self) -> dict[Tokens, tuple[int, ...]]:
        following: dict[Tokens, dict[int, None]] = {}
        for path in self._paths:
            for i, token in enumerate(path):
                following.setdefault(path[:i], {})[token] = None
        return {prefix: tuple(tokens) for prefix, tokens in following.items() if len(tokens) > 1}

    @cached_property
    def branches(self) -> dict[Tokens, tuple[int, ...]]:
        """For every beginning after which answers part: the tokens whose logits are needed there."""
        return {
            prefix: tuple(t for token in tokens for t in (self.ends if token == END else (token,)))
            for prefix, tokens in self._children.items()
        }

    def probabilities(self, logits: Mapping[Tokens, Any]) -> tuple[float, ...]:
        """Return P(answer) for every answer.

        Args:
            logits: for each of `branches`, the logits of its tokens, in their order: a float tensor.
        """
        step: dict[tuple[Tokens, int], float] = {}
        for prefix, tokens in self._children.items():
            chances = iter(logits[prefix].softmax(-1).tolist())
            for token in tokens:
                step[prefix, token] = sum(next(chances) for _ in (self.ends if token == END else (token,)))
        return tuple(self._probability(path, step) for path in self._paths)

    @staticmethod
    def _probability(path: Tokens, step: Mapping[tuple[Tokens, int], float]) -> float:
        chance = 1.0
        for i, token in enumerate(path):
            chance *= step.get((path[:i], token), 1.0)
        return chance
