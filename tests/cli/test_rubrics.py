"""``judgekit rubrics``: what it lists, shows and refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from judgekit import cli

SHIPPED = {
    "general/instruction_following",
    "story/creative_preference",
    "story/episodebench",
    "story/episodebench_zh",
    "story/hanna",
    "story/story_quality",
    "story/ttcw",
}
GOOD = """\
id: test/good
title: Good
criteria:
  - id: plot
    title: Plot
    range: [0, 5]
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run ``judgekit rubrics ...`` in this process, in an empty folder; a traceback would fail the test."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["judgekit", "rubrics", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return (int(left.value.code or 0), *capfd.readouterr())

    return call


def test_list_has_all_that_are_shipped(run: Run):
    code, out, _ = run("list", "--json")

    found = {rubric["id"]: rubric for rubric in json.loads(out)}
    assert code == 0 and set(found) >= SHIPPED
    assert (found["story/story_quality"]["low"], found["story/story_quality"]["high"]) == (-159, 108)
    assert (found["story/ttcw"]["criteria"], found["story/episodebench_zh"]["language"]) == (14, "zh")
    assert found["story/creative_preference"]["mode"] == "pairwise"


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_list_shows_every_name_whole(run: Run, monkeypatch: pytest.MonkeyPatch, columns: str):
    """The names are there to be copied; the titles may be cut."""
    monkeypatch.setenv("COLUMNS", columns)

    _, out, _ = run("list")

    assert all(name in out.split() for name in SHIPPED)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_show_prints_the_prompt_of_every_shipped_rubric(run: Run, name: str):
    code, out, _ = run("show", name)

    assert code == 0
    assert out.startswith("--- system ---\n") and "--- user ---" in out
    assert "<nonce>" in out and ("<response>" in out or "<a>" in out) and "{{" not in out


def test_show_as_json_is_the_rubric(run: Run):
    code, out, _ = run("show", "story/hanna", "--json")

    shown = json.loads(out)
    assert code == 0 and shown["id"] == "story/hanna"
    assert [c["id"] for c in shown["criteria"]][:2] == ["relevance", "coherence"]


def test_show_reads_a_path_too(run: Run):
    Path("mine.yaml").write_text(GOOD)

    code, out, _ = run("show", "mine.yaml")

    assert code == 0 and "plot (Plot) [0|1|2|3|4|5]" in out


def test_show_names_the_nearest_rubric(run: Run):
    assert run("show", "story/hana") == (
        2,
        "",
        "error: no rubrics entry is called 'story/hana'; did you mean 'story/hanna'?\n",
    )


def test_show_in_chinese_needs_no_utf8_terminal():
    """A terminal that cannot show a character gets a stand-in for it, not a traceback."""
    command = [sys.executable, "-m", "judgekit", "rubrics", "show", "story/episodebench_zh"]
    shown = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False)

    assert (shown.returncode, shown.stderr) == (0, b"")


def test_check_tells_what_it_has_read(run: Run):
    Path("mine.yaml").write_text(GOOD)

    assert run("check", "mine.yaml") == (0, "mine.yaml: test/good, 1 criteria, scale 0 to 5\n", "")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("criteria:", "criterria:", "mine.yaml:3: unknown key 'criterria'; did you mean 'criteria'?"),
        ("range:", "rnage:", "mine.yaml:6: criteria.0: unknown key 'rnage'; did you mean 'range'?"),
        ("[0, 5]", "[5, 0]", "mine.yaml:4: criteria.0: range must be [lowest, highest] with lowest < highest\n"),
        ("title: Good", "title: !!str Good", "mine.yaml:2: YAML tags are not accepted"),
        ("title: Good", "title: [", "mine.yaml:"),
    ],
)
def test_check_names_the_fault_with_its_line(run: Run, old: str, new: str, problem: str):
    Path("good.yaml").write_text(GOOD)
    Path("mine.yaml").write_text(GOOD.replace(old, new))

    code, out, told = run("check", "good.yaml", "mine.yaml")

    assert code == 2 and told.startswith(f"error: {problem}"), told
    assert len(told.splitlines()) == 1, "one fault, one line"
    assert out.startswith("good.yaml: ")


def test_check_of_nothing_a_folder_or_a_missing_file(run: Run):
    assert run("check")[0] == 2
    assert run("check", "none.yaml") == (2, "", "error: none.yaml: no such file\n")
    Path("folder").mkdir()
    code, _, told = run("check", "folder")
    assert code == 2 and "folder" in told
