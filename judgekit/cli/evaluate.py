"""``judgekit evaluate``: judges held against the labels of pairs, and against each other."""

from __future__ import annotations

import json as json_
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from judgekit.cli.judging import Batch, Json
from judgekit.errors import InputError, nearest

if TYPE_CHECKING:
    from judgekit.calibration.slices import Mask
    from judgekit.types import Pair

MOST_VALUES = 50  # of one key to slice by


def evaluate(
    pairs: Annotated[Path, typer.Argument(help="JSONL: prompt, a, b, label (a, b, tie, null); id, group, metadata.")],
    judge: Annotated[
        list[Path] | None, typer.Option("--judge", help="judge.yaml or its folder; may be given again.")
    ] = None,
    verdicts: Annotated[
        list[Path] | None,
        typer.Option("--verdicts", help="Recorded verdicts, as of judgekit compare; may be given again."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for verdicts and report.html.")] = None,
    by: Annotated[list[str] | None, typer.Option("--by", help="metadata.key to slice by; may be given again.")] = None,
    batch: Batch = 64,
    json: Json = False,
) -> None:
    """Say how well judges agree with the labels of pairs, with 95 % intervals."""
    from judgekit.cli import evaluation
    from judgekit.files import check, pair_of, read, writable

    if not judge and not verdicts:
        raise InputError("nothing to evaluate: give --judge judge.yaml, or --verdicts recorded.jsonl")
    if judge and out is None:
        raise InputError("--judge needs --out: the folder that keeps its verdicts")
    check(pairs, pair_of)
    known = list(read(pairs, pair_of))
    slices = slices_of(pairs, known, by or [])
    if out is not None:
        writable(out)
    recorded = [*_run(pairs, judge or [], out or Path(), batch), *(verdicts or [])]
    names = [path.stem for path in recorded]
    judged = [
        evaluation.from_file(name if names.count(name) == 1 else str(path), path, known, slices)
        for name, path in zip(names, recorded, strict=True)
    ]
    baseline = evaluation.longer_wins(known)
    tests = evaluation.against_first(known, judged)
    report = evaluation.page(pairs.name, judged, baseline, tests).save(out / "report.html") if out else None
    if json:
        print(json_.dumps(evaluation.facts(judged, baseline, tests, report), allow_nan=False))
    else:
        evaluation.show(judged, baseline, tests, report)
    if all(it.evaluation.unscored == len(known) for it in judged):
        raise typer.Exit(1)


def _run(pairs: Path, judges: Sequence[Path], out: Path, batch: int) -> list[Path]:
    """Let each judge compare the pairs, as ``judgekit compare`` does; return the files of its verdicts."""
    from judgekit.cli.judging import compare_file

    files = []
    for i, judge in enumerate(judges, 1):
        files.append(out / f"{i}-{name_of(judge)}.jsonl")
        compare_file(pairs, judge, files[-1], batch)
    return files


def name_of(judge: Path) -> str:
    """Return the name of a judge: of its folder, or of its file if that has a name of its own."""
    resolved = judge.resolve()
    return resolved.parent.name if resolved.name == "judge.yaml" else resolved.stem


def slices_of(path: Path, pairs: Sequence[Pair], by: Sequence[str]) -> dict[str, Mask]:
    """Return the parts of the pairs that are looked at apart: by length, and by the values of metadata keys."""
    from judgekit.calibration import by_length, by_value

    masks = by_length(pairs)
    for key in by:
        values = _values(path, pairs, key)
        if len(set(values)) > MOST_VALUES:
            raise InputError(f"--by {key}: has {len(set(values))} different values; at most {MOST_VALUES} can be shown")
        masks |= by_value(key.removeprefix("metadata."), values)
    return masks


def _values(path: Path, pairs: Sequence[Pair], key: str) -> list[str]:
    """Return the value at a dotted path of each pair's metadata, as text."""
    first, *steps = key.split(".")
    if first != "metadata" or not steps:
        raise InputError(f"--by {key}: write metadata.key, with further dots into nested objects")
    found = [_inside(pair.comparison.metadata, steps) for pair in pairs]
    if all(value is None for value in found):
        known = {name for pair in pairs for name in pair.comparison.metadata}
        hint = nearest(steps[0], known, "there are") if known and steps[0] not in known else ""
        raise InputError(f"--by {key}: no row of {path} has it{hint}")
    return [_words(key, value) for value in found]


def _inside(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _words(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        raise InputError(f"--by {key}: is an object; go on with one of its keys: {', '.join(value)}")
    if isinstance(value, (list, tuple)):
        return " + ".join(_words(key, item) for item in value) or "none"
    return value if isinstance(value, str) else "no value" if value is None else json_.dumps(value)
