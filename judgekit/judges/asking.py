"""Puts rubric questions to a model: the fence's nonce, the question's identity, the schema of the reply."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from judgekit.judges.base import digest
from judgekit.models.base import Decoding, Model, Question, Readout, Reply, Request
from judgekit.rubrics.prompt import Form, Questions, nonce_for, texts_of
from judgekit.rubrics.rubric import Criterion, Rubric
from judgekit.types import Comparison, Sample

LEAD = "Score: "


def rubric_identity(rubric: Rubric) -> str:
    """Return the hash of a rubric and its prompt."""
    return digest([rubric.model_dump(mode="json", exclude={"prompt", "source"}), astuple(rubric.template)])


@dataclass(frozen=True)
class Case:
    """One item made ready to be asked about: its texts, cut and neutralised, and its fence's nonce.

    All questions about one case share the nonce, so that their common beginning stays equal, token for token.
    """

    questions: Questions
    texts: Mapping[str, str]
    nonce: str

    @classmethod
    def of(cls, questions: Questions, model: Model, item: Sample | Comparison) -> Case:
        """Make an item ready."""
        texts = texts_of(questions.rubric, item)
        return cls(questions, texts, nonce_for(model.secret, json.dumps(texts, sort_keys=True)))

    @property
    def problem(self) -> str | None:
        """Why this cannot be put to a judge at all: a text is missing, or empty once the thinking is cut."""
        rubric = self.questions.rubric
        for slot in sorted(rubric.template.slots):
            if (slot == "reference" or slot.startswith("metadata.")) and slot not in self.texts:
                return f"{slot} is missing; the prompt of {rubric.id!r} shows it"
        for slot, text in self.texts.items():
            if any("\ud800" <= character <= "\udfff" for character in text):
                return f"{slot} holds a lone surrogate"
        for slot in ("response", "a", "b"):
            if slot in self.texts and not self.texts[slot].strip():
                return f"response {slot} is empty" if slot != "response" else "the response is empty"
        return None

    def request(self, criterion: Criterion | None = None, draw: int = 0) -> Request:
        """Build the request for one written reply, about all criteria or one."""
        form = self.questions.form(criterion)
        return Request(form.messages(self.texts, self.nonce), self._identity(form), draw, form.schema)

    def question(self, criterion: Criterion) -> Question:
        """Build the question whose answer is read off as probabilities over the criterion's menu."""
        form = self.questions.form(criterion, value=True)
        return Question(form.messages(self.texts, self.nonce), self._identity(form), LEAD, tuple(criterion.menu))

    def _identity(self, form: Form) -> str:
        return json.dumps([form.digest, self.texts], sort_keys=True)


def replies(model: Model, requests: Sequence[Request], decoding: Decoding) -> list[Reply]:
    """Ask everything and return the replies in the order of the requests."""
    return _in_order(dict(model.complete(requests, decoding)), len(requests))


def readouts(model: Model, questions: Sequence[Question]) -> list[Readout]:
    """Ask everything and return the read-outs in the order of the questions."""
    return _in_order(dict(model.read_out(questions)), len(questions))


def _in_order(answers: dict[int, Any], n: int) -> list[Any]:
    return [answers[i] for i in range(n)]
