"""An OpenAI-compatible chat server on this machine: it answers as the test says, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal


@dataclass(frozen=True)
class Answer:
    """What the server does with one request; ``ending`` is how the connection ends."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    ending: Literal["whole", "cut", "reset"] = "whole"


RESET = Answer(ending="reset")


def said(
    text: str | None = "fine",
    *,
    finish: str = "stop",
    refusal: str | None = None,
    delay: float = 0.0,
    **changes: Any,
) -> Answer:
    """Answer with one choice. ``changes`` replace keys of the completion; a key changed to None is left out."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    completion = {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "served",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }
    kept = {key: value for key, value in (completion | changes).items() if value is not None}
    return Answer(json.dumps(kept).encode(), delay=delay)


def failed(status: int, *, message: str = "no", **headers: str) -> Answer:
    """Answer with an error as OpenAI writes it; ``retry_after`` becomes the header Retry-After."""
    body = json.dumps({"error": {"message": message, "type": "test", "code": None}}).encode()
    return Answer(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass(frozen=True)
class Seen:
    """One request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The last message."""
        return str(self.body["messages"][-1]["content"])


Script = Callable[[Seen, int], Answer]


class Loopback:
    """The server; a context manager.

    Attributes:
        script: gives the answer to a request, and to the n-th (from 0) try of the same question.
        seen: every request, in the order of arrival.
        most: how many requests were open at once, at the most.
    """

    def __init__(self, *answers: Answer, script: Script | None = None) -> None:
        self.script: Script = script or (lambda seen, n: answers[min(n, len(answers) - 1)])
        self.seen: list[Seen] = []
        self.most = 0
        self._open = 0
        self._tries: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.loopback = self

    @property
    def url(self) -> str:
        """The base_url."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Loopback:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def tries(self, text: str) -> int:
        """How often this question was asked."""
        return self._tries[text]

    def enter(self, seen: Seen) -> Answer:
        with self._lock:
            self.seen.append(seen)
            self._open += 1
            self.most = max(self.most, self._open)
            n = self._tries[seen.text]
            self._tries[seen.text] += 1
        return self.script(seen, n)

    def leave(self) -> None:
        with self._lock:
            self._open -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the default of 5 makes a burst of connections wait a second
    loopback: Loopback

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away early is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.server.loopback.enter(
            Seen(self.path, {name.title(): value for name, value in self.headers.items()}, body)
        )
        try:
            time.sleep(answer.delay)
        finally:
            self.server.loopback.leave()  # before the answer: the client may ask again as soon as it has it
        self.answer(answer)

    def answer(self, answer: Answer) -> None:
        if answer.ending == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        missing = 100 if answer.ending == "cut" else 0
        headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body) + missing)}
        self.send_response(answer.status)
        for name, value in (headers | dict(answer.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
