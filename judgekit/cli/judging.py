"""``judgekit score`` and ``judgekit compare``: a file in, a file out, resumed after a kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from judgekit.errors import InputError
from judgekit.types import Usage

if TYPE_CHECKING:
    from judgekit.judges import Judge
    from judgekit.types import Comparison

JudgeFile = Annotated[Path, typer.Option("--judge", help="judge.yaml, or the folder that holds it.")]
OutFile = Annotated[Path, typer.Option("--out", help="JSONL file for the results; an unfinished one is resumed.")]
Batch = Annotated[int, typer.Option("--batch", min=1, help="Items given to the judge, and rows written, at a time.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON line on stdout.")]

T = TypeVar("T")
MOST_REASONS = 1000  # told apart; a million rows may fail in a million words


def score(
    samples: Annotated[Path, typer.Argument(help="JSONL: prompt, response; id, reference, metadata if you like.")],
    judge: JudgeFile,
    out: OutFile,
    batch: Batch = 64,
    json: Json = False,
) -> None:
    """Score every sample of a file."""
    from judgekit.files import sample_of, score_row

    used = judge_file(samples, judge, "score", (sample_of, score_row), out, batch)
    _finish("value", used, out, as_json=json)


def compare(
    pairs: Annotated[Path, typer.Argument(help="JSONL: prompt, a, b; id, metadata if you like.")],
    judge: JudgeFile,
    out: OutFile,
    batch: Batch = 64,
    json: Json = False,
) -> None:
    """Compare the two responses of every pair of a file."""
    _finish("winner", compare_file(pairs, judge, out, batch), out, as_json=json)


def compare_file(pairs: Path, judge: Path, out: Path, batch: int) -> Usage:
    """Compare the pairs of a file, or what is left of them; return what it cost."""
    from judgekit.files import comparison_of, preference_row

    return judge_file(pairs, judge, "compare", (comparison_of, preference_row), out, batch)


def judge_file(
    source: Path,
    judge_path: Path,
    method: str,
    form: tuple[Callable[..., Any], Callable[..., dict[str, Any]]],
    out: Path,
    size: int,
) -> Usage:
    """Judge a file, or what is left of it, and return what it cost; ``form``: row -> item, item and verdict -> row."""
    from judgekit.files import check, read
    from judgekit.judges import Judge

    build, to_row = form
    judge = Judge.load(judge_path)
    if out.exists() and source.exists() and out.samefile(source):
        raise InputError(f"{source}: is the input; write the results to another file")
    total = check(source, build)
    return judge_items(judge, method, read(source, build), to_row, out, size, (source.name, total))


def compare_pairs(judge: Judge, comparisons: Sequence[Comparison], out: Path, name: str, batch: int = 64) -> Usage:
    """Compare pairs, or what is left of them; return what it cost."""
    from judgekit.files import preference_row

    return judge_items(judge, "compare", comparisons, preference_row, out, batch, (name, len(comparisons)))


def judge_items(
    judge: Judge,
    method: str,
    items: Iterable[Any],
    to_row: Callable[..., dict[str, Any]],
    out: Path,
    size: int,
    shown: tuple[str, int],
) -> Usage:
    """Judge items batch by batch into ``out``; ``shown``: what the progress bar is called, and how many there are."""
    from judgekit.cli.show import progress
    from judgekit.files import Results

    used = Usage()
    with Results(out, judge.fingerprint) as results, progress(*shown) as (bar, task):
        for batch in _batches(results.remaining(items), size):
            verdicts = getattr(judge, method)(batch)
            results.write(to_row(item, found) for item, found in zip(batch, verdicts, strict=True))
            used = sum((found.usage for found in verdicts), used)
            bar.update(task, completed=results.done)
    return used


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def _summary(out: Path, verdict: str) -> dict[str, Any]:
    """Read the results back, row by row: what a resumed run did earlier belongs to them as well."""
    from judgekit.files import read_rows

    counts, reasons = Counter[str](), Counter[str]()
    total = 0.0
    for _, row in read_rows(out):
        found = row[verdict]
        counts["rows"] += 1
        counts["unscored"] += found is None
        if found is None and (row["error"] in reasons or len(reasons) < MOST_REASONS):
            reasons[row["error"]] += 1
        if verdict == "winner":
            counts[f"winner {found}"] += 1
        elif found is not None:
            total += found
    scored = counts["rows"] - counts["unscored"]
    outcome: dict[str, Any] = {"mean": total / scored if scored else None}
    if verdict == "winner":
        outcome = {side: counts[f"winner {side}"] for side in ("a", "b", "tie")}
    return {"rows": counts["rows"], "unscored": counts["unscored"], "reasons": dict(reasons.most_common(5)), **outcome}


def _finish(verdict: str, used: Usage, out: Path, *, as_json: bool) -> None:
    from judgekit.cli.show import summary

    facts = {**_summary(out, verdict), "calls_now": used.calls, "from_journal_now": used.cached}
    summary({**facts, "out": str(out)}, as_json=as_json)
    if facts["unscored"] == facts["rows"]:
        raise typer.Exit(1)
