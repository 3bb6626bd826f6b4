"""TRL's own settings, checked: any field of its configuration class may stand in a recipe, under its own name."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from judgekit.errors import ConfigError, nearest, require

Arguments = dict[str, Any]
# What a stage decides by itself: where it writes, what it resumes from, and how its data are prepared.
OURS = frozenset(
    "output_dir seed data_seed resume_from_checkpoint dataset_kwargs shuffle_dataset remove_unused_columns "
    "reward_weights do_train push_to_hub trust_remote_code".split()
)


def arguments(kind: type, given: Mapping[str, Any], folder: Path, seed: int, **ours: Any) -> Any:
    """Build one of TRL's configurations (``SFTConfig``, ``GRPOConfig``, ``RewardConfig``).

    Ours, unless given: no reports to anywhere, a checkpoint at every tenth of the run, the newest two kept; on a CPU
    float32 and no gradient checkpointing, where TRL's defaults (bfloat16, checkpointing) cost twice the time.

    Args:
        given: fields of ``kind``, from the recipe.
        ours: fields that the stage sets.

    Raises:
        ConfigError: an unknown field, one that the stage decides by itself, or a value of the wrong type.
    """
    checked = _checked(kind, given)
    if checked.get("use_vllm") and find_spec("vllm") is None:
        raise ConfigError("trl.use_vllm: vLLM is not installed; install a version that TRL supports, or leave it out")
    defaults: Arguments = {"report_to": "none", "disable_tqdm": True, "save_steps": 0.1, "save_total_limit": 2}
    if not require("torch", "train").cuda.is_available():
        on_cpu = {"use_cpu": True, "bf16": False, "gradient_checkpointing": False, "dataloader_pin_memory": False}
        defaults |= on_cpu
    fixed = {"output_dir": str(folder), "seed": seed, "data_seed": seed}
    try:
        with theirs():
            return kind(**{**defaults, **checked, **ours, **fixed})
    except (TypeError, ValueError) as problem:
        raise ConfigError(f"{kind.__name__}: {problem}") from None


@contextmanager
def theirs() -> Iterator[None]:
    """Keep from the user what TRL and transformers warn of each other's coming changes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@contextmanager
def named(stage: str) -> Iterator[None]:
    """Say of which stage a refused setting is."""
    try:
        yield
    except ConfigError as problem:
        raise ConfigError(f"{stage}: {problem}") from None


def _checked(kind: type, given: Mapping[str, Any]) -> Arguments:
    known = {field.name for field in dataclasses.fields(kind) if field.init} - OURS
    hints = get_type_hints(kind)
    checked: Arguments = {}
    for name, value in given.items():
        if name in OURS:
            raise ConfigError(f"trl.{name} is decided by the stage itself; leave it out")
        if name not in known:
            raise ConfigError(f"trl.{name} is no field of {kind.__name__}{nearest(name, known, 'its fields')}")
        try:
            checked[name] = TypeAdapter(hints[name]).validate_python(value)
        except ValidationError as problem:
            raise ConfigError(f"trl.{name}: {problem.errors()[0]['msg']}; got {value!r}") from None
    return checked
