"""The picture: sound XML, everything named, every label inside and boxes apart."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.episodes.drawing import draw
from judgekit.episodes.graph import StoryGraph
from judgekit.episodes.paths import span
from judgekit.episodes.records import graph_of
from judgekit.report.drawing import breadth
from tests.episodes.test_graph import GOOD, RECORD, episode, story

SVG = "{http://www.w3.org/2000/svg}"


def parsed(graph: StoryGraph) -> ElementTree.Element:
    return ElementTree.fromstring(draw(graph))


def texts(root: ElementTree.Element) -> list[str]:
    return [str(node.text) for node in root.iter(f"{SVG}text")]


def test_every_episode_and_trigger_is_named() -> None:
    told = texts(parsed(graph_of(GOOD)))

    assert {"1", "2", "3", "5 turns", "10 turns", "Leave 1.", "-1"} <= set(told)
    assert "2. 1 → 3: Ada leaves AND it is dark" in told
    assert "4. 3 → -1: Ada sleeps" in told
    assert told.count("-1") == 1


def test_a_chinese_story_is_drawn_in_chinese() -> None:
    told = texts(parsed(graph_of(RECORD)))

    assert "1. 1 → 2：阿达找到钥匙 且 门打开" in told and "10 轮" in told


def test_the_picture_needs_nothing_else() -> None:
    picture = draw(graph_of(GOOD))

    assert not re.search(r"(?:href|src)=|@import|url\((?!#arrow)", picture)
    assert set(re.findall(r"var\((--\w+)\)", picture)) <= set(re.findall(r"(--\w+):#", picture))


def test_hostile_names_stay_text() -> None:
    named = story(episode("<b>&\"'", ("-1", "</text><script>\x00")), story="]]> -->")

    assert "1. <b>&\"' → -1: </text><script>�" in texts(parsed(graph_of(named)))


def test_two_triggers_of_one_step_share_a_line() -> None:
    root = parsed(graph_of(story(episode("1", ("2", "a"), ("2", "b")), episode("2", ("1", "c"), ("-1", "d")))))

    assert "1,2" in texts(root)
    assert len([p for p in root.iter(f"{SVG}path") if p.get("marker-end")]) == 3
    assert len([p for p in root.iter(f"{SVG}path") if p.get("stroke-dasharray")]) == 1  # the way back


@st.composite
def graphs(draw_: Any) -> StoryGraph:
    """A story of 1 to 7 episodes in which each leads on, and perhaps elsewhere too."""
    n = draw_(st.integers(1, 7))
    words = st.text(alphabet="abc 门W<", min_size=1, max_size=60).filter(str.strip)
    made = []
    for i in range(n):
        others = draw_(st.lists(st.integers(0, n - 1).filter(lambda j, i=i: j != i), max_size=3)) if n > 1 else []
        ways = [(j, draw_(words)) for j in [i + 1 if i + 1 < n else -1, *others]]
        made.append(episode(i, *ways, goal=draw_(words)))
    return graph_of(story(*made))


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_labels_are_inside_and_boxes_apart(graph: StoryGraph) -> None:
    root = parsed(graph)
    width, height = (float(str(root.get(key))) for key in ("width", "height"))
    for node in root.iter(f"{SVG}text"):
        size = float(re.findall(r"font-size:([\d.]+)", str(node.get("style")))[0])
        wide, x = breadth(str(node.text), size), float(str(node.get("x")))
        left = {"start": x, "middle": x - wide / 2, "end": x - wide}[str(node.get("text-anchor"))]
        assert left >= -0.1 and left + wide <= width + 0.1 and 0 < float(str(node.get("y"))) <= height
    shapes = [n for n in root.iter(f"{SVG}rect") if n.get("rx") in {"6", "14"}]
    boxes = [[float(str(node.get(key))) for key in ("x", "y", "width", "height")] for node in shapes]
    assert len([n for n in shapes if n.get("rx") == "6"]) == len(graph.episodes)
    for (x, y, w, h), (u, v, a, b) in combinations(boxes, 2):
        assert x + w <= u or u + a <= x or y + h <= v or v + b <= y


@given(graphs())
def test_the_shortest_and_the_longest_way_are_those_of_all_ways(graph: StoryGraph) -> None:
    """Against a walk over all paths that meet no episode twice."""
    lengths, round_ = [], False
    todo = [(graph.start.id,)]
    while todo:
        path = todo.pop()
        for after in graph.episode(path[-1]).successors:
            if after == "-1":
                lengths.append(len(path))
            elif after in path:
                round_ = True
            else:
                todo.append((*path, after))

    assert span(graph, lambda _: 1) == (min(lengths), None if round_ else max(lengths))


@pytest.mark.parametrize(("budgets", "turns"), [((2, 9, 3), (5, 14)), ((1, 1, 1), (2, 3))])
def test_turns_are_added_along_the_way(budgets: tuple[int, ...], turns: tuple[int, int]) -> None:
    parts = [part | {"budget": budget} for part, budget in zip(GOOD["episodes"], budgets, strict=True)]

    assert span(graph_of(GOOD | {"episodes": parts}), lambda one: one.budget) == turns
