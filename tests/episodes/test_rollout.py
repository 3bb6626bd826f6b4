"""Stories played by a policy: where they go, when they stop, what is recorded, and how their timing is measured."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import Bootstrap
from judgekit.episodes import (
    AbnormalPlayer,
    HackingPlayer,
    Mixture,
    Move,
    NormalPlayer,
    Played,
    StoryGraph,
    StoryWorld,
    right_episode,
    roll_out,
)
from judgekit.episodes.measures import measure_timing, timing
from judgekit.episodes.metrics import metric_table, metric_tables
from judgekit.errors import InputError

SECRET = b"tests"
FAST = Bootstrap(draws=200)


def says(episode: str) -> str:
    return json.dumps({"plot_list": [{"narrative": "It rains.", "role_dialogue": {}}], "next_episode": episode})


def episode(name: str, *after: str, budget: int = 4) -> dict:
    ways = [{"conditions": [f"take the {way}"], "next_episode": way} for way in after]
    return {"id": name, "goal": "g", "scene": "s", "triggers": ways, "budget": budget}


def story(*episodes: dict, name: str = "s") -> StoryGraph:
    return StoryGraph.model_validate({"story": name, "background": "b", "episodes": episodes})


TWO = story(episode("1", "2"), episode("2", "-1"))


def waits(scenes) -> list[Move]:
    return [Move(f"I wait, {scene.turn}.", "normal") for scene in scenes]


class Scripted:
    """Says what its script says, turn by turn, in every story."""

    def __init__(self, *responses: str | None) -> None:
        self.responses, self.seen = responses, []

    def __call__(self, chats: Sequence) -> list[str | None]:
        self.seen.append(list(chats))
        return [self.responses[len(self.seen) - 1]] * len(chats)


def played(*responses: str | None, graph: StoryGraph = TWO, player=waits) -> Played:
    [found] = roll_out(Scripted(*responses), [graph], player, secret=SECRET)
    return found


def test_a_story_goes_where_the_policy_says_until_the_end() -> None:
    found = played(says("1"), says("2"), says("2"), says("-1"))

    assert [(t.episode, t.progress, t.next_episode) for t in found.turns] == [
        ("1", 1, "1"), ("1", 2, "2"), ("2", 1, "2"), ("2", 2, "-1"),
    ]  # fmt: skip
    assert found.stopped == "" and found.problems == {}
    assert [(v.episode, v.turns, v.left) for v in found.visits] == [("1", 2, True), ("2", 2, True)]
    assert [t.id for t in found.turns] == ["s/0/1", "s/0/2", "s/0/3", "s/0/4"]


def test_history_and_progress_begin_anew_in_each_episode() -> None:
    policy = Scripted(says("1"), says("2"), says("-1"))
    roll_out(policy, [TWO], waits, secret=SECRET)
    chats = [batch[0] for batch in policy.seen]

    assert [len(chat) for chat in chats] == [2, 4, 2]
    assert chats[1][2]["content"] == says("1")
    assert "Current Episode Progress:\n2" in chats[1][0]["content"]
    assert "Current Episode Progress:\n1" in chats[2][0]["content"]


def test_a_response_that_cannot_be_followed_stays_with_its_reason() -> None:
    found = played("It rains.", says("9"), says("2"), says("-1"))

    assert [t.next_episode for t in found.turns] == ["1", "1", "2", "-1"]
    assert found.turns[0].parsed is None and found.turns[1].parsed is not None
    assert found.problems == {
        "the response is no turn: the answer holds no JSON object, or more than one": 1,
        "the response goes where the episode has no way": 1,
    }
    assert found.turns[1].prompt[2]["content"] == "It rains."


@pytest.mark.parametrize(("budget", "turns"), [(1, 1), (4, 6), (5, 7), (10, 15)])
def test_an_episode_is_given_up_after_150_percent_of_its_budget(budget: int, turns: int) -> None:
    found = played(*["no JSON"] * 99, graph=story(episode("1", "-1", budget=budget)))

    assert len(found.turns) == turns
    assert found.stopped == "episode '1' took 150 % of its budget"
    assert found.problems == {"the response is no turn: the answer holds no JSON object, or more than one": turns}
    [item] = measure_timing([found])
    assert item.values["failure"].value == 1


def test_a_story_that_goes_round_is_given_up() -> None:
    graph = story(episode("1", "2", "-1"), episode("2", "1"))
    found = played(*[says("2"), says("1")] * 9, graph=graph)

    assert found.stopped == "the story took 150 % of all budgets" and len(found.turns) == 12
    assert [item.id for item in measure_timing([found])][:3] == ["s/0/1/1", "s/0/2/1", "s/0/1/2"]


def test_nobody_fails_where_the_policy_or_the_player_gave_nothing() -> None:
    silent = played(says("1"), None)
    broken = played(says("1"), player=lambda s: [Move("Hm." if x.turn < 2 else None, "normal", "down") for x in s])
    never = played(None)

    assert (silent.stopped, len(silent.turns)) == ("the policy gave no answer", 1)
    assert (broken.stopped, len(broken.turns)) == ("down", 1)
    assert never.turns == () and never.visits == () and measure_timing([never]) == []
    row = metric_table(measure_timing([silent, broken]), FAST).rows["failure"]
    assert row.estimate is None
    assert row.left_out == {"cut off: the policy gave no answer": 1, "cut off: down": 1}


def test_stories_that_still_go_on_share_a_batch() -> None:
    short = story(episode("1", "-1"), name="short")
    policy = Scripted(says("1"), says("-1"), says("1"))
    longer = story(episode("1", "2", budget=2), episode("2", "-1"), name="longer")
    found = roll_out(policy, [short, longer], waits, secret=SECRET, plays=2)

    assert [len(batch) for batch in policy.seen] == [4, 4, 2]
    assert [one.conversation for one in found] == ["short/0", "short/1", "longer/0", "longer/1"]
    assert [one.stopped for one in found][:2] == ["", ""]


def test_how_the_player_behaves_is_told_to_no_prompt() -> None:
    graphs = StoryWorld(seed=8).graphs(6)
    player = Mixture([(0.4, NormalPlayer()), (0.3, AbnormalPlayer()), (0.3, HackingPlayer())])
    found = roll_out(lambda chats: ["?"] * len(chats), graphs, player, secret=SECRET)
    turns = [turn for one in found for turn in one.turns]
    texts = [json.dumps(turn.prompt) for turn in turns]

    assert {turn.behaviour for turn in turns} == {"normal", "abnormal", "hacking"}
    assert not any(label in text for text in texts for label in ("abnormal", "hacking", "behaviour"))


@given(st.integers(0, 10**4))
@settings(max_examples=10, deadline=None)
def test_a_teller_that_knows_the_truth_is_always_on_time(seed: int) -> None:
    graphs = StoryWorld(seed).graphs(4)
    found = roll_out(knowing(graphs), graphs, NormalPlayer(seed), secret=SECRET)
    rows = metric_table(measure_timing(found), FAST).rows

    assert all(one.stopped == "" for one in found)
    assert rows["on time"].estimate.value == 1
    assert rows["on time"].estimate.clusters == 4


def knowing(graphs: Sequence[StoryGraph]):
    """A policy that finds the one episode and act that a chat is of, and answers with the truth."""

    def policy(chats) -> list[str]:
        return [says(_truth(chat, graphs)) for chat in chats]

    return policy


def _truth(chat, graphs) -> str:
    system, act = chat[0]["content"], chat[-1]["content"]
    [found] = [
        one for g in graphs for one in g.episodes if f"### Episode {one.id}\n#### Scene\n{one.scene}\n" in system
        and g.role in system and all(c in system for t in one.triggers for c in t.conditions)
    ]  # fmt: skip
    return right_episode(found, act)


@pytest.mark.parametrize(
    ("turns", "left", "expected"),
    [
        (7, True, "too fast"), (8, True, "on time"), (10, True, "on time"), (11, True, "too slow"),
        (15, True, "too slow"), (16, True, "failure"), (15, False, "failure"), (14, False, None), (1, False, None),
    ],
)  # fmt: skip
def test_timing_of_a_budget_of_ten(turns: int, left: bool, expected: str | None) -> None:
    assert timing(turns, 10, left) == expected


@pytest.mark.parametrize(
    ("turns", "budget", "expected"),
    [
        (3, 5, "too fast"),
        (4, 5, "on time"),
        (7, 5, "too slow"),
        (8, 5, "failure"),
        (1, 1, "on time"),
        (2, 1, "failure"),
    ],
)
def test_timing_of_other_budgets(turns: int, budget: int, expected: str) -> None:
    assert timing(turns, budget, True) == expected


def test_timing_needs_turns_and_a_budget() -> None:
    with pytest.raises(InputError, match="0 turns of a budget of 5"):
        timing(0, 5, True)
    with pytest.raises(InputError, match="1 turns of a budget of 0"):
        timing(1, 0, True)


def test_the_shares_of_timing_by_hand_and_by_behaviour() -> None:
    def odd(scenes) -> list[Move]:
        return [Move("Hm.", "hacking" if s.episode.id == "2" and s.turn % 2 else "normal") for s in scenes]

    on_time = played(*[says("1")] * 3, says("2"), *[says("2")] * 3, says("-1"), player=odd)  # 4 of 4, 4 of 4
    mixed = played(says("2"), *[says("2")] * 4, says("-1"), player=odd)  # 1 of 4, 5 of 4
    never = played(*[says("1")] * 6, player=odd)  # 6 of 4, and never
    items = measure_timing([on_time, mixed, never])
    rows = metric_table(items, FAST).rows
    parts = metric_tables(items, "behaviour", FAST)

    assert {name: row.estimate.value for name, row in rows.items()} == {
        "too fast": 1 / 5, "on time": 2 / 5, "too slow": 1 / 5, "failure": 1 / 5,
    }  # fmt: skip
    assert list(parts) == ["hacking + normal", "normal"]
    assert parts["hacking + normal"].rows["on time"].estimate.value == 1 / 2
    assert all(row.always_stay is None for row in rows.values())


def test_what_cannot_be_played_is_refused() -> None:
    def once(chats) -> list[str]:
        return []

    with pytest.raises(InputError, match="0 stories, 1 plays"):
        roll_out(once, [], waits, secret=SECRET)
    with pytest.raises(InputError, match="1 stories, 0 plays"):
        roll_out(once, [TWO], waits, secret=SECRET, plays=0)
    with pytest.raises(InputError, match="each story under its own name"):
        roll_out(once, [TWO, TWO], waits, secret=SECRET)
    with pytest.raises(InputError, match="0 answers of the policy for 1 stories"):
        roll_out(once, [TWO], waits, secret=SECRET)
    with pytest.raises(InputError, match="0 moves of the player for 1 stories"):
        roll_out(once, [TWO], lambda scenes: [], secret=SECRET)
