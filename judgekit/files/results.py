"""Results out: appended as they come, in the order of the input, and resumed after a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import NoReturn, Self, TypeVar

from judgekit.errors import InputError
from judgekit.files.reading import read_rows
from judgekit.files.rows import HasId, Row, digest_of

ROW_START = b'{"id": '


Item = TypeVar("Item", bound=HasId)


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


class Results:
    """A JSONL file that grows in the order of its input, and goes on where a killed run stopped.

    Nothing in an existing file is touched before `remaining` has found that this author wrote it from this input. Then
    a half-written last line is cut off. Each `write` reaches the operating system before it returns. While it is
    open, no other run can write to it.

    Args:
        author: fingerprint of who writes the rows; ``by``: what each row calls it.
    """

    def __init__(self, path: str | Path, author: str, by: str = "judge") -> None:
        self.path, self.author, self.by, self.done = Path(path), author, by, 0

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
            InputError: the file holds something else than the beginning of this author's results for this input.
        """
        source = iter(items)
        whole = self._end_of_last_line()
        for number, row in read_rows(self.path, until=whole):
            item = next(source, None)
            if row.get(self.by) != self.author:
                self._refuse(number, f"was written by another {self.by}")
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
