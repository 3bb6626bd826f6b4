"""Tables in, from elsewhere: JSONL, CSV (gzipped or not) or Parquet, row by row. Lines out, to a file that is new."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO, cast

from judgekit.errors import InputError, require
from judgekit.files.reading import MAX_LINE, read_rows
from judgekit.files.rows import Row


def read_table(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(number, row)`` for each row of a ``.jsonl``, ``.csv``, ``.csv.gz`` or ``.parquet`` file.

    The number is that of the line (of a row's first line in a CSV file), of the row in a Parquet file. A cell without
    a value (null, NaN, an empty cell of a CSV file) has no key in its row. The values of a CSV file are texts.

    Raises:
        InputError: another suffix, no such file, or a row that cannot be read; names the file and the line.
        MissingExtraError: a Parquet file, and pyarrow is not installed.
    """
    readers = {".jsonl": read_rows, ".csv": _csv, ".parquet": _parquet}
    suffix = Path(
        str(path).lower().removesuffix(".gz") if str(path).lower().endswith(".csv.gz") else path
    ).suffix.lower()
    if suffix not in readers:
        raise InputError(f"{path}: a table is read from .jsonl, .csv or .parquet, not from {suffix or 'a bare name'!r}")
    if not Path(path).is_file():
        raise InputError(f"{path}: {'is no file' if Path(path).exists() else 'No such file or directory'}")
    rows = readers[suffix](path)
    if suffix == ".csv":
        yield from rows  # has none
    else:
        yield from ((n, {name: value for name, value in row.items() if not _missing(value)}) for n, row in rows)


def write_new(path: str | Path, rows: Iterable[Row]) -> int:
    """Write JSONL to a file that must not be there yet; return the number of rows.

    Raises:
        InputError: the file is there, or cannot be written; half a file is never left behind.
    """
    count = 0
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        stream = open(path, "x", encoding="utf-8")  # noqa: SIM115 - closed below, and the error here is another one
    except FileExistsError:
        raise InputError(f"{path}: is there already; write to another file, or delete this one") from None
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None
    try:
        with stream:
            for count, row in enumerate(rows, 1):  # noqa: B007 - the last one is the result
                stream.write(f"{json.dumps(row, ensure_ascii=False, allow_nan=False)}\n")
    except BaseException as problem:
        Path(path).unlink(missing_ok=True)
        if isinstance(problem, OSError):
            raise InputError(f"{path}: {problem.strerror}") from None
        raise
    return count


def _missing(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124 - NaN alone differs from itself


def _csv(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(max(MAX_LINE, csv.field_size_limit()))  # Python's own limit is shorter than a long story
    opened = gzip.open if Path(path).suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as stream:
        yield from _csv_rows(path, cast(TextIO, stream))


def _csv_rows(path: str | Path, stream: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(stream, strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            if header is None:
                header = _header(path, cells)
            elif cells and len(cells) != len(header):
                raise InputError.at(path, line, f"{len(cells)} cells, but the header has {len(header)}")
            elif cells:
                yield line, {name: cell for name, cell in zip(header, cells, strict=True) if cell}
            line = reader.line_num + 1
    except csv.Error as problem:
        raise InputError.at(path, line, f"not CSV: {problem}") from None
    except UnicodeDecodeError:
        raise InputError.at(path, line, "not UTF-8, here or a little later") from None


def _header(path: str | Path, cells: list[str]) -> list[str]:
    doubled = {cell for cell in cells if cells.count(cell) > 1}
    if not cells or doubled:
        raise InputError.at(path, 1, f"the column {min(doubled)!r} stands twice" if doubled else "has no header")
    return cells


def _parquet(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    arrow, parquet = require("pyarrow", "train"), require("pyarrow.parquet", "train")
    number = 0
    try:
        with parquet.ParquetFile(path) as table:
            _header(path, table.schema_arrow.names)
            for batch in table.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (arrow.ArrowException, OSError) as problem:
        where = f"after row {number}: " if number else ""
        raise InputError(f"{path}: {where}not a sound Parquet file: {problem}") from None
