"""Which weights these are: a hash of a model folder, or the commit of a hub model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from judgekit.errors import ModelError, require

NAMES = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "*.py")


def quiet() -> None:
    """Keep the loading bars of transformers off the user's screen and logs."""
    require("transformers.utils.logging", "train").disable_progress_bar()


@contextmanager
def whole(path: str) -> Iterator[None]:
    """Load a model: what transformers raises, and what safetensors does where a file is cut short, names the model.

    Raises:
        ModelError: it cannot be loaded.
    """
    cut_short = require("safetensors", "train").SafetensorError
    try:
        yield
    except cut_short as problem:
        raise ModelError(f"{path}: a file of its weights is cut short or damaged: {problem}") from None
    except (OSError, ValueError) as problem:
        raise ModelError(f"{path}: cannot be loaded: {problem}") from problem


def commit(path: str, revision: str | None, *, trust_remote_code: bool = False) -> str | None:
    """Return the commit that a hub model's revision means now; None for a folder.

    Raises:
        ModelError: neither a folder nor a model that the hub (or its local cache) knows.
    """
    if Path(path).is_dir():
        return None
    if Path(path).is_absolute() or path.startswith("."):  # what no hub model is called
        raise ModelError(f"{path}: there is no such folder")
    transformers = require("transformers", "train")
    with whole(path):
        config = transformers.AutoConfig.from_pretrained(path, revision=revision, trust_remote_code=trust_remote_code)
    return getattr(config, "_commit_hash", None) or revision


def fingerprint(path: str, revision: str | None = None) -> str:
    """Return what identifies a model: a hash of every byte in its folder, or ``id@revision`` on the hub.

    A folder of many gigabytes takes seconds, once in a process for each state of its files.
    """
    if not Path(path).is_dir():
        return f"{path}@{revision}"
    digest = hashlib.sha256()
    for file in sorted({file for name in NAMES for file in Path(path).glob(name)}):
        state = file.stat()
        digest.update(f"{file.name} {_hash(str(file), state.st_size, state.st_mtime_ns)}\n".encode())
    return digest.hexdigest()[:32]


def resolved(config: object, *names: str) -> dict[str, str]:
    """Return those path settings that are folders of this machine, made absolute, so that they survive being moved."""
    folders = {name: Path(value) for name in names if (value := getattr(config, name))}
    return {name: str(path.resolve()) for name, path in folders.items() if path.is_dir()}


@lru_cache(maxsize=4096)
def _hash(path: str, size: int, modified: int) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
