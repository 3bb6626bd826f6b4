"""What a training starts from: a model that is there, or one from scratch, made once in the run's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from judgekit.models.local import LocalConfig
from judgekit.models.tiny import save_tiny_model
from judgekit.models.weights import fingerprint
from judgekit.training.recipe import Beginning, Scratch
from judgekit.training.stages import Run


def base_model(run: Run, recipe: Beginning, texts: Callable[[], Iterable[str]], data: str) -> LocalConfig:
    """Return the model that training starts from.

    Args:
        texts: what a tokenizer from scratch is trained on: questions and replies.
        data: the hash of what they come from.
    """
    if recipe.model:
        return recipe.model
    scratch = recipe.scratch or Scratch()
    shape = scratch.model_dump(exclude={"thinking"})

    def make(folder: Path) -> dict[str, Any]:
        save_tiny_model(folder, texts(), **shape, seed=recipe.seed)
        return {}

    run.alone("base", [shape, recipe.seed, data], make)
    return LocalConfig(provider="local", path=str(run.folder / "base"), thinking=scratch.thinking)


def origin(config: LocalConfig, recipe: Beginning, *more: Any) -> list[Any]:
    """Return what decides, beside data and settings, what comes of a stage that starts from this model.

    Args:
        more: what else does, a judge's rubric for one.
    """
    weights = [fingerprint(path, config.revision) for path in (config.path, config.adapter) if path]
    lora = recipe.lora and recipe.lora.model_dump()
    return [weights, lora, *more, recipe.seed]
