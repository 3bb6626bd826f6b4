"""Turns from played stories: the right step, the true progress, and no label of the player in sight."""

from __future__ import annotations

import json
from typing import Any

import pytest

from judgekit.episodes.data import Act, Conversation, turns_of
from judgekit.episodes.progress import PROGRESS
from judgekit.episodes.records import graph_of
from judgekit.errors import InputError

GRAPH = graph_of(
    {
        "story": "The lamp",
        "background": "A lighthouse.",
        "role": "Ada",
        "episodes": [
            {
                "id": "1",
                "goal": "Find the key.",
                "scene": "The stairs.",
                "triggers": [{"conditions": ["Ada has the key"], "next_episode": "2"}],
                "budget": 3,
            },
            {
                "id": "2",
                "goal": "Light the lamp.",
                "scene": "The top.",
                "triggers": [{"conditions": ["the lamp burns"], "next_episode": "-1"}],
                "budget": 2,
            },
        ],
    }
)


def response(after: str, narrative: str = "Wind blows.") -> str:
    plot = {"narrative": narrative, "role_dialogue": {"name": "Ben", "utterance": "Hurry!"}}
    return f"```json\n{json.dumps({'plot_list': [plot], 'next_episode': after})}\n```"


def played(*steps: str, **change: Any) -> Conversation:
    acts = tuple(Act(f"act {i}", response(step), "hacking" if i == 2 else None) for i, step in enumerate(steps, 1))
    return Conversation(**{"id": "play", "acts": acts} | change)


def test_each_exchange_is_a_turn_with_its_own_progress() -> None:
    found = turns_of(GRAPH, played("1", "1", "2", "2", "-1"), secret=b"k")

    assert found.left_out == {}
    assert [turn.episode for turn in found.turns] == ["1", "1", "1", "2", "2"]
    assert [turn.next_episode for turn in found.turns] == ["1", "1", "2", "2", "-1"]
    assert [turn.stays for turn in found.turns] == [True, True, False, True, False]
    assert [turn.progress for turn in found.turns] == [1, 2, 3, 1, 2]
    assert [turn.budget for turn in found.turns] == [3, 3, 3, 2, 2]
    assert [len(turn.prompt) for turn in found.turns] == [2, 4, 6, 2, 4]  # system, exchanges of the episode, the act
    shown = [PROGRESS.search(turn.prompt[0]["content"]) for turn in found.turns]
    assert [match[0].split()[-1] for match in shown if match] == ["1", "2", "3", "1", "2"]
    assert {turn.story for turn in found.turns} == {"The lamp"}
    assert found.turns[2].reference == response("2")


def test_the_players_label_is_metadata_and_nothing_else() -> None:
    turns = turns_of(GRAPH, played("1", "1", "2"), secret=b"k").turns

    assert [turn.metadata for turn in turns] == [{}, {"behaviour": "hacking"}, {}]
    assert not any("hacking" in json.dumps([turn.prompt, dict(turn.context), turn.reference]) for turn in turns)


def test_a_judge_is_shown_the_turn() -> None:
    context = turns_of(GRAPH, played("1", "1"), secret=b"k").turns[1].context

    assert context == {
        "background": "A lighthouse.\nAda",
        "history": "> act 1\nWind blows.\nHurry!",
        "episode": "1\nThe stairs.\nFind the key.\n- 2: Ada has the key",
        "progress": "current 2, total 3",
        "user_input": "act 2",
    }


@pytest.mark.parametrize(
    ("steps", "turns", "left_out"),
    [
        (
            ("1", "9", "1", "1"),
            1,
            {
                "the response goes to '9', where episode '1' has no way": 1,
                "after a response that cannot be followed": 2,
            },
        ),
        (("2", "-1", "1"), 2, {"after the end of the story": 1}),
        (("-1",), 0, {"the response goes to '-1', where episode '1' has no way": 1}),
    ],
)
def test_what_cannot_be_followed_is_counted(steps: tuple[str, ...], turns: int, left_out: dict[str, int]) -> None:
    found = turns_of(GRAPH, played(*steps), secret=b"k")

    assert (len(found.turns), found.left_out) == (turns, left_out)


def test_a_response_that_is_no_turn_says_why() -> None:
    found = turns_of(GRAPH, Conversation("c", (Act("a", "I cannot."),)), secret=b"k")

    assert found.left_out == {"the response is no turn: the answer holds no JSON object, or more than one": 1}


def test_a_conversation_may_begin_anywhere_that_there_is() -> None:
    assert turns_of(GRAPH, played("-1", episode="2"), secret=b"k").turns[0].episode == "2"
    with pytest.raises(InputError, match="has no episode '3'"):
        turns_of(GRAPH, played("-1", episode="3"), secret=b"k")
