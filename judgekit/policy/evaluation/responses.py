"""``responses.jsonl``: K responses of a policy to each prompt, written as they come and read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from judgekit.episodes import Turn
from judgekit.episodes.answer import OPENED
from judgekit.errors import InputError
from judgekit.files import check, digest_of, read
from judgekit.files.rows import Row, prompt_of
from judgekit.judges.base import digest
from judgekit.models import Decoding, Model, Reply, Request
from judgekit.models.local import LocalModel
from judgekit.policy.asked import Asked, Data, StoryPrompt
from judgekit.policy.evaluation.filling import Progress, fill, silent
from judgekit.policy.evaluation.forms import Form, held_to
from judgekit.policy.evaluation.policy import CutReply
from judgekit.rewards import Rollout
from judgekit.types import Message, Prompt, prompt_text

FILE = "responses.jsonl"
NO_REASON = "no reason recorded"


@dataclass(frozen=True, slots=True)
class Responded:
    """A prompt and K responses to it.

    Attributes:
        responses: all that was written, reasoning included; None where there is no response, and ``errors`` says why.
        cut: whether a response was cut off.
        policy: fingerprint of the policy; empty where somebody else wrote the row.
    """

    asked: Asked
    responses: tuple[str | None, ...]
    errors: tuple[str | None, ...]
    cut: tuple[bool, ...]
    policy: str = ""

    @property
    def id(self) -> str:
        """That of the prompt."""
        return self.asked.id

    @property
    def visible(self) -> tuple[str | None, ...]:
        """What a reader sees of each response."""
        return tuple(None if text is None else Rollout("", text).visible for text in self.responses)


def author_of(model: Model, decoding: Decoding, k: int) -> str:
    """Return the fingerprint of a policy: its weights, how it is sampled, and how often."""
    return digest({"model": model.identity, "decoding": decoding.model_dump(), "k": k})


def respond(
    model: Model, data: Data, path: Path, decoding: Decoding, k: int, size: int = 16, progress: Progress = silent
) -> list[Responded]:
    """Sample K responses to each prompt, but for those that the file has already.

    Args:
        size: prompts at a time.

    Raises:
        InputError: K below 1, K above 1 without a temperature, or a file of another policy or of other prompts.
    """
    if k < 1 or (k > 1 and decoding.temperature == 0):
        raise InputError(f"{k} responses at temperature {decoding.temperature:g}: give one or more, and several only "
                         "with a temperature above 0, or they are all equal")  # fmt: skip
    author = author_of(model, decoding, k)

    def rows_of(batch: list[Asked]) -> list[dict[str, Any]]:
        requests = [request(one.prompt, draw) for one in batch for draw in range(k)]
        replies = sampled(model, requests, decoding)
        return [_row(one, replies[k * i : k * (i + 1)], author) for i, one in enumerate(batch)]

    fill(path, ("policy", author), data.asked, rows_of, size, progress)
    return read_responses(path)


def request(prompt: Prompt, draw: int = 0) -> Request:
    """Return the request for one response."""
    messages: Sequence[Message] = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    return Request(list(messages), prompt_text(prompt), draw)


def sampled(model: Model, requests: Sequence[Request], decoding: Decoding) -> list[Reply]:
    """Return the replies in order; each begins with ``<think>`` where the chat template has opened it already."""
    found = dict(model.complete(requests, decoding))
    if not (isinstance(model, LocalModel) and requests and model.text(requests[0].messages).rstrip().endswith(OPENED)):
        return [found[i] for i in range(len(requests))]
    return [_opened(found[i]) for i in range(len(requests))]


def _opened(reply: Reply) -> Reply:
    return reply if reply.text is None else type(reply)(f"{OPENED}\n{reply.text}", reply.error, reply.usage)


def _row(one: Asked, replies: Sequence[Reply], author: str) -> dict[str, Any]:
    columns = {name: value for name, value in asdict(one).items() if name not in ("id", "prompt")}
    texts = [None if r.text is None else r.text.encode("utf-8", "replace").decode("utf-8") for r in replies]
    return {
        "id": one.id,
        "input": digest_of(one),
        "policy": author,
        "kind": "turn" if isinstance(one, Turn) else "story",
        "prompt": one.prompt,
        "columns": columns,
        "responses": texts,
        "errors": [reply.error for reply in replies],
        "cut": [isinstance(reply, CutReply) for reply in replies],
    }


# --- read back -------------------------------------------------------------------------------------------------------


class _Response(Form):
    """A row. One that somebody else wrote needs ``id``, ``prompt`` and ``responses``."""

    id: Annotated[str, Field(min_length=1)]
    prompt: Any
    responses: Annotated[tuple[str | None, ...], Field(min_length=1)]
    errors: tuple[str | None, ...] | None = None
    cut: tuple[bool, ...] | None = None
    kind: Literal["turn", "story"] = "story"
    columns: dict[str, Any] = {}
    input: str = ""
    policy: str = ""


class _Turn(Form):
    next_episode: str
    conversation: str
    episode: str | None
    progress: int
    budget: int | None
    language: str
    story: str | None = None
    reference: str | None = None
    reasoning: str = ""
    context: dict[str, str] = {}
    metadata: dict[str, Any] = {}


class _Story(Form):
    words: Annotated[int, Field(ge=1)] | None = None
    group: str = ""
    reference: str | None = None
    metadata: dict[str, Any] = {}
    human_reference: str | None = None


def read_responses(path: str | Path) -> list[Responded]:
    """Read responses, of a policy of ours or of anybody else's.

    Raises:
        InputError: no such file, no rows, a row that cannot be used, an id that stands twice, or not as many responses
            of one row as of another; names the file and the line.
    """
    check(path, responded_of)
    found = list(read(path, lambda row, line: (line, responded_of(row, line))))
    k = len(found[0][1].responses)
    for line, one in found:
        if len(one.responses) != k:
            raise InputError.at(path, line, f"{len(one.responses)} responses, where the first row has {k}")
    return [one for _, one in found]


def responded_of(row: Row, line: int) -> Responded:
    """Build a prompt and its responses from a row.

    Raises:
        InputError: a key is missing, unknown or of the wrong type, or there is not one error for each response.
    """
    it = held_to(_Response, row)
    k = len(it.responses)
    errors = it.errors or tuple(None if text is not None else NO_REASON for text in it.responses)
    cut = it.cut or (False,) * k
    if len(errors) != k or len(cut) != k:
        raise InputError(f"{k} responses, but {len(errors)} errors and {len(cut)} of cut: one for each")
    if any((text is None) != bool(error) for text, error in zip(it.responses, errors, strict=True)):
        raise InputError("a response and an error exclude each other, and one of the two is needed")
    return Responded(_asked(it, prompt_of(row)), it.responses, errors, cut, it.policy)


def _asked(it: _Response, prompt: Prompt) -> Asked:
    if it.kind == "story":
        return StoryPrompt(it.id, prompt, **held_to(_Story, it.columns, "columns").model_dump())
    if isinstance(prompt, str):
        raise InputError("the prompt of a turn is a list of messages")
    return Turn(id=it.id, prompt=tuple(prompt), **held_to(_Turn, it.columns, "columns").model_dump())
