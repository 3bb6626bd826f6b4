"""Responses: written as they come, not made twice, read back strictly, cut off or missing as what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from judgekit.errors import ConfigError, InputError
from judgekit.models import Decoding, FakeModel, LocalConfig, Reply, Request
from judgekit.policy.asked import Data, StoryPrompt
from judgekit.policy.evaluation.policy import CutReply, LocalPolicy, open_policy
from judgekit.policy.evaluation.responses import read_responses, respond, sampled
from tests.policy.evaluation.made import policy, read_rows, says, turn, write_rows

WARM = Decoding(temperature=1.0, max_tokens=8)
DATA = Data("d", tuple(StoryPrompt(str(i), f"Prompt {i}.", 10, f"g{i % 2}") for i in range(5)))
REPLIES = {f"Prompt {i}.": [f"story {i} {k}" for k in range(3)] for i in range(5)}


def test_every_prompt_gets_its_responses(tmp_path: Path) -> None:
    found = respond(policy(REPLIES), DATA, tmp_path / "r.jsonl", WARM, 3, size=2)

    assert [one.asked for one in found] == list(DATA.asked)
    assert [one.responses for one in found] == [tuple(REPLIES[f"Prompt {i}."]) for i in range(5)]
    assert all(one.errors == (None,) * 3 and one.cut == (False,) * 3 and one.policy for one in found)


def test_turns_come_back_whole(tmp_path: Path) -> None:
    asked = (turn("a", "S", "1", behaviour="hacking", language="zh"), turn("b", None, "2", episode=None))
    replies = {f"Act {name}.": [says("1")] for name in "ab"}
    found = respond(policy(replies), Data("d", asked), tmp_path / "r.jsonl", WARM, 1)

    assert tuple(one.asked for one in found) == asked
    assert read_responses(tmp_path / "r.jsonl") == found


class Stopped(BaseException):
    """As a kill: nothing catches it."""


@pytest.mark.parametrize("whole", [0, 1, 2])
def test_a_killed_run_asks_only_for_what_is_missing(tmp_path: Path, whole: int) -> None:
    calls: list[str] = []
    limit = [2 * 3 * whole]  # two prompts a batch, three draws

    def reply(request: Request) -> str:
        if len(calls) >= limit[0]:
            raise Stopped
        calls.append(request.identity)
        return REPLIES[request.identity][request.draw]

    model, path = FakeModel(reply), tmp_path / "r.jsonl"
    with pytest.raises(Stopped):
        respond(model, DATA, path, WARM, 3, size=2)
    assert len(read_rows(path)) == 2 * whole
    with path.open("ab") as stream:
        stream.write(b'{"id": "4", "inp')  # a row half-written
    limit[0] = 99
    found = respond(model, DATA, path, WARM, 3, size=2)

    assert calls == [f"Prompt {i}." for i in range(5) for _ in range(3)]  # each once
    assert [one.responses for one in found] == [tuple(REPLIES[f"Prompt {i}."]) for i in range(5)]


@pytest.mark.parametrize(
    ("decoding", "k", "data"),
    [
        (Decoding(temperature=0.5, max_tokens=8), 2, DATA),
        (WARM, 3, DATA),
        (WARM, 2, Data("d", (StoryPrompt("0", "Another prompt."),))),
    ],
)
def test_responses_of_something_else_are_not_gone_on_with(
    tmp_path: Path, decoding: Decoding, k: int, data: Data
) -> None:
    path, model = tmp_path / "r.jsonl", policy({**REPLIES, "Another prompt.": ["x"] * 3})
    respond(model, DATA, path, WARM, 2)
    before = path.read_bytes()

    with pytest.raises(InputError, match=r"r\.jsonl:1: was written (by another policy|for another text)"):
        respond(model, data, path, decoding, k)
    assert path.read_bytes() == before


def test_a_missing_response_has_its_reason(tmp_path: Path) -> None:
    model = FakeModel(lambda r: Reply(None, "the prompt has 9 tokens") if r.draw else "fine")
    [one, *_] = respond(model, DATA, tmp_path / "r.jsonl", WARM, 2)

    assert one.responses == ("fine", None) and one.errors == (None, "the prompt has 9 tokens")


def test_several_responses_need_a_temperature(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 responses at temperature 0"):
        respond(policy(REPLIES), DATA, tmp_path / "r.jsonl", Decoding(max_tokens=8), 2)


def test_reasoning_is_kept_and_not_shown(tmp_path: Path) -> None:
    replies = {f"Prompt {i}.": ["<think>\nHm.\n</think>\n\nA story.", "<think>\nNever ended"] for i in range(5)}
    [one, *_] = respond(policy(replies), DATA, tmp_path / "r.jsonl", WARM, 2)

    assert one.responses[0] == "<think>\nHm.\n</think>\n\nA story."
    assert one.visible == ("A story.", "")


# --- a local model ---------------------------------------------------------------------------------------------------


def test_a_reply_that_is_cut_off_is_a_response(tiny: Path, tmp_path: Path) -> None:
    model = open_policy(str(tiny))
    found = respond(model, DATA, tmp_path / "r.jsonl", WARM, 2)

    assert isinstance(model, LocalPolicy)
    assert all(any(one.cut) and None not in one.responses for one in found)
    judging = LocalConfig(provider="local", path=str(tiny)).build()
    request = Request([{"role": "user", "content": "Prompt 0."}], "Prompt 0.", found[0].cut.index(True))
    [(_, reply)] = judging.complete([request], WARM)
    assert reply.text is None and "cut off after 8 tokens" in str(reply.error)  # to a judge it is none


def test_the_same_responses_whatever_the_batch(tiny: Path, tmp_path: Path) -> None:
    one, two = (respond(open_policy(str(tiny)), DATA, tmp_path / f"{n}.jsonl", WARM, 2, size=n) for n in (1, 5))

    assert one == two


def test_thinking_that_the_template_opens_is_put_before_the_response(tiny: Path) -> None:
    model = LocalPolicy(LocalConfig(provider="local", path=str(tiny)))
    template = model.tokenizer.chat_template
    model.tokenizer.chat_template = template + "{% if add_generation_prompt %}<think>\n{% endif %}"
    request = Request([{"role": "user", "content": "Prompt 0."}], "Prompt 0.")
    [reply] = sampled(model, [request], WARM)

    assert reply.text.startswith("<think>\n") and isinstance(reply, CutReply)


def test_a_policy_from_a_file(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(f"provider: local\npath: {tiny}\nbatch_tokens: 512\n")

    assert open_policy(str(path)).config.batch_tokens == 512
    path.write_text(f"provider: local\npath: {tiny}\nbatch_token: 512\n")
    with pytest.raises(ConfigError, match=r"policy\.yaml:3: .*'batch_token'; did you mean 'batch_tokens'"):
        open_policy(str(path))


# --- read back -------------------------------------------------------------------------------------------------------

ROW: dict[str, Any] = {"id": "a", "prompt": "Write.", "responses": ["One.", None]}
TURN = {"next_episode": "1", "conversation": "c", "episode": "1", "progress": 1, "budget": 5, "language": "en"}
CHAT = [{"role": "user", "content": "I act."}]


def test_responses_of_others_need_little(tmp_path: Path) -> None:
    [one] = read_responses(write_rows(tmp_path / "r.jsonl", [ROW]))

    assert one.asked == StoryPrompt("a", "Write.") and one.policy == ""
    assert one.errors == (None, "no reason recorded") and one.cut == (False, False)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({**ROW, "respones": []}, "respones: unknown key; did you mean 'responses'"),
        ({**ROW, "responses": ["a", 1]}, r"responses\.1: Input should be a valid string"),
        ({**ROW, "responses": []}, "responses: Tuple should have at least 1 item"),
        ({"id": "a", "prompt": "Write."}, "responses: is missing"),
        ({**ROW, "id": 3}, "id: Input should be a valid string"),
        ({**ROW, "prompt": [{"role": "user"}]}, "each turn of a prompt must be"),
        ({**ROW, "errors": [None]}, "2 responses, but 1 errors and 2 of cut"),
        ({**ROW, "errors": [None, None]}, "a response and an error exclude each other"),
        ({**ROW, "errors": ["why", "gone"]}, "a response and an error exclude each other"),
        ({**ROW, "columns": {"wrds": 1}}, r"columns\.wrds: unknown key; did you mean 'words'"),
        ({**ROW, "columns": {"words": "9"}}, r"columns\.words: Input should be a valid integer"),
        ({**ROW, "kind": "turn", "columns": TURN}, "the prompt of a turn is a list of messages"),
        ({**ROW, "kind": "turn", "prompt": CHAT, "columns": {}}, r"columns\.next_episode: is missing"),
        ({**ROW, "responses": ["a"]}, "1 responses, where the first row has 2"),
        ({**ROW, "id": "0"}, "the id '0' stands at line 1 already"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(tmp_path: Path, row: dict[str, Any], problem: str) -> None:
    path = write_rows(tmp_path / "r.jsonl", [{**ROW, "id": "0"}, row])

    with pytest.raises(InputError, match=rf"r\.jsonl:2: {problem}"):
        read_responses(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the file has no rows"):
        read_responses(write_rows(tmp_path / "r.jsonl", []))


def test_what_utf_8_cannot_hold_is_replaced(tmp_path: Path) -> None:
    [one, *_] = respond(FakeModel(lambda r: "half \ud83d"), DATA, tmp_path / "r.jsonl", WARM, 1)

    assert one.responses == ("half ?",) and json.loads((tmp_path / "r.jsonl").read_text().splitlines()[0])
