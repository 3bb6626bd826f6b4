"""The one seam to a language model: questions in, texts or probabilities out, in the order they finish."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from judgekit.config import Config
from judgekit.errors import ModelError
from judgekit.types import Message, Usage


class Decoding(Config):
    """How a reply is drawn. Temperature 0 is greedy, but not a promise of equal replies from a remote server."""

    temperature: Annotated[float, Field(ge=0, le=5)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] = 1024
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """Messages that want a written reply.

    Attributes:
        identity: the messages as text, with an empty nonce: what is asked, whatever fence it is asked in.
        draw: which of the k replies to the same question this is.
        schema: JSON schema of the reply, for servers that enforce one.
    """

    messages: Sequence[Message]
    identity: str
    draw: int = 0
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model wrote; ``text`` is None exactly when ``error`` says why."""

    text: str | None
    error: str | None = None
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Question:
    """Messages whose reply is read off as probabilities: ``lead`` begins it, one of ``answers`` follows."""

    messages: Sequence[Message]
    identity: str
    lead: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Readout:
    """The probability of each answer, summing to 1; None exactly when ``error`` says why."""

    probabilities: tuple[float, ...] | None
    error: str | None = None
    usage: Usage = Usage()


@dataclass
class Model(ABC):
    """Answers batches of requests. A request that fails comes back as a reply with an error.

    Attributes:
        secret: key of the fence's nonces; new in every process, unless a journal keeps it.
    """

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False, kw_only=True)

    @property
    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What decides the replies (provider, name, revision, weights): part of every fingerprint and journal key."""

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The ``model:`` entry of a judge.yaml that builds this model again."""

    @abstractmethod
    def complete(self, requests: Sequence[Request], decoding: Decoding) -> Iterator[tuple[int, Reply]]:
        """Yield ``(index, reply)`` for every request once, as they finish."""

    def read_out(self, questions: Sequence[Question]) -> Iterator[tuple[int, Readout]]:
        """Yield ``(index, readout)`` for every question once.

        Raises:
            ModelError: this model shows no probabilities.
        """
        raise ModelError(
            "this model shows no probabilities, which 'ask: expected' needs; use 'ask: all' or 'ask: each'"
        )
