"""The probabilities of a menu of answers, read off next-token logits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Menu:
    """Answers as token sequences, and where they part.

    P(answer) is the product, over the points at which answers part, of the next token's probability among the tokens
    that lead to an answer there. An answer that begins another ("1", "10") is closed by ``end``. Where all
    answers are single tokens this is the softmax over their logits.
    """

    answers: tuple[Tokens, ...]
    end: int

    @cached_property
    def _paths(self) -> tuple[Tokens, ...]:
        begun = {answer[:i] for answer in self.answers for i in range(len(answer))}
        return tuple((*answer, self.end) if answer in begun else answer for answer in self.answers)

    @cached_property
    def branches(self) -> dict[Tokens, tuple[int, ...]]:
        """For every beginning after which answers part: the tokens that may follow."""
        following: dict[Tokens, dict[int, None]] = {}
        for path in self._paths:
            for i, token in enumerate(path):
                following.setdefault(path[:i], {})[token] = None
        return {prefix: tuple(tokens) for prefix, tokens in following.items() if len(tokens) > 1}

    def probabilities(self, logits: Mapping[Tokens, Any]) -> tuple[float, ...]:
        """Return P(answer) for every answer.

        Args:
            logits: for each of `branches`, the logits of the next token: a float tensor of shape (vocabulary,).
        """
        step: dict[tuple[Tokens, int], float] = {}
        for prefix, tokens in self.branches.items():
            chances = logits[prefix][list(tokens)].softmax(-1).tolist()
            step |= {(prefix, token): chance for token, chance in zip(tokens, chances, strict=True)}
        return tuple(self._probability(path, step) for path in self._paths)

    @staticmethod
    def _probability(path: Tokens, step: Mapping[tuple[Tokens, int], float]) -> float:
        chance = 1.0
        for i, token in enumerate(path):
            chance *= step.get((path[:i], token), 1.0)
        return chance
