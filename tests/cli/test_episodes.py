"""``judgekit episodes``: what it says of a graph, and what it draws."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.cli.command import Call
from tests.episodes.test_graph import GOOD, episode, story


def write(folder: Path, data: object) -> Path:
    path = folder / "graph.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return path


def test_check_says_what_a_graph_is_like(tmp_path: Path, call: Call) -> None:
    path = write(tmp_path, GOOD)

    # 1 -> 3 -> end: 2 episodes, 5 + 10 turns; 1 -> 2 -> 3 -> end: 3 episodes, 5 + 10 + 10 turns
    assert call("episodes", "check", path).stdout == (
        f"{path}: The lamp (en), 3 episodes, 4 triggers; to the end 2 to 3 episodes, 15 to 25 turns; "
        "budget 5 to 10; no problems\n"
    )
    assert call("episodes", "check", path, "--json").summary["path_turns"] == [15, 25]


def test_a_story_that_can_go_round_has_no_longest_way(tmp_path: Path, call: Call) -> None:
    path = write(tmp_path, story(episode("1", ("2", "a")), episode("2", ("1", "b"), ("-1", "c"))))

    assert (
        "2 or more (it can go round) episodes, 20 or more (it can go round) turns"
        in call("episodes", "check", path).stdout
    )
    assert json.loads(call("episodes", "check", path, "--json").stdout)["path_episodes"] == [2, None]


def test_check_names_every_problem_with_its_line(tmp_path: Path, call: Call) -> None:
    path = write(tmp_path, story(episode("1", ("2", "a"), budget=0), episode("2")))
    outcome = call("episodes", "check", path)

    assert outcome.code == 2 and outcome.stdout == ""
    assert outcome.stderr.count(f"{path}:") == 2
    assert "the budget is 0" in outcome.stderr and "'2' has no triggers" in outcome.stderr


def test_draw_writes_a_picture(tmp_path: Path, call: Call) -> None:
    out = tmp_path / "graph.svg"
    outcome = call("episodes", "draw", write(tmp_path, GOOD), "--out", out)

    assert (outcome.code, outcome.stdout) == (0, f"{out}: drawn\n")
    assert ElementTree.parse(out).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_draw_to_nowhere_is_a_message(tmp_path: Path, call: Call) -> None:
    outcome = call("episodes", "draw", write(tmp_path, GOOD), "--out", tmp_path / "none" / "graph.svg")

    assert outcome.code == 2 and "No such file" in outcome.stderr and "Traceback" not in outcome.stderr


def test_the_page_tells_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "episodes.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE))
    monkeypatch.chdir(tmp_path)
    Path("lamp.yaml").write_text(blocks["yaml"])
    check, told, draw = blocks["console"].splitlines()

    assert call(*check.removeprefix("$ judgekit ").split()).stdout == f"{told}\n"
    assert call(*draw.removeprefix("$ judgekit ").split()).code == 0 and Path("lamp.svg").is_file()
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        names: dict[str, Any] = {}
        *code, last = block.strip().splitlines()
        exec("\n".join(code), names)
        shown, _, value = last.partition("  # ")
        assert eval(shown, names) == eval(value)
