"""``judgekit expand``: unlabelled pairs in, those on which all rankers agree out, as machine labels."""

from __future__ import annotations

import json as json_
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judgekit.errors import InputError
from judgekit.types import Usage

if TYPE_CHECKING:
    from judgekit.judges import Judge
    from judgekit.types import Pair, Preference

Rankers = Annotated[list[Path], typer.Option("--ranker", help="judge.yaml of a ranker; give the option once for each.")]


def expand(
    pairs: Annotated[Path, typer.Argument(help="JSONL: prompt, a, b, label: null; id, group if you like.")],
    ranker: Rankers,
    out: Annotated[Path, typer.Option("--out", help="JSONL file for the labelled pairs.")],
    weight: Annotated[float, typer.Option("--weight", help="What a machine's label counts; a person's is 1.")] = 0.5,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Pairs ranked, and rows written, at a time.")] = 64,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON line on stdout.")] = False,
) -> None:
    """Label pairs by several judges: only where each is consistent in both orders and all prefer the same side.

    Each ranker's verdicts are kept in a folder beside the output, and an unfinished run goes on from them.
    """
    from judgekit.cli.show import summary
    from judgekit.files import check, pair_of, pair_row, read
    from judgekit.judges import Judge
    from judgekit.training.expansion import as_ranker, candidates
    from judgekit.training.expansion import expand as agree

    judges = [as_ranker(Judge.load(path)) for path in ranker]
    prints = [judge.fingerprint for judge in judges]
    if len(set(prints)) < len(prints):
        raise InputError("two rankers are the same judge, which always agrees with itself; give different ones")
    if out.exists() and pairs.exists() and out.samefile(pairs):
        raise InputError(f"{pairs}: is the input; write the labelled pairs to another file")
    check(pairs, pair_of)
    asked, unasked = candidates(read(pairs, pair_of))
    folder, used = out.with_name(f"{out.name}.rankers"), Usage()
    rankings = []
    for judge in judges:
        ranking, cost = _rank(judge, asked, folder / f"{judge.fingerprint}.jsonl", batch)
        rankings.append(ranking)
        used += cost
    found = agree(asked, rankings, prints, weight)
    _write(out, "".join(f"{json_.dumps(pair_row(pair), ensure_ascii=False)}\n" for pair in found.pairs))
    facts = {"pairs": len(asked) + sum(unasked.values()), "labelled": len(found.pairs)}
    costs = {"calls_now": used.calls, "from_journal_now": used.cached}
    summary({**facts, "left_out": {**unasked, **found.left_out}, **costs, "out": str(out)}, as_json=json)
    if not found.pairs:
        raise typer.Exit(1)


def _rank(judge: Judge, pairs: Sequence[Pair], path: Path, size: int) -> tuple[list[Preference], Usage]:
    """Return a ranker's preferences, asking only for those that no earlier run has written, and what that cost."""
    from judgekit.cli.show import progress
    from judgekit.files import Results, preference_row, recorded, writable

    writable(path.parent)
    comparisons, used = [pair.comparison for pair in pairs], Usage()
    with Results(path, judge.fingerprint) as results, progress(f"ranker {path.stem[:6]}", len(pairs)) as (bar, task):
        remaining = results.remaining(comparisons)
        while batch := list(islice(remaining, size)):
            found = judge.compare(batch)
            results.write(preference_row(item, verdict) for item, verdict in zip(batch, found, strict=True))
            used = sum((verdict.usage for verdict in found), used)
            bar.update(task, completed=results.done)
    return (recorded(path, comparisons)[0] if comparisons else []), used


def _write(out: Path, text: str) -> None:
    """Write the output whole or not at all; one that holds something else is not touched."""
    if out.exists():
        if out.read_text(encoding="utf-8") != text:
            raise InputError(f"{out}: holds something else; write to another file, or delete it")
        return
    half = out.with_name(f"{out.name}.part")
    half.write_text(text, encoding="utf-8")
    half.replace(out)
