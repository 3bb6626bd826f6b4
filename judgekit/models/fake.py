"""A scripted model, for tests, dry runs and notebooks."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from judgekit.config import Config
from judgekit.errors import InputError
from judgekit.models.base import Decoding, Model, Question, Readout, Reply, Request
from judgekit.types import Usage

Script = Callable[[Request], str | Reply]


@dataclass
class FakeModel(Model):
    """Answers from a script: one text for all, texts picked by what is asked, or a function of the request.

    Texts are picked by a checksum of the question, so that the order and the batching of requests change nothing.
    """

    script: str | Sequence[str] | Script
    calls: int = 0

    @property
    def identity(self) -> dict[str, Any]:
        if callable(self.script):
            code = getattr(self.script, "__code__", None)
            where = [code.co_filename, code.co_firstlineno, code.co_name] if code else type(self.script).__qualname__
            return {"provider": "fake", "script": where}
        return self.settings

    @property
    def settings(self) -> dict[str, Any]:
        if callable(self.script):
            raise InputError("a FakeModel with a function has no file form; give it texts")
        return {"provider": "fake", "replies": [self.script] if isinstance(self.script, str) else list(self.script)}

    def complete(self, requests: Sequence[Request], decoding: Decoding) -> Iterator[tuple[int, Reply]]:
        for index, request in enumerate(requests):
            self.calls += 1
            reply = self._reply(request)
            yield index, Reply(reply, usage=Usage(calls=1)) if isinstance(reply, str) else reply

    def read_out(self, questions: Sequence[Question]) -> Iterator[tuple[int, Readout]]:
        """Give each answer a probability that depends on the question alone."""
        for index, question in enumerate(questions):
            self.calls += 1
            weights = [1 + zlib.crc32(f"{question.identity}{answer}".encode()) % 97 for answer in question.answers]
            yield index, Readout(tuple(w / sum(weights) for w in weights), usage=Usage(calls=1))

    def _reply(self, request: Request) -> str | Reply:
        if isinstance(self.script, str):
            return self.script
        if callable(self.script):
            return self.script(request)
        return self.script[zlib.crc32(f"{request.identity}{request.draw}".encode()) % len(self.script)]


class FakeConfig(Config):
    """``provider: fake`` in a judge.yaml: one of these texts answers each question."""

    provider: Literal["fake"]
    replies: Annotated[tuple[str, ...], Field(min_length=1)]

    def build(self) -> FakeModel:
        return FakeModel(self.replies)
