"""Which weights these are: a short hash of a model folder, or the commit of a hub model."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from judgekit.errors import ModelError, require

WHOLE = 64 << 20  # files up to here are hashed whole, larger ones by 16 blocks spread over them
BLOCK = 1 << 20
NAMES = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")


def fingerprint(path: str, revision: str | None = None) -> str:
    """Return what identifies a model: a hash of its folder, or ``id@commit`` on the hub.

    Large files count by their size and 16 blocks of 1 MiB spread over them, so that a model of many gigabytes takes no
    more than a moment; two trainings differ in every block.

    Raises:
        ModelError: neither a folder nor a model that the hub (or its local cache) knows.
    """
    if Path(path).is_dir():
        return _folder(path)
    transformers = require("transformers", "train")
    try:
        config = transformers.AutoConfig.from_pretrained(path, revision=revision)
    except (OSError, ValueError) as problem:
        raise ModelError(f"{path}: cannot be loaded: {problem}") from problem
    return f"{path}@{getattr(config, '_commit_hash', None) or revision}"


def resolved(config: object, *names: str) -> dict[str, str]:
    """Return those path settings that are folders of this machine, made absolute, so that they survive being moved."""
    folders = {name: Path(value) for name in names if (value := getattr(config, name))}
    return {name: str(path.resolve()) for name, path in folders.items() if path.is_dir()}


@lru_cache
def _folder(path: str) -> str:
    digest = hashlib.sha256()
    files = sorted({file for name in NAMES for file in Path(path).glob(name)})
    for file in files:
        digest.update(f"{file.name} {file.stat().st_size}\n".encode())
        _update(digest, file)
    return digest.hexdigest()[:32]


def _update(digest: hashlib._Hash, file: Path) -> None:
    size = file.stat().st_size
    with file.open("rb") as stream:
        if size <= WHOLE:
            digest.update(stream.read())
            return
        for i in range(16):
            stream.seek((size - BLOCK) * i // 15)
            digest.update(stream.read(BLOCK))
