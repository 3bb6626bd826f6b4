from __future__ import annotations

import contextlib
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from judgekit.errors import InputError
from judgekit.training.stages import Run, is_first


def test_a_stage_is_made_once(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> dict[str, Any]:
        made.append(folder)
        return {"loss": 0.5}

    assert Run(tmp_path).stage("sft", ["key"], make) == {"loss": 0.5}
    assert Run(tmp_path).stage("sft", ["key"], make) == {"loss": 0.5}
    assert made == [tmp_path / "sft"]


def test_a_killed_stage_is_made_again(tmp_path: Path) -> None:
    def killed(folder: Path) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Run(tmp_path).stage("sft", "key", killed)
    assert Run(tmp_path).stage("sft", "key", lambda _: {"done": True}) == {"done": True}


@pytest.mark.parametrize("done", [True, False])
def test_other_settings_are_refused_even_in_an_unfinished_stage(tmp_path: Path, done: bool) -> None:
    def make(folder: Path) -> dict[str, Any]:
        if not done:
            raise KeyboardInterrupt
        return {}

    with contextlib.suppress(KeyboardInterrupt):
        Run(tmp_path).stage("sft", {"lr": 1}, make)
    with pytest.raises(InputError, match="other data or settings; write to another folder"):
        Run(tmp_path).stage("sft", {"lr": 2}, make)


def test_a_broken_mark_is_named(tmp_path: Path) -> None:
    Run(tmp_path).stage("sft", 1, lambda _: {})
    (tmp_path / "sft" / "stage.json").write_text("{")

    with pytest.raises(InputError, match=r"stage.json: cannot be read; delete .*sft"):
        Run(tmp_path).stage("sft", 1, lambda _: {})


def test_the_other_processes_wait_for_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    assert not is_first()
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(Run(tmp_path).alone("chains", "k", lambda _: {"by": 1})))
    waiting.start()
    time.sleep(0.2)
    assert not found
    monkeypatch.setenv("RANK", "0")
    Run(tmp_path).alone("chains", "k", lambda _: {"by": 0})
    waiting.join(5)

    assert found == [{"by": 0}]
    assert json.loads((tmp_path / "chains" / "stage.json").read_text())["result"] == {"by": 0}


def test_only_the_first_process_leaves_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    Run(tmp_path).stage("sft", "k", lambda _: {})

    assert not (tmp_path / "sft").exists()
