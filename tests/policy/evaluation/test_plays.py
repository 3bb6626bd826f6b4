"""Stories played by a policy: the same for every policy, written, resumed and read back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from judgekit.episodes import EpisodeTurn, StoryWorld, right_episode
from judgekit.episodes.measures import measure_timing
from judgekit.episodes.prompt import triggers
from judgekit.errors import InputError
from judgekit.models import Decoding, FakeModel, Reply, Request
from judgekit.policy.evaluation.plays import play, read_played
from tests.policy.evaluation.made import read_rows, says, write_rows

WARM = Decoding(temperature=1.0, max_tokens=8)
GRAPHS = {graph.story: graph for graph in StoryWorld().graphs(6, "test")}


def right(request: Request) -> str:
    """Answer as one who reads the prompt and never errs."""
    system, act = request.messages[0]["content"], request.messages[-1]["content"]
    for graph in GRAPHS.values():
        for episode in graph.episodes:
            if f"Episode {episode.id} {episode.scene}\n{triggers(graph, episode)}\n" in system:
                return says(right_episode(episode, act))
    raise AssertionError(system)


def test_a_policy_that_is_right_is_on_time_but_for_the_player(tmp_path: Path) -> None:
    found = play(FakeModel(right), 6, tmp_path / "p.jsonl", WARM, size=4)

    assert [one.graph for one in found] == list(GRAPHS.values())
    for one in found:  # a story ends, unless the player is odd in every turn in which it could still go on
        last = one.visits[-1]
        assert one.stopped == "" or all(t.behaviour != "normal" for t in one.turns[-last.turns :][last.budget - 1 :])
    timed = {item.id: item.values for item in measure_timing(found)}
    assert all(values["too fast"].value == 0 for values in timed.values())
    late = [values for values in timed.values() if values["on time"].value == 0]
    assert len(late) < len(timed) / 3  # where the player is odd in the very turn in which the story should go on
    assert all(isinstance(turn.parsed, EpisodeTurn) for one in found for turn in one.turns)


def test_the_player_is_the_same_for_every_policy(tmp_path: Path) -> None:
    one = play(FakeModel("no JSON"), 6, tmp_path / "1.jsonl", WARM, size=1)
    two = play(FakeModel("nor here"), 6, tmp_path / "2.jsonl", WARM, size=6)

    acts = [[(t.action, t.behaviour) for p in played for t in p.turns] for played in (one, two)]
    assert acts[0] == acts[1] and {b for _, b in acts[0]} == {"normal", "abnormal", "hacking"}
    assert all(re.match(r"episode '\w' took 150 % of its budget", p.stopped) for p in one)


def test_a_killed_play_goes_on(tmp_path: Path) -> None:
    path, whole, calls = tmp_path / "p.jsonl", tmp_path / "whole.jsonl", []
    play(FakeModel(right), 6, whole, WARM)

    def counted(request: Request) -> str:
        calls.append(request.identity)
        return right(request)

    model = FakeModel(counted)
    play(model, 6, path, WARM, size=2)
    every = len(calls)
    write_rows(path, read_rows(path)[:4])
    calls.clear()
    assert play(model, 6, path, WARM, size=2) == read_played(whole)
    assert 0 < len(calls) < every
    with pytest.raises(InputError, match=r"p\.jsonl:1: was written by another policy"):
        play(FakeModel("another"), 6, path, WARM)
    with pytest.raises(InputError, match=r"p\.jsonl:6: goes on where the input has ended"):
        play(model, 5, path, WARM)


def test_no_answer_is_nobodys_failure(tmp_path: Path) -> None:
    found = play(FakeModel(lambda r: Reply(None, "the server is down")), 2, tmp_path / "p.jsonl", WARM)

    assert [one.stopped for one in found] == ["the policy gave no answer"] * 2 and not found[0].turns
    assert measure_timing(found) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"stoped": ""}, "stoped: unknown key; did you mean 'stopped'"),
        ({"turns": [{}]}, r"turns\.0\.id: is missing"),
        ({"graph": {"story": "x"}}, "graph: "),
        ({"conversation": None}, "conversation: Input should be a valid string"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(
    tmp_path: Path, change: dict[str, object], problem: str
) -> None:
    path = tmp_path / "p.jsonl"
    play(FakeModel("no JSON"), 2, path, WARM)
    first, second = read_rows(path)

    with pytest.raises(InputError, match=rf"p\.jsonl:2: {problem}"):
        read_played(write_rows(path, [first, {**second, **change}]))
