"""judgekit trains judges, checks them against people, and puts them to work as rewards.

Importing this package imports next to nothing: each name below is loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from judgekit.errors import (
        ConfigError,
        InputError,
        JournalError,
        JudgekitError,
        MissingExtraError,
        ModelError,
        RubricError,
    )
    from judgekit.judges import ClassifierJudge, GenRMJudge, Judge, PairwiseJudge, PanelJudge, RubricJudge
    from judgekit.rubrics import Criterion, Rubric
    from judgekit.types import (
        ComparativeJudge,
        Comparison,
        Message,
        Pair,
        PointwiseJudge,
        Preference,
        Sample,
        Score,
        Usage,
    )

__version__ = "0.1.0"

_HOMES = {
    "judgekit.errors": (
        "ConfigError",
        "InputError",
        "JournalError",
        "JudgekitError",
        "MissingExtraError",
        "ModelError",
        "RubricError",
    ),
    "judgekit.judges": ("ClassifierJudge", "GenRMJudge", "Judge", "PairwiseJudge", "PanelJudge", "RubricJudge"),
    "judgekit.rubrics": ("Criterion", "Rubric"),
    "judgekit.types": (
        "ComparativeJudge",
        "Comparison",
        "Message",
        "Pair",
        "PointwiseJudge",
        "Preference",
        "Sample",
        "Score",
        "Usage",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # noqa: PLE0604, RUF022
    *sorted(_HOME),
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'judgekit' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
