"""Two processes, and a group that lies across them: all is as it is in one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integrations import two

ROOT = Path(two.__file__).parents[2]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    pytest.importorskip("torch")
    file = tmp_path_factory.mktemp("gloo") / "meeting"
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-W", "ignore", two.__file__]
    started = [
        subprocess.Popen(
            [*command, str(rank), "2", str(file)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )
        for rank in range(2)
    ]
    return [json.loads(process.communicate(timeout=300)[0]) for process in started]


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
