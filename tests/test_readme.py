"""The README tells the truth: its files load, its code runs, its commands exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [(match[1], match[2]) for match in BLOCK.finditer(README)]


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


@pytest.mark.slow
def test_every_block_runs(tiny: Path, tmp_path: Path) -> None:
    """In one folder, from top to bottom, as a reader would; a tiny model stands in for the one that is too large."""
    [judge] = blocks("yaml")
    assert "Qwen/Qwen3-8B" in judge
    (tmp_path / "judge.yaml").write_text(judge.replace("Qwen/Qwen3-8B", str(tiny)))
    (tmp_path / "samples.jsonl").write_text(blocks("json")[0])
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    for code in blocks("python"):
        subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, env=env, check=True)
    commands = [line[2:] for text in blocks("console") for line in text.splitlines() if line.startswith("$ judgekit")]
    for command in commands:
        subprocess.run([sys.executable, "-m", *command.split()], cwd=tmp_path, env=env, check=True, capture_output=True)

    assert len(commands) == 2
    assert (tmp_path / "scores.jsonl").read_text().count('"error": null') == 2


def test_every_judge_of_the_reference_loads(tmp_path: Path) -> None:
    from pydantic import TypeAdapter

    from judgekit.config import load
    from judgekit.judges import load as judges

    text = (ROOT / "docs" / "judge-yaml.md").read_text(encoding="utf-8")
    files = [match[2] for match in BLOCK.finditer(text) if match[1] == "yaml"]
    kinds = set()
    for i, content in enumerate(files):
        (tmp_path / f"{i}.yaml").write_text(content)
        kinds.add(load(tmp_path / f"{i}.yaml", judges.JudgeConfig).judge)

    assert kinds == {"rubric", "pairwise", "genrm", "classifier", "panel"}
    schema = TypeAdapter(judges.JudgeConfig).json_schema()
    keys = {key for kind in schema["$defs"].values() for key in kind["properties"]}
    assert {key for key in keys if not re.search(rf"\b{key}\b", text)} == set()


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make (?:PYTHON=\S+ )?(quickstart|test|clean)\b", README))

    assert named == {"quickstart", "test", "clean"}
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in named)


def test_extras_of_the_readme_exist() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = set(re.findall(r"`\[(\w+)\]`|judgekit-rl\[(\w+)\]", README))

    for extra in {a or b for a, b in named}:
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE), extra


def test_the_tree_of_the_readme_is_the_tree() -> None:
    [tree] = re.findall(r"^```\n(judgekit/.*?)^```$", README, re.DOTALL | re.MULTILINE)
    rooms = re.findall(r"^  (\S+)", tree, re.MULTILINE)

    assert all((ROOT / "judgekit" / room).exists() for room in rooms)
    listed = {room.rstrip("/") for room in rooms}
    there = {p.name for p in (ROOT / "judgekit").iterdir() if p.is_dir() and not p.name.startswith("_")}
    assert there <= listed


def test_ci_calls_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert "make test" in script
    assert "$ make test" in README


def test_the_page_of_statistics_runs_and_names_what_is_there() -> None:
    import judgekit.calibration

    page = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    [code] = [text for name, text in BLOCK.findall(page) if name == "python"]
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    names = {name for line in rows for name in re.findall(r"`([a-z_]+)`", line)}
    assert len(names) > 40
    assert names <= set(judgekit.calibration.__all__)
