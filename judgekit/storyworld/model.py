"""The storyworld's teacher behind the seam of every model: asked in messages, it answers in text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from judgekit.config import Config
from judgekit.errors import InputError
from judgekit.models.base import Decoding, Model, Reply, Request
from judgekit.storyworld.teacher import Teacher
from judgekit.types import Comparison, Usage


class StoryworldConfig(Config):
    """``provider: storyworld`` in a judge.yaml: the scripted `Teacher`, for a pairwise rubric over storyworld pairs."""

    provider: Literal["storyworld"]
    fooled: Annotated[float, Field(ge=0, le=1)] = 0.65
    seed: int = 0

    def build(self) -> TeacherModel:
        return TeacherModel(self)


@dataclass
class TeacherModel(Model):
    """Reads the two stories out of the question, and writes what `Teacher.chain` says of them."""

    config: StoryworldConfig

    @property
    def identity(self) -> dict[str, Any]:
        return self.config.model_dump()

    @property
    def settings(self) -> dict[str, Any]:
        return self.config.model_dump()

    def complete(self, requests: Sequence[Request], decoding: Decoding) -> Iterator[tuple[int, Reply]]:
        teacher = Teacher(self.config.fooled, self.config.seed)
        for index, request in enumerate(requests):
            try:
                reply = teacher.chain(_asked(request))
            except (InputError, KeyError) as problem:
                yield index, Reply(None, f"no question about two stories of the storyworld: {problem}", Usage(calls=1))
            else:
                yield index, Reply(reply, usage=Usage(1, 0, _words(request), len(reply.split())))


def _asked(request: Request) -> Comparison:
    texts = json.loads(request.identity)[1]
    return Comparison(texts["prompt"], texts["a"], texts["b"])


def _words(request: Request) -> int:
    return sum(len(message["content"].split()) for message in request.messages)
