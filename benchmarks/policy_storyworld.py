"""The recipe storyworld-episodes, with and without its diversity channel, over several seeds.

Each seed: a tiny model from nothing learns from replies with stated faults (SFT), then GRPO trains it twice from there,
with the four channels of EpisodeBench and without R_div. All are measured on turns of stories that no training has
seen, K = 4 responses each, and in played stories. Intervals: stories are drawn whole, the seeds of a story with it, so
they are those of the mean over these seeds; each seed's own figures stand beside it.

``seconds`` is the longest run of a seed (SFT, GRPO, both evaluations), as ``judgekit policy train`` does it::

    python -m benchmarks.policy_storyworld --seeds 3 --json
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from judgekit.calibration import Estimate
from judgekit.cli.show import rows
from judgekit.episodes import Played
from judgekit.episodes.contrasts import Contrast
from judgekit.episodes.measures import Item, measure_timing
from judgekit.episodes.metrics import Row, metric_table
from judgekit.models.local import LocalConfig
from judgekit.policy.evaluation import Evaluation, evaluate
from judgekit.policy.evaluation.contrasts import turn_contrasts
from judgekit.policy.evaluation.episodebench import TURNS
from judgekit.policy.evaluation.policy import LocalPolicy
from judgekit.policy.recipe import Asking, PolicyRecipe
from judgekit.policy.training import PolicyTraining

RECIPE = "storyworld-episodes"
FIGURES = {"accuracy": "acc@1", "json": "json@", "length": "length ", "on_time": "on time", "diversity": "diversity@"}
Runs = Sequence[Evaluation]


@dataclass(frozen=True)
class Seed:
    """One seed: before GRPO, after it, and after it without R_div."""

    before: Evaluation
    after: Evaluation
    without: Evaluation
    seconds: float


def recipe_of(seed: int, *, diversity: bool) -> tuple[PolicyRecipe, Path]:
    recipe, home = PolicyRecipe.load(RECIPE)
    kept = tuple(c for c in recipe.reward.channels if diversity or c.channel != "diversity")
    return recipe.model_copy(update={"seed": seed, "reward": recipe.reward.model_copy(update={"channels": kept})}), home


def measured(how: Asking, model: LocalConfig, folder: Path) -> Evaluation:
    asked: dict[str, Any] = {"decoding": how.decoding, "k": how.k, "play": how.play, "band": how.length}
    found = evaluate(LocalPolicy(model), how.data.load(), folder, size=how.batch, **asked)
    found.save(found.tables())
    return found


def run(seed: int, folder: Path) -> Seed:
    begin = time.monotonic()
    recipe, home = recipe_of(seed, diversity=True)
    training = PolicyTraining(folder / "with", recipe, home, say=print)
    how = recipe.evaluation
    if how is None or training.sft is None:
        raise SystemExit(f"{RECIPE} has no evaluation or no SFT")
    before = measured(how, training.sft.model, folder / "before")
    after = measured(how, training.grpo.model, folder / "after")
    seconds = time.monotonic() - begin
    for stage in ("base", "sft"):  # both have one start
        shutil.copytree(folder / "with" / stage, folder / "without" / stage, dirs_exist_ok=True)
    plain, _ = recipe_of(seed, diversity=False)
    without = measured(how, PolicyTraining(folder / "without", plain, home, say=print).grpo.model, folder / "no-r-div")
    return Seed(before, after, without, seconds)


def items_of(runs: Runs) -> list[Item]:
    return [replace(item, id=f"{i}/{item.id}") for i, one in enumerate(runs) for item in one.items]


def played_of(runs: Runs) -> list[Played]:
    return [replace(it, conversation=f"{i}/{it.conversation}") for i, one in enumerate(runs) for it in one.played]


def named(metrics: Iterable[str]) -> dict[str, str]:
    """Return what each figure is called in the tables."""
    known = list(metrics)
    return {figure: next(m for m in known if m.startswith(begin)) for figure, begin in FIGURES.items()}


def rows_of(runs: Runs) -> dict[str, Row]:
    return {**metric_table(items_of(runs)).rows, **metric_table(measure_timing(played_of(runs))).rows}


def figures(found: dict[str, Row]) -> dict[str, list[float | None]]:
    return {figure: three(found[metric].estimate) for figure, metric in named(found).items()}


def three(it: Estimate | None) -> list[float | None]:
    return [None] * 3 if it is None else [it.value, it.low, it.high]


def contrasts(one: Runs, two: Runs) -> list[Contrast]:
    return turn_contrasts(items_of(one), items_of(two), (played_of(one), played_of(two)))[TURNS]


def show(title: str, found: Sequence[Contrast]) -> None:
    print(f"\n{title}")
    told = [(c.metric, *three(c.difference), c.p, c.q, c.stars, c.reason) for c in found]
    rows(("", "difference", "low", "high", "p", "q", "", ""), told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="Folder for the runs; an unfinished one goes on.")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.out or Path(scratch)
        seeds = [run(seed, folder / f"seed-{seed}") for seed in range(given.seeds)]
        stages = {
            "before": [one.before for one in seeds],
            "after": [one.after for one in seeds],
            "without_diversity": [one.without for one in seeds],
        }
        found = {name: rows_of(runs) for name, runs in stages.items()}
        for name, runs in stages.items():
            print(f"\n{name}: all seeds, then each")
            lines = [figures(found[name]), *(figures(rows_of([one])) for one in runs)]
            rows(("", *FIGURES), [(i or "all", *(told(line[f]) for f in FIGURES)) for i, line in enumerate(lines)])
        show("after less before", contrasts(stages["before"], stages["after"]))
        show("with R_div less without", contrasts(stages["without_diversity"], stages["after"]))
        accuracy = found["after"]["acc@1"]
        print(f"\naccuracy above always staying: {accuracy.gain}")
        line = {name: figures(it) for name, it in found.items()}
        stay = accuracy.always_stay and accuracy.always_stay.value
        seconds = max(one.seconds for one in seeds)
        print(json.dumps({**line, "always_stay": stay, "gain": three(accuracy.gain), "seconds": round(seconds, 1)}))


def told(it: Sequence[float | None]) -> str:
    return "-" if None in it else "{:.3f} [{:.3f}, {:.3f}]".format(*it)


if __name__ == "__main__":
    main()
