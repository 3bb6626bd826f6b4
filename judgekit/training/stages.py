"""A run of several stages in one folder: a finished stage is not done again, and a changed one is refused.

Under ``accelerate launch`` every process runs the same code: what trains runs on all of them, all else on the first,
and the others wait for its mark.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judgekit.errors import InputError
from judgekit.judges.base import digest

Say = Callable[[str], None]
POLL = 0.5  # seconds


def is_first() -> bool:
    """Say whether this is the only process of the run, or the first of several."""
    return os.environ.get("RANK", "0") == "0"


@dataclass
class Run:
    """The folder of a run. Each stage has a folder in it, with a ``stage.json``: its key, and its result once done."""

    folder: Path

    def stage(self, name: str, key: Any, make: Callable[[Path], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return the result of a stage that runs on every process; made only where it is not there yet.

        Args:
            key: everything that decides the result.
            make: gets the stage's folder, and returns a result that JSON can hold.

        Raises:
            InputError: the folder holds this stage of another run.
        """
        known = self._known(name, key)
        if known is not None:
            return known
        self._mark(name, key, None)
        result = make(self.folder / name)
        self._mark(name, key, result)
        return result

    def alone(self, name: str, key: Any, make: Callable[[Path], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return the result of a stage that runs on the first process, and for which the others wait."""
        if is_first():
            return self.stage(name, key, make)
        while (known := self._known(name, key)) is None:
            time.sleep(POLL)
        return known

    def _known(self, name: str, key: Any) -> Mapping[str, Any] | None:
        path = self.folder / name / "stage.json"
        try:
            mark = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            raise InputError(f"{path}: cannot be read; delete {path.parent} to do this stage again") from None
        if mark["key"] != digest(key):
            raise InputError(
                f"{path.parent}: was made with other data or settings; write to another folder, or delete it and the "
                "stages after it to do them again"
            )
        result: Mapping[str, Any] | None = mark["result"]
        return result

    def _mark(self, name: str, key: Any, result: Mapping[str, Any] | None) -> None:
        if not is_first():
            return
        path = self.folder / name / "stage.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".part")
        half.write_text(json.dumps({"key": digest(key), "result": result}), encoding="utf-8")
        half.replace(path)  # whole or not at all
