"""Turns and judged rows from files or from the hub, in whichever layout; turns to files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Literal

from judgekit.episodes.data import Loaded, Turn
from judgekit.episodes.judged import Unusable, judged_row, published_of
from judgekit.episodes.published import rl_rows, rl_turn, sft_rows, sft_turns
from judgekit.errors import InputError, require
from judgekit.files import read_table, write_new
from judgekit.files.rows import Row
from judgekit.strict_json import no_constant, once
from judgekit.types import Rated

Layout = Literal["turns", "story_generation_rl", "story_generation_sft"]
OWN = {one.name for one in fields(Turn)}
NEEDED = {"id", "prompt", "next_episode", "conversation", "progress", "language"}


def read_turns(source: str | Path, split: str = "train") -> Loaded:
    """Read turns from a JSONL, JSON (a list), CSV or Parquet file, or from a data set of the hub.

    The layout is told by the columns: our own, ``story_generation_rl`` or ``story_generation_sft``. A row without a
    readable prompt or target is left out, and counted by its reason.

    Args:
        split: of a data set of the hub; a file has none.

    Raises:
        InputError: the file or the data set cannot be read, or its columns are of no known layout.
        MissingExtraError: pyarrow or datasets is needed and not installed.
    """
    found: list[Turn | str] = []
    for line, row in rows_of(source, split):
        found += _turns(row, line, source)
    return Loaded.of(found)


def read_judged(source: str | Path, language: str, split: str = "train") -> tuple[list[Rated], dict[str, int]]:
    """Read the rows of ``reward_train_*`` in one language; return them, and how many were left out by reason.

    Raises:
        InputError: as `read_turns`.
    """
    rated: list[Rated] = []
    left_out: Counter[str] = Counter()
    for line, row in rows_of(source, split):
        if "conversations" not in row or "system" not in row:
            raise InputError.at(source, line, f"the columns are not those of reward_train: {', '.join(row)}")
        found = published_of(row, line, language)
        if isinstance(found, Unusable):
            left_out[found.reason] += 1
        else:
            rated.append(found)
    return rated, dict(left_out)


def write_turns(path: str | Path, turns: Sequence[Turn], layout: Layout = "turns", split: str = "train") -> int:
    """Write turns to a new JSONL or Parquet file; return the number of rows.

    A published layout has no place for a turn without a reference: such turns are not written.

    Raises:
        InputError: the file is there, cannot be written, or has another suffix.
    """
    rows: dict[Layout, Callable[[], Iterable[Row]]] = {
        "turns": lambda: map(_row, turns),
        "story_generation_rl": lambda: rl_rows(turns, split),
        "story_generation_sft": lambda: sft_rows(turns),
    }
    suffix = Path(path).suffix.lower()
    if suffix == ".jsonl":
        return write_new(path, rows[layout]())
    if suffix != ".parquet":
        raise InputError(f"{path}: turns are written to .jsonl or .parquet, not to {suffix or 'a bare name'!r}")
    if Path(path).exists():
        raise InputError(f"{path}: is there already; write to another file, or delete this one")
    listed = list(rows[layout]())
    require("pyarrow.parquet", "train").write_table(require("pyarrow", "train").Table.from_pylist(listed), path)
    return len(listed)


def write_judged(path: str | Path, rated: Iterable[Rated], language: str) -> int:
    """Write rated samples to a new JSONL file in the layout of ``reward_train_*``; return the number of rows.

    Raises:
        InputError: the file is there or cannot be written, or a sample is not one of ``story/episodebench``.
    """
    return write_new(path, (judged_row(one, language) for one in rated))


def _row(turn: Turn) -> dict[str, Any]:
    # Mappings as text: Parquet cannot hold an empty one, and makes the keys of one row those of all.
    row = asdict(turn)
    return {**row, "context": json.dumps(row["context"]), "metadata": json.dumps(row["metadata"])}


def _turns(row: Row, line: int, source: str | Path) -> list[Turn | str]:
    name = f"row-{line}"
    if "target_response" in row:
        return [rl_turn(row, name)]
    if set(row) >= NEEDED and set(row) <= OWN:
        return [_own(row)]
    if "score_sum" in row:
        raise InputError.at(source, line, "these rows are for judges: read them with read_judged")
    if "conversations" in row:
        return sft_turns(row, name)
    raise InputError.at(source, line, f"the columns are of no known layout: {', '.join(row)}")


def _own(row: Row) -> Turn:
    optional = {"episode": None, "budget": None}
    texts = {key: json.loads(row[key]) for key in ("context", "metadata") if key in row}
    return Turn(**{**optional, **row, **texts, "prompt": tuple(dict(one) for one in row["prompt"])})


def rows_of(source: str | Path, split: str = "train") -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield numbered rows of a file or of a data set of the hub; a cell without a value has no key.

    Raises:
        InputError: it cannot be read.
    """
    path = Path(source)
    if path.suffix.lower() == ".json":
        yield from _json(path)
    elif path.suffix.lower() in {".jsonl", ".csv", ".gz", ".parquet"}:
        yield from read_table(path)
    else:
        yield from _hub(str(source), split)


def _json(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        found = json.loads(path.read_bytes(), object_pairs_hook=once, parse_constant=no_constant)
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror}") from None
    except (ValueError, RecursionError) as problem:
        raise InputError(f"{path}: not JSON: {problem}") from None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise InputError(f"{path}: must hold a list of rows")
    for number, row in enumerate(found, 1):
        yield number, {key: value for key, value in row.items() if value is not None}


def _hub(name: str, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
    datasets = require("datasets", "train")
    try:
        found = datasets.load_dataset(name, split=split)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as problem:
        raise InputError(f"{name}: {problem}") from None
    for number, row in enumerate(found, 1):
        yield number, {key: value for key, value in row.items() if value is not None}
