"""Runs one of TRL's trainers: from its last checkpoint, with a line of progress now and then, to saved weights."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from judgekit.errors import InputError, require
from judgekit.models.weights import quiet
from judgekit.training.arguments import theirs
from judgekit.training.weights import newest_checkpoint

UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
UNWRITTEN = ("I/O error", "inline_container", "PytorchStreamWriter")  # safetensors', PyTorch's
SHOWN = ("loss", "reward", "entropy", "accuracy", "mean_token_accuracy")


def run(trainer: Any, name: str, say: Callable[[str], None]) -> list[dict[str, float]]:
    """Train, save the weights to ``model/`` and the curve to ``curve.json`` in the output folder; return the curve."""
    transformers = require("transformers", "train")
    folder = Path(trainer.args.output_dir)
    checkpoint, broken = newest_checkpoint(folder)
    for path in broken:
        say(f"{name}: {path.name} is cut short, and is passed over")
    if checkpoint:
        say(f"{name}: going on from {checkpoint.name}")
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.add_callback(_progress(name, say))
    quiet()
    with theirs(), writing(folder):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        trainer.save_model(str(folder / "model"))
    trainer.accelerator.wait_for_everyone()  # no process may read weights that the first is still writing
    curve = [_numbers(entry) for entry in trainer.state.log_history]
    if trainer.is_world_process_zero():
        for card in folder.rglob("README.md"):  # TRL's, of a model that will not be published from here
            card.unlink()
        (folder / "curve.json").write_text(json.dumps(curve), encoding="utf-8")
    return curve


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say what to do where a file of a run cannot be written.

    Raises:
        InputError: the disk is full, or the folder may no longer be written. PyTorch and safetensors say so by errors
            of their own, and what they left behind is no whole checkpoint.
    """
    try:
        yield
    except Exception as problem:
        if getattr(problem, "errno", None) not in UNWRITABLE and not any(word in str(problem) for word in UNWRITTEN):
            raise
        reason = getattr(problem, "strerror", None) or problem
        raise InputError(
            f"{folder}: cannot be written: {reason}; mend that and run the same command again: it goes on from the "
            "newest whole checkpoint"
        ) from problem


def _numbers(entry: dict[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in entry.items() if isinstance(value, (int, float))}


def _progress(name: str, say: Callable[[str], None]) -> Any:
    transformers = require("transformers", "train")

    class Progress(transformers.TrainerCallback):  # type: ignore[name-defined,misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            facts = ", ".join(f"{key} {float(logs[key]):.3g}" for key in SHOWN if (logs or {}).get(key) is not None)
            if state.is_world_process_zero and facts:
                say(f"{name}: step {state.global_step} of {state.max_steps}, {facts}")

    return Progress()
