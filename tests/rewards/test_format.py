"""The form of an answer: 0.4 + 0.6, what the released variants pay for, and what a policy can no longer be paid for."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from judgekit import InputError
from judgekit.rewards import CompositeReward, FormatReward, Gate, LengthReward, Rollout, story_text

PLOT = {"narrative": "The door opens.", "role_dialogue": {"name": "Ana", "utterance": "Who is there?"}}
GOOD: dict[str, Any] = {"plot_list": [PLOT], "next_episode": "2"}
TEXT = json.dumps(GOOD)


def turn(**changed: Any) -> str:
    return json.dumps(GOOD | changed, ensure_ascii=False)


def plot(**changed: Any) -> str:
    return turn(plot_list=[PLOT | changed])


def value(reward: FormatReward, completion: str) -> float | None:
    return reward([Rollout("p", completion)])[0]


def test_by_hand() -> None:
    """Nothing is 0; one object is 0.4; of the right form it is 0.4 + 0.6 = 1."""
    reward = FormatReward()
    assert [value(reward, text) for text in ["", TEXT[:-1], "{}", '{"a": 1}', TEXT]] == [0, 0, 0.4, 0.4, 1]


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"```json\n{TEXT}\n```",
        f"<think>{{draft}} {TEXT[:30]}</think>\n{TEXT}",
        plot(role_dialogue={}),
        plot(role_dialogue=[]),
        plot(role_dialogue=[{"name": "Ana", "utterance": "……"}, {"name": "Tom", "utterance": "!"}]),
        plot(narrative="雨停了。"),
        turn(next_episode="-1"),
    ],
)
def test_a_turn_of_episodebench(text: str) -> None:
    assert value(FormatReward(), text) == 1


# What the release's variants pay for, from the report of what its code gives: hacks and faults.
HACKS = {
    "a plot that is a number": (turn(plot_list=[1]), 0.4),
    "no dialogue": (plot(role_dialogue=None), 0.4),
    "an empty story": (plot(narrative=""), 0.4),
    "a blank story": (plot(narrative=" \n\u3000"), 0.4),
    "an invisible story": (plot(narrative="\u200b\u200b"), 0.4),
    "a story of dots": (plot(narrative="......"), 0.4),
    "a speaker without words": (plot(role_dialogue={"name": "Ana", "utterance": " "}), 0.4),
    "words without a speaker": (plot(role_dialogue={"utterance": "Hello."}), 0.4),
    "an id that is a number": (turn(next_episode=2), 0.4),
    "no id": (turn(next_episode=""), 0.4),
    "no plot": (turn(plot_list=[]), 0.4),
    "a key too many": (turn(score=5), 0.4),
    "a key too many in a plot": (plot(note="give 5"), 0.4),
    "a text inside a text": (json.dumps({"answer": TEXT}), 0.4),
    "two equal objects": (TEXT + TEXT, 0),
    "two objects": (TEXT + turn(next_episode="3"), 0),
    "two ids": (TEXT[:-1] + ', "next_episode": "3"}', 0),
    "never closed": (TEXT[:-2], 0),
    "reasoning never closed": ("<think>" + TEXT, 0),
    "only in the reasoning": (f"<think>{TEXT}</think> I am done.", 0),
    "Python": (str(GOOD), 0),
    "a trailing comma": (TEXT[:-1] + ",}", 0),
}


@pytest.mark.parametrize(("text", "worth"), HACKS.values(), ids=HACKS)
def test_what_does_not_pay(text: str, worth: float) -> None:
    assert value(FormatReward(), text) == worth
    assert story_text(Rollout("p", text)) is None


def test_a_fence_with_prose_behind_it_is_still_an_answer() -> None:
    """The release pays 0.15 for it, since its parser makes a list of it."""
    assert value(FormatReward(), f"```json\n{TEXT}\n```\nChoose {{ok}} to go on.") == 1


# completion: all-or-nothing, plain-json, mended. As run in the release, but for what is said in a comment.
RELEASED = {
    "whole": (TEXT, (0.85, 0.8, 0.85)),
    "fenced": (f"```json\n{TEXT}\n```", (1, 1, 1)),
    "hack": ('{"plot_list":[1],"next_episode":"2"}', (0, 0.8, 0.85)),
    "fenced hack": ('```json\n{"plot_list":[1],"next_episode":"2"}\n```', (0, 1, 1)),
    "empty list": (turn(plot_list=[]), (0, 0.8, 0.25)),
    "dialogue null": (plot(role_dialogue=None), (0, 0.8, 0.85)),
    "dialogue list": (plot(role_dialogue=[]), (0, 0.8, 0.85)),
    "blank": (plot(narrative="", role_dialogue={}), (0.85, 0.8, 0.85)),
    "prose with braces": (f"```json\n{TEXT}\n```\nor {{ok}}", (1, 1, 0.15)),
    "twice": (TEXT + TEXT, (0, 0, 0.85)),
    "unclosed": (TEXT[:-2], (0, 0, 0.85)),
    "thinking unclosed": ("<think>" + TEXT, (0.85, 0, 0.85)),
    "thinking": ("<think>so</think>" + TEXT, (0.85, 0, 0.85)),
    "Python": (str(GOOD), (0.85, 0, 0.85)),
    "true and null": (turn(plot_list=[PLOT | {"more": [True, None]}]), (0.85, 0.8, 0.85)),
    "a number as id": (turn(next_episode=2), (0, 0.8, 0.85)),
    "a list": ("[1, 2]", (0, 0.3, 0)),
    "a fence alone": ("```json\n```", (0, 0.2, 0.15)),
    "an open fence": (f"```json\n{TEXT}", (0.85, 0.2, 0.85)),
    "no key": ('{"a": 1}', (0, 0.3, 0.25)),
    "empty": ("", (0, 0, 0)),
    "an unhashable key": ("{[]: 1}", (0, 0, 0.25)),  # the release of the first raises TypeError
}


@pytest.mark.parametrize(("text", "worth"), RELEASED.values(), ids=RELEASED)
def test_the_released_variants(text: str, worth: tuple[float, float, float]) -> None:
    found = [value(FormatReward(variant=name), text) for name in ("all-or-nothing", "plain-json", "mended")]  # type: ignore[arg-type]
    assert found == pytest.approx(worth)


def test_a_schema_and_a_model_of_ones_own() -> None:
    class Answer(BaseModel):
        story: str

    schema = {"type": "object", "required": ["story"], "properties": {"story": {"type": "string"}}}
    texts = ['{"story": "x"}', '{"story": 1}', "x"]
    for own in (Answer, schema):
        assert [value(FormatReward(own), text) for text in texts] == [1, 0.4, 0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"variant": "strict"}, "variants of a format reward are card, all-or-nothing"),
        ({"schema": {"type": "object"}, "variant": "mended"}, "has a form of its own"),
        ({"schema": {"pattern": "x"}}, "'pattern' is not known"),
    ],
)
def test_what_cannot_be_a_format(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        FormatReward(**arguments)


def test_it_is_a_gate() -> None:
    reward = CompositeReward([FormatReward(), LengthReward(0, 100)], gates=[Gate("format", 1)])
    found = reward.score([Rollout("p", TEXT, "g"), Rollout("p", "{}", "g")])

    assert found.gated == {"format": 1} and found.values["length"] == [1, 0]


def test_the_story_of_a_turn() -> None:
    text = turn(plot_list=[PLOT, {"narrative": "雨停了。", "role_dialogue": [{"name": "A", "utterance": "走吧！"}]}])

    assert story_text(Rollout("p", f"Sure! {text} Bye.")) == "The door opens.\nWho is there?\n雨停了。\n走吧！"
    assert story_text(Rollout("p", "{}")) is None


@pytest.mark.parametrize("variant", ["card", "all-or-nothing", "plain-json", "mended"])
@pytest.mark.parametrize(
    "text",
    [
        "{" * 100_000,
        '{"' * 50_000,
        "<think>" * 14_000,
        "<think></think>" * 6_000,
        "```json" * 14_000,
        '{"a":' * 20_000,
        "[" * 100_000,
        '{"a":"' + "\\" * 100_000,
        "-" * 100_000,
        "word, 词。 " * 12_000,
    ],
    ids=lambda text: text[:8],
)
def test_long_and_hostile_is_fast(variant: Any, text: str) -> None:
    begin = time.process_time()

    assert value(FormatReward(variant=variant), text) in (0, 0.15, 0.2, 0.25)
    assert time.process_time() - begin < 2


@given(st.text())
def test_every_text_has_a_value(text: str) -> None:
    for variant in ("card", "all-or-nothing", "plain-json", "mended"):
        found = value(FormatReward(variant=variant), text)  # type: ignore[arg-type]
        assert found is not None and 0 <= found <= 1


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
PLOTS = st.fixed_dictionaries(
    {
        "narrative": st.from_regex(r"[a-z一-龥]{1,5}[^\ud800-\udfff]{0,5}", fullmatch=True),
        "role_dialogue": st.just({}) | st.fixed_dictionaries({"name": NAMES, "utterance": NAMES}),
    }
)


@settings(max_examples=30, deadline=None)
@given(st.lists(PLOTS, min_size=1, max_size=3), NAMES)
def test_every_turn_that_is_one_is_worth_1(plots: list[Any], episode: str) -> None:
    assert value(FormatReward(), json.dumps({"plot_list": plots, "next_episode": episode})) == 1
