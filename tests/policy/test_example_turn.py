"""One turn in the form of EpisodeBench's model card, followed by hand: prompt, answer, channels, and their sum.

The story is our own; the forms are the card's (a list of lines), the data's (one line, Python text) and the prompt's.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from judgekit.episodes import parse_response
from judgekit.episodes.prompt import Exchange, episode_prompt
from judgekit.episodes.published import rl_turn
from judgekit.episodes.records import graph_of
from judgekit.episodes.response import EpisodeTurn
from judgekit.policy.asked import Data
from judgekit.policy.source import row
from judgekit.rewards import (
    CompositeReward,
    DPPDiversity,
    FormatReward,
    LengthReward,
    Rollout,
    TransitionReward,
    effective_length,
    story_text,
)

KEY = b"a key of the run"
FIRST = Exchange("I knock at the keeper's door.", "Nobody answers yet.")
ACTION = "I take the brass key and open the door."
GRAPH: dict[str, Any] = {
    "story": "The lamp",
    "background": "A lighthouse on a rock; nobody has seen its light for a week.",
    "role": "Ada, who rowed over",
    "episodes": [
        {
            "id": "7",
            "goal": "Get into the tower.",
            "scene": "A locked door in the rain.",
            "characters": {"Ben": "a fisherman with a lantern"},
            "triggers": [{"conditions": ["Ada has the key", "the door is open"], "next_episode": "8"}],
            "budget": 4,
        },
        {"id": "8", "goal": "g", "scene": "s", "triggers": [{"conditions": ["c"], "next_episode": "-1"}]},
    ],
}


def turn(plots: Sequence[tuple[str, Any]], after: str) -> dict[str, Any]:
    return {"plot_list": [{"narrative": text, "role_dialogue": lines} for text, lines in plots], "next_episode": after}


# 11 + 6 + 19 + 5 words: "it's" is one, "well-worn" two, 39 and 20:30 one each; the names of speakers are none.
DOOR = "The door gives way and cold air runs down the stairs."
MIND = {"name": "Ben", "utterance": "Mind the third step, it's loose!"}
CLIMB = "Ada climbs past the well-worn rail, counts 39 steps, and sets her lantern beside the lamp at 20:30."
LIGHT = {"name": "Ben", "utterance": "Light it, Ada, light it."}
CARD = turn([(DOOR, [MIND]), (CLIMB, [LIGHT])], "8")
WORDS = 11 + 6 + 19 + 5


def fenced(value: Any) -> str:
    return f"```json\n{json.dumps(value, indent=2)}\n```"


# --- the prompt ------------------------------------------------------------------------------------------------------


def test_the_prompt_piece_by_piece() -> None:
    graph = graph_of(GRAPH)
    [system, *talk] = episode_prompt(graph, graph.start, [FIRST], ACTION, secret=KEY)
    texts = {
        "background": GRAPH["background"],
        "role": "Ada, who rowed over",
        "episode": "7",
        "scene": "A locked door in the rain.",
        "goal": "Get into the tower.",
        "description": "-",  # the graph has none
        "characters": "- Ben: a fisherman with a lantern",
        "triggers": "- 8: Ada has the key AND the door is open",
        "budget": "4",
        "progress": "2",  # one exchange before, and this turn
    }
    said = json.dumps([texts, [[FIRST.action, FIRST.response]], ACTION], sort_keys=True)
    nonce = hmac.new(KEY, said.encode(), hashlib.sha256).hexdigest()[:16]

    assert talk == [
        {"role": "user", "content": f"<<< player {nonce}\n{FIRST.action}\n>>> {nonce}"},
        {"role": "assistant", "content": "Nobody answers yet."},
        {"role": "user", "content": f"<<< player {nonce}\n{ACTION}\n>>> {nonce}"},
    ]
    before, *sections = system["content"].replace("\n\n####", "\n####").split("\n### ")
    assert before.count(nonce) == 1 and before.startswith("You tell an interactive story turn by turn.")
    background, role, episode, answer = sections
    assert background == f"Background\n{texts['background']}\n"
    assert role == "The player's role\nAda, who rowed over\n"
    assert episode.split("\n#### ") == [
        "Episode 7",
        "Scene\nA locked door in the rain.",
        "Goal\nGet into the tower.",
        "What it tells\n-",
        "Characters\n- Ben: a fisherman with a lantern",
        "Triggers\n- 8: Ada has the key AND the door is open",
        "Episode Total Progress:\n4",
        "Current Episode Progress:\n2\n",
    ]
    assert 'until then it is "7"' in answer and "take 4 turns, and this is turn 2." in answer
    assert answer.endswith('"next_episode": "..."}\n```')


def test_a_published_row_gets_its_own_progress_and_loses_the_players_label() -> None:
    """Two of the player's messages, so turn 2, whatever number the row shows; the target is Python text."""
    label = {"type": "hacking", "action": ACTION}
    progress = "#### Overall Episode Design Progress\n9\n\n#### Current Episode Progress\n{}"
    found = rl_turn(
        {
            "prompt": [
                {"role": "system", "content": "A lighthouse.\n\n" + progress.format(6)},
                {"role": "user", "content": str({"type": "normal", "action": FIRST.action})},
                {"role": "assistant", "content": FIRST.response},
                {"role": "user", "content": str(label)},
            ],
            "user_input": str(label),
            "target_response": str(turn([(DOOR, MIND)], "8")),
            "extra_info": {"story_id": "lamp", "episode_id": 7},
        },
        "row 1",
    )

    assert not isinstance(found, str)
    assert [message["content"] for message in found.prompt] == [
        "A lighthouse.\n\n" + progress.format(2), FIRST.action, FIRST.response, ACTION,
    ]  # fmt: skip
    assert (found.next_episode, found.episode, found.progress, found.budget) == ("8", "7", 2, 9)
    assert found.metadata == {"behaviour": "hacking"}
    columns = row(Data("rows", (found,)).asked[0], "human_reference")
    assert "hacking" not in json.dumps(columns) and columns["next_episode"] == "8"
    assert columns["human_reference"] == f"```json\n{json.dumps(turn([(DOOR, MIND)], '8'))}\n```"  # as the prompt asks


# --- the answer ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [json.dumps(CARD), fenced(CARD), f"I see.\n{fenced(CARD)}\nGo on!"])
def test_the_answer_is_parsed(written: str) -> None:
    found = parse_response(written)

    assert isinstance(found, EpisodeTurn) and found.next_episode == "8"
    assert found.story == f"{DOOR}\n{MIND['utterance']}\n{CLIMB}\n{LIGHT['utterance']}"
    assert effective_length(found.story) == WORDS == 41


@pytest.mark.parametrize(
    ("answer", "form", "right"),
    [
        (fenced(CARD), 0.4 + 0.6, 1),
        (f"<think>\n8?\n</think>\n\n{json.dumps(CARD)}", 0.4 + 0.6, 1),
        (fenced(turn([(DOOR, MIND), (CLIMB, {})], "8")), 0.4 + 0.6, 1),  # the data's form
        (fenced({**CARD, "next_episode": "7"}), 0.4 + 0.6, 0),
        (fenced({**CARD, "next_episode": 8}), 0.4, 0),  # an id is a text in an answer
        (fenced({"plot_list": [1], "next_episode": "8"}), 0.4, 0),  # 0.85 and right in the release
        (fenced({"next_episode": "8"}), 0.4, 0),
        (str(CARD), 0, 0),  # Python, no JSON
        (json.dumps(CARD)[:-1], 0, 0),
        (f"{json.dumps(CARD)} {json.dumps(CARD)}", 0, 0),
        (f"<think>\n{json.dumps(CARD)}", 0, 0),
        ("Ada opens the door.", 0, 0),
    ],
)
def test_format_and_transition(answer: str, form: float, right: int) -> None:
    rollout = Rollout("p", answer, columns={"next_episode": "8"})

    assert FormatReward()([rollout]) == [form]
    assert TransitionReward()([rollout]) == [right]


@pytest.mark.parametrize(
    ("low", "high", "off"),
    [(80, 100, 80 - 41), (30, 50, 0), (41, 41, 0), (20, 36, 41 - 36)],
)
def test_length(low: float, high: float, off: int) -> None:
    """exp(-(off / 10)^2 / 2): of the published band it is 39 words short, and worth exp(-7.605), a two-thousandth."""
    [found] = LengthReward(low, high, 10, text=story_text)([Rollout("p", fenced(CARD))])

    assert found == pytest.approx(math.exp(-((off / 10) ** 2) / 2))
    assert off != 39 or found == pytest.approx(0.000498, abs=1e-6)


# --- a group ---------------------------------------------------------------------------------------------------------

RIGHT = fenced(CARD)  # 41 words
STAYS = fenced(turn([(DOOR, [MIND]), (CLIMB, [LIGHT]), (DOOR, {})], "7"))  # 41 + 11 = 52
LONG = fenced(turn([(CLIMB, []), (CLIMB, []), (CLIMB, [LIGHT])], "8"))  # 3 * 19 + 5 = 62
BROKEN = fenced({"next_episode": "8"})
VECTORS = {"The": (0.6, 0.8), "Ada": (0.0, 1.0)}  # by the first word, but for the first rollout


def embed(texts: Sequence[str]) -> Any:
    return np.array([(1.0, 0.0) if effective_length(text) == WORDS else VECTORS[text[:3]] for text in texts])


def z(values: Sequence[float]) -> list[float]:
    mean, deviation = statistics.fmean(values), statistics.stdev(values)
    return [(value - mean) / deviation for value in values]


def test_the_normalised_sum_of_four_channels() -> None:
    """Four rollouts; the band is 30 to 42, sigma 10, so that 52 is 10 too long and 62 is 20.

    transition 1 0 1 0: mean 1/2, deviation sqrt(4 * 1/4 / 3) = 1 / sqrt(3), so +-sqrt(3) / 2.
    format 1 1 1 0.4: mean 0.85, deviation sqrt((3 * 0.15^2 + 0.45^2) / 3) = 0.3, so 1/2 1/2 1/2 -3/2.
    length 1 exp(-1/2) exp(-2) 0.
    diversity: similarities 0.6 (1, 2), 0 (1, 3) and 0.8 (2, 3), 1.01 on the diagonal; the broken one is in no kernel
    and gets eta. det L = 1.01 (1.01^2 - 0.64) - 0.6 * 0.6 * 1.01 = 1.01 * 0.0201 = 0.020301; without the first
    1.01^2 - 0.8^2 = 0.3801, the second 1.01^2 = 1.0201, the third 1.01^2 - 0.6^2 = 0.6601.
    """
    det = 1.01 * (1.01**2 - 0.64 - 0.36)
    values = {
        "transition": [1, 0, 1, 0],
        "format": [1, 1, 1, 0.4],
        "length": [1, math.exp(-1 / 2), math.exp(-2), 0],
        "diversity": [det / 0.3801, det / 1.0201, det / 0.6601, 0.01],
    }
    weights = {"transition": 1.0, "format": 0.5, "length": 0.3, "diversity": 0.2}
    channels = [
        TransitionReward(),
        FormatReward(),
        LengthReward(30, 42, 10, text=story_text),
        DPPDiversity(embed=embed, text=story_text),
    ]
    reward = CompositeReward(channels, list(weights.values()), normalize="group")
    found = reward.score([Rollout("p", text, columns={"next_episode": "8"}) for text in (RIGHT, STAYS, LONG, BROKEN)])

    assert det == pytest.approx(0.020301)
    for name, expected in values.items():
        assert found.values[name] == pytest.approx(expected), name
    assert z(values["transition"]) == pytest.approx([s * math.sqrt(3) / 2 for s in (1, -1, 1, -1)])
    assert z(values["format"]) == pytest.approx([0.5, 0.5, 0.5, -1.5])
    parts = [[weights[name] * value for value in z(expected)] for name, expected in values.items()]
    assert found.totals == pytest.approx([sum(column) for column in zip(*parts, strict=True)])
    assert found.totals[0] > found.totals[2] > found.totals[1] > found.totals[3]  # type: ignore[operator]
