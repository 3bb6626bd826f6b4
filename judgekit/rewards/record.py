"""The file of a monitor: a line of JSON for each batch, so that a run that was killed goes on where it was."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from judgekit.errors import InputError
from judgekit.rewards.alarms import Alarm

Figures = dict[str, float | None]
LOG = logging.getLogger("judgekit.rewards")


@dataclass(frozen=True)
class Row:
    """What a monitor saw in one batch.

    Attributes:
        step: the trainer's, where it is told, else the number of the batch from 0.
        figures: see `judgekit.rewards.monitors.Monitor`; None where a batch has none.
        channels: mean value of each; ``highest``: the highest value of each so far.
        openers, phrases: the share of each; after the first batches only of the one that has risen most, ``risen``.
        asked: verdicts asked of the hold-out judge, and how many failed; ``usage``: what they cost.
    """

    step: int
    rollouts: int
    figures: Figures
    channels: Figures = field(default_factory=dict)
    highest: dict[str, float] = field(default_factory=dict)
    openers: dict[str, float] = field(default_factory=dict)
    phrases: dict[str, float] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    risen: dict[str, str] = field(default_factory=dict)
    alarms: Sequence[Alarm] = ()

    def line(self) -> str:
        """Return the row as one line of JSON."""
        row = self
        if self.risen:
            opener, phrase = ({self.risen.get(name, "")} for name in ("opener", "phrase"))
            openers = {name: share for name, share in self.openers.items() if name in opener}
            row = replace(self, openers=openers, phrases={k: v for k, v in self.phrases.items() if k in phrase})
        return json.dumps(asdict(row), allow_nan=False) + "\n"

    @classmethod
    def of(cls, line: bytes) -> Row:
        """Read a line back."""
        found: dict[str, Any] = json.loads(line)
        return cls(**(found | {"alarms": [Alarm(**alarm) for alarm in found.get("alarms", [])]}))


class Record:
    """A file of rows, to which one process appends.

    Where a row cannot be written (the disk is full, the folder is gone) the run goes on without it: an error is logged
    once, and again when it is another one. Every later row is tried, and ``missing`` counts those that the file lacks.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.missing = 0
        self.trouble = ""  # why the last row was not written

    def open(self) -> list[Row]:
        """Return the rows that the file holds; cut off a last line that was not written to its end.

        Raises:
            InputError: it cannot be written, or a line is none of a monitor's.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.open("ab").close()
            return self._cut()
        except OSError as error:
            raise InputError(f"{self.path}: the monitor's file cannot be opened: {error}") from None

    def write(self, row: Row) -> None:
        """Append a row, or log why it cannot be."""
        try:
            if self.trouble:
                self._cut()
            self._append(row.line().encode())
        except (OSError, InputError) as error:
            self._miss(f"{type(error).__name__}: {error}")
        else:
            if self.trouble:
                LOG.warning("%s is written again; %d rows are missing in it", self.path, self.missing)
            self.trouble = ""

    def _append(self, line: bytes) -> None:
        with self.path.open("ab", buffering=0) as file:
            if file.write(line) != len(line):
                raise OSError(errno.ENOSPC, "a row was not written to its end")

    def _miss(self, trouble: str) -> None:
        self.missing += 1
        if trouble != self.trouble:
            LOG.error("%s: the monitor's row is not written, and the run goes on without: %s", self.path, trouble)
        self.trouble = trouble

    def _cut(self) -> list[Row]:
        """Return the rows of the file, and cut off what stands after the last whole one."""
        rows, whole = _read(self.path)
        if self.path.exists() and whole < self.path.stat().st_size:
            os.truncate(self.path, whole)
        return rows

    def rewind(self, step: int) -> bool:
        """Drop the rows of a step and of later ones; return whether there were any."""
        rows, _ = _read(self.path)
        kept = [row.line() for row in rows if row.step < step]
        if len(kept) == len(rows):
            return False
        new = self.path.with_name(self.path.name + ".new")
        new.write_text("".join(kept), encoding="utf-8")
        os.replace(self.path, self.path.with_name(self.path.name + ".old"))
        os.replace(new, self.path)
        return True


def read_record(path: str | Path) -> list[Row]:
    """Return what a monitor wrote, but for a last line that was not written to its end.

    Raises:
        InputError: there is no such file, or a line is none of a monitor's.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such file")
    return _read(Path(path))[0]


def _read(path: Path) -> tuple[list[Row], int]:
    """Return the rows, and how many bytes they are."""
    text = path.read_bytes() if path.exists() else b""
    whole = text[: text.rfind(b"\n") + 1]
    rows = []
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            rows.append(Row.of(line))
        except (ValueError, TypeError, AttributeError) as error:
            raise InputError.at(path, number, f"no row of a monitor: {error}") from None
    return rows, len(whole)
