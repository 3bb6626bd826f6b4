"""Two processes, and a group that lies across them: all is as it is in one."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integrations import trl_two, two

ROOT = Path(two.__file__).parents[2]


def run(script: str, folder: Path, *more: str) -> list[dict[str, Any]]:
    """Return what two processes of a script (beside this file, or by its path) print: a line of JSON each."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", str(Path(__file__).parent / script), *more],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "TWO": f"{rank} 2 {folder / 'meeting'}"},
        )
        for rank in range(2)
    ]
    printed = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    return [json.loads(text.splitlines()[-1]) for text in printed]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    pytest.importorskip("torch")
    return run("two.py", tmp_path_factory.mktemp("gloo"))


def test_two_processes_find_what_one_does(both: list[dict[str, Any]]) -> None:
    one = two.found(slice(None))

    for name in ("own", "swift"):
        assert both[0][name] + both[1][name] == pytest.approx(one[name]), name
    for process in both:
        for name in ("totals", "above", "parts"):
            assert process[name] == pytest.approx(one[name]), name
        assert process["asked"]["above"] == one["asked"]["above"] == 8


def test_by_hand(both: list[dict[str, Any]]) -> None:
    """Group q, 4, nothing and 2, is half in each process: z is +-sqrt(1/2), and of 1 in 3 and 0 in 3 longer the same.

    Longer than "4 1" are both others, 2/3; than "fail 1" one, 1/3; than the last none. Among the two that are scored,
    2/3 and 0, z is +sqrt(1/2) and -sqrt(1/2), of which half counts.
    """
    half = 0.5**0.5
    assert both[0]["own"][3] == pytest.approx(half + 0.5 * half)
    assert both[1]["own"][:2] == [None, pytest.approx(-half - 0.5 * half)]
    assert both[0]["above"][3:6] == pytest.approx([2 / 3, 1 / 3, 0])
    assert both[1]["own"][2:] == [None, None]
    assert both[1]["swift"][0] == pytest.approx(((4 + 1 / 3) + 2) / 2)  # 0.5 * 2/3 beside 4, 0 beside 2
    assert both[1]["swift"][2:] == [0.25, 0.25]


@pytest.mark.slow
def test_groups_of_trls_trainer_lie_across_processes(tiny: Path, tmp_path: Path) -> None:
    """Two processes with six rows each, in groups of four: the second group is half in each of them.

    TRL's advantages have to be those of the rewards that one process finds for all twelve rows.
    """
    pytest.importorskip("trl")
    processes = run("trl_two.py", tmp_path, str(tiny), str(tmp_path / "run"))
    prompts, completions = processes[0]["prompts"], processes[0]["completions"]
    assert len(prompts) == 12 and prompts[4] == prompts[7] and len(set(prompts)) == 3

    alone = trl_two.reward()
    totals = alone(prompts, completions)
    assert [totals[5], totals.count(None)] == [None, 1]
    for process in processes:
        assert process["totals"] == pytest.approx(totals)
        assert process["advantages"] == pytest.approx(
            [advantage for start in (0, 4, 8) for advantage in advantages(totals[start : start + 4])], abs=1e-4
        )


def advantages(group: list[float | None]) -> list[float]:
    known = [value for value in group if value is not None]
    mean, deviation = statistics.fmean(known), statistics.stdev(known)
    return [0.0 if value is None else (value - mean) / (deviation + 1e-4) for value in group]
