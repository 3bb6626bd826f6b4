"""Data files: JSONL read line by line and checked, results appended as they come and resumed after a kill.

Memory does not grow with the number of rows, neither in reading nor in writing.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Self, TypeVar

from judgekit.errors import InputError, nearest
from judgekit.types import Comparison, Pair, Preference, Prompt, Sample, Score

MAX_CHARS = 2_000_000  # of one text; no judge reads more
MAX_LINE = 64 << 20
MAX_PROBLEMS = 20  # reported at once
ROW_START = b'{"id": '

T = TypeVar("T")
Row = Mapping[str, Any]


Item = TypeVar("Item", Sample, Comparison)


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
    metadata = row.get("metadata")
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise InputError(f"metadata must be an object, not {_kind(metadata)}")
    for text in _texts(metadata):
        _judgeable("metadata", text)
    return metadata


def _texts(value: Any) -> Iterator[str]:
    """Yield every text inside a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), f"the number {value}")


# --- reading ------------------------------------------------------------------------------------------------------


def read_rows(
    path: str | Path, problems: list[str] | None = None, until: int | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(line number, object)`` for each line of a JSONL file; blank lines are passed over.

    Args:
        problems: where the problems of broken lines are collected; without it the first one is raised.
        until: where to stop reading, in bytes.

    Raises:
        InputError: no such file, or a line that is not a JSON object; names the file and the line.
    """
    try:
        stream = open(path, "rb")  # noqa: SIM115 - closed below, and the error here is another one
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None
    with stream:
        number = read = 0
        while (until is None or read < until) and (raw := _line(stream)):
            number, read = number + 1, read + len(raw)
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


def _line(stream: BinaryIO) -> bytes:
    """Return the next line; of one that is too long its beginning, the rest passed over."""
    line = rest = stream.readline(MAX_LINE + 1)
    while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
        rest = stream.readline(MAX_LINE + 1)
    return line


def _object(path: str | Path, number: int, raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_LINE:
        raise InputError.at(path, number, f"the line is longer than {MAX_LINE:,} bytes")
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


def check(path: str | Path, build: Callable[[Row, int], Sample | Comparison | Pair]) -> int:
    """Read a whole file before anything is spent on it, and return the number of its rows.

    Raises:
        InputError: all problems at once (the first 20), doubled ids among them, or the file has no rows.
    """
    if Path(path).exists() and not Path(path).is_file() and not Path(path).is_dir():
        raise InputError(f"{path}: is no file; it is read twice, so save a pipe to a file first")
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
                break
    if len(problems) >= MAX_PROBLEMS:
        problems.append("... (there may be more)")
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
        try:
            if self._db.execute("INSERT OR IGNORE INTO ids VALUES (?, ?)", (identity, line)).rowcount:
                return None
            return int(self._db.execute("SELECT line FROM ids WHERE id = ?", (identity,)).fetchone()[0])
        except sqlite3.Error as problem:
            raise InputError(f"no room in the temporary folder for the ids of the input: {problem}") from None


# --- writing ------------------------------------------------------------------------------------------------------


def pair_row(pair: Pair) -> dict[str, Any]:
    """Return the line of ``pairs.jsonl`` that `pair_of` reads."""
    it = pair.comparison
    sides = {"id": it.id, "prompt": it.prompt, "a": it.a, "b": it.b}
    return {**sides, "label": pair.label, "group": pair.group, "metadata": dict(it.metadata)}


def writable(folder: Path) -> None:
    """Make a folder, or say why it cannot be written.

    Raises:
        InputError: it is a file, or may not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".judgekit").touch()
        (folder / ".judgekit").unlink()
    except OSError as problem:
        raise InputError(f"{folder}: cannot be written: {problem.strerror}") from None


def digest_of(item: Sample | Comparison) -> str:
    """Return a hash of everything in an item, and of what kind it is: by it a resumed run knows its rows."""
    return hashlib.sha256(json.dumps([type(item).__name__, asdict(item)]).encode()).hexdigest()[:16]


def score_row(sample: Sample, score: Score) -> dict[str, Any]:
    """Return the output row of one sample."""
    return {
        "id": sample.id,
        "input": digest_of(sample),
        "value": score.value,
        "unit": score.unit,
        "criteria": dict(score.criteria),
        "error": _sound(score.error),
        "spread": score.spread,
        "rationale": _sound(score.rationale),
        "usage": asdict(score.usage),
        "judge": score.judge,
    }


def preference_row(comparison: Comparison, preference: Preference) -> dict[str, Any]:
    """Return the output row of one comparison."""
    return {
        "id": comparison.id,
        "input": digest_of(comparison),
        "winner": preference.winner,
        "probability": preference.probability,
        "scores": list(preference.scores),
        "consistent": preference.consistent,
        "error": _sound(preference.error),
        "rationale": _sound(preference.rationale),
        "usage": asdict(preference.usage),
        "judge": preference.judge,
    }


def _sound(text: str | None) -> str | None:
    """Replace what a model may have written but a UTF-8 file cannot hold."""
    return text and text.encode("utf-8", "replace").decode("utf-8")


class Results:
    """A JSONL file that grows in the order of its input, and goes on where a killed run stopped.

    Nothing in an existing file is touched before `remaining` has found that this judge wrote it from this input. Then
    a half-written last line is cut off. Each `write` reaches the operating system before it returns. While it is
    open, no other run can write to it.
    """

    def __init__(self, path: str | Path, judge: str) -> None:
        self.path, self.judge, self.done = Path(path), judge, 0

    def __enter__(self) -> Self:
        try:
            self._stream = open(self.path, "ab", buffering=0)
        except OSError as problem:
            raise InputError(f"{self.path}: {problem.strerror}") from None
        if not self.path.is_file() or not _locked(self._stream):
            self._stream.close()
            raise InputError(f"{self.path}: is no file, or another run is writing to it")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def remaining(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items that have no row yet.

        Raises:
            InputError: the file holds something else than the beginning of this judge's results for this input.
        """
        source = iter(items)
        whole = self._end_of_last_line()
        for number, row in read_rows(self.path, until=whole):
            item = next(source, None)
            if row.get("judge") != self.judge:
                self._refuse(number, "was written by another judge")
            if item is None:
                self._refuse(number, "goes on where the input has ended")
            if row.get("id") != item.id:
                self._refuse(number, f"has the id {row.get('id')!r}; the input has {item.id!r} there")
            if row.get("input") != digest_of(item):
                self._refuse(number, "was written for another text under the same id, or by another command")
            self.done += 1
        self._cut(whole)
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
                f"{self.path}: {problem.strerror}; what was written is kept: mend that and run the same command again"
            ) from None
        self.done += len(lines)

    def _refuse(self, number: int, problem: str) -> NoReturn:
        raise InputError.at(self.path, number, f"{problem}; write to another file, or delete this one to start again")

    def _end_of_last_line(self) -> int:
        """Return the size of the file up to its last line break."""
        with self.path.open("rb") as stream:
            end = stream.seek(0, os.SEEK_END)
            while end > 0:
                start = max(0, end - (1 << 16))
                stream.seek(start)
                newline = stream.read(end - start).rfind(b"\n")
                if newline >= 0:
                    return start + newline + 1
                end = start
        return 0

    def _cut(self, size: int) -> None:
        """Cut off a half-written row, and nothing else."""
        with self.path.open("r+b") as stream:
            stream.seek(size)
            half = stream.read(len(ROW_START))
            if half and not ROW_START.startswith(half):
                raise InputError(f"{self.path}: ends in something that is no result; write to another file")
            stream.truncate(size)


def _locked(stream: FileIO) -> bool:
    """Take the file for this run alone, where the system can."""
    try:
        import fcntl
    except ImportError:  # Windows: nothing to take it with
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
