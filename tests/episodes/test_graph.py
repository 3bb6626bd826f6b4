"""Graphs: what is read, and that one error names everything that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from judgekit.episodes.graph import StoryGraph
from judgekit.episodes.records import graph_of, load_graph, load_graphs
from judgekit.errors import ConfigError, InputError


def episode(name: Any, *ways: tuple[Any, ...], **change: Any) -> dict[str, Any]:
    """An episode with triggers (next episode, condition, ...)."""
    triggers = [{"conditions": list(conditions), "next_episode": after} for after, *conditions in ways]
    return {"id": name, "goal": f"Leave {name}.", "scene": "A room.", "triggers": triggers} | change


def story(*episodes: dict[str, Any], **change: Any) -> dict[str, Any]:
    return {"story": "The lamp", "background": "A lighthouse.", "episodes": list(episodes)} | change


GOOD = story(
    episode("1", ("2", "Ada lights the lamp"), ("3", "Ada leaves", "it is dark"), budget=5),
    episode(2, (3, "the ship lands")),
    episode("3", (-1, "Ada sleeps")),
)


def write(folder: Path, data: Any, name: str = "graph.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(data, sort_keys=False) if name.endswith("yaml") else json.dumps(data))
    return path


@pytest.mark.parametrize("name", ["graph.yaml", "graph.json", "graph.jsonl"])
def test_a_graph_is_read(tmp_path: Path, name: str) -> None:
    graph = load_graph(write(tmp_path, GOOD, name))

    assert graph.start.id == "1"
    assert [e.id for e in graph.episodes] == ["1", "2", "3"]
    assert graph.start.successors == ("2", "3")
    assert graph.start.triggers[1].conditions == ("Ada leaves", "it is dark")
    assert graph.episode("3").successors == ("-1",)
    assert (graph.start.budget, graph.episode("2").budget) == (5, 10)


def test_a_graph_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        graph_of(GOOD).story = "Another"  # type: ignore[misc]


def test_an_unknown_episode_names_the_nearest() -> None:
    graph = graph_of(story(episode("cave", ("-1", "x"))))

    with pytest.raises(InputError, match="has no episode 'cav'; did you mean 'cave'"):
        graph.episode("cav")


def test_one_error_lists_all_problems(tmp_path: Path) -> None:
    bad = story(
        episode("1", ("2", "a"), ("9", "b"), budget=0),
        episode("2", ("1", "c"), ("3", "d")),
        episode("2", ("-1", "e")),
        episode("3", ("3", "f"), ("-1",)),
        episode("4", ("-1", "g")),
        episode("5", budget=-1),
        episode("-1", ("2", "h")),
    )
    path = write(tmp_path, bad)

    with pytest.raises(ConfigError) as refused:
        load_graph(path)

    lines = path.read_text().splitlines()
    told = [line.removeprefix(f"{path}:").split(": ", 2) for line in str(refused.value).splitlines()]
    assert [(place, what) for _, place, what in told] == [
        ("episodes.0.budget", "the budget is 0: an episode takes a turn at least; give 1 or more"),
        ("episodes.0.triggers.1.next_episode", "there is no episode '9'; known: -1, 1, 2, 3, 4, 5"),
        ("episodes.2.id", "the id '2' stands twice: give each episode its own"),
        ("episodes.3.triggers.1.conditions", "a trigger without conditions: say when it fires"),
        ("episodes.3.triggers.0.next_episode", "'3' leads to itself: to stay needs no trigger; remove it"),
        ("episodes.4.id", "no path from the start leads to '4': let a trigger lead there, or remove it"),
        ("episodes.5.triggers", "the episode '5' has no triggers: add one; to the end it leads to '-1'"),
        ("episodes.5.budget", "the budget is -1: an episode takes a turn at least; give 1 or more"),
        ("episodes.5.id", "no path from the start leads to '5': let a trigger lead there, or remove it"),
        ("episodes.6.id", "'-1' is the end of a story and no episode: give it another id"),
    ]
    assert lines[int(told[0][0]) - 1].strip() == "budget: 0"
    assert lines[int(told[1][0]) - 1].strip() == "next_episode: '9'"


def test_a_cycle_of_dead_ends_is_refused() -> None:
    bad = story(episode("1", ("2", "a"), ("-1", "b")), episode("2", ("3", "c")), episode("3", ("2", "d")))

    with pytest.raises(ConfigError) as refused:
        graph_of(bad, "g.jsonl:4")

    assert str(refused.value) == (
        "g.jsonl:4: episodes.1: no path leads to the end from '2', '3': let a trigger there lead to '-1' or out"
    )


def test_a_cycle_with_a_way_out_is_a_story() -> None:
    good = story(episode("1", ("2", "a")), episode("2", ("1", "back"), ("-1", "on")))

    assert graph_of(good).episode("2").successors == ("1", "-1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"episodes": []}, "episodes: Tuple should have at least 1 item"),
        ({"language": "fr"}, "language: Input should be 'en' or 'zh'"),
        ({"backgrund": "x"}, "unknown key 'backgrund'; did you mean 'background'?"),
        ({"episodes": [episode(True, ("-1", "a"))]}, "episodes.0.id: Input should be a valid string"),
        ({"episodes": [episode("1", ("-1", " "))]}, "episodes.0.triggers.0.conditions.0: Value error, is blank"),
        ({"episodes": [episode("1", ("-1", "a"), budget=2.5)]}, "episodes.0.budget: Input should be a valid integer"),
    ],
)
def test_what_is_no_graph_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("?", "[?]")):
        graph_of(GOOD | change)


RECORD = {
    "Settings": {
        "story_name": "灯塔",
        "story_style": ["冒险", "悬疑"],
        "leading_role": "阿达",
        "story_desc": "一座孤岛。",
        "story_goal": "点亮灯塔。",
        "story_chars": {"阿达": "守塔人"},
        "story_info": {"language": "中文"},
    },
    "Episodes": [
        {
            "episode_id": "1",
            "pre_episode_id": 0,
            "episode_goal": "上塔",
            "episode_scene": "塔下",
            "episode_desc": "风很大。",
            "episode_chars": {"阿达": "很累"},
            "triggers": [{"condition": "阿达找到钥匙<TRIGGER_CONDITION>门打开 ", "next_episode": 2}],
            "message_pairs": [],
        },
        {
            "episode_id": "2",
            "episode_goal": "点灯",
            "episode_scene": "塔顶",
            "triggers": [{"condition": "灯亮了<condition>船靠岸", "next_episode": "-1"}],
        },
    ],
}


def test_the_published_record_is_read(tmp_path: Path) -> None:
    [graph] = load_graphs(write(tmp_path, RECORD, "record.jsonl"), budget=7)

    assert (graph.story, graph.language, graph.role) == ("灯塔", "zh", "阿达")
    assert graph.background == "冒险, 悬疑\n一座孤岛。\n点亮灯塔。\n阿达: 守塔人"
    assert graph.start.triggers[0].conditions == ("阿达找到钥匙", "门打开")
    assert graph.episode("2").triggers[0].conditions == ("灯亮了", "船靠岸")
    assert graph.start.characters == {"阿达": "很累"} and graph.start.description == "风很大。"
    assert {e.budget for e in graph.episodes} == {7}
    assert load_graph(write(tmp_path, RECORD, "record.json"), budget=7) == graph


def test_a_broken_record_says_where(tmp_path: Path) -> None:
    broken = json.loads(json.dumps(RECORD))
    broken["Episodes"][1]["triggers"] = []
    del broken["Episodes"][0]["episode_goal"]
    path = write(tmp_path, broken, "record.jsonl")

    with pytest.raises(ConfigError, match=r"record.jsonl:1: episodes.0.goal: Input should be a valid string"):
        load_graphs(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"read from .yaml, .json or .jsonl, not from '.txt'"):
        load_graph(tmp_path / "graph.txt")
    two = tmp_path / "two.jsonl"
    two.write_text(f"{json.dumps(GOOD)}\n{json.dumps(RECORD)}\n")
    with pytest.raises(ConfigError, match="2 graphs; give a file with one"):
        load_graph(two)


EDGES = st.lists(st.lists(st.integers(-1, 6), min_size=1, max_size=3, unique=True), min_size=1, max_size=6)


@given(EDGES)
def test_a_graph_is_accepted_just_where_every_episode_lies_on_a_path_to_the_end(edges: list[list[int]]) -> None:
    """Against powers of the step relation, computed another way."""
    n = len(edges)
    reach = {i: {i} for i in range(n)}
    for _ in range(n):
        reach = {i: reach[i].union(*({*edges[j]} & {*range(n)} for j in reach[i])) for i in range(n)}
    sound = all(-1 <= j < n and j != i for i, row in enumerate(edges) for j in row)
    sound = sound and reach[0] == set(range(n)) and all(any(-1 in edges[j] for j in reach[i]) for i in range(n))
    built = story(*(episode(i, *((j, "x") for j in row)) for i, row in enumerate(edges)))

    try:
        graph = graph_of(built)
    except ConfigError:
        assert not sound
    else:
        assert sound and isinstance(graph, StoryGraph)
