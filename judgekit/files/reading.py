"""JSONL in: line by line, each fault with its file and line, and memory that does not grow with the rows."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar

from judgekit.errors import InputError
from judgekit.files.rows import HasId, Row, kind_of
from judgekit.strict_json import no_constant, once

MAX_LINE = 64 << 20
MAX_PROBLEMS = 20  # reported at once
AT_LINE = re.compile(r"(.*?:\d+: )(.*)", re.DOTALL)
T = TypeVar("T")


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
        row = json.loads(raw.decode("utf-8"), parse_constant=no_constant, object_pairs_hook=once)
    except UnicodeDecodeError as problem:
        raise InputError.at(path, number, f"not UTF-8 at byte {problem.start} of the line") from None
    except RecursionError:
        raise InputError.at(path, number, "nested too deeply") from None
    except json.JSONDecodeError as problem:
        raise InputError.at(path, number, f"not JSON: {problem.msg} at column {problem.colno}") from None
    except ValueError as problem:
        raise InputError.at(path, number, f"not JSON: {problem}") from None
    if not isinstance(row, dict):
        raise InputError.at(path, number, f"must be a JSON object, not {kind_of(row)}")
    return row


def read(path: str | Path, build: Callable[[Row, int], T]) -> Iterator[T]:
    """Yield one value for each line of a JSONL file.

    Args:
        build: `sample_of`, `comparison_of`, `pair_of` or `rated_of`.

    Raises:
        InputError: at the first line that cannot be used; names the file and the line.
    """
    for number, row in read_rows(path):
        try:
            value = build(row, number)
        except InputError as problem:
            raise InputError.at(path, number, str(problem)) from None
        yield value


def check(path: str | Path, build: Callable[[Row, int], HasId]) -> int:
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
        raise InputError("\n".join(_once(problems)))
    if not count:
        raise InputError(f"{path}: the file has no rows")
    return count


def _once(problems: Sequence[str]) -> list[str]:
    """Return each problem where it stands first, with the number of further rows that have it."""
    rows = [found.groups() if (found := AT_LINE.fullmatch(problem)) else ("", problem) for problem in problems]
    times, first = Counter(what for _, what in rows), {what: place for place, what in reversed(rows)}
    more = {what: f" (and {n - 1} more {'row' if n == 2 else 'rows'})" if n > 1 else "" for what, n in times.items()}
    return [f"{first[what]}{what}{more[what]}" for what in times]


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
