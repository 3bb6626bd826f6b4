"""``judgekit pairs``: makes files of pairs, splits them, and says what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from judgekit.errors import InputError

if TYPE_CHECKING:
    from judgekit.training.describe import Description
    from judgekit.training.preferences import Imported
    from judgekit.types import Pair, Sample

app = typer.Typer(help="Make, split and check files of pairs.", no_args_is_help=True)
PairsFile = Annotated[Path, typer.Argument(help="JSONL: prompt, a, b, label (a, b, tie, null); id, group if you like.")]
OutFile = Annotated[Path, typer.Option("--out", help="The file of pairs to write (JSONL); must not be there yet.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON line on stdout.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of what is drawn.")]
PARTS = ("train", "dev", "test")
MOST_REASONS, MOST_LEAKS = 8, 5  # shown


@app.command("from-preferences")
def from_preferences(
    table: Annotated[Path, typer.Argument(help="JSONL, CSV or Parquet: chosen, rejected, and prompt if it is apart.")],
    out: OutFile,
    json: Json = False,
) -> None:
    """Make pairs of a table with chosen and rejected responses (TRL, RewardBench)."""
    from judgekit.files import read_table
    from judgekit.training import from_preferences as build

    _absent(out)
    _finish(build(row for _, row in read_table(table)), out, as_json=json)


@app.command("from-ratings")
def from_ratings(
    table: Annotated[Path, typer.Argument(help="JSONL, CSV or Parquet: item, score (and rater, criterion, group).")],
    out: OutFile,
    samples: Annotated[Path | None, typer.Option("--samples", help="The rated texts: id, prompt, response.")] = None,
    columns: Annotated[
        tuple[str, str, str], typer.Option("--columns", help="Without --samples: where prompt, response and score are.")
    ] = ("prompt", "response", "score"),
    criterion: Annotated[str | None, typer.Option("--criterion", help="The only criterion to count.")] = None,
    margin: Annotated[float, typer.Option("--margin", min=0, help="Least difference of the mean scores.")] = 0.0,
    most: Annotated[int | None, typer.Option("--most", min=1, help="Pairs kept of one prompt, at random.")] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Make pairs of rated responses to the same prompt."""
    from judgekit.files import read_table
    from judgekit.training import from_ratings as build

    _absent(out)
    texts = None if samples is None else list(_samples(samples))
    rows = (row for _, row in read_table(table))
    found = build(rows, texts, columns=columns, criterion=criterion, margin=margin, most=most, seed=seed)
    _finish(found, out, as_json=json)


@app.command()
def split(
    pairs: PairsFile,
    out: Annotated[Path, typer.Option("--out", help="Folder for train.jsonl, dev.jsonl and test.jsonl.")],
    shares: Annotated[
        tuple[float, float, float], typer.Option("--shares", help="Of train, dev and test; 0 leaves one out.")
    ] = (0.8, 0.1, 0.1),
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Split pairs into train, dev and test; a group (or a prompt) is never in two of them."""
    from judgekit.cli.show import summary
    from judgekit.files import pair_row, write_new
    from judgekit.training import split as deal

    for part in PARTS:
        _absent(out / f"{part}.jsonl")
    facts: dict[str, Any] = {}
    for part, found in zip(PARTS, deal(_read(pairs), shares, seed), strict=True):
        if found:
            write_new(out / f"{part}.jsonl", map(pair_row, found))
        groups = len({pair.cluster for pair in found})
        facts |= {part: len(found), f"{part}_groups": groups}
    summary({**facts, "out": str(out)}, as_json=json)


@app.command()
def check(
    train: PairsFile,
    test: Annotated[Path | None, typer.Argument(help="Pairs that must have nothing in common with the first.")] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0.05, max=1, help="Similarity of prompts that is a leak.")
    ] = 0.8,
    json: Json = False,
) -> None:
    """Say what is in a file of pairs, and what training on it would trip over; exit code 2 if there is anything."""
    from judgekit.cli.show import summary
    from judgekit.training import describe, leaks, shared_responses

    found = _read(train)
    described = describe(found)
    facts, problems = _facts(described), list(described.problems)
    if test is not None:
        others = _read(test)
        other = describe(others)
        near, same = leaks(found, others, threshold), shared_responses(found, others)
        facts |= {f"test_{name}": fact for name, fact in _facts(other).items()}
        facts |= {"leaks": len(near), "examples": [[*leak[:2], round(leak[2], 3)] for leak in near[:MOST_LEAKS]]}
        facts |= {"shared_responses": len(same)}
        problems += [f"test: {problem}" for problem in other.problems]
        problems += [f"{len(near)} test pairs have a prompt of the training pairs, or nearly"] * bool(near)
        problems += [f"{len(same)} test pairs have a response of the training pairs"] * bool(same)
    summary({**facts, "problems": problems if json else dict(Counter(problems))}, as_json=json)
    if problems:
        raise typer.Exit(2)


def _facts(found: Description) -> dict[str, Any]:
    longer = found.longer_chosen
    return {
        "rows": found.rows,
        "groups": found.groups,
        "labels": found.labels,
        "empty": found.empty,
        "equal_texts": found.equal,
        "duplicates": found.duplicates,
        "contradictions": found.contradictions,
        "longer_chosen": longer and longer.value,
        "low": longer and longer.low,
        "high": longer and longer.high,
    }


def _read(path: Path) -> list[Pair]:
    from judgekit.files import check as check_file
    from judgekit.files import pair_of, read

    check_file(path, pair_of)
    return list(read(path, pair_of))


def _samples(path: Path) -> Iterator[Sample]:
    from judgekit.files import read_table, sample_of

    seen = set()
    for number, row in read_table(path):
        try:
            sample = sample_of(row, number)
            if sample.id in seen or "id" not in row:
                raise InputError(f"the id {sample.id!r} stands twice" if "id" in row else "'id' is missing")
        except InputError as problem:
            raise InputError.at(path, number, str(problem)) from None
        seen.add(sample.id)
        yield sample


def _absent(path: Path) -> None:
    """Refuse before the work what could not be written after it."""
    if path.exists():
        raise InputError(f"{path}: is there already; write to another file, or delete this one")


def _finish(found: Imported, out: Path, *, as_json: bool) -> None:
    from judgekit.cli.show import summary
    from judgekit.files import pair_row, write_new

    reasons = Counter(found.left_out)
    shown = dict(reasons.most_common(MOST_REASONS))
    if rest := reasons.total() - sum(shown.values()):
        shown["for other reasons"] = rest
    count = write_new(out, map(pair_row, found.pairs))
    facts = {"pairs": count, "groups": len({pair.cluster for pair in found.pairs}), "left_out": shown}
    summary({**facts, "renamed": found.renamed, "out": str(out)}, as_json=as_json)
