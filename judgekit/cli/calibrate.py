"""``judgekit calibrate``: a judge held against people, as a verdict, a report and a profile."""

from __future__ import annotations

import json as json_
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from judgekit.cli.judging import Batch, Json

if TYPE_CHECKING:
    from judgekit.studies.analysis import Analysis
    from judgekit.studies.gates import Gate
    from judgekit.studies.study import Study
    from judgekit.studies.table import Ratings

HEADS = ("criterion", "items", "rho", "one person", "the judge", "error", "after the map")


def calibrate(
    study: Annotated[str, typer.Argument(help="A study's name (hanna), or the path of a study.yaml.")],
    data: Annotated[
        str | None, typer.Option("--data", help="Folder of the study's tables, or hf://datasets/owner/name.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for report, figures and profile; calibrated/STUDY without it.")
    ] = None,
    judge: Annotated[
        Path | None, typer.Option("--judge", help="judge.yaml or its folder, to be run on the items on the spot.")
    ] = None,
    batch: Batch = 64,
    json: Json = False,
) -> None:
    """Hold a judge against people: report.html, study.json, study.md and profile.json.

    Exit codes: 0 done, 1 done but a gate of the study or the cross-check failed, 2 something for you to mend.
    """
    # Before numpy is there: its threads would spin over many small products. The criteria share the processors.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from judgekit.files import writable
    from judgekit.studies.analysis import analyse
    from judgekit.studies.crosscheck import cross_check
    from judgekit.studies.gates import gates
    from judgekit.studies.place import data_folder
    from judgekit.studies.study import Study
    from judgekit.studies.writing import write

    plan = Study.load(study)
    folder = _beside(study, plan) if data is None else data_folder(data)
    place = out or Path("calibrated") / _name(study)
    writable(place)
    plan, ratings, fingerprint = _ratings(plan, folder, judge, place, batch)
    analysis = analyse(plan, ratings, fingerprint)
    results = gates(analysis)
    check = cross_check(analysis)
    written = write(analysis, results, check, folder, place)
    if json:
        print(json_.dumps(_facts(analysis, results, written), allow_nan=False))
    else:
        _show(analysis, results, written)
    if not check.agrees:
        typer.echo(str(check), err=True)
    if not check.agrees or not all(gate.passed for gate in results):
        raise typer.Exit(1)


def _beside(study: str, plan: Study) -> Path | None:
    """Return the folder of a study.yaml whose tables lie beside it."""
    path = Path(study)
    place = path if path.is_dir() else path.parent
    return place if path.exists() and (place / plan.ratings[0].file).is_file() else None


def _name(study: str) -> str:
    path = Path(study)
    return path.resolve().parent.name if path.name == "study.yaml" else path.stem


def _ratings(
    study: Study, data: Path | None, judge: Path | None, out: Path, batch: int
) -> tuple[Study, Ratings, str | None]:
    """Read the ratings; run the judge first, if there is one to run: then it is the judge of the study."""
    from judgekit.studies.table import read_ratings

    if judge is None:
        return study, read_ratings(study, data), None
    from judgekit.cli.evaluate import name_of
    from judgekit.cli.judging import judge_items
    from judgekit.files import read_rows, score_row
    from judgekit.judges.load import load_judge
    from judgekit.studies.judged import judged, questions

    name = name_of(judge)
    # As it is: a calibration that it has is what is made anew.
    asked, used = questions(study, data, name), load_judge(judge, with_profile=False)
    path = out / f"{name}.jsonl"
    judge_items(used, "score", asked.samples, score_row, path, batch, (name, len(asked.samples)))
    scored = judged(study, name, asked.criteria, read_rows(path), path)
    study = study.model_copy(update={"judge": name, "criteria": asked.criteria})
    scales = {name: scored.scale} if scored.scale else {}
    return study, read_ratings(study, data, scored.rows, scored.left_out, scales), used.fingerprint


def _facts(analysis: Analysis, results: Sequence[Gate], written: dict[str, str]) -> dict[str, Any]:
    from judgekit.studies.answers import lights
    from judgekit.studies.facts import plain

    answers = {
        name: {key: light.answer for key, light in lights(analysis, it).items()}
        for name, it in analysis.criteria.items()
    }
    return {
        "judge": analysis.study.judge,
        "simulated": analysis.study.simulated,
        "answers": answers,
        "gates": plain(list(results)),
        "passed": all(gate.passed for gate in results),
        "files": written,
    }


def _show(analysis: Analysis, results: Sequence[Gate], written: dict[str, str]) -> None:
    from judgekit.cli.show import rows
    from judgekit.studies.answers import QUESTIONS, lights
    from judgekit.studies.report import SIMULATED, title
    from judgekit.studies.summary import remarks

    print(f"{title(analysis)}. {analysis.study.about}")
    if analysis.study.simulated:
        print(SIMULATED)
    rows(
        ("", *QUESTIONS.values()),
        [(name, *(light.answer for light in lights(analysis, it).values())) for name, it in analysis.criteria.items()],
    )
    print()
    rows(HEADS, list(_figures(analysis)))
    for line in remarks(analysis):
        print(f"  {line}")
    for reason, count in analysis.ratings.left_out.items():
        print(f"  left out: {count:,} {reason}")
    print()
    failed = [gate for gate in results if not gate.passed]
    print(f"gates: {len(results) - len(failed)} of {len(results)} passed")
    for gate in failed:
        got = f"not estimable ({gate.reason})" if gate.got is None else f"{gate.got:.3f}"
        print(f"  FAILED {gate.criterion}: {gate.wanted}; found: {got}")
    for what, path in written.items():
        print(f"{what}: {path}")


def _figures(analysis: Analysis) -> list[tuple[str, ...]]:
    from judgekit.studies.unknown import Unknown
    from judgekit.studies.words import MISSING, told

    found = list[tuple[str, ...]]()
    for name, it in analysis.criteria.items():
        rho = it.item if isinstance(it.within_group, Unknown) else it.within_group
        ceiling = (
            (MISSING, MISSING) if isinstance(it.ceiling, Unknown) else (told(it.ceiling.human), told(it.ceiling.judge))
        )
        found.append((name, str(it.items), told(rho), *ceiling, told(it.before), told(it.after)))
    return found
