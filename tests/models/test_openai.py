"""The OpenAI-compatible model, with the real SDK, against a server on this machine.

What one request runs into (a busy server, a cut line, a reply that is no reply) must stay with that one request.
"""

from __future__ import annotations

import json
import logging
import random
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from judgekit.errors import ModelError
from judgekit.judges import RubricJudge
from judgekit.judges.asking import replies
from judgekit.models.base import Decoding, Reply, Request
from judgekit.models.journal import Journal, JournaledModel
from judgekit.models.openai import OpenAIConfig, OpenAIModel
from judgekit.rubrics.rubric import Rubric
from judgekit.types import Sample, Usage
from tests.models.loopback import RESET, Answer, Loopback, Seen, failed, said

pytest.importorskip("openai")

KEY = "sk-canary-7f3a9c"
USED = Usage(calls=1, input_tokens=7, output_tokens=3)
HTML = {"Content-Type": "text/html"}
Serve = Callable[..., Loopback]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no server and no proxy but those that a test names."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    # The SDK reads the certificates of the world for every client: 0.07 s, and nothing here is encrypted.
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that gives these answers in turn, the last one for ever."""
    started: list[Loopback] = []

    def start(*answers: Answer, **options: Any) -> Loopback:
        started.append(Loopback(*answers, **options).__enter__())
        return started[-1]

    yield start
    for server in started:
        server.__exit__()


def connect(server: Loopback, sleep: Callable[[float], object] = lambda seconds: None, **settings: Any) -> OpenAIModel:
    config = OpenAIConfig(provider="openai", model="m", base_url=server.url, **settings)
    return OpenAIModel(config, sleep=sleep)


def asked(text: str = "q", **options: Any) -> Request:
    return Request([{"role": "user", "content": text}], text, **options)


def ask(model: OpenAIModel, *texts: str) -> list[Reply]:
    return replies(model, [asked(text) for text in texts or ["q"]], Decoding())


# --- order and concurrency ----------------------------------------------------------------------------------------


def test_replies_are_yielded_as_they_finish(serve: Serve) -> None:
    arrived = {text: threading.Event() for text in "0123"}

    def last_first(seen: Seen, n: int) -> Answer:
        assert seen.text == "3" or arrived[str(int(seen.text) + 1)].wait(5)
        return said(seen.text)

    order = []
    for index, reply in connect(serve(script=last_first)).complete([asked(text) for text in arrived], Decoding()):
        assert reply.text is not None
        order.append(index)
        arrived[reply.text].set()

    assert order == [3, 2, 1, 0]


def test_judges_get_them_in_the_order_of_the_requests(serve: Serve) -> None:
    delays = {"0": 0.15, "1": 0.1, "2": 0.05, "3": 0.0}
    server = serve(script=lambda seen, n: said(seen.text, delay=delays[seen.text]))

    assert [reply.text for reply in ask(connect(server), *delays)] == list(delays)


def test_eight_requests_take_the_time_of_one(serve: Serve) -> None:
    together = threading.Barrier(8, timeout=5)
    server = serve(script=lambda seen, n: said(str(seen.text != "warm" and together.wait()), delay=0.1))
    model = connect(server)
    ask(model, "warm")  # loads the SDK
    start = time.perf_counter()
    got = ask(model, *"01234567")
    took = time.perf_counter() - start

    assert {reply.text for reply in got} == set("01234567")  # the barrier let all eight through
    assert took < 0.6


def test_concurrency_is_used_and_never_exceeded(serve: Serve) -> None:
    three = threading.Barrier(3, timeout=5)
    server = serve(script=lambda seen, n: said(str(three.wait())))
    ask(connect(server, concurrency=3), *map(str, range(12)))

    assert server.most == 3


def test_no_requests_need_no_key() -> None:
    assert not list(OpenAIModel(OpenAIConfig(provider="openai", model="m")).complete([], Decoding()))


def test_a_consumer_that_stops_early_leaves_the_rest_unasked(serve: Serve) -> None:
    server = serve(said(delay=0.02))
    answers = connect(server, concurrency=2).complete([asked(str(i)) for i in range(100)], Decoding())
    next(answers)
    answers.close()

    assert len(server.seen) < 20


def test_a_consumer_that_stops_early_does_not_wait_for_retries(serve: Serve) -> None:
    # With the default settings these would go on for minutes, after ctrl-C too.
    server = serve(script=lambda seen, n: said() if seen.text == "good" else failed(503))
    model = connect(server, sleep=lambda seconds: time.sleep(0.05), attempts=40)
    answers = model.complete([asked("good"), asked("bad")], Decoding())
    next(answers)
    start = time.perf_counter()
    answers.close()

    assert time.perf_counter() - start < 1


# --- retries ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_asked_again(serve: Serve, status: int) -> None:
    server = serve(failed(status), failed(status), said())

    assert ask(connect(server)) == [Reply("fine", usage=USED)]
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [400, 413, 422, 501])
def test_what_will_not_pass_is_asked_once(serve: Serve, status: int) -> None:
    server = serve(failed(status, retry_after="1"))
    [reply] = ask(connect(server))

    assert reply.text is None and reply.error and reply.error.startswith(f"HTTP {status}")
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_is_wrong_for_every_request_ends_the_run(serve: Serve, status: int) -> None:
    server = serve(failed(status))

    with pytest.raises(ModelError, match=rf"HTTP {status}.*mend the key, the base_url or the model"):
        ask(connect(server, concurrency=1), *"abcdefgh")
    assert len(server.seen) < 8


def test_a_server_that_only_fails_ends_the_run(serve: Serve) -> None:
    with pytest.raises(ModelError, match=r"HTTP 500.*8 times out of 8"):
        ask(connect(serve(failed(500)), attempts=2, concurrency=4), *"abcdefghijkl")


def test_what_the_server_says_is_told_but_never_the_key(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-hidden")
    body = json.dumps({"error": {"message": "no model\n for sk-hidden", "code": "no_model"}}).encode()
    [reply] = ask(connect(serve(Answer(body, status=400)), api_key_env="A_KEY"))

    assert reply.error == "HTTP 400 (no_model): no model for ..."


@pytest.mark.parametrize("ending", ["reset", "cut"])
def test_a_lost_connection_is_asked_again(serve: Serve, ending: Any) -> None:
    server = serve(Answer(said().body, ending=ending), said())

    assert ask(connect(server)) == [Reply("fine", usage=USED)]


def test_a_slow_server_is_asked_again(serve: Serve) -> None:
    server = serve(said("late", delay=1), said())

    assert ask(connect(server, timeout=0.3)) == [Reply("fine", usage=USED)]


@pytest.mark.parametrize("attempts", [1, 4])
@pytest.mark.parametrize(("answer", "name"), [(failed(503), "HTTP 503: no"), (RESET, "APIConnectionError")])
def test_attempts_end(serve: Serve, answer: Answer, name: str, attempts: int) -> None:
    server, waits = serve(answer), []
    [reply] = ask(connect(server, waits.append, attempts=attempts))

    assert reply.error == f"{name} after {attempts} {'try' if attempts == 1 else 'tries'}"
    assert len(server.seen) == attempts
    assert len(waits) == attempts - 1  # nobody waits after the last one


def test_each_request_has_its_own_attempts(serve: Serve) -> None:
    server = serve(script=lambda seen, n: said() if n == int(seen.text) else failed(503))
    got = ask(connect(server, attempts=3), *"01234")

    assert [reply.text for reply in got] == ["fine"] * 3 + [None] * 2
    assert [server.tries(text) for text in "01234"] == [1, 2, 3, 3, 3]


@pytest.mark.parametrize(
    ("told", "waited"), [("7", 7.0), ("0.5", 0.5), ("0", 0.0), ("3600", 60.0), ("inf", 60.0), ("-5", 0.0)]
)
def test_retry_after_is_kept_up_to_a_minute(serve: Serve, told: str, waited: float) -> None:
    waits: list[float] = []
    ask(connect(serve(failed(429, retry_after=told), said()), waits.append))

    assert waits == [waited]


def test_retry_after_can_be_a_date(serve: Serve) -> None:
    waits: list[float] = []
    ask(connect(serve(failed(503, retry_after=formatdate(time.time() + 30, usegmt=True)), said()), waits.append))

    assert 20 < waits[0] <= 30  # RFC 9110, section 10.2.3: a date or seconds


@pytest.mark.parametrize("headers", [{}, {"retry_after": "soon"}, {"retry_after": ""}])
@pytest.mark.parametrize(("end", "waited"), [(0, [0.0] * 8), (1, [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0])])
def test_untold_the_wait_is_drawn_from_all_of_a_growing_range(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], end: int, waited: list[float]
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(random, "uniform", lambda *ends: ends[end])
    ask(connect(serve(failed(429, **headers)), waits.append, attempts=9))

    assert waits == waited


# --- replies that are none ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said('{"plot": {"sc', finish="length"), "cut off after 3 tokens; raise max_tokens"),
        (said(None, finish="length"), "cut off after 3 tokens; raise max_tokens"),
        (said("half a", finish="content_filter"), "refused"),
        (said(None, refusal="I cannot"), "refused"),
        (said(None), "empty"),
        (said(""), "empty"),
        (said(None, finish="tool_calls"), "empty"),
        (said(choices=[]), "no choice"),
    ],
)
def test_the_reason_is_named_and_the_tokens_are_counted(serve: Serve, answer: Answer, reason: str) -> None:
    server = serve(answer)
    [reply] = ask(connect(server))

    assert reply.text is None and reason in str(reply.error)
    assert reply.usage == USED
    assert len(server.seen) == 1  # it was answered, and paid for


@pytest.mark.parametrize("usage", [None, {}])
def test_a_server_that_counts_no_tokens(serve: Serve, usage: Any) -> None:
    assert ask(connect(serve(said(usage=usage)))) == [Reply("fine", usage=Usage(calls=1))]


def choice(**changes: Any) -> Answer:
    return said(choices=[{"index": 0, "finish_reason": "stop", "message": {"role": "assistant"}} | changes])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(b"{nope"), id="not JSON"),
        pytest.param(Answer(b""), id="nothing"),
        pytest.param(Answer(b"", 204), id="no content"),
        pytest.param(Answer(b"<html>Sign in</html>", headers=HTML), id="a proxy's page"),
        pytest.param(Answer(b"null"), id="null"),
        pytest.param(Answer(b"[]"), id="a list"),
        pytest.param(Answer(b'{"choices": "\xff"}'), id="not UTF-8"),
        pytest.param(Answer(b"[" * 100_000), id="nested deeply"),
        pytest.param(Answer(b'{"error": {"message": "overloaded"}}'), id="an error with status 200"),
        pytest.param(Answer(b"no gzip", headers={"Content-Encoding": "gzip"}), id="not gzip"),
        pytest.param(choice(message=None), id="no message"),
        pytest.param(choice(message={"content": [{"type": "text", "text": "fine"}]}), id="content in parts"),
        pytest.param(choice(message={"content": 5}), id="content is a number"),
        pytest.param(said(choices="abc"), id="choices are a text"),
    ],
)
def test_an_answer_that_cannot_be_read_is_the_error_of_one_request(serve: Serve, answer: Answer) -> None:
    server = serve(script=lambda seen, n: answer if seen.text == "bad" else said())
    first, bad, last = ask(connect(server), "0", "bad", "2")

    assert first == last == Reply("fine", usage=USED)
    assert bad.text is None and bad.error


@pytest.mark.parametrize("usage", ["much", {"prompt_tokens": "7", "completion_tokens": None}, {"prompt_tokens": [7]}])
def test_a_strange_count_of_tokens_costs_no_reply(serve: Serve, usage: Any) -> None:
    [reply] = ask(connect(serve(said(usage=usage))))

    assert reply.text == "fine"
    assert reply.usage + Usage() == reply.usage  # it can be added up
    assert reply.usage.calls == 1


def test_a_text_that_cannot_be_sent_is_the_error_of_one_request(serve: Serve) -> None:
    # OpenRLHF's client can send lone surrogates (research, 4.3).
    first, bad, last = ask(connect(serve(said())), "0", "half \ud83d a smile", "2")

    assert first == last == Reply("fine", usage=USED)
    assert (bad.text is None) == bool(bad.error)  # refused, or sent with U+FFFD


def test_a_lone_surrogate_in_a_reply_is_passed_on(serve: Serve) -> None:
    assert ask(connect(serve(said("a\ud800b")))) == [Reply("a\ud800b", usage=USED)]


# --- what is sent -------------------------------------------------------------------------------------------------


def sent(serve: Serve, request: Request, decoding: Decoding | None = None, **settings: Any) -> dict[str, Any]:
    server = serve(said())
    replies(connect(server, **settings), [request], decoding or Decoding())
    return server.seen[0].body


def test_decoding_is_sent(serve: Serve) -> None:
    decoding = Decoding(temperature=0.7, top_p=0.9, max_tokens=77, seed=40)

    assert sent(serve, asked("story", draw=2), decoding) == {
        "model": "m",
        "messages": [{"role": "user", "content": "story"}],
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 77,
        "seed": 42,  # every draw has its own, or a deterministic server would repeat itself
    }


@pytest.mark.parametrize("thinking", [True, False])
def test_thinking_is_passed_to_the_chat_template(serve: Serve, thinking: bool) -> None:
    assert sent(serve, asked(), thinking=thinking)["chat_template_kwargs"] == {"enable_thinking": thinking}


def test_structured_sends_a_strict_schema_with_menus_as_enums(serve: Serve) -> None:
    server, rubric = serve(said()), Rubric.load("story/hanna")
    RubricJudge(rubric, connect(server, structured=True)).score([Sample("p", "r")])
    form = server.seen[0].body["response_format"]
    schema = form["json_schema"]["schema"]

    assert (form["type"], form["json_schema"]["strict"]) == ("json_schema", True)
    assert list(schema["properties"]) == schema["required"] == [c.id for c in rubric.criteria]
    for criterion in (schema, *schema["properties"].values()):
        assert criterion["additionalProperties"] is False
    for criterion in schema["properties"].values():
        assert criterion["required"] == ["reason", "score"]
        assert criterion["properties"]["score"]["enum"] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("structured", "schema"), [(False, {"type": "object"}), (True, None)])
def test_no_schema_is_sent_unasked(serve: Serve, structured: bool, schema: Any) -> None:
    assert "response_format" not in sent(serve, asked(schema=schema), structured=structured)


# --- the key ------------------------------------------------------------------------------------------------------


def test_the_key_is_sent_and_shown_nowhere(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Some servers repeat the key in the error; a journal and a log must not.
    answers = {
        "good": said("kept"),
        "bad": failed(401, message=f"wrong key {KEY}"),
        "busy": failed(429, message=f"{KEY} is over its limit"),
        "reset": RESET,
        "length": said(finish="length"),
    }
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server = serve(script=lambda seen, n: answers[seen.text])
    model = connect(server, api_key_env="OPENAI_API_KEY")
    with caplog.at_level(logging.DEBUG), closing(Journal(tmp_path / "calls.db")) as journal:
        journaled = JournaledModel(model, journal)
        got = replies(journaled, [asked(text) for text in answers], Decoding())
        stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    shown = [repr(model), repr(journaled), str(model.config), json.dumps(model.identity), json.dumps(model.settings)]

    assert {seen.headers["Authorization"] for seen in server.seen} == {f"Bearer {KEY}"}
    assert {record.name.split(".")[0] for record in caplog.records} >= {"openai", "httpx2"}
    assert b"kept" in stored and KEY.encode() not in stored
    assert KEY not in "\n".join([caplog.text, repr(got), *shown])


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}-caf\xe9"])
def test_a_key_that_cannot_be_sent_is_shown_nowhere(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with caplog.at_level(logging.DEBUG):
        try:
            told = repr(ask(connect(serve(said()))))
        except ModelError as problem:
            told = "".join(traceback.format_exception(problem)) + repr(problem.__cause__)

    assert KEY not in told + caplog.text


def test_only_the_named_key_is_sent(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("MY_KEY", "mine")
    server = serve(said())
    ask(connect(server, api_key_env="MY_KEY"))
    ask(connect(server))  # a file from somewhere, with a server of its own, must not harvest OpenAI's key

    assert server.seen[0].headers["Authorization"] == "Bearer mine"
    assert KEY not in repr(server.seen[1].headers)


def test_the_key_does_not_follow_a_redirect(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    other = serve(said())
    first = serve(Answer(status=307, headers={"Location": f"{other.url}/chat/completions"}))
    ask(connect(first, api_key_env="OPENAI_API_KEY"))

    assert KEY in repr(first.seen)
    assert KEY not in repr(other.seen)


@pytest.mark.parametrize("key", [None, ""])
def test_without_key_and_server_nothing_starts(monkeypatch: pytest.MonkeyPatch, key: str | None) -> None:
    def refuse(*args: Any, **options: Any) -> Any:
        raise OSError("nothing may start, and nothing may leave this machine")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    if key is not None:
        monkeypatch.setenv("MY_KEY", key)
    model = OpenAIModel(OpenAIConfig(provider="openai", model="m", api_key_env="MY_KEY", attempts=1))

    with pytest.raises(ModelError, match="MY_KEY"):
        next(model.complete([asked()], Decoding()))


def test_the_environment_does_not_move_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    # The SDK reads OPENAI_BASE_URL; then a judge and its journal would not say who answered.
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    model = OpenAIModel(OpenAIConfig(provider="openai", model="m"))
    before = model.identity
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    assert model.identity != before or model._client.base_url.host == "api.openai.com"


# --- a judge over it ----------------------------------------------------------------------------------------------


def graded(value: int) -> Answer:
    ids = [criterion.id for criterion in Rubric.load("story/hanna").criteria]
    return said(json.dumps({name: {"reason": "so", "score": value} for name in ids}))


STORIES = {
    "STORY-GOOD": graded(4),
    "STORY-LONG": said("{", finish="length"),
    "STORY-POOR": graded(2),
    "STORY-BARRED": failed(400),
    "STORY-OFF": graded(9),
}


def by_story(seen: Seen, n: int) -> Answer:
    text = json.dumps(seen.body["messages"])
    return next(answer for story, answer in STORIES.items() if story in text)


def test_what_fails_is_unscored_and_the_others_are_scored(serve: Serve) -> None:
    judge = RubricJudge(Rubric.load("story/hanna"), connect(serve(script=by_story)))
    scores = judge.score([Sample("Write about the sea.", story) for story in STORIES])

    assert [score.value for score in scores] == [4.0, None, 2.0, None, None]
    for score, reason in zip(scores, ["None", "raise max_tokens", "None", "HTTP 400", "not on the menu"], strict=True):
        assert reason in str(score.error)
    assert [score.usage.calls for score in scores] == [1, 1, 1, 0, 1]
    assert scores[0].criteria["surprise"] == 4


def test_a_second_run_asks_only_what_failed(serve: Serve, tmp_path: Path) -> None:
    samples = [Sample("Write about the sea.", story) for story in STORIES]
    server = serve(script=by_story)
    with closing(Journal(tmp_path / "calls.db")) as journal:
        judge = RubricJudge(Rubric.load("story/hanna"), JournaledModel(connect(server), journal))
        first = judge.score(samples)
        before = len(server.seen)
        again = judge.score(samples)

    assert [score.value for score in again] == [score.value for score in first]
    assert [score.usage.cached for score in again] == [1, 0, 1, 0, 1]
    assert (before, len(server.seen)) == (5, 7)


def test_a_server_that_is_not_there_is_said_at_once() -> None:
    """Not one unscored row after another: nobody has judged anything."""
    model = OpenAIModel(OpenAIConfig(provider="openai", model="m", base_url="http://127.0.0.1:9/v1"), sleep=lambda _: 0)

    with pytest.raises(ModelError, match=r"127\.0\.0\.1:9/v1.*no connection.*is the server running there"):
        ask(model, *(str(i) for i in range(40)))
