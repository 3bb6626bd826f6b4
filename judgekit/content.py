"""Finds the content folders: packaged in a wheel, at the top level in a checkout."""

from __future__ import annotations

from pathlib import Path

from judgekit.errors import ConfigError, nearest

_PACKAGE = Path(__file__).resolve().parent


def folder(kind: str) -> Path:
    """Return the folder of ``kind`` (``rubrics``, ``training``, ``calibration`` or ``policy``).

    Raises:
        ConfigError: the installation is broken: neither the wheel nor a checkout holds it.
    """
    # The wheel's copy first: beside an installed package, a folder of this name would be a stranger's.
    for place in (_PACKAGE / "_content" / kind, _PACKAGE.parent / kind):
        if (place / "README.md").is_file():
            return place
    raise ConfigError(f"the content folder {kind!r} is missing; reinstall judgekit-rl")


def names(kind: str, pattern: str) -> list[str]:
    """Return the names, without suffix, of the content files that match ``pattern`` below the folder of ``kind``."""
    root = folder(kind)
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.glob(pattern))


def find(kind: str, name: str, suffix: str = ".yaml") -> Path:
    """Return the file that ``name`` means: a path that exists, else a name below the folder of ``kind``.

    Raises:
        ConfigError: neither; names the nearest known one.
    """
    if Path(name).suffix == suffix:
        if Path(name).is_file():
            return Path(name)
        raise ConfigError(f"{name}: no such file")
    known = names(kind, f"*/*{suffix}")
    if name not in known:
        raise ConfigError(f"no {kind} entry is called {name!r}{nearest(name, known)}")
    return folder(kind) / f"{name}{suffix}"
