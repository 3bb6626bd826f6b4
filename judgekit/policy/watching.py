"""What a run of policy RL leaves behind as it goes on: rollouts, what its judges cost; and where it pauses."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from judgekit.errors import InputError, JudgekitError, require
from judgekit.rewards import CompositeReward

ROLLOUTS, COSTS = "rollouts.jsonl", "costs.jsonl"
PAUSE = 20.0  # seconds between two pages


class PausedError(JudgekitError):
    """The judges' tokens are spent. The run has a checkpoint, and goes on from it where more are allowed."""


class Keeper:
    """Appends to the files of a run, after each step and by the first process alone."""

    def __init__(self, folder: Path, reward: CompositeReward, groups: int) -> None:
        self.folder, self.reward, self.groups = folder, reward, groups
        self.before: int = sum(row["input_tokens"] + row["output_tokens"] for row in read_rows(folder / COSTS))
        self.told = reward.usage
        self._kept = reward.last

    @property
    def tokens(self) -> int:
        """What the judges of the reward have read and written, over all processes and all parts of the run."""
        return self.before + self.reward.usage.input_tokens + self.reward.usage.output_tokens

    def rewind(self, step: int) -> None:
        """Drop the rollouts of later steps, which will be sampled again, and half-written rows.

        What was spent stays spent.
        """
        for name, last in ((ROLLOUTS, step), (COSTS, math.inf)):
            path = self.folder / name
            if path.exists():
                kept = [row for row in read_rows(path) if row["step"] <= last]
                half = path.with_suffix(".part")
                half.write_text("".join(map(_line, kept)), encoding="utf-8")
                half.replace(path)

    def keep(self, step: int, trainer: Any) -> None:
        """Write the first groups that were sampled last, and what the judges have cost since the last step."""
        if self.groups and self.reward.last is not self._kept:  # a batch may serve several steps
            self._kept = self.reward.last
            kept = islice(_rollouts(trainer), self.groups * trainer.num_generations)
            _append(self.folder / ROLLOUTS, [{"step": step, **row} for row in kept])
        used = self.reward.usage
        read, wrote = used.input_tokens - self.told.input_tokens, used.output_tokens - self.told.output_tokens
        if read or wrote:
            _append(self.folder / COSTS, [{"step": step, "input_tokens": read, "output_tokens": wrote}])
        self.told = used


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows that were written whole; a kill may have cut the last one short.

    Raises:
        InputError: a line is no row of a run.
    """
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    for number, line in enumerate(lines, 1):
        if line.endswith(b"\n"):
            try:
                row = json.loads(line)
                row["step"]
            except (ValueError, TypeError, KeyError):
                raise InputError.at(path, number, "no row of a run; delete the line, or the file") from None
            yield row


def _append(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write("".join(map(_line, rows)))


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row) + "\n"


def _rollouts(trainer: Any) -> Iterator[dict[str, Any]]:
    """Yield the rollouts that were sampled last, of all processes, with every channel."""
    logs, name = trainer._logs, trainer.reward_func_names[0]
    extra = {key.removeprefix(f"{name}/"): list(values) for key, values in logs["extra"].items()}
    rows = zip(logs["prompt"], logs["completion"], logs["rewards"][name], logs["advantages"], strict=True)
    for i, (prompt, completion, reward, advantage) in enumerate(rows):
        yield {
            "prompt": _said(prompt),
            "completion": _said(completion),
            "reward": _known(reward),
            "advantage": _known(advantage),
            **{key: _known(values[i]) for key, values in extra.items()},
        }


def _said(text: Any) -> str:
    return text if isinstance(text, str) else str(text[-1]["content"])


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def watcher(trainer: Any, keeper: Keeper, cap: int | None, show: Callable[[Any], None]) -> Any:
    """Return the callback that keeps the files, pauses at the cap, and shows the run's state now and then."""
    transformers = require("transformers", "train")

    class Watcher(transformers.TrainerCallback):  # type: ignore[name-defined,misc]
        paused, shown = False, 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.is_world_process_zero:
                keeper.rewind(state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.is_world_process_zero:
                keeper.keep(state.global_step, trainer)
            if cap is not None and keeper.tokens >= cap and state.global_step < state.max_steps:
                self.paused = control.should_save = control.should_training_stop = True

        def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.is_world_process_zero and time.monotonic() - self.shown > PAUSE:
                show(state)
                self.shown = time.monotonic()

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.is_world_process_zero:
                show(state)

    return Watcher()
