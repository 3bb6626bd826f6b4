"""A run of several stages in one folder: a finished stage is not done again, and a changed one is refused.

Under ``accelerate launch`` every process runs the same code: what trains runs on all of them, all else on the first,
and the others wait for its mark.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judgekit.errors import InputError
from judgekit.judges.base import digest
from judgekit.models.local import LocalConfig
from judgekit.training.weights import Trained

Say = Callable[[str], None]
POLL = 0.5  # seconds
PATHS = ("path", "adapter")  # settings of a model that may be folders


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

    def done(self, name: str) -> bool:
        """Say whether a stage is finished."""
        try:
            return bool(
                json.loads((self.folder / name / "stage.json").read_text(encoding="utf-8"))["result"] is not None
            )
        except (OSError, ValueError):
            return False

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
        if result is not None:
            self._whole(name, mark.get("weights", {}))
        return result

    def _whole(self, name: str, weights: Mapping[str, int]) -> None:
        """Refuse a stage whose weights are no longer what it wrote."""
        there = self._weights(name)
        for file, size in weights.items():
            if there.get(file) != size:
                raise InputError(
                    f"{self.folder / name / file}: {'is cut short' if file in there else 'is gone'}; put it back, or "
                    f"delete {self.folder / name} and the stages after it to do them again"
                )

    def _weights(self, name: str) -> dict[str, int]:
        """Return the size of each file of weights that a stage made, checkpoints apart."""
        folder = self.folder / name
        files = {path.relative_to(folder): path for path in folder.rglob("*.safetensors")}
        return {
            str(file): path.stat().st_size
            for file, path in files.items()
            if not file.parts[0].startswith("checkpoint-")
        }

    def movable(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings of a model whose paths into this folder count from it, so that a run may be moved."""
        home = self.folder.resolve()
        inside = {key: Path(settings[key]).resolve() for key in PATHS if settings.get(key)}
        return {**settings, **{k: f"./{p.relative_to(home)}" for k, p in inside.items() if p.is_relative_to(home)}}

    def placed(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `movable` was made from, here."""
        inside = {key: settings[key] for key in PATHS if (settings.get(key) or "").startswith("./")}
        return {**settings, **{key: str(self.folder / path) for key, path in inside.items()}}

    def _mark(self, name: str, key: Any, result: Mapping[str, Any] | None) -> None:
        if not is_first():
            return
        path = self.folder / name / "stage.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".part")
        mark = {"key": digest(key), "result": result, "weights": self._weights(name) if result is not None else {}}
        half.write_text(json.dumps(mark), encoding="utf-8")
        half.replace(path)  # whole or not at all


def trained_stage(
    run: Run, name: str, key: Any, train: Callable[[Path], tuple[Trained, dict[str, int]]], say: Say
) -> tuple[LocalConfig, list[dict[str, float]], dict[str, int]]:
    """Return what came of a stage of training: its weights, its curve, and what was left out, by reason.

    Args:
        train: gets the stage's folder; returns what was trained, and what had been left out before.
    """

    def make(folder: Path) -> dict[str, Any]:
        trained, left_out = train(folder)
        counts = dict(Counter(left_out) + Counter(trained.left_out))
        return {"model": run.movable(trained.model.model_dump()), "curve": trained.curve, "left_out": counts}

    if run.done(name):
        say(f"{name}: done before")
    result = run.stage(name, key, make)
    return LocalConfig(**run.placed(result["model"])), result["curve"], result["left_out"]
