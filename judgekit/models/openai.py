"""Any OpenAI-compatible chat server (OpenAI, vLLM, SGLang, llama.cpp, ...), over the official SDK."""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from judgekit.config import Config
from judgekit.errors import ModelError, require
from judgekit.models.base import Decoding, Model, Reply, Request
from judgekit.types import Usage

RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
UNREADABLE = (ValueError, TypeError, AttributeError, RecursionError)
UNREACHED = "no connection"
REFUSED = ("HTTP 401", "HTTP 403", "HTTP 404")  # a key, an address or a model that is wrong: so for every request
FAILING = ("HTTP 429", "HTTP 5")  # after all tries
HOPELESS = 8  # requests that all failed in the end
SAID = 200  # characters of what a server says
LONGEST_WAIT = 60.0
NUMBER = re.compile(r"-?[0-9.]{1,12}|inf")
OPENAI_URL = "https://api.openai.com/v1"


class OpenAIConfig(Config):
    """``provider: openai`` in a judge.yaml.

    Attributes:
        base_url: the server; OpenAI's own if omitted.
        api_key_env: name of the environment variable that holds the key; the key itself never stands in a file. Without
            a ``base_url`` it is OPENAI_API_KEY; another server gets a key only if the file names one for it.
        structured: ask the server to enforce the reply's JSON schema.
        thinking: passed to the server's chat template (vLLM, SGLang); left alone if omitted.
        attempts: tries per request, over rate limits, server errors and lost connections.
    """

    provider: Literal["openai"]
    model: str
    base_url: str | None = None
    api_key_env: str | None = None
    structured: bool = False
    thinking: bool | None = None
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 16
    timeout: Annotated[float, Field(gt=0)] = 120.0
    attempts: Annotated[int, Field(ge=1, le=100)] = 6

    def build(self) -> OpenAIModel:
        return OpenAIModel(self)


@dataclass
class OpenAIModel(Model):
    """A chat model behind an OpenAI-compatible server. Calls run in threads; each yields its reply as it comes.

    A server that has never answered raises `ModelError`, so that no file fills up with rows that nobody judged.

    Attributes:
        sleep: what waits between tries, in seconds; by default a wait that ends when the caller stops.
    """

    config: OpenAIConfig
    sleep: Callable[[float], Any] | None = field(default=None, repr=False)
    _reached: bool = field(default=False, repr=False)

    @property
    def identity(self) -> dict[str, Any]:
        fields = {"provider", "model", "base_url", "structured", "thinking"}
        return self.config.model_dump(include=fields)

    @property
    def settings(self) -> dict[str, Any]:
        return self.config.model_dump(exclude_none=True)

    @cached_property
    def _client(self) -> Any:
        sdk = require("openai", "providers")
        name = self.config.api_key_env or ("" if self.config.base_url else "OPENAI_API_KEY")
        key = os.environ.get(name, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise ModelError(f"{name} holds characters that no API key has")
        if not key and name:
            raise ModelError(f"set {name} to the API key, or give the base_url of a server that needs none")
        # The URL is always ours to say: the SDK would let an environment variable move the judge, unseen by its
        # fingerprint. The SDK's own retries are off: they would multiply with ours.
        url = self.config.base_url or OPENAI_URL
        return sdk.OpenAI(api_key=key or "none", base_url=url, timeout=self.config.timeout, max_retries=0)

    def complete(self, requests: Sequence[Request], decoding: Decoding) -> Iterator[tuple[int, Reply]]:
        if not requests:
            return
        _ = self._client  # a missing key or SDK is the caller's to mend, before any thread starts
        pool, stopped = ThreadPoolExecutor(min(self.config.concurrency, len(requests))), threading.Event()
        try:
            futures = {pool.submit(self._ask, request, decoding, stopped): i for i, request in enumerate(requests)}
            failed: list[tuple[int, Reply]] = []  # held back until the server has answered some request
            for future in as_completed(futures):
                index, reply = futures[future], future.result()
                self._reached = self._reached or not (reply.error or "").startswith((UNREACHED, *REFUSED, *FAILING))
                if self._reached:
                    yield from (*failed, (index, reply))
                    failed = []
                    continue
                failed.append((index, reply))
                self._give_up(reply.error or "", len(failed), len(requests))
            yield from failed
        finally:
            stopped.set()  # a caller that breaks off must not wait for the retries of what it no longer wants
            pool.shutdown(wait=True, cancel_futures=True)

    def _give_up(self, error: str, failed: int, requests: int) -> None:
        """Stop where no request can succeed: this one failed, as ``failed`` have, and none has been answered."""
        server, all_at_once = f"{self._client.base_url}: {error}", min(self.config.concurrency, requests)
        if error.startswith(REFUSED) and failed >= all_at_once:
            raise ModelError(f"{server}; mend the key, the base_url or the model")
        if error.startswith(UNREACHED) and failed >= all_at_once:
            raise ModelError(f"{server}; is the server running there?")
        if failed >= max(HOPELESS, self.config.concurrency):
            raise ModelError(f"{server}, {failed} times out of {failed}; try again when the server answers")

    def _ask(self, request: Request, decoding: Decoding, stopped: threading.Event) -> Reply:
        arguments = self._arguments(request, decoding)
        for attempt in range(1, self.config.attempts + 1):
            reply, retry, wait = self._try(arguments)
            if not retry:
                return reply
            if attempt < self.config.attempts and not stopped.is_set():
                pause = self.sleep or stopped.wait
                pause(wait if wait is not None else random.uniform(0, min(LONGEST_WAIT, 2.0**attempt)))
            if stopped.is_set():
                break
        return Reply(None, f"{reply.error} after {attempt} {'try' if attempt == 1 else 'tries'}")

    def _try(self, arguments: dict[str, Any]) -> tuple[Reply, bool, float | None]:
        """Call once; return the reply, whether another try makes sense, and how long the server asks to wait."""
        sdk = require("openai", "providers")
        try:
            return _reply(self._client.chat.completions.create(**arguments)), False, None
        except sdk.APIStatusError as problem:
            retry = problem.status_code in RETRIED
            error = f"HTTP {problem.status_code}{_said(problem, self._client.api_key)}"
            return Reply(None, error), retry, _retry_after(problem.response.headers)
        except sdk.APIConnectionError as problem:  # timeouts too
            refused = type(problem.__cause__).__name__ in {"ConnectError", "ConnectTimeout"}
            return Reply(None, f"{UNREACHED} ({problem.__cause__})" if refused else type(problem).__name__), True, None
        except UNREADABLE as problem:  # what the SDK lets through when a server answers with anything but its JSON
            error = f"the answer cannot be read ({type(problem).__name__})"
            return Reply(None, error, Usage(calls=1)), False, None

    def _arguments(self, request: Request, decoding: Decoding) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "model": self.config.model,
            "messages": list(request.messages),
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
            "max_tokens": decoding.max_tokens,
            "seed": decoding.seed + request.draw,
        }
        if self.config.structured and request.schema is not None:
            schema = {"name": "verdict", "strict": True, "schema": request.schema}
            arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
        if self.config.thinking is not None:
            arguments["extra_body"] = {"chat_template_kwargs": {"enable_thinking": self.config.thinking}}
        return arguments


def _said(problem: Any, key: str) -> str:
    """Return the code and the message of a server's error, short and on one line; never the key, should it be told."""
    code = f" ({problem.code})" if isinstance(problem.code, str) else ""
    message = problem.body.get("message") if isinstance(problem.body, Mapping) else None
    if not isinstance(message, str) or problem.status_code in (401, 403):  # these tell of keys
        return code
    told = " ".join(message.replace(key, "...").split())
    return f"{code}: {told[:SAID]}"


def _reply(completion: Any) -> Reply:
    used = Usage(1, 0, _count(completion.usage, "prompt_tokens"), _count(completion.usage, "completion_tokens"))
    if not completion.choices:
        return Reply(None, "the server sent no choice", used)
    choice = completion.choices[0]
    if choice.finish_reason == "length":
        return Reply(None, f"cut off after {used.output_tokens or 'too many'} tokens; raise max_tokens", used)
    if choice.finish_reason == "content_filter" or getattr(choice.message, "refusal", None):
        return Reply(None, "refused", used)
    if not choice.message.content:
        return Reply(None, "the reply is empty", used)
    if not isinstance(choice.message.content, str):
        return Reply(None, "the reply is no text", used)
    return Reply(choice.message.content, usage=used)


def _count(usage: Any, name: str) -> int:
    count = getattr(usage, name, None)
    return count if isinstance(count, int) else 0


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the wait that a server asks for, in seconds or as a date (RFC 9110, 10.2.3); at most a minute."""
    told = headers.get("retry-after", "")
    try:
        seconds = float(told) if NUMBER.fullmatch(told) else parsedate_to_datetime(told).timestamp() - time.time()
    except (TypeError, ValueError):
        return None
    return min(LONGEST_WAIT, max(0.0, seconds))
