"""A turn is read strictly, and what is refused says why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from judgekit.episodes.response import EpisodeTurn, parse_response, spelled

LINE = {"name": "Ada", "utterance": "Who is there?"}


def answer(dialogue: Any = LINE, **change: Any) -> str:
    plot = {"narrative": "The door opens.", "role_dialogue": dialogue}
    return json.dumps({"plot_list": [plot], "next_episode": "2"} | change)


@pytest.mark.parametrize(
    ("dialogue", "told"),
    [
        (LINE, "The door opens.\nWho is there?"),
        ([LINE, LINE], "The door opens.\nWho is there?\nWho is there?"),
        ({}, "The door opens."),
        ([], "The door opens."),
    ],
)
def test_the_cards_list_and_the_datas_dict_are_both_read(dialogue: Any, told: str) -> None:
    turn = parse_response(f"Here:\n```json\n{answer(dialogue)}\n```")

    assert isinstance(turn, EpisodeTurn)
    assert (turn.story, turn.next_episode) == (told, "2")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The door opens.", "the answer holds no JSON object, or more than one"),
        (answer() + answer(), "the answer holds no JSON object, or more than one"),
        (answer()[:-1], "the answer holds no JSON object, or more than one"),
        (answer(next_episode=2), "next_episode: Input should be a valid string"),
        (answer(next_episode=" "), "next_episode: is blank"),
        (answer(plot_list=[]), "plot_list: List should have at least 1 item after validation, not 0"),
        (answer(plot_list=[{"narrative": "...", "role_dialogue": {}}]), "plot_list.0.narrative: holds no letter"),
        (answer(score=5), "score: Extra inputs are not permitted"),
        (answer({"name": "Ada"}), "plot_list.0.role_dialogue.Line.utterance: Field required"),
    ],
)
def test_what_is_refused_says_why(text: str, reason: str) -> None:
    assert parse_response(text) == reason


@pytest.mark.parametrize(
    ("value", "name"), [(2, "2"), (" 2 ", "2"), ("-1", "-1"), (-1, "-1"), (True, None), (2.0, None), ("", None)]
)
def test_ids_are_names(value: Any, name: str | None) -> None:
    assert spelled(value) == name
