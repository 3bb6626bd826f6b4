"""The built wheel, alone in a fresh environment and called from another folder, is whole."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*command: str | Path, cwd: Path) -> str:
    env = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, as a package index would hand it out."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


def test_the_wheel_puts_one_name_into_site_packages(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert names == {"judgekit", f"{wheel.name.rsplit('-', 3)[0]}.dist-info"}


def test_the_wheel_carries_the_content(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    here = {
        p.relative_to(ROOT).as_posix()
        for f in ("rubrics", "training", "calibration", "policy")
        for p in (ROOT / f).rglob("*.*")
        if p.is_file()
    }

    assert {f"judgekit/_content/{name}" for name in here} <= inside
    assert not any("tests/" in name for name in inside)


@pytest.mark.slow
def test_the_core_works_alone(wheel: Path, tmp_path: Path) -> None:
    """No extra installed, another folder: rubrics are found, a fake judge scores, and what is missing says so."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    (tmp_path / "judge.yaml").write_text(
        'judge: rubric\nrubric: story/hanna\nmodel: {provider: fake, replies: ["no"]}\n'
    )
    told = run(tmp_path / "env" / "bin" / "judgekit", "rubrics", "list", cwd=tmp_path)
    code = (
        "import judgekit\n"
        "judge = judgekit.Judge.load('judge.yaml')\n"
        "print(judge.score([judgekit.Sample('p', 'r')])[0].error)\n"
        "from judgekit.models import LocalConfig, LocalModel\n"
        "try:\n    LocalModel(LocalConfig(provider='local', path='x')).tokenizer\n"
        "except judgekit.MissingExtraError as error:\n    print(error)\n"
    )
    said = run(python, "-c", code, cwd=tmp_path)

    assert "story/story_quality" in told
    assert "no verdict in the reply" in said
    assert "pip install 'judgekit-rl[train]'" in said
