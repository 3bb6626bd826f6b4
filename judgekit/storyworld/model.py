"""The storyworld's teacher behind the seam of every model: asked in messages, it answers in text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from judgekit.config import Config
from judgekit.errors import InputError
from judgekit.models.base import Decoding, Model, Reply, Request
from judgekit.storyworld.flaws import rating
from judgekit.storyworld.outlines import Outline
from judgekit.storyworld.reading import read
from judgekit.storyworld.teacher import Teacher, checks
from judgekit.types import Comparison, Usage


class StoryworldConfig(Config):
    """``provider: storyworld`` in a judge.yaml: the scripted `Teacher`, for a rubric over stories of the storyworld.

    Asked about a pair (``story/storyworld``) it is fooled as the `Teacher` is; asked about one story
    (``story/storyworld_rating``) it says the truth, to the next whole number.
    """

    provider: Literal["storyworld"]
    fooled: Annotated[float, Field(ge=0, le=1)] = 0.65
    seed: int = 0

    def build(self) -> TeacherModel:
        return TeacherModel(self)


@dataclass
class TeacherModel(Model):
    """Reads the stories out of the question, and writes what `Teacher.chain` says of two, or `rated` of one."""

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
                texts = json.loads(request.identity)[1]
                reply = rated(texts) if "response" in texts else teacher.chain(_pair(texts))
            except (InputError, KeyError) as problem:
                yield index, Reply(None, f"no question about stories of the storyworld: {problem}", Usage(calls=1))
            else:
                yield index, Reply(reply, usage=Usage(1, 0, _words(request), len(reply.split())))


def _pair(texts: Mapping[str, str]) -> Comparison:
    return Comparison(texts["prompt"], texts["a"], texts["b"])


def rated(texts: Mapping[str, str]) -> str:
    """Return the `checks` of a story and its true rating, 1 to 5, in the form of ``story/storyworld_rating``.

    Raises:
        InputError: the prompt is not from the storyworld.
    """
    reading = read(Outline.parse(texts["prompt"]), texts["response"])
    verdict = {"reason": checks(reading), "score": round(rating(reading.quality))}
    return json.dumps({"quality": verdict})


def _words(request: Request) -> int:
    return sum(len(message["content"].split()) for message in request.messages)
