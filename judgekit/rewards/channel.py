"""One part of a reward: a judge, a format, a length, the diversity of a group."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

from judgekit.errors import InputError
from judgekit.rewards.rollout import Rollout
from judgekit.types import Usage

NOTHING = Usage()
LARGEST = 1e100  # of what a mean, a deviation and a correlation can still be made of


class Values(list[float | None]):
    """A value for each rollout, None where there is none; ``reasons`` says why, by place; ``usage`` what they cost."""

    def __init__(
        self, values: Sequence[float | None] = (), reasons: dict[int, str] | None = None, usage: Usage = NOTHING
    ) -> None:
        super().__init__(values)
        self.reasons, self.usage = reasons or {}, usage


class Channel(ABC):
    """Maps rollouts to a value each, in the same order. A value that is not known is None, never 0.

    Attributes:
        name: in logs; no two channels of a reward share one.
        grouped: whether a value depends on the other rollouts of the group. Where it does not, those are valued once
            that are equal in what the channel looks at.
        lowest: what a rollout gets that a gate has kept from this channel, unless another one has less; None where
            nothing is low enough: then no gate can stand before it.
        at_a_time: how many rollouts one call is given; None for all. What comes too late is lost by the call.
    """

    name: str = ""
    grouped: bool = False
    lowest: float | None = 0.0
    at_a_time: int | None = None

    @abstractmethod
    def __call__(self, rollouts: Sequence[Rollout]) -> Sequence[float | None]:
        """Return a value for each rollout; `Values` where there are reasons to give."""

    def looks_at(self, rollout: Rollout) -> tuple[str | None, Mapping[str, Any]]:
        """Return what decides the value, beside the prompt: a text and columns. It is all there is, or a part of it."""
        return rollout.completion, rollout.columns


class Custom(Channel):
    """A function of one rollout as a channel."""

    def __init__(self, function: Callable[[Rollout], float | None], name: str = "") -> None:
        self.function, self.name = function, name or getattr(function, "__name__", type(function).__name__)

    def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
        return [self.function(rollout) for rollout in rollouts]


def checked(channel: Channel, found: Any, count: int) -> Values:
    """Return what a channel gave as `Values`: what is not a number up to 1e100 has no value, with the reason.

    Raises:
        InputError: not a value for each rollout.
    """
    if hasattr(found, "tolist"):
        found = found.tolist()
    if isinstance(found, str) or not isinstance(found, Sequence) or len(found) != count:
        got = f"{len(found)} values" if isinstance(found, Sequence) else type(found).__name__
        raise InputError(f"channel {channel.name!r} returned {got} for {count} rollouts; it owes one for each")
    values = Values([], dict(getattr(found, "reasons", {})), getattr(found, "usage", NOTHING))
    for i, value in enumerate(found):
        number = _number(value)
        values.append(number)
        if number is None:
            why = "no value" if value is None else f"{value!r:.60} is not a number between -1e100 and 1e100"
            values.reasons.setdefault(i, why)
    return values


def _number(value: Any) -> float | None:
    """Return a number of Python, NumPy or PyTorch as a float; None for all else."""
    if not isinstance(value, Real) and getattr(value, "shape", None) == ():
        value = value.item()
    number = float(value) if isinstance(value, Real) else None
    return number if number is not None and abs(number) <= LARGEST else None
