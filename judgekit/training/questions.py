"""A rubric's questions as the very text that the judge sees when it serves: one renderer for both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from judgekit.judges.asking import Case
from judgekit.models.local import LocalModel
from judgekit.rubrics.prompt import Questions
from judgekit.rubrics.reply import read_scores
from judgekit.rubrics.rubric import Rubric
from judgekit.rubrics.writing import nearest_on_menu, write_scores
from judgekit.training.chains import Chain, in_order
from judgekit.types import Comparison, Pair, Rated, Sample


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt in the model's chat format, and the reply to learn, with the end of the model's turn."""

    prompt: str
    completion: str


@dataclass(frozen=True, slots=True)
class Task:
    """A prompt in the model's chat format, and what the reward must know of it."""

    prompt: str
    facts: Mapping[str, Any]


@dataclass
class Writer:
    """Writes questions for a model to learn from.

    Attributes:
        model: whose tokenizer and chat template are used; its weights are not loaded.
        seed: of the fence's nonces, so that a resumed run sees the same text.
    """

    rubric: Rubric
    model: LocalModel
    seed: int = 0

    def __post_init__(self) -> None:
        self.model.secret = fence_key(self.seed)

    @cached_property
    def _questions(self) -> Questions:
        return Questions(self.rubric)

    def problem(self, item: Sample | Comparison) -> str | None:
        """Say why an item cannot be asked about; None where it can."""
        return self._case(item).problem

    def prompt(self, item: Sample | Comparison) -> str:
        """Return the question about an item, in the model's chat format."""
        return self.model.text(self._case(item).request().messages)

    def _case(self, item: Sample | Comparison) -> Case:
        return Case.of(self._questions, self.model, item)

    def examples(self, pairs: Sequence[Pair], chains: Sequence[Chain]) -> list[Example]:
        """Return the chains as replies to their pairs, each in the order in which its teacher saw it."""
        by_id = {pair.id: pair.comparison for pair in pairs}
        end = self.model.turn_end
        return [Example(self.prompt(in_order(by_id[c.pair], c.order)), f"{c.text}{end}") for c in chains]

    def lesson(self, row: Rated) -> Example | str:
        """Return a rated sample as the question about it and the reply to learn; or why it cannot be learnt from.

        Scores go to the nearest value on their menu. Whatever a review does to the reply, only one that is read back as
        the very scores that were put in is ever taught.
        """
        criteria, given = self.rubric.criteria, {name: v for name, v in row.scores.items() if v is not None}
        if missing := [c.id for c in criteria if c.id not in given]:
            return f"no score for {', '.join(missing)}"
        if problem := self.problem(row.sample):
            return problem
        values = {c.id: nearest_on_menu(c, given[c.id]) for c in criteria}
        reply = write_scores(self.rubric, values, row.reviews, row.rationale) + self.model.turn_end
        written = self.model.reply(self.model.tokens([reply])[0], 0)
        read = read_scores(self.rubric, written.text or "")
        if read.error or read.values != values:
            return f"its reply cannot be read back ({read.error or 'other scores are found in it'})"
        return Example(self.prompt(row.sample), reply)


def fence_key(seed: int) -> bytes:
    """Return the key of the fences of a run, so that what is resumed or run again puts every question in one text."""
    return hashlib.sha256(f"judgekit training {seed}".encode()).digest()
