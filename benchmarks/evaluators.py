"""Four local evaluators trained on generated stories, held against simulated raters, and the best one calibrated.

EpisodeBench trains its evaluators on score distributions of four shapes (normal, uniform, exppos, expneg), and reports
a cell-level Spearman of about .78 with 300 human-rated items, without an interval. Here the same four are trained by
`judgekit train evaluator` (its code, its recipe ``evaluator/storyworld``: a Qwen3 of two layers, from nothing, on a
CPU) and held against ratings of 300 stories, five each of 60 outlines that no evaluator has seen. **The raters are
simulated**: three, each with a severity and a noise of their own, others than those who rated the training stories.

The winner is chosen on 300 further stories of 60 further outlines, so that its figures are not those of the luckiest of
four. All paired tests are adjusted together (Benjamini & Hochberg). The winner's profile is written, loaded with the
judge and applied, and ``report.html`` is what `judgekit calibrate` says of it, the others beside it.
::

    python -m benchmarks.evaluators --out runs/evaluators --json
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from judgekit.calibration import (
    Bootstrap,
    CorrelationDifference,
    Estimate,
    adjust_pvalues,
    compare_correlations,
    correlation,
    krippendorff_alpha,
    leave_one_out,
    split_half,
)
from judgekit.calibration.correlation import Level
from judgekit.files import Results, read_rows, score_row
from judgekit.judges import CalibratedJudge, Judge
from judgekit.storyworld import Outline, World, rate, rated, simulated_raters
from judgekit.studies.analysis import Analysis, analyse, mean
from judgekit.studies.crosscheck import cross_check
from judgekit.studies.gates import gates
from judgekit.studies.profiles import profile
from judgekit.studies.study import Study
from judgekit.studies.table import Ratings, read_ratings
from judgekit.studies.unknown import Unknown, attempt
from judgekit.studies.writing import write as write_study
from judgekit.training.evaluator import EvaluatorRecipe, EvaluatorTraining
from judgekit.training.resampling import Resample
from judgekit.types import Sample

SHAPES: tuple[Resample, ...] = ("normal", "uniform", "exppos", "expneg")
RECIPE = "evaluator/storyworld"
TRAIN = 3000  # stories that each evaluator may learn from, before its shape is drawn from them
OUTLINES, EACH = 60, 5  # of the stories that are rated; as many again to choose the winner on
RATERS = 3
OTHERS = 1000  # added to the seed of the raters who rate for the calibration
BATCH = 64
APPLIED = 40  # stories that the winner scores with its profile
LEVELS: tuple[Level, ...] = ("item", "within_group")
DRAWS = 2000
Maybe = Estimate | Unknown


@dataclass(frozen=True)
class Settings:
    """How a run is made; ``steps``: of SFT, the recipe's own where None."""

    out: Path
    seed: int = 0
    steps: int | None = None
    train: int = TRAIN
    outlines: int = OUTLINES


@dataclass(frozen=True)
class Pair:
    """Two evaluators on the same stories."""

    one: str
    two: str
    level: Level
    test: CorrelationDifference | Unknown
    q: float | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder of the run, which is resumed; else it is thrown away")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="fewer steps of SFT than the recipe's, to try the command")
    parser.add_argument("--train", type=int, default=TRAIN, help="stories to learn from")
    parser.add_argument("--outlines", type=int, default=OUTLINES, help="outlines of five stories to calibrate on")
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = given.out or Path(folder)
        result = run(Settings(out, given.seed, given.steps, given.train, given.outlines))
    if given.json:
        print(json.dumps(result))


def run(settings: Settings) -> dict[str, Any]:
    """Train, score, choose, calibrate; print the tables and return the figures."""
    begin = time.perf_counter()
    choosing, rating = held_out(settings)
    judges = {shape: train(shape, settings) for shape in SHAPES}
    scored = {
        part: {shape: score(path, samples, settings.out / shape / f"{part}.jsonl") for shape, path in judges.items()}
        for part, samples in (("choosing", choosing), ("calibration", rating))
    }
    first = talking(scored["choosing"])
    _, chosen = study(settings.out / "choosing", choosing, scored["choosing"], first, settings.seed)
    winner = best(chosen)
    plan, ratings = study(settings.out / "study", rating, scored["calibration"], winner, settings.seed)
    people, figures = human(ratings), {shape: of_judge(ratings, shape) for shape in SHAPES}
    tests = paired(ratings)
    analysis = analyse(plan, ratings)
    show(ratings, people, figures, tests, winner, analysis)
    applied = calibrated(analysis, judges[winner], choosing, settings.out / "calibrated")
    files = write_study(analysis, gates(analysis), cross_check(analysis), settings.out / "study", settings.out)
    print(f"report: {files['report']}")
    return {
        "simulated": plan.simulated,
        "items": len(ratings.items),
        "raters": len(ratings.raters),
        "people": {name: told(found) for name, found in people.items()},
        "evaluators": {shape: {name: told(it) for name, it in found.items()} for shape, found in figures.items()},
        "tests": [test_row(pair) for pair in tests],
        "winner": winner,
        "profile": applied,
        "seconds": round(time.perf_counter() - begin, 1),
    }


# --- data and training --------------------------------------------------------------------------------------------


def held_out(settings: Settings) -> tuple[list[Sample], list[Sample]]:
    """Return the stories to choose on and those to calibrate on; no outline is in both, and none in training."""
    every = World(settings.seed).grouped(2 * settings.outlines, EACH, "test")
    return every[: len(every) // 2], every[len(every) // 2 :]


def train(shape: Resample, settings: Settings) -> Path:
    """Train one evaluator, or find it finished; return its judge.yaml."""
    world = World(settings.seed)
    samples = world.samples(settings.train)
    recipe = EvaluatorRecipe.load(RECIPE).model_copy(update={"resample": shape, "seed": settings.seed})
    if settings.steps is not None:
        sft = recipe.sft.model_copy(update={"trl": {**recipe.sft.trl, "max_steps": settings.steps}})
        recipe = recipe.model_copy(update={"sft": sft})
    rows = rated(samples, world.ratings(samples, RATERS))
    return EvaluatorTraining(settings.out / shape, recipe, rows, say=lambda line: say(f"{shape}: {line}")).save()


def score(path: Path, samples: Sequence[Sample], out: Path) -> list[float | None]:
    """Return the judge's value for each sample, None where it gave none; what is in ``out`` is not asked again."""
    judge: Judge = Judge.load(path)
    with Results(out, judge.fingerprint) as results:
        remaining = results.remaining(samples)
        while batch := list(islice(remaining, BATCH)):
            results.write(score_row(sample, found) for sample, found in zip(batch, judge.score(batch), strict=True))
            say(f"{out}: {results.done} of {len(samples)}")
    return [row["value"] for _, row in read_rows(out)]


def talking(scores: dict[str, list[float | None]]) -> str:
    """Return the first evaluator that has given a score; stop where none has."""
    for shape, values in scores.items():
        if any(value is not None for value in values):
            return shape
    raise SystemExit("no evaluator has given a single score that can be read; train longer (--steps)")


def study(
    folder: Path, samples: Sequence[Sample], scores: dict[str, list[float | None]], judge: str, seed: int
) -> tuple[Study, Ratings]:
    """Write a study of these scores, as a user would, and read it."""
    folder.mkdir(parents=True, exist_ok=True)
    stories = [{"item": s.id, "group": Outline.parse(s.prompt).id, "text": s.response} for s in samples]
    raters = rate(samples, simulated_raters(RATERS, seed + OTHERS))
    write(folder / "stories.jsonl", stories)
    write(folder / "raters.jsonl", [{"item": r["item"], "rater": r["rater"], "quality": r["score"]} for r in raters])
    rows = [
        {"item": sample.id, "rater": shape, "quality": value}
        for shape, values in scores.items()
        for sample, value in zip(samples, values, strict=True)
    ]
    write(folder / "judges.jsonl", rows)
    plan = {
        "about": f"{len(stories)} generated stories, {RATERS} simulated raters; local evaluators of four shapes.",
        "simulated": True,
        "scale": {"low": 1, "high": 5, "step": 1},
        "items": {"file": "stories.jsonl", "group": "group", "text": "text"},
        "ratings": [
            {"file": "raters.jsonl", "kind": "human", "criteria": ["quality"]},
            {"file": "judges.jsonl", "kind": "judge", "criteria": ["quality"]},
        ],
        "judge": judge,
        "draws": DRAWS,
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    found = Study.load(folder / "study.yaml")
    return found, read_ratings(found, folder)


def calibrated(analysis: Analysis, path: Path, samples: Sequence[Sample], out: Path) -> dict[str, Any]:
    """Write the winner with its profile, load it as anyone would, and let it score stories that the map has not seen.

    Returns the profile's id, how many of the stories got a score and how many of those an interval, and whether the
    rewards rise strictly with the judge's own scores.
    """
    judge: Judge = Judge.load(path)
    made = profile(analysis, fingerprint=judge.fingerprint)
    CalibratedJudge(judge, made).save(out)
    loaded: Judge = Judge.load(out / "judge.yaml")
    scores = [found for found in loaded.score(samples[:APPLIED]) if found.value is not None]
    rewards = {found.raw: found.reward for found in scores}
    rising = [rewards[raw] for raw in sorted(rewards)]
    say(f"{out}: profile {made.id}, applied to {len(scores)} of {len(samples[:APPLIED])} stories")
    return {
        "id": made.id,
        "applied": len(scores),
        "intervals": sum(found.interval is not None for found in scores),
        "rewards_rise": all(low < high for low, high in itertools.pairwise(rising)) if rising else None,
    }


# --- figures ------------------------------------------------------------------------------------------------------


def of_judge(ratings: Ratings, name: str) -> dict[str, Maybe]:
    """Return what one evaluator is worth. With a single criterion, a cell is an item: the two levels are equal."""
    judge, people, groups = scores_of(ratings, name), ratings.human["quality"], ratings.groups
    human, bootstrap = mean(people), Bootstrap(DRAWS)
    ceiling = attempt(lambda: leave_one_out(judge, people, groups=groups, bootstrap=bootstrap))  # within groups

    def spearman(level: Level) -> Maybe:
        return attempt(lambda: correlation(judge, human, level=level, groups=groups, bootstrap=bootstrap))

    return {
        "unscored": attempt(lambda: bootstrap.share(np.isnan(judge), groups)),
        "cell": spearman("cell"),
        "item": spearman("item"),
        "within_group": spearman("within_group"),
        "alpha": attempt(lambda: krippendorff_alpha([judge, human], "interval", units=groups, bootstrap=bootstrap)),
        "against_others": ceiling if isinstance(ceiling, Unknown) else ceiling.judge,
        "ceiling": ceiling if isinstance(ceiling, Unknown) else ceiling.human,
    }


def scores_of(ratings: Ratings, name: str) -> NDArray[np.float64]:
    """Return the scores of an evaluator, NaN where it gave none: everywhere, if it never gave one."""
    silent = {"quality": np.full((1, len(ratings.items)), np.nan)}
    return mean(ratings.judges.get(name, silent)["quality"])


def human(ratings: Ratings) -> dict[str, Maybe]:
    """Return how far the raters agree."""
    people, groups, bootstrap = ratings.human["quality"], ratings.groups, Bootstrap(DRAWS)
    return {
        "alpha": attempt(lambda: krippendorff_alpha(people, "ordinal", units=groups, bootstrap=bootstrap)),
        "reliability": attempt(lambda: split_half(people, units=groups, bootstrap=bootstrap)),
    }


def best(ratings: Ratings) -> Resample:
    """Return the evaluator with the highest correlation within groups, which is what best-of-n and GRPO live on."""

    def value(shape: str) -> float:
        found = of_judge(ratings, shape)["within_group"]
        return found.value if isinstance(found, Estimate) else -math.inf

    return max(SHAPES, key=value)


def paired(ratings: Ratings) -> list[Pair]:
    """Test every two evaluators against each other at two levels; q over all of these tests."""
    scores = {shape: scores_of(ratings, shape) for shape in SHAPES}
    people, groups, bootstrap = mean(ratings.human["quality"]), ratings.groups, Bootstrap(DRAWS)
    asked = [(one, two, level) for level in LEVELS for one, two in itertools.combinations(SHAPES, 2)]

    def test(one: str, two: str, level: Level) -> CorrelationDifference | Unknown:
        return attempt(
            lambda: compare_correlations(
                scores[one], scores[two], people, level=level, groups=groups, bootstrap=bootstrap
            )
        )

    found = [test(*names) for names in asked]
    q = adjust_pvalues([None if isinstance(it, Unknown) else it.p for it in found], "bh")
    return [Pair(*names, it, value) for names, it, value in zip(asked, found, q, strict=True)]


# --- words --------------------------------------------------------------------------------------------------------


def show(
    ratings: Ratings,
    people: dict[str, Maybe],
    figures: dict[str, dict[str, Maybe]],
    tests: Iterable[Pair],
    winner: Resample,
    analysis: Analysis,
) -> None:
    """Print the tables."""
    groups = len(set(ratings.groups))
    print(f"{len(ratings.items)} stories of {groups} outlines, {len(ratings.raters)} SIMULATED raters")
    for name, found in people.items():
        print(f"  raters, {name}: {words(found)}")
    names = list(figures[winner])
    print(f"\n{'evaluator':12}" + "".join(f"{name:24}" for name in names))
    for shape, found in figures.items():
        print(f"{shape:12}" + "".join(f"{words(found[name]):24}" for name in names))
    print(f"\n{'paired test':32}{'difference of Spearman':28}q (BH)")
    for pair in tests:
        difference = pair.test if isinstance(pair.test, Unknown) else pair.test.difference
        q = "" if pair.q is None else f"{pair.q:.4f}"
        print(f"{f'{pair.one} - {pair.two}, {pair.level}':32}{words(difference):28}{q}")
    quality = analysis.criteria["quality"]
    kind = "none" if isinstance(quality.choice, Unknown) else quality.choice.kind
    print(f"\nchosen on other stories: {winner}; its map: {kind}; mean absolute error {words(quality.before)} before")
    print(f"the map, {words(quality.after)} after it")


def words(found: Maybe) -> str:
    return "not estimable" if isinstance(found, Unknown) else str(found)


def told(found: Maybe) -> list[float | None] | str:
    """Return value, low and high; or why there are none."""
    return found.reason if isinstance(found, Unknown) else [found.value, found.low, found.high]


def test_row(pair: Pair) -> dict[str, Any]:
    names = {"one": pair.one, "two": pair.two, "level": pair.level}
    if isinstance(pair.test, Unknown):
        return {**names, "unknown": pair.test.reason}
    return {**names, "difference": told(pair.test.difference), "p": pair.test.p, "q": pair.q}


def write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731


if __name__ == "__main__":
    main()
