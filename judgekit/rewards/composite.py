"""Several channels as one reward, as a trainer calls it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from judgekit.errors import InputError
from judgekit.rewards.batch import Batch
from judgekit.rewards.channel import Channel
from judgekit.rewards.normalize import Normalize, normalized
from judgekit.rewards.ranks import Ranks
from judgekit.rewards.rollout import Rollout, rollouts_of
from judgekit.rewards.together import Lane
from judgekit.types import Prompt, Usage

if TYPE_CHECKING:
    from judgekit.rewards.monitors import Monitor

ALONE = Ranks()
LOG = logging.getLogger("judgekit.rewards")


@dataclass(frozen=True)
class Gate:
    """A cheap channel that decides who is passed on: what has less than ``least`` there gets the others' lowest value.

    A rollout without a value there is not passed on either, and has no reward.
    """

    channel: str
    least: float


@dataclass(frozen=True)
class Rewards:
    """What a reward made of a batch; every list has a value for each rollout.

    Attributes:
        totals: None where a required channel has no value.
        values: of each channel, as it gave them; ``parts``: what was added up, weight times (normalised) value.
        reasons: of each channel, why a value is missing, by place.
        gated: how many rollouts each gate kept from the other channels; ``copies``: how many were not valued since an
            equal one was; ``asked``: how many rollouts each channel was given.
        groups: the places of the rollouts of each group.
    """

    totals: list[float | None]
    values: dict[str, list[float | None]]
    parts: dict[str, list[float | None]]
    reasons: dict[str, dict[int, str]]
    gated: dict[str, int] = field(default_factory=dict)
    copies: dict[str, int] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    groups: list[list[int]] = field(default_factory=list)

    @property
    def unscored(self) -> int:
        """How many rollouts have no reward."""
        return sum(total is None for total in self.totals)


class CompositeReward:
    """The weighted sum of channels: R(i) = sum over k of weight_k * z_k(i) (EpisodeBench), or of the values themselves.

    z_k is the z-score of channel k among the rollouts of a group (``normalize="group"``), or of the batch; see
    `judgekit.rewards.normalize.z_scores` for its formula. A trainer that normalises again, as GRPO does, makes of the
    sums what it makes of any reward; set its own scaling to "none" to keep them.

    Where a channel has no value, the rollout has no reward (None), and is left out of the mean and the deviation of its
    group: a judge that failed must not look like a bad score. Of a channel in ``optional`` a missing value counts as
    the mean of those that are known in its group, and as nothing where none is.

    Gates come first; no weight is below 0 behind one. Then all other channels run at the same time, in threads of their
    own, up to 64 each. What has not ended at the deadline is unscored; so is what raised, unless ``on_error`` is
    "raise". By a channel that looks at one rollout alone, rollouts to one prompt that are equal in what it looks at
    (`judgekit.rewards.Channel.looks_at`; to a judge, in what it reads) are valued once, in whatever process they are.

    The object is a reward function of TRL as it stands: called with prompts, completions and columns it
    returns a list of values. It can be pickled where its channels can. ``usage`` is what its judges have cost so far.

    Args:
        weights: of the channels, in their order; 1 each without it.
        deadline: seconds for one batch.
        group_size: how many completions in a row are one group, where a caller does not say; else equal prompts are.
        monitor: sees every batch and what was made of it, and can end the training.

    Raises:
        InputError: no channel, two of one name, not a finite weight for each, a gate or an optional channel that is
            none of them.
    """

    def __init__(
        self,
        channels: Sequence[Channel],
        weights: Sequence[float] | None = None,
        *,
        normalize: Normalize = "none",
        gates: Sequence[Gate] = (),
        optional: Sequence[str] = (),
        deadline: float | None = None,
        on_error: Literal["unscored", "raise"] = "unscored",
        group_size: int | None = None,
        name: str = "reward",
        monitor: Monitor | None = None,
    ) -> None:
        self.channels = {channel.name: channel for channel in channels}
        given = [1.0] * len(channels) if weights is None else [float(weight) for weight in weights]
        if not channels or len(self.channels) < len(channels) or "" in self.channels:
            raise InputError(f"a reward needs channels, each with a name of its own: {[c.name for c in channels]}")
        if len(given) != len(channels) or not all(map(math.isfinite, given)):
            raise InputError(f"{len(channels)} channels need as many finite weights, not {given}")
        gating = {gate.channel for gate in gates}
        if strange := (gating | set(optional)) - self.channels.keys():
            raise InputError(f"no channel is called {', '.join(sorted(strange))}; known: {', '.join(self.channels)}")
        if both := gating & set(optional):
            raise InputError(f"{', '.join(sorted(both))}: a gate cannot be optional, for all else rests on it")
        if gating and (endless := [c.name for c in channels if c.lowest is None and c.name not in gating]):
            raise InputError(f"{', '.join(endless)} has no lowest value for what a gate refuses: use it without gates")
        if gating and (turned := [n for n, weight in zip(self.channels, given, strict=True) if weight < 0]):
            raise InputError(
                f"{', '.join(turned)} has a weight below 0, so that its lowest value, which is for what a gate refuses,"
                " would pay most: turn the sign in the channel"
            )
        if not all(math.isfinite(gate.least) for gate in gates):
            raise InputError("a gate's least value is a finite number")
        if normalize not in get_args(Normalize) or on_error not in ("unscored", "raise"):
            raise InputError(f"normalize is none, group or batch, not {normalize!r}; on_error unscored or raise")
        self.weights = dict(zip(self.channels, given, strict=True))
        self.normalize, self.gates, self.optional = normalize, tuple(gates), frozenset(optional)
        self.deadline, self.on_error, self.group_size = deadline, on_error, group_size
        self.__name__, self.monitor = name, monitor
        self.last: Rewards | None = None
        self.usage = Usage()
        self.lanes = {name: Lane() for name in self.channels}

    def __call__(
        self,
        prompts: Sequence[Prompt],
        completions: Sequence[Any],
        log_metric: Callable[[str, float], None] | None = None,
        log_extra: Callable[[str, list[Any]], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """Return the reward of each completion, None where there is none: the call of TRL.

        In a distributed run every process calls it, with its own part of a batch, in which groups need not be whole.
        """
        ranks = Ranks.current()
        found = self.score(rollouts_of(prompts, completions, columns), ranks)
        before = sum(ranks.gather(len(completions))[: ranks.rank])
        own = slice(before, before + len(completions))
        if log_metric is not None and ranks.rank == 0:
            seen = {} if self.monitor is None else self.monitor.figures()
            for metric, value in (
                metrics(found) | {f"monitor/{figure}": value for figure, value in seen.items()}
            ).items():
                log_metric(f"{self.__name__}/{metric}", value)
        if log_extra is not None:
            for channel, values in found.values.items():
                log_extra(f"{self.__name__}/{channel}", values[own])
        return found.totals[own]

    def score(self, rollouts: Sequence[Rollout], ranks: Ranks = ALONE) -> Rewards:
        """Return all that the channels make of a batch; of several ``ranks``, which all have to call it, of theirs."""
        batch = Batch(rollouts, ranks, self.group_size)
        end = None if self.deadline is None else time.monotonic() + self.deadline
        for gate in self.gates:
            self._value([gate.channel], batch, end)
            batch.close(gate.channel, gate.least)
        gates = {gate.channel for gate in self.gates}
        self._value([name for name in self.channels if name not in gates], batch, end)
        self.last = found = self._summed(batch)
        self.usage += batch.usage
        if self.monitor is not None:
            self.monitor.see(batch.rollouts, found, batch.groups, ranks)
        return found

    def _value(self, names: Sequence[str], batch: Batch, end: float | None) -> None:
        left = None if end is None else max(0.0, end - time.monotonic())
        batch.value([self.channels[name] for name in names], self.lanes, left, stop=self.on_error == "raise")
        for name in names:
            if reasons := batch.values[name].reasons:
                of, why = len(batch.rollouts), next(iter(reasons.values()))
                LOG.warning("channel %s: %d of %d rollouts have no value: %s", name, len(reasons), of, why)

    def _summed(self, batch: Batch) -> Rewards:
        scored = [
            all(batch.values[name][i] is not None for name in self.channels if name not in self.optional)
            for i in range(len(batch.rollouts))
        ]
        parts = {name: self._part(name, batch, scored) for name in self.channels}
        totals = [
            math.fsum(part[i] or 0.0 for part in parts.values()) if known else None for i, known in enumerate(scored)
        ]
        values = {name: list(found) for name, found in batch.values.items()}
        reasons = {name: found.reasons for name, found in batch.values.items()}
        counts = dict(batch.gated), dict(batch.copies), dict(batch.asked)
        return Rewards(totals, values, parts, reasons, *counts, batch.groups)

    def _part(self, name: str, batch: Batch, scored: Sequence[bool]) -> list[float | None]:
        """Return what a channel adds: an unscored rollout counts nowhere, not in the means of the others either."""
        values = [value if known else None for value, known in zip(batch.values[name], scored, strict=True)]
        if name in self.optional:
            values = _filled(values, scored, batch.open, batch.groups)
        found = normalized(values, batch.groups, self.normalize)
        return [None if value is None else self.weights[name] * value for value in found]


def _filled(
    values: Sequence[float | None], scored: Sequence[bool], judged: Sequence[bool], groups: Sequence[Sequence[int]]
) -> list[float | None]:
    """Return the values with the mean of those judged in its group for each that is missing of a scored rollout."""
    found = list(values)
    for places in groups:
        known = [value for i in places if judged[i] and (value := values[i]) is not None]
        for i in places:
            if known and scored[i] and values[i] is None:
                found[i] = math.fsum(known) / len(known)
    return found


def metrics(found: Rewards) -> dict[str, float]:
    """Return the figures of a batch that a log keeps: a mean for each channel, and shares of the rollouts."""
    count = max(len(found.totals), 1)
    means = {
        name: math.fsum(known) / len(known)
        for name, values in found.values.items()
        if (known := [value for value in values if value is not None])
    }
    shares = {"unscored": found.unscored / count}
    shares |= {f"{name}/unscored": len(reasons) / count for name, reasons in found.reasons.items()}
    shares |= {f"{name}/gated": gated / count for name, gated in found.gated.items()}
    return means | shares
