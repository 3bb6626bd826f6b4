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

__all__ = [
    "ClassifierJudge",
    "ComparativeJudge",
    "Comparison",
    "ConfigError",
    "Criterion",
    "GenRMJudge",
    "InputError",
    "JournalError",
    "Judge",
    "JudgekitError",
    "Message",
    "MissingExtraError",
    "ModelError",
    "Pair",
    "PairwiseJudge",
    "PanelJudge",
    "PointwiseJudge",
    "Preference",
    "Rubric",
    "RubricError",
    "RubricJudge",
    "Sample",
    "Score",
    "Usage",
]

# From the lightest to the heaviest, so that `Sample` does not wait for the judges.
_HOMES = ("judgekit.types", "judgekit.errors", "judgekit.rubrics", "judgekit.judges")


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in map(import_module, _HOMES):
            if hasattr(home, name):
                value = globals()[name] = getattr(home, name)
                return value
    raise AttributeError(f"module 'judgekit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
