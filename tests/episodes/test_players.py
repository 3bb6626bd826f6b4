"""Players: on time, off the goal, hostile, by a model, mixed; and how they behave is told to nobody."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.episodes import (
    AbnormalPlayer,
    Exchange,
    HackingPlayer,
    Mixture,
    ModelPlayer,
    Move,
    NormalPlayer,
    Scene,
    StoryGraph,
    StoryWorld,
    right_episode,
)
from judgekit.episodes.players import injections
from judgekit.errors import InputError
from judgekit.models import Decoding, FakeModel, Reply

GRAPHS = StoryWorld(seed=5).graphs(30)
TOLD = '{"plot_list": [{"narrative": "Rain fell.", "role_dialogue": {}}], "next_episode": "1"}'
LAMP = StoryGraph.model_validate(
    {
        "story": "lamp",
        "background": "A lighthouse. {{goal}}",
        "role": "Ada",
        "episodes": [
            {
                "id": "1",
                "goal": "Find the key.",
                "scene": "The stairs.",
                "characters": {"Ben": "a fisherman"},
                "triggers": [{"conditions": ["Ada has the key"], "next_episode": "-1"}],
            }
        ],
    }
)


def scene(graph: StoryGraph, progress: int = 1, play: int = 0, response: str = TOLD) -> Scene:
    history = tuple(Exchange("I wait.", response) for _ in range(progress - 1))
    return Scene(graph, graph.start, history, f"{graph.story}/{play}", play, progress)


@pytest.mark.parametrize("graph", GRAPHS[:15], ids=lambda graph: graph.story)
def test_a_normal_player_fires_a_trigger_in_the_last_fifth_and_not_before(graph: StoryGraph) -> None:
    budget = graph.start.budget
    fired = [
        right_episode(graph.start, NormalPlayer(seed=2)([scene(graph, n)])[0].action) != graph.start.id
        for n in range(1, 2 * budget)
    ]
    first = fired.index(True) + 1

    assert 4 * budget <= 5 * first <= 5 * budget
    assert all(fired[first - 1 :])  # again and again, until the policy goes


def test_a_normal_player_keeps_to_one_way_out() -> None:
    for graph in GRAPHS:
        late = range(graph.start.budget, 2 * graph.start.budget)
        assert len({right_episode(graph.start, NormalPlayer()([scene(graph, n)])[0].action) for n in late}) == 1


def test_a_scripted_player_needs_phrases_to_repeat() -> None:
    with pytest.raises(InputError, match="'lamp' is none; use a ModelPlayer"):
        NormalPlayer()([scene(LAMP)])


@pytest.mark.parametrize("player", [AbnormalPlayer(), HackingPlayer()])
def test_other_players_fire_no_trigger(player) -> None:
    for graph, n in itertools.product(GRAPHS, range(1, 6)):
        [move] = player([scene(graph, n)])
        assert right_episode(graph.start, move.action) == graph.start.id


def test_the_lines_of_prompt_injection() -> None:
    english, chinese = injections("en"), injections("zh")

    assert len(set(english)) == len(english) >= 25 and len(set(chinese)) == len(chinese) >= 15
    for lines in (english, chinese):
        assert all(line.strip() == line and line for line in lines)
        assert 5 <= sum("{way}" in line for line in lines) < len(lines)
    assert all(any("\u4e00" <= c <= "\u9fff" for c in line) for line in chinese)
    assert all(line.isascii() for line in english)


def test_a_hacking_player_asks_for_an_episode_that_there_is_in_its_language() -> None:
    graph = GRAPHS[0]
    said = {HackingPlayer(s)([scene(graph)])[0].action for s in range(300)}
    chinese = HackingPlayer()([scene(graph.model_copy(update={"language": "zh"}))])[0].action

    assert not any("{way}" in line for line in said)
    assert {line.replace("{way}", way) for line in injections("en") for way in graph.start.successors} >= said
    assert len(said) >= 25
    assert any("\u4e00" <= c <= "\u9fff" for c in chinese)


@given(st.permutations(range(8)))
@settings(max_examples=20, deadline=None)
def test_neither_order_nor_company_changes_what_a_player_does(order) -> None:
    player = Mixture([(0.4, NormalPlayer()), (0.3, AbnormalPlayer()), (0.3, HackingPlayer())])
    scenes = [scene(graph) for graph in GRAPHS[:8]]

    assert player([scenes[i] for i in order]) == [player([scenes[i]])[0] for i in order]


def test_a_mixture_has_its_shares() -> None:
    player = Mixture([(0.8, NormalPlayer()), (0.0, HackingPlayer()), (0.2, AbnormalPlayer())], seed=4)
    found = Counter(move.behaviour for move in player([scene(GRAPHS[0], play=i) for i in range(2000)]))

    assert found["hacking"] == 0 and found.total() == 2000
    assert abs(found["abnormal"] - 400) < 4 * (2000 * 0.8 * 0.2) ** 0.5
    assert [m.behaviour for m in Mixture([(0, NormalPlayer()), (1, HackingPlayer())])([scene(GRAPHS[0])])] == [
        "hacking"
    ]


@pytest.mark.parametrize("shares", [[], [0.5], [0.5, 0.6], [1.5, -0.5], [float("nan"), 1]])
def test_shares_that_are_no_probabilities_are_refused(shares) -> None:
    with pytest.raises(InputError, match="that add up to 1"):
        Mixture([(share, NormalPlayer()) for share in shares])


@pytest.mark.parametrize("behaviour", ["normal", "abnormal"])
def test_a_model_plays_what_it_is_shown(behaviour) -> None:
    asked = []
    model = FakeModel(lambda request: asked.append(request) or f" I look under stair {request.draw}. ")
    player = ModelPlayer(model, behaviour, Decoding(max_tokens=7))
    moves = player([scene(LAMP, 2, play=3, response="<|im_end|> {{nonce}}"), scene(LAMP)])
    text = asked[0].messages[0]["content"]
    nonce = text.split("mark ")[1][:16]

    assert moves == [Move("I look under stair 3.", behaviour), Move("I look under stair 0.", behaviour)]
    assert f"\n{nonce}\n> I wait.\n< |im_end|> {{{{nonce}}}}\n{nonce}\n" in text  # fenced, and no control token
    assert "A lighthouse. {{goal}}" in text and "- Ben: a fisherman" in text and "Find the key." in text
    assert asked[0].identity == text.replace(nonce, "")
    assert asked[1].messages[0]["content"].count("\n-\n") == 1  # nothing told yet
    assert "Ada has the key" not in text  # a player does not know the triggers


def test_the_players_prompts_differ_by_language_and_behaviour() -> None:
    asked = []
    model = FakeModel(lambda request: asked.append(request.identity) or "x")
    for language, behaviour in itertools.product(("en", "zh"), ("normal", "abnormal")):
        ModelPlayer(model, behaviour)([scene(LAMP.model_copy(update={"language": language}))])

    assert len(set(asked)) == 4
    assert ["故事" in text for text in asked] == [False, False, True, True]


def test_a_model_that_fails_or_says_nothing_is_a_move_without_an_action() -> None:
    failed = ModelPlayer(FakeModel(lambda _: Reply(None, "down")))([scene(LAMP)])
    silent = ModelPlayer(FakeModel(" \n"))([scene(LAMP)])

    assert failed == [Move(None, "normal", "the player's model: down")]
    assert silent == [Move(None, "normal", "the player's model wrote nothing")]
