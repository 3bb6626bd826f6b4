"""Any OpenAI-compatible chat server (OpenAI, vLLM, SGLang, llama.cpp, ...), over the official SDK."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from judgekit.config import Config
from judgekit.errors import ModelError, require
from judgekit.models.base import Decoding, Model, Reply, Request
from judgekit.types import Usage

RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
LONGEST_WAIT = 60.0


class OpenAIConfig(Config):
    """``provider: openai`` in a judge.yaml.

    Attributes:
        base_url: the server; OpenAI's own if omitted.
        api_key_env: name of the environment variable that holds the key; the key itself never stands in a file.
        structured: ask the server to enforce the reply's JSON schema.
        thinking: passed to the server's chat template (vLLM, SGLang); left alone if omitted.
        attempts: tries per request, over rate limits, server errors and lost connections.
    """

    provider: Literal["openai"]
    model: str
    base_url: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    structured: bool = False
    thinking: bool | None = None
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 16
    timeout: Annotated[float, Field(gt=0)] = 120.0
    attempts: Annotated[int, Field(ge=1, le=100)] = 6

    def build(self) -> OpenAIModel:
        return OpenAIModel(self)


@dataclass
class OpenAIModel(Model):
    """A chat model behind an OpenAI-compatible server. Calls run in threads; each yields its reply as it comes."""

    config: OpenAIConfig
    sleep: Any = field(default=time.sleep, repr=False)

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
        key = os.environ.get(self.config.api_key_env)
        if key is None and self.config.base_url is None:
            raise ModelError(f"set {self.config.api_key_env} to the API key, or give the base_url of a local server")
        # The SDK's own retries are off: they would multiply with ours, and each SDK's differ.
        return sdk.OpenAI(
            api_key=key or "none", base_url=self.config.base_url, timeout=self.config.timeout, max_retries=0
        )

    def complete(self, requests: Sequence[Request], decoding: Decoding) -> Iterator[tuple[int, Reply]]:
        if not requests:
            return
        _ = self._client  # a missing key or SDK is the caller's to mend, before any thread starts
        pool = ThreadPoolExecutor(min(self.config.concurrency, len(requests)))
        try:
            futures = {pool.submit(self._ask, request, decoding): i for i, request in enumerate(requests)}
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _ask(self, request: Request, decoding: Decoding) -> Reply:
        sdk = require("openai", "providers")
        arguments = self._arguments(request, decoding)
        for attempt in range(1, self.config.attempts + 1):
            try:
                return _reply(self._client.chat.completions.create(**arguments))
            except sdk.APIStatusError as problem:
                failure, wait = f"HTTP {problem.status_code}", _retry_after(problem.response.headers)
                if problem.status_code not in RETRIED:
                    break
            except sdk.APIConnectionError as problem:  # timeouts too
                failure, wait = type(problem).__name__, None
            if attempt < self.config.attempts:
                self.sleep(wait if wait is not None else random.uniform(0, min(LONGEST_WAIT, 2.0**attempt)))
        return Reply(None, error=f"{failure} after {attempt} {'try' if attempt == 1 else 'tries'}")

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


def _reply(completion: Any) -> Reply:
    usage = completion.usage
    used = Usage(1, 0, usage.prompt_tokens or 0, usage.completion_tokens or 0) if usage else Usage(calls=1)
    if not completion.choices:
        return Reply(None, "the server sent no choice", used)
    choice = completion.choices[0]
    if choice.finish_reason == "length":
        return Reply(None, f"cut off after {used.output_tokens} tokens; raise max_tokens", used)
    if choice.finish_reason == "content_filter" or getattr(choice.message, "refusal", None):
        return Reply(None, "refused", used)
    if not choice.message.content:
        return Reply(None, "the reply is empty", used)
    return Reply(choice.message.content, usage=used)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return min(LONGEST_WAIT, max(0.0, float(headers["retry-after"])))
    except (KeyError, ValueError):
        return None
