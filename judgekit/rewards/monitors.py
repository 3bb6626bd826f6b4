"""Watches a reward while a policy is trained on it, and says when the policy begins to game it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any

from judgekit.errors import InputError, JudgekitError, nearest, require
from judgekit.rewards.alarms import WATCHES, Alarm, Spike, Watch, cusums
from judgekit.rewards.composite import Rewards
from judgekit.rewards.holdout import Held, HoldOut
from judgekit.rewards.phrases import Reading, opener_shares, phrase_shares, sample
from judgekit.rewards.ranks import Ranks
from judgekit.rewards.record import Record, Row
from judgekit.rewards.rollout import Rollout, members
from judgekit.rewards.statistics import (
    Groups,
    duplicate_share,
    marker_means,
    mean,
    within_correlation,
    within_deviation,
    words_of,
)
from judgekit.types import Usage

ALONE = Ranks()
SAME = 1e-9
LOG = logging.getLogger("judgekit.rewards")


class StopTrainingError(JudgekitError):
    """A monitor has raised an alarm on a figure that is to end the training."""


class Monitor:
    """Sees every batch of a `CompositeReward`, ``CompositeReward(..., monitor=Monitor("run.jsonl"))``.

    Its figures, of what a reader sees of the rollouts:

    - ``reward``, ``reward_std`` (within groups), ``unscored``, ``gated`` (shares of the rollouts);
    - ``at_max``: share of the scored rollouts at the highest value that the run has seen, in every channel, or in
      ``channel``: name the judge, where others are never at their highest together;
    - ``length`` (mean words; of Chinese and Japanese, characters), ``length_correlation`` (of the reward, in groups);
    - ``opener``, ``phrase``: how far the most risen two first words, or four words in a row, are above the first
      batches, as a share of the rollouts outside of the group that has them most; ``repetition``: 1 - distinct-4 (these
      three of 256 rollouts of the batch, where there are more);
    - ``headings``, ``bullets``, ``bold``, ``fences``, ``emoji``, ``grading``: mean count; ``duplicates``: in groups;
    - ``disagreement``, ``holdout``: see `judgekit.rewards.holdout.Held`.

    Each is held against the first batches, by the rule of `judgekit.rewards.alarms.Cusum`. An alarm is logged as a
    warning. Those of figures in ``stop`` end the training: as `StopTrainingError` out of the reward, or, where
    `callback` was given to the trainer, at the end of the step.

    In a distributed run the first process alone looks, asks, and writes; the alarms reach all. A pickled copy goes on
    where the original was, and must not write to the same file.

    Args:
        path: of a JSONL with a line for each batch, see `judgekit.rewards.record.Record`. A file that exists is
            continued: its figures are what the alarms go on from; an alarm of before ends nothing again. One that
            cannot be written any more, in the middle of a run, is an error in the log and ends nothing.
        stop: only the hold-out judge's score by default: all others are reasons to look, and it is the damage.
        first: how many batches are the first, at most: a figure of little noise is known after 5 of them.
        at_least: rollouts in one batch of the monitor; smaller ones are put together, for trainers that ask for one
            rollout, or one group, at a time.

    Raises:
        InputError: a figure in ``stop`` that nothing watches; numbers that cannot be.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        watches: Sequence[Watch] = WATCHES,
        stop: Collection[str] = ("holdout",),
        first: int = 20,
        holdout: HoldOut | None = None,
        channel: str | None = None,
        at_least: int = 1,
    ) -> None:
        figures = {watch.figure for watch in watches}
        for name in set(stop) - figures - {"holdout"}:
            raise InputError(f"nothing watches {name!r}{nearest(name, figures, 'watched')}")
        if first < 5 or at_least < 1:
            raise InputError(
                f"a monitor learns from 5 batches at least, of at least 1 rollout, not {first}, {at_least}"
            )
        self.watches, self.stop, self.first = tuple(watches), frozenset(stop), first
        self.holdout, self.channel, self.at_least = holdout, channel, at_least
        self.record = None if path is None else Record(path)
        self.step: int | None = None  # the trainer's, where a callback tells it
        self.paused = self.opened = self.heeded = False
        self.seen = 0  # batches
        self._lock = threading.Lock()
        self._waiting: list[tuple[Sequence[Rollout], Rewards]] = []
        self._forget()

    def _forget(self) -> None:
        self.stopping: Alarm | None = None
        self.last: Row | None = None
        self.alarms: list[Alarm] = []
        self.usage = Usage()
        self._sums = cusums(self.watches, self.first)
        self._spikes = {"opener": Spike(self.first), "phrase": Spike(self.first)}
        self._highest: dict[str, float] = {}

    def see(
        self, rollouts: Sequence[Rollout], rewards: Rewards, groups: Groups | None = None, ranks: Ranks = ALONE
    ) -> list[Alarm]:
        """Take a batch; return the alarms that it makes. Of several ``ranks`` all have to call it, with the same batch.

        Raises:
            StopTrainingError: one of the alarms ends the training, and no callback does.
        """
        if self.paused or not rollouts:
            return []
        self.seen += 1
        alarms: list[Alarm] = []
        error = ""
        if ranks.rank == 0:
            try:
                with self._lock:
                    alarms = self._see(rollouts, rewards, groups)
            except Exception as raised:
                if ranks.count == 1:
                    raise
                error = f"the monitor failed: {type(raised).__name__}: {raised}"
        alarms, error = ranks.gather((alarms, error))[0]
        if error:
            raise RuntimeError(error)
        self.stopping = next((alarm for alarm in alarms if alarm.stop), self.stopping)
        if self.stopping is not None and not self.heeded:
            raise StopTrainingError(f"training ends: {self.stopping.says}")
        return alarms

    def _see(self, rollouts: Sequence[Rollout], rewards: Rewards, groups: Groups | None) -> list[Alarm]:
        self.open()
        self._waiting.append((rollouts, rewards))
        if sum(len(some) for some, _ in self._waiting) < self.at_least:
            return []
        waiting, self._waiting = self._waiting, []
        together = list(chain.from_iterable(some for some, _ in waiting))
        own = members(together) if groups is None or len(waiting) > 1 else groups
        row = self._row(together, [found for _, found in waiting], own)
        alarms = self._take(row)
        for alarm in alarms:
            LOG.warning("%s%s", "this ends the training: " if alarm.stop else "", alarm.says)
        if self.record is not None:
            self.record.write(replace(row, alarms=alarms))
        return alarms

    def _row(self, rollouts: Sequence[Rollout], rewards: Sequence[Rewards], groups: Groups) -> Row:
        """Return the figures of a batch that need nothing but the batch."""
        texts, n = [rollout.visible for rollout in rollouts], len(rollouts)
        read, kept = sample(groups, n)
        readings = {i: Reading(texts[i]) for i in read}
        lengths = [float(len(readings[i]) if i in readings else len(words_of(texts[i]))) for i in range(n)]
        totals = list(chain.from_iterable(found.totals for found in rewards))
        values = {
            name: list(chain.from_iterable(found.values[name] for found in rewards)) for name in rewards[0].values
        }
        phrases, repetition = phrase_shares(list(readings.values()), kept)
        step = self.step if self.step is not None else 0 if self.last is None else self.last.step + 1
        held = Held() if self.holdout is None else self.holdout(step, rollouts, totals, groups)
        figures = {
            "reward": mean(totals),
            "reward_std": within_deviation(totals, groups),
            "unscored": sum(total is None for total in totals) / n,
            "gated": sum(sum(found.gated.values()) for found in rewards) / n,
            "at_max": self._at_max(values),
            "length": mean(lengths),
            "length_correlation": within_correlation(totals, lengths, groups),
            "repetition": repetition,
            **marker_means(texts),
            "duplicates": duplicate_share(texts, groups),
            "disagreement": held.disagreement,
            "holdout": held.score,
        }
        return Row(
            step,
            n,
            figures,
            channels={name: mean(known) for name, known in values.items()},
            highest=dict(self._highest),
            openers=opener_shares(list(readings.values()), kept),
            phrases=phrases,
            asked={"asked": held.asked, "failed": held.failed} if self.holdout else {},
            usage=asdict(held.usage) if self.holdout else {},
        )

    def _at_max(self, values: Mapping[str, Sequence[float | None]]) -> float | None:
        """Return the share of rollouts at the highest values seen, and remember these."""
        if self.channel is not None and self.channel not in values:
            raise InputError(f"the monitor's channel {self.channel!r} is none{nearest(self.channel, values)}")
        names = list(values) if self.channel is None else [self.channel]
        for name in names:
            for value in values[name]:
                if value is not None:
                    self._highest[name] = max(value, self._highest.get(name, value))
        rows = [row for row in zip(*(values[name] for name in names), strict=True) if None not in row]
        tops = [self._highest.get(name, 0.0) - SAME for name in names]
        at = sum(all(value >= top for value, top in zip(row, tops, strict=True)) for row in rows)
        return at / len(rows) if rows else None

    def _take(self, row: Row) -> list[Alarm]:
        """Go on by a row, new or read back; return its alarms. The row gets the excess of openers and phrases."""
        risen = {name: spike.see(getattr(row, name + "s")) for name, spike in self._spikes.items()}
        row.figures.update({name: found[0][0] if len(found) == 1 else None for name, found in risen.items()})
        row.risen.update({name: found[0][1] for name, found in risen.items() if len(found) == 1})
        alarms = []
        for one in self._sums:
            name = one.watch.figure
            values = [value for value, _ in risen[name]] if name in risen else [row.figures.get(name)]
            found = next((alarm for value in values if (alarm := one.see(row.step, value))), None)
            if found is not None:
                words = f": {row.risen[name]!r}" if row.risen.get(name) else ""
                alarms.append(replace(found, says=found.says + words, stop=name in self.stop))
        self.last, self._highest = row, dict(row.highest)
        self.alarms += alarms
        self.usage += Usage(**row.usage)
        return alarms

    def open(self) -> None:
        """Read back what the file holds, once, so that the next batch continues it; `see` does it by itself.

        Raises:
            InputError: the file cannot be opened, or is none of a monitor's.
        """
        if self.record is not None and not self.opened:
            for row in self.record.open():
                self._take(row)
        self.opened = True

    def rewind(self, step: int) -> None:
        """Go back to before a step, as a trainer does that continues from a checkpoint: what was after it is redone.

        The file loses the rows of this step and later ones; as it was, it is kept beside itself, as ``<path>.old``.
        """
        with self._lock:
            if self.record is not None and self.record.rewind(step):
                self._forget()
                self.opened = False
            self.open()

    def figures(self) -> dict[str, float]:
        """Return the figures of the last batch that are known: for a trainer's log."""
        known = {} if self.last is None else self.last.figures
        return {name: value for name, value in known.items() if value is not None}

    def callback(self) -> Any:
        """Return a `transformers.TrainerCallback` (of TRL's trainers too), which ends the training gracefully.

        It tells the monitor the trainer's steps, goes back with a trainer that continues from a checkpoint, leaves out
        the batches of evaluations, and sets ``control.should_training_stop`` where an alarm is to stop. The reward has
        to hold this very monitor.

        Raises:
            MissingExtraError: transformers is not installed.
        """
        return _callback(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"} | {"heeded": False}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())


def _callback(monitor: Monitor) -> Any:
    transformers: Any = require("transformers", "train")

    class MonitorCallback(transformers.TrainerCallback):  # type: ignore[misc]
        """Stands between a trainer and a monitor."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            monitor.heeded = monitor.paused = True
            if state.is_world_process_zero:
                monitor.rewind(state.global_step)

        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            monitor.step, monitor.paused = state.global_step, False

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            monitor.paused = True
            if monitor.seen == 0 and state.global_step == 1 and state.is_world_process_zero:
                LOG.warning(
                    "no reward shows this monitor its batches: give it to the reward, CompositeReward(monitor=)"
                )
            if monitor.stopping is not None:
                control.should_training_stop = True

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            monitor.heeded = monitor.paused = False

    return MonitorCallback()
