"""Data files: JSONL read line by line and checked, results appended as they come and resumed after a kill.

Memory does not grow with the number of rows, neither in reading nor in writing.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Protocol, Self, TypeVar

from judgekit.errors import InputError, nearest
from judgekit.types import Comparison, Pair, Preference, Prompt, Sample, Score

MAX_CHARS = 2_000_000  # of one text; no judge reads more
MAX_LINE = 64 << 20
MAX_PROBLEMS = 20  # reported at once

T = TypeVar("T")
Row = Mapping[str, Any]


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str: ...


I_ = TypeVar("I_", bound=Identified)


# --- rows -> values -----------------------------------------------------------------------------------------------


def sample_of(row: Row, line: int) -> Sample:
    """Build a sample from ``{"prompt", "response", "id"?, "reference"?, "metadata"?}``.

    Raises:
        InputError: a field is missing, of the wrong type, empty, or holds what cannot be judged.
    """
    reference = None if row.get("reference") is None else _text(row, "reference")
    return Sample(_prompt(row), _text(row, "response"), _id(row, line), reference, _metadata(row))


def comparison_of(row: Row, line: int) -> Comparison:
    """Build a comparison from ``{"prompt", "a", "b", "id"?, "metadata"?}``."""
    return Comparison(_prompt(row), _text(row, "a"), _text(row, "b"), _id(row, line), _metadata(row))


def pair_of(row: Row, line: int) -> Pair:
    """Build a labelled pair: a comparison with ``"label"`` (a, b, tie or null) and an optional ``"group"``."""
    label = row.get("label")
    if label not in ("a", "b", "tie", None):
        raise InputError(f"label is {label!r}; it must be 'a', 'b', 'tie' or null")
    group = row.get("group", "")
    if not isinstance(group, str):
        raise InputError(f"group must be a text, not {_kind(group)}")
    return Pair(comparison_of(row, line), label, group)


def _prompt(row: Row) -> Prompt:
    prompt = row.get("prompt")
    if not isinstance(prompt, list):
        return _text(row, "prompt")
    if not prompt:
        raise InputError("prompt is an empty list")
    for turn in prompt:
        if not isinstance(turn, dict) or set(turn) != {"role", "content"}:
            raise InputError('each turn of a prompt must be {"role": ..., "content": ...}')
        _text(turn, "role"), _text(turn, "content")
    return prompt


def _text(row: Row, name: str) -> str:
    if name not in row:
        raise InputError(f"{name!r} is missing{nearest(name, row) if row else ''}")
    text = row[name]
    if not isinstance(text, str):
        raise InputError(f"{name} must be a text, not {_kind(text)}")
    if not text.strip():
        raise InputError(f"{name} is empty")
    if len(text) > MAX_CHARS:
        raise InputError(f"{name} has {len(text):,} characters; the limit is {MAX_CHARS:,}")
    _judgeable(name, text)
    return text


def _judgeable(name: str, text: str) -> None:
    if "\0" in text:
        raise InputError(f"{name} holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise InputError(f"{name} holds a lone surrogate at character {problem.start}") from None


def _id(row: Row, line: int) -> str:
    name = row.get("id", "")
    if isinstance(name, bool) or not isinstance(name, (str, int)):
        raise InputError(f"id must be a text or a whole number, not {_kind(name)}")
    _judgeable("id", str(name))
    return str(name) if name != "" else f"line-{line}"


def _metadata(row: Row) -> dict[str, Any]:
    metadata = row.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise InputError(f"metadata must be an object, not {_kind(metadata)}")
    _judgeable("metadata", json.dumps(metadata, ensure_ascii=False))
    return metadata


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), f"the number {value}")


# --- reading ------------------------------------------------------------------------------------------------------


def read_rows(path: str | Path, problems: list[str] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(line number, object)`` for each line of a JSONL file; blank lines are passed over.

    Args:
        problems: where the problems of broken lines are collected; without it the first one is raised.

    Raises:
        InputError: no such file, or a line that is not a JSON object; names the file and the line.
    """
    try:
        stream = open(path, "rb")  # noqa: SIM115 - closed below, and the error here is another one
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None
    with stream:
        number = 0
        while raw := stream.readline(MAX_LINE):
            number += 1
            if not raw.strip():
                continue
            try:
                row = _object(path, number, raw)
            except InputError as problem:
                if problems is None:
                    raise
                problems.append(str(problem))
                if len(problems) >= MAX_PROBLEMS:
                    return
            else:
                yield number, row


def _object(path: str | Path, number: int, raw: bytes) -> dict[str, Any]:
    if len(raw) >= MAX_LINE:
        raise InputError.at(path, number, f"the line is longer than {MAX_LINE >> 20} MiB")
    try:
        row = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as problem:
        raise InputError.at(path, number, f"not UTF-8 at byte {problem.start} of the line") from None
    except RecursionError:
        raise InputError.at(path, number, "nested too deeply") from None
    except ValueError as problem:
        raise InputError.at(path, number, f"not JSON: {problem}") from None
    if not isinstance(row, dict):
        raise InputError.at(path, number, f"must be a JSON object, not {_kind(row)}")
    return row


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def read(path: str | Path, build: Callable[[Row, int], T]) -> Iterator[T]:
    """Yield one value for each line of a JSONL file.

    Args:
        build: `sample_of`, `comparison_of` or `pair_of`.

    Raises:
        InputError: at the first line that cannot be used; names the file and the line.
    """
    for number, row in read_rows(path):
        try:
            value = build(row, number)
        except InputError as problem:
            raise InputError.at(path, number, str(problem)) from None
        yield value


def check(path: str | Path, build: Callable[[Row, int], Identified]) -> int:
    """Read a whole file before anything is spent on it, and return the number of its rows.

    Raises:
        InputError: all problems at once (the first 20), doubled ids among them, or the file has no rows.
    """
    problems: list[str] = []
    count = 0
    with _Ids() as ids:
        for number, row in read_rows(path, problems):
            try:
                identity = build(row, number).id
                if first := ids.first_line(identity, number):
                    raise InputError(f"the id {identity!r} stands at line {first} already")
            except InputError as problem:
                problems.append(f"{path}:{number}: {problem}")
            count += 1
            if len(problems) >= MAX_PROBLEMS:
                problems.append("... (there may be more)")
                break
    if problems:
        raise InputError("\n".join(problems))
    if not count:
        raise InputError(f"{path}: the file has no rows")
    return count


class _Ids:
    """The ids seen so far, on disk: a million of them must not live in memory."""

    def __enter__(self) -> Self:
        self._db = sqlite3.connect("")  # an unnamed file that sqlite deletes by itself
        self._db.execute("PRAGMA cache_size=-8192")
        self._db.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def first_line(self, identity: str, line: int) -> int | None:
        """Remember an id; return the line of its first appearance if this is not it."""
        if self._db.execute("INSERT OR IGNORE INTO ids VALUES (?, ?)", (identity, line)).rowcount:
            return None
        return int(self._db.execute("SELECT line FROM ids WHERE id = ?", (identity,)).fetchone()[0])


# --- writing ------------------------------------------------------------------------------------------------------


def pair_row(pair: Pair) -> dict[str, Any]:
    """Return the line of ``pairs.jsonl`` that `pair_of` reads."""
    it = pair.comparison
    sides = {"id": it.id, "prompt": it.prompt, "a": it.a, "b": it.b}
    return {**sides, "label": pair.label, "group": pair.group, "metadata": dict(it.metadata)}


def score_row(sample: Sample, score: Score) -> dict[str, Any]:
    """Return the output row of one sample."""
    return {
        "id": sample.id,
        "value": score.value,
        "unit": score.unit,
        "criteria": dict(score.criteria),
        "error": score.error,
        "spread": score.spread,
        "rationale": _sound(score.rationale),
        "usage": asdict(score.usage),
        "judge": score.judge,
    }


def preference_row(comparison: Comparison, preference: Preference) -> dict[str, Any]:
    """Return the output row of one comparison."""
    return {
        "id": comparison.id,
        "winner": preference.winner,
        "probability": preference.probability,
        "scores": list(preference.scores),
        "consistent": preference.consistent,
        "error": preference.error,
        "rationale": _sound(preference.rationale),
        "usage": asdict(preference.usage),
        "judge": preference.judge,
    }


def _sound(text: str) -> str:
    """Replace what a model may have written but a UTF-8 file cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


class Results:
    """A JSONL file that grows in the order of its input, and goes on where a killed run stopped.

    Opening it cuts off a half-written last line. `remaining` passes over what is done already and refuses a file
    that another judge or another input has begun. Each `write` reaches the operating system before it returns.
    """

    def __init__(self, path: str | Path, judge: str) -> None:
        self.path, self.judge, self.done = Path(path), judge, 0
        try:
            self._cut_half_line()
            self._stream = open(self.path, "ab", buffering=0)  # noqa: SIM115 - closed by __exit__
        except OSError as problem:
            raise InputError(f"{path}: {problem.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def remaining(self, items: Iterable[I_]) -> Iterator[I_]:
        """Yield the items that have no row yet."""
        source = iter(items)
        for number, row in read_rows(self.path):
            item = next(source, None)
            if row.get("judge") != self.judge:
                self._refuse(number, "was written by another judge")
            if item is None or row.get("id") != item.id:
                self._refuse(
                    number, f"has the id {row.get('id')!r}; the input has {item.id if item else 'ended'!r} there"
                )
            self.done += 1
        yield from source

    def write(self, rows: Iterable[Row]) -> None:
        """Append rows.

        Raises:
            InputError: the disk is full, or the file cannot be written; what stands in it stays.
        """
        lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows]
        data = memoryview("".join(f"{line}\n" for line in lines).encode())
        try:
            while data:
                data = data[self._stream.write(data) :]
        except OSError as problem:
            raise InputError(
                f"{self.path}: {problem.strerror}; {self.done} rows are kept: mend that and run the same command again"
            ) from None
        self.done += len(lines)

    def _refuse(self, number: int, problem: str) -> NoReturn:
        raise InputError.at(self.path, number, f"{problem}; write to another file, or delete this one to start again")

    def _cut_half_line(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("r+b") as stream:
            end = size = stream.seek(0, os.SEEK_END)
            while end > 0:
                start = max(0, end - (1 << 16))
                stream.seek(start)
                newline = stream.read(end - start).rfind(b"\n")
                if newline >= 0:
                    end = start + newline + 1
                    break
                end = start
            if end < size:
                stream.truncate(end)
