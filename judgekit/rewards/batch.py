"""A batch on its way through the channels of a reward."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from judgekit.rewards.channel import NOTHING, Channel, Values, checked
from judgekit.rewards.ranks import Ranks
from judgekit.rewards.rollout import Rollout, members
from judgekit.rewards.together import Lane, together
from judgekit.types import Usage, prompt_text

Key = tuple[str, str | None, str]
Found = dict[int, tuple[float | None, str]]  # by place: a value, or None and why


class Batch:
    """The rollouts of all processes, and what is known of them.

    Attributes:
        groups: the places of each group; ``open``: which rollouts no gate has refused.
        values: by channel; ``gated``, ``copies``, ``asked``: as in `Rewards`; ``usage``: what judges cost.
    """

    def __init__(self, mine: Sequence[Rollout], ranks: Ranks, group_size: int | None) -> None:
        parts = ranks.gather(list(mine))
        self.ranks, self.rollouts = ranks, [rollout for part in parts for rollout in part]
        before = sum(map(len, parts[: ranks.rank]))
        self.own = range(before, before + len(mine))
        n = len(self.rollouts)
        if group_size is not None:
            self.rollouts = [replace(rollout, group=i // group_size) for i, rollout in enumerate(self.rollouts)]
        self.groups = members(self.rollouts)
        self.keys: dict[str, list[Key]] = {}  # by channel
        self.open = [True] * n
        self.values: dict[str, Values] = {}
        self.gated: Counter[str] = Counter()
        self.copies: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.usage = NOTHING

    def value(
        self, channels: Sequence[Channel], lanes: Mapping[str, Lane], deadline: float | None, *, stop: bool
    ) -> None:
        """Ask channels, at the same time, each for what falls to this process; share what they say.

        Args:
            lanes: of each channel.
            stop: raise what a channel raised, in every process, instead of leaving its rollouts without a value.
        """
        calls = [list(self._calls(channel)) for channel in channels]
        jobs = [
            (lanes[channel.name], [partial(channel, [self.rollouts[i] for i in places]) for places in own])
            for channel, own in zip(channels, calls, strict=True)
        ]
        found: dict[str, Found] = {channel.name: {} for channel in channels}
        errors: list[Exception] = []
        usage = NOTHING
        for channel, own, results in zip(channels, calls, together(jobs, deadline), strict=True):
            for places, result in zip(own, results, strict=True):
                self.asked[channel.name] += len(places)
                try:
                    values = _values(channel, result, len(places))
                except Exception as error:
                    errors.append(error)
                    values = Values([None] * len(places), dict.fromkeys(range(len(places)), _told(error)))
                usage += values.usage
                found[channel.name] |= {i: (values[k], values.reasons.get(k, "")) for k, i in enumerate(places)}
        if stop and errors and self.ranks.count == 1:
            raise errors[0]
        self._share(channels, found, [_told(error) for error in errors if stop], usage)

    def close(self, channel: str, least: float) -> None:
        """Refuse the rollouts whose value is below ``least``, or unknown."""
        for i, value in enumerate(self.values[channel]):
            if self.open[i] and (value is None or value < least):
                self.open[i] = False
                self.gated[channel] += 1

    def _calls(self, channel: Channel) -> Iterator[list[int]]:
        """Yield the places that each call of a channel is to value."""
        if channel.grouped:
            owned = [group for group in self.groups if group[0] in self.own]
            places = [i for group in owned for i in group if self.open[i]]
        else:
            places = [i for i in self._first(channel).values() if i in self.own]
        size = channel.at_a_time or len(places) or 1
        yield from (places[i : i + size] for i in range(0, len(places), size))

    def _first(self, channel: Channel) -> dict[Key, int]:
        """Return the first place of what is open and differs to a channel; the process that has it values them all."""
        if channel.name not in self.keys:
            self.keys[channel.name] = _keys(channel, self.rollouts)
        found: dict[Key, int] = {}
        for i, key in enumerate(self.keys[channel.name]):
            if self.open[i]:
                found.setdefault(key, i)
        return found

    def _share(
        self, channels: Sequence[Channel], found: Mapping[str, Found], errors: Sequence[str], usage: Usage
    ) -> None:
        parts = self.ranks.gather((found, errors, dict(self.asked), usage))
        for error in (error for _, some, *_ in parts for error in some):
            raise RuntimeError(error)
        self.usage += sum((used for *_, used in parts), NOTHING)
        for channel in channels:
            known: Found = {}
            for own, *_ in parts:
                known |= own[channel.name]
            if not channel.grouped:
                first = self._first(channel)
                known = {i: known[first[key]] for i, key in enumerate(self.keys[channel.name]) if self.open[i]}
            # No rollout that was refused may have more than one that was not.
            seen = [value for value, _ in known.values() if value is not None]
            lowest = None if channel.lowest is None else min([channel.lowest, *seen])
            values = Values([known[i][0] if i in known else lowest for i in range(len(self.rollouts))])
            values.reasons = {i: why for i, (value, why) in sorted(known.items()) if value is None}
            self.values[channel.name] = values
            self.asked[channel.name] = sum(asked.get(channel.name, 0) for _, _, asked, _ in parts)
            self.copies[channel.name] = sum(self.open) - self.asked[channel.name]


def _values(channel: Channel, result: object, count: int) -> Values:
    if isinstance(result, Exception):
        raise result
    return checked(channel, result, count)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _keys(channel: Channel, rollouts: Sequence[Rollout]) -> list[Key]:
    """Return for each rollout what only those share that the channel cannot tell apart; columns are read for twins."""
    told = [_looked_at(channel, rollout) for rollout in rollouts]
    texts = [(prompt_text(rollout.prompt), text) for rollout, (text, _) in zip(rollouts, told, strict=True)]
    times = Counter(texts)
    return [
        (*text, _written(columns) if times[text] > 1 else "") for text, (_, columns) in zip(texts, told, strict=True)
    ]


def _looked_at(channel: Channel, rollout: Rollout) -> tuple[str | None, Mapping[str, Any]]:
    try:
        return channel.looks_at(rollout)
    except Exception:  # the call itself will raise it, where it is told
        return rollout.completion, rollout.columns


def _written(columns: Mapping[str, Any]) -> str:
    # Long arrays are abbreviated where they are shown, and lists are not.
    return repr([(name, v.tolist() if hasattr(v, "tolist") else v) for name, v in sorted(columns.items())])
