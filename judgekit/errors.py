"""What can go wrong, as exceptions that say what to do.

    JudgekitError
    ├── InputError          a data file or a value that the caller gave (also a ValueError)
    ├── ConfigError         a YAML file: unknown key, wrong type, a value that cannot be (also a ValueError)
    │   └── RubricError     the same, in a rubric
    ├── ModelError          a model cannot be loaded, or can never answer as asked
    ├── JournalError        the call journal cannot be used
    └── MissingExtraError   an optional dependency is not installed (also an ImportError)

Errors are for what the caller must mend. A judge that fails on *one* item raises nothing: the item comes back
with ``value=None`` and its reason in ``error`` (see `judgekit.types.Score`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType


class JudgekitError(Exception):
    """Base of every exception that judgekit raises on purpose."""


class InputError(JudgekitError, ValueError):
    """The caller's data cannot be used; the message names the file and the line where there are any."""

    @classmethod
    def at(cls, path: str | Path, line: int, problem: str) -> InputError:
        """Build the error for one line of one file, in the ``file:line: problem`` form that editors can jump to."""
        return cls(f"{path}:{line}: {problem}")


class ConfigError(JudgekitError, ValueError):
    """A YAML file cannot be used; the message names the file, the line and the nearest known name."""


class RubricError(ConfigError):
    """A rubric cannot be used."""


class ModelError(JudgekitError):
    """A model cannot be loaded, or can never answer what it was asked."""


class JournalError(JudgekitError):
    """The call journal cannot be opened, read or written."""


class MissingExtraError(JudgekitError, ImportError):
    """An optional dependency is missing; the message is the command that installs it."""


def nearest(name: str, known: Iterable[str], what: str = "known") -> str:
    """Return ``"; did you mean 'x'?"`` for the known name nearest to ``name``, else the list of known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else f"; {what}: {', '.join(names)}"


def require(module: str, extra: str) -> ModuleType:
    """Import ``module``, or say which extra of judgekit brings it.

    Raises:
        MissingExtraError: the package is not installed. A package that is installed but broken raises its own error.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".", maxsplit=1)[0]:
            raise
        raise MissingExtraError(
            f"{module.split('.', maxsplit=1)[0]} is not installed; install it with: pip install 'judgekit-rl[{extra}]'"
        ) from error
