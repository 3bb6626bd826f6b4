"""The house keeps its plan: imports point one way, content folders hold no code, importing is light."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import judgekit

PACKAGE = Path(judgekit.__file__).parent
ROOT = PACKAGE.parent

# room: the rooms that it may import. types, errors and strict_json are everybody's.
DIRECTIONS = {
    "types": set(),
    "errors": set(),
    "strict_json": set(),
    "config": {"errors"},
    "content": set(),
    "files": set(),
    "rubrics": {"config", "content"},
    "models": {"config"},
    "calibration": {"config"},
    "judges": {"calibration", "config", "models", "rubrics", "storyworld"},
    "training": {"calibration", "config", "content", "episodes", "files", "judges", "models", "report", "rubrics"},
    "storyworld": {"config", "models"},
    "studies": {"calibration", "config", "content", "files", "report", "storyworld"},
    "integrations": {"rewards"},
    "episodes": {"calibration", "config", "content", "files", "models", "report", "rubrics", "storyworld"},
    "rewards": {"episodes", "models"},  # models for the sentence encoder, which judges nothing; never a judge
    "policy": {
        "calibration",
        "config",
        "content",
        "episodes",
        "files",
        "judges",
        "models",
        "report",
        "rewards",
        "storyworld",
        "training",
    },
    "report": set(),
    "cli": None,  # sees all the others
    "__main__": None,
    "__init__": None,
}


def imports(path: Path) -> set[str]:
    """Return the rooms that a module imports, in functions and under TYPE_CHECKING too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "judgekit":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("judgekit."):
            found.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("judgekit.")}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    allowed = DIRECTIONS[room]

    if allowed is not None:
        assert imports(path) - {room, "types", "errors", "strict_json"} <= allowed


def test_the_direction_test_can_fail(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("def f():\n    from judgekit.cli import app\nimport judgekit.models.local\n")

    assert imports(tmp_path / "x.py") == {"cli", "models"}


@pytest.mark.parametrize("folder", ["rubrics", "training", "calibration", "policy"])
def test_content_folders_hold_content_only(folder: str) -> None:
    assert (ROOT / folder / "README.md").is_file()
    assert not list((ROOT / folder).rglob("*.py"))


def test_importing_judgekit_is_light() -> None:
    heavy = "{'torch', 'trl', 'transformers', 'scipy', 'pydantic', 'numpy', 'typer', 'openai'}"
    code = f"import sys, judgekit; print(sorted({heavy} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_help_answers_in_half_a_second() -> None:
    command = [sys.executable, "-m", "judgekit", "--help"]
    took = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        took.append(time.perf_counter() - start)

    assert min(took) < 0.5


def test_files_can_be_read_in_one_sitting() -> None:
    long = {p.name: n for p in PACKAGE.rglob("*.py") if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400}

    assert not long


def test_no_function_is_long() -> None:
    lengths = [
        (node.end_lineno or 0) - node.lineno + 1
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]

    assert sorted(lengths)[len(lengths) // 2] <= 10
    assert max(lengths) <= 50
