"""Trainers' own code, in a process of its own: what the scripts beside this print, where the trainer is there to run.

The trainers do not fit into one environment, and not into ours: their requirements are left out, they lie in a folder
that nothing else imports from, and stand-ins take the place of what they only import (`absent`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FOLDER = Path(os.environ.get("JUDGEKIT_TRAINERS", ROOT / ".venv" / "trainers"))


def report(script: str, package: str, *more: str, how: str = "`make .venv/trainers` installs it there") -> Any:
    """Return what a script prints, which is given the folder of the trainers; skip where the package is not in it.

    Args:
        how: what to do to have it.
    """
    if not (FOLDER / package).is_dir():
        pytest.skip(f"{package} is not in {FOLDER} (or JUDGEKIT_TRAINERS, if set): {how}")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / script), str(FOLDER), *more],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return json.loads(done.stdout.splitlines()[-1])
