"""The table of coverage: that it has every interval of a report, and that it can be resumed and can fail."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import coverage_study
from benchmarks.simulated_study import STUDY, Drawn, draw
from judgekit.calibration import Bootstrap, Estimate
from judgekit.studies.analysis import analyse
from judgekit.studies.table import Ratings

DRAWS = Bootstrap(100, seed=3)


def drawn(prompts: int = 16, raters: int = 3) -> Drawn:
    return draw(np.random.default_rng(1), prompts, raters, DRAWS)


def ends(found: Estimate) -> tuple[float | None, ...]:
    return tuple(None if end is None else round(end, 9) for end in (found.value, found.low, found.high))


def printed(value: Any, path: str = "") -> Iterator[tuple[str, Estimate]]:
    """Every estimate of an analysis, with where it stands."""
    if isinstance(value, Estimate):
        yield path, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from printed(one, f"{path}.{key}")
    elif isinstance(value, tuple):
        for i, one in enumerate(value):
            yield from printed(one, f"{path}.{i}")
    elif is_dataclass(value):
        for part in fields(value):
            yield from printed(getattr(value, part.name), f"{path}.{part.name}")


def test_every_interval_of_a_report_is_in_the_table() -> None:
    """The same study, analysed as `judgekit calibrate` does it, has no interval that the table lacks.

    Left aside: what is another one read through a monotone function (the curve and the limit of the ceiling, the points
    of the spread), the other judges' own correlations, and what is of one kind with one that is looked at: the other
    systems, and the other shares of the surest items.
    """
    s = drawn()
    names = tuple(f"item{i}" for i in range(len(s.judge)))
    judges = {"judge": {"quality": s.judge[None]}, "second": {"quality": s.second[None]}}
    groups, systems = (tuple(f"{kind}" for kind in kinds.tolist()) for kinds in (s.prompt, s.system))
    raters, people = tuple(f"rater{i}" for i in range(len(s.people))), {"quality": s.people}
    ratings = Ratings(names, groups, systems, s.words, ("quality",), raters, people, judges, {})
    study = STUDY.model_copy(update={"draws": DRAWS.draws, "seed": DRAWS.seed})
    analysis = analyse(study, ratings)
    ours = {ends(interval(s)) for interval in coverage_study.OURS.values()}
    aside = ("curve", "ceiling.limit", "rivals.0.correlation", "test.one", "test.two")
    everything = (analysis.criteria, analysis.bias.findings, analysis.panel)
    alike = re.compile(r"\.systems\.(people|judge)\.|\.escalation\.steps")
    found = [(path, one) for path, one in printed(everything) if not any(part in path for part in aside)]
    at = [finding.name for finding in analysis.bias.findings].index("spread")

    assert len(found) > 30
    missing = {path for path, one in found if ends(one) not in ours}
    assert {path for path in missing if not alike.search(path)} == {f".1.{at}.points"}
    seen = {path.rsplit(".", 1)[0] for path, one in found if alike.search(path) and ends(one) in ours}
    kinds = ("people.means", "people.ranks", "judge.means", "judge.ranks")
    steps = {path for path in seen if "escalation" in path}
    assert {f".0.quality.systems.{kind}" for kind in kinds} == seen - steps and steps


def test_a_run_that_was_ended_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cells; the rows of the first are kept, and one is not made again: its false share stays in the table."""
    monkeypatch.setattr(coverage_study, "PROMPTS", (15,))
    monkeypatch.setattr(coverage_study, "RATERS", (2, 3))
    monkeypatch.setattr(coverage_study, "LARGE", 300)
    monkeypatch.setattr(coverage_study, "TIMES", 1)
    out, names = tmp_path / "cells.jsonl", ["limits: bias", "scipy pearsonr, r"]
    first = list(coverage_study.cells(names, 3, out, 1))
    lines = [json.loads(line) for line in out.read_text().splitlines()]

    assert first == lines
    assert [(row["raters"], row["runs"]) for row in lines] == [(2, 3), (2, 3), (3, 3), (3, 3)]
    assert all(row["held"] + row["below"] + row["above"] + row["none"] == pytest.approx(1) for row in lines)

    kept = lines[0] | {"held": -1.0}
    out.write_text(json.dumps(kept) + "\n")
    again = list(coverage_study.cells(names, 3, out, 1))
    assert again[0] == kept
    assert again[1:] == lines[1:]


def test_intervals_that_are_too_narrow_are_seen() -> None:
    """Of 100 intervals 0 -+ 1, the truth .9 is in all, 1.1 in none; an interval that is not there does not hold."""
    ends = np.tile([0.0, -1.0, 1.0, np.nan], (100, 1))
    for truth, held in ((0.9, 1.0), (1.1, 0.0)):
        row = coverage_study.compared(np.full(100, truth), ends)
        assert (row["held"], row["below"], row["above"], row["none"]) == (held, 1 - held, 0.0, 0.0)
    gone = coverage_study.compared(np.zeros(4), np.full((4, 4), np.nan))
    assert (gone["held"], gone["none"], gone["mean"]) == (0.0, 1.0, None)


def test_the_command_ends_with_one_json_line() -> None:
    command = [sys.executable, "-m", "benchmarks.coverage_study", "--runs", "1", "--only", "limits: bias", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    table = json.loads(done.stdout.splitlines()[-1])

    assert set(table) == {"limits: bias"}
    assert set(table["limits: bias"]) == {f"{k}/{r}" for k in (15, 30, 96) for r in (2, 3, 5)}
