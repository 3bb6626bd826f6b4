"""``judgekit quickstart``: a judge trained on generated stories, put to work on new ones, and what it is worth."""

from __future__ import annotations

import json as json_
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from judgekit.calibration import Estimate
    from judgekit.report import Page
    from judgekit.training import ClassifierTraining
    from judgekit.types import Pair, Preference, Sample, Score

TRAIN, TEST, SHOWN = 400, 200, 6


class Line(NamedTuple):
    """One line of the result table; no estimate where there are too few pairs for one."""

    name: str
    accuracy: Estimate | None
    pairs: int


def quickstart(
    out: Annotated[Path, typer.Option("--out", help="Folder for data, judge and report.")] = Path("runs/quickstart"),
    seed: Annotated[int, typer.Option("--seed", help="Seed of the generated stories.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON line on stdout.")] = False,
) -> None:
    """Train the embedded classifier on generated stories, judge new ones with it, and write a report."""
    from judgekit.cli.show import rows
    from judgekit.judges import Judge
    from judgekit.storyworld import World
    from judgekit.training import train_classifier

    world = World(seed)
    train, test = world.pairs(TRAIN), world.pairs(TEST, "test")
    _write(out / "train.jsonl", train)
    _write(out / "test.jsonl", test)
    _say(f"training on {TRAIN} pairs of stories with planted flaws ...")
    training = train_classifier(train, seed=seed)
    judge = Judge.load(training.judge.save(out / "judge"))
    _say(f"comparing {TEST} pairs about heroes, items and places never seen together ...")
    preferences = judge.compare([pair.comparison for pair in test])
    shown = world.samples(SHOWN, "test")
    scores = judge.score(shown)
    table = _table(test, preferences, seed)
    page = _report(training, table, shown, scores).save(out / "report.html")
    if json:
        print(json_.dumps({line.name: _values(line) for line in table}))
    else:
        rows(("held-out pairs", "accuracy", "low", "high", "pairs"), [_values(line, named=True) for line in table])
    _say(f"judge:  {out / 'judge' / 'judge.yaml'}\nreport: {page}")


def _write(path: Path, pairs: Sequence[Pair]) -> None:
    from judgekit.files import pair_row

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json_.dumps(pair_row(pair))}\n" for pair in pairs), encoding="utf-8")


def _table(pairs: Sequence[Pair], preferences: Sequence[Preference], seed: int) -> list[Line]:
    """Return accuracy over all pairs, by the worse story's only flaw, by bait, and for "the longer story wins"."""
    from judgekit.storyworld import FLAWS

    right = [_points(pair, preference.winner) for pair, preference in zip(pairs, preferences, strict=True)]
    longer = [_points(pair, _longer(pair)) for pair in pairs]

    def line(name: str, points: list[float | None], keep: Callable[[Pair], bool]) -> Line:
        kept = [(p, pair.cluster) for p, pair in zip(points, pairs, strict=True) if p is not None and keep(pair)]
        return Line(name, _estimate(kept, seed), len(kept))

    return [
        line("all", right, lambda _: True),
        *(line(f"flaw: {flaw}", right, partial(_only_flaw, flaw)) for flaw in FLAWS),
        line("worse story baited", right, lambda p: bool(_truth(p, "worse", "baited"))),
        line("longer story wins", longer, lambda _: True),
    ]


def _estimate(points: list[tuple[float, str]], seed: int) -> Estimate | None:
    import numpy as np

    from judgekit.calibration import share

    if len({cluster for _, cluster in points}) < 2:
        return None
    return share([p for p, _ in points], [c for _, c in points], np.random.default_rng(seed))


def _only_flaw(flaw: str, pair: Pair) -> bool:
    return _truth(pair, "worse", "flaws") == [flaw]


def _truth(pair: Pair, side: str, name: str) -> object:
    value = pair.comparison.metadata[side][name]
    return list(value) if isinstance(value, tuple) else value


def _points(pair: Pair, winner: str | None) -> float | None:
    """Return 1 for the right side, 0 for the wrong one, one half for a tie; None where there is no verdict."""
    if winner is None:
        return None
    return 0.5 if winner == "tie" else float(winner == pair.label)


def _longer(pair: Pair) -> str:
    a, b = len(pair.comparison.a.split()), len(pair.comparison.b.split())
    return "a" if a > b else "b" if b > a else "tie"


def _values(line: Line, *, named: bool = False) -> list[object]:
    low_high = [line.accuracy.value, line.accuracy.low, line.accuracy.high] if line.accuracy else [None] * 3
    return [*([line.name] if named else []), *low_high, line.pairs]


def _report(training: ClassifierTraining, table: list[Line], shown: Sequence[Sample], scores: Sequence[Score]) -> Page:
    from judgekit.report import Page

    page = Page("judgekit quickstart")
    page.text(
        f"An embedded classifier (a small sentence encoder and a Bradley-Terry head) was trained on {training.pairs} "
        "pairs of generated stories, and compared new pairs about combinations of hero, item and place that it had "
        "not seen. Intervals are 95 %, from resampling whole outlines.",
        soft=True,
    )
    page.heading("How often it prefers the better story")
    plotted = [(name, a.value, a.low, a.high) for name, a, _ in table if a]
    page.intervals(plotted, chance=0.5)
    page.table(("held-out pairs", "accuracy", "low", "high", "pairs"), [_values(line, named=True) for line in table])
    page.heading("New stories, scored")
    page.text("The score is a Bradley-Terry strength in logits: 0 is the average training story.", soft=True)
    for sample, score in sorted(zip(shown, scores, strict=True), key=lambda pair: -(pair[1].unit or 0.0)):
        flaws = ", ".join(sample.metadata["flaws"]) or "none"
        value = f"{score.value:+.2f}" if score.value is not None else f"unscored ({score.error})"
        page.text(f"{value}  |  planted flaws: {flaws}  |  {sample.prompt}")
        page.quote(sample.response)
    return page


def _say(text: str) -> None:
    typer.echo(text, err=True)
