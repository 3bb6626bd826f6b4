"""What the data of a study do not say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from judgekit.calibration import NotEstimableError

T = TypeVar("T")


@dataclass(frozen=True)
class Unknown:
    """What the data do not say, and why."""

    reason: str


def attempt(estimate: Callable[[], T]) -> T | Unknown:
    """Return what can be estimated, or the reason why it cannot."""
    try:
        return estimate()
    except NotEstimableError as reason:
        return Unknown(str(reason))
