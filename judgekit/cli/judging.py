"""``judgekit score`` and ``judgekit compare``: a file in, a file out, resumed after a kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from judgekit.errors import InputError

if TYPE_CHECKING:
    from judgekit.files import Results
    from judgekit.types import Comparison, Sample

JudgeFile = Annotated[Path, typer.Option("--judge", help="judge.yaml, or the folder that holds it.")]
OutFile = Annotated[Path, typer.Option("--out", help="JSONL file for the results; an unfinished one is resumed.")]
Batch = Annotated[int, typer.Option("--batch", min=1, help="Items given to the judge at a time.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON line on stdout.")]

T = TypeVar("T", "Sample", "Comparison")


def score(
    samples: Annotated[Path, typer.Argument(help="JSONL: prompt, response; id, reference, metadata if you like.")],
    judge: JudgeFile,
    out: OutFile,
    batch: Batch = 64,
    json: Json = False,
) -> None:
    """Score every sample of a file."""
    from judgekit.files import Results, sample_of, score_row
    from judgekit.judges import Judge

    loaded = Judge.load(judge)
    _judge_file(samples, sample_of, loaded.score, score_row, Results(out, loaded.fingerprint), batch)
    _finish(_summary(out, "value"), out, as_json=json)


def compare(
    pairs: Annotated[Path, typer.Argument(help="JSONL: prompt, a, b; id, metadata if you like.")],
    judge: JudgeFile,
    out: OutFile,
    batch: Batch = 64,
    json: Json = False,
) -> None:
    """Compare the two responses of every pair of a file."""
    from judgekit.files import Results, comparison_of, preference_row
    from judgekit.judges import Judge

    loaded = Judge.load(judge)
    _judge_file(pairs, comparison_of, loaded.compare, preference_row, Results(out, loaded.fingerprint), batch)
    _finish(_summary(out, "winner"), out, as_json=json)


def _judge_file(
    source: Path,
    build: Callable[..., T],
    ask: Callable[[Sequence[T]], Sequence[Any]],
    to_row: Callable[[T, Any], dict[str, Any]],
    results: Results,
    size: int,
) -> None:
    from judgekit.cli.show import progress
    from judgekit.files import check, read

    if results.path.exists() and results.path.samefile(source):
        raise InputError(f"{source}: is the input; write the results to another file")
    total = check(source, build)
    with results, progress(source.name, total) as (bar, task):
        for batch in _batches(results.remaining(read(source, build)), size):
            results.write(to_row(item, verdict) for item, verdict in zip(batch, ask(batch), strict=True))
            bar.update(task, completed=results.done)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def _summary(out: Path, verdict: str) -> dict[str, Any]:
    """Read the results back, row by row: what a resumed run did earlier counts as well."""
    from judgekit.files import read_rows

    counts: Counter[str] = Counter()
    total = 0.0
    for _, row in read_rows(out):
        counts["rows"] += 1
        counts["unscored"] += row[verdict] is None
        counts["model_calls"] += row["usage"]["calls"]
        counts["from_journal"] += row["usage"]["cached"]
        if isinstance(row[verdict], float):
            total += row[verdict]
        elif row[verdict] is not None:
            counts[row[verdict]] += 1
    scored = counts["rows"] - counts["unscored"]
    outcome = (
        {"mean": total / scored if scored else None}
        if verdict == "value"
        else {k: counts[k] for k in ("a", "b", "tie")}
    )
    first = {name: counts[name] for name in ("rows", "unscored")}
    return {**first, **outcome, **{name: counts[name] for name in ("model_calls", "from_journal")}}


def _finish(facts: dict[str, Any], out: Path, *, as_json: bool) -> None:
    from judgekit.cli.show import summary

    summary({**facts, "out": str(out)}, as_json=as_json)
    if facts["unscored"] == facts["rows"]:
        raise typer.Exit(1)
