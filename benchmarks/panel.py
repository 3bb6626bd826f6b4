"""A panel of judges beside its members and beside people, on real stories.

HANNA: 96 prompts x 11 systems, five judges asked with four prompts each, three human raters a story. Weights and maps
are fitted on nine tenths of the prompts and tested on the rest, the kind of weights chosen anew each time; the errors
and correlations are those of stories whose prompt had no part in any of it.

- ``judge pN``: a judge as it is; ``plain mean``: of the twenty; ``panel``: weights of the criterion's own scores;
  ``panel, six``: ridge weights of the scores for all six criteria.
- Against the best judge (the best in hindsight, which favours it) and against the plain mean: the difference of the
  correlations with the mean of the three raters.
- Against one human: each rater, and the panel, against the mean of the same other two (`leave_one_out`, over raters and
  not over columns of the file: raters differ in severity, and a column mixes them). And the alternative annotator test
  of the panel on the steps of the scale, at the epsilon for crowd workers, beside that of one score for every story.
::

    python -m benchmarks.panel --data ../shared/data/hanna --json
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from judgekit.calibration import (
    AltTest,
    Estimate,
    LeaveOneOut,
    alt_test,
    choose,
    compare_correlations,
    correlation,
    effective_judges,
    fit_panel,
    leave_one_out,
)
from judgekit.calibration.correlation import Level
from judgekit.calibration.estimate import Array

CRITERIA = ("relevance", "coherence", "empathy", "surprise", "engagement", "complexity")
SCALE = (1.0, 5.0)
EPSILON = 0.1  # for crowd workers, in the paper of the test
Row = dict[str, str]
LEVELS: tuple[Level, Level] = ("item", "within_group")


@dataclass(frozen=True)
class Hanna:
    """``judges``: (judges, criteria, stories), ``ratings``: (raters, criteria, stories), NaN where a rater has none."""

    names: list[str]
    judges: Array
    ratings: Array
    prompts: Array

    @classmethod
    def read(cls, folder: Path) -> Hanna:
        stories = {row["story_id"]: int(row["prompt_id"]) for row in table(folder / "stories.csv.gz")}
        at = {story: k for k, story in enumerate(stories)}
        names, judges = cube(
            table(folder / "llm_ratings.csv.gz"), lambda row: f"{row['judge']} p{row['eval_prompt']}", at
        )
        _, ratings = cube(table(folder / "human_ratings.csv.gz"), lambda row: row["rater"], at)
        return cls(names, judges, ratings, np.array(list(stories.values())))


def table(path: Path) -> list[Row]:
    csv.field_size_limit(1 << 24)
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def cube(
    rows: list[dict[str, str]], name: Callable[[dict[str, str]], str], at: dict[str, int]
) -> tuple[list[str], Array]:
    names = sorted({name(row) for row in rows})
    found = np.full((len(names), len(CRITERIA), len(at)), np.nan)
    for row in rows:
        for c, criterion in enumerate(CRITERIA):
            if row[criterion]:
                found[names.index(name(row)), c, at[row["story_id"]]] = float(row[criterion])
    return names, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of HANNA's tables")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    data = Hanna.read(arguments.data)
    found = {criterion: measured(data, c, criterion) for c, criterion in enumerate(CRITERIA)}
    print("\nthe panel (six criteria) against one human, on the same other two; and as an annotator in one's place")
    for level in LEVELS:
        words = {name: verdict(one["human"][level]) for name, one in found.items()}
        print(f"  {'overall' if level == 'item' else 'within prompts':16}", words)
    print(f"  {'alt-test':16}", {name: one["alt_test"]["passed"] for name, one in found.items()})
    if arguments.json:
        print(json.dumps(found))


def measured(data: Hanna, c: int, criterion: str) -> dict[str, object]:
    human, judges, prompts = np.nanmean(data.ratings[:, c], axis=0), data.judges[:, c], data.prompts
    panel = fit_panel(judges, human, groups=prompts, scale=SCALE)
    whole = choose(data.judges.reshape(-1, len(human)), human, prompts, kinds=("stack",), scale=SCALE)
    rows = dict(zip(data.names, judges, strict=True)) | {"plain mean": judges.mean(0)}
    rows |= {f"panel ({panel.choice.kind})": panel.choice.predicted, "panel, six": whole.predicted}
    five = effective_judges(judges.reshape(5, 4, -1).mean(1), human, units=prompts)
    print(
        f"\n{criterion}: {len(data.names)} judges are worth {panel.effective} with errors of their own; the five {five}"
    )
    print(f"  error on other prompts: panel {panel.choice.error}, panel of six criteria {whole.error}")
    print(f"  {'correlation (Spearman)':22}{'overall':>24}{'within prompts':>24}")
    values = {name: {level: spearman(row, human, level, prompts) for level in LEVELS} for name, row in rows.items()}
    for name, by_level in values.items():
        print(f"  {name:22}" + "".join(f"{by_level[level]!s:>24}" for level in LEVELS))
    gains = against(rows, values, data.names, human, prompts)
    people = {level: one_human(whole.predicted, data.ratings[:, c], prompts, level) for level in LEVELS}
    test, constant = replacing(np.rint(whole.predicted), data.ratings[:, c], prompts)
    for name, one in (("panel", test), ("one score for all", constant)):
        outcome = "passed" if one.passed else "not passed"
        print(f"  alt-test, {name}: winning rate {one.winning_rate:.2f}, advantage {one.advantage}, {outcome}")
    return {
        "effective": plain(panel.effective),
        "error": {"panel": plain(panel.choice.error), "six": plain(whole.error)},
        "correlation": {name: {level: plain(one) for level, one in row.items()} for name, row in values.items()},
        "gain": gains,
        "human": people,
        "alt_test": {"winning_rate": test.winning_rate, "advantage": plain(test.advantage), "passed": test.passed},
        "constant": {"winning_rate": constant.winning_rate, "advantage": plain(constant.advantage)},
    }


def replacing(written: Array, ratings: Array, prompts: Array) -> tuple[AltTest, AltTest]:
    """Return the alt-test of scores on the steps of the scale, and that of the best single score for all stories."""

    def test(scores: Array) -> AltTest:
        return alt_test(scores, ratings, EPSILON, "neg_rmse", units=prompts)

    below = np.floor(np.nanmean(np.nanmean(ratings, axis=0)))
    constants = [test(np.full(len(written), at)) for at in (below, below + 1)]
    return test(np.clip(written, *SCALE)), max(constants, key=lambda one: one.advantage.value)


def spearman(row: Array, human: Array, level: Level, prompts: Array) -> Estimate:
    return correlation(row, human, level=level, groups=prompts)


def against(
    rows: dict[str, Array], values: dict[str, dict[str, Estimate]], judges: list[str], human: Array, prompts: Array
) -> dict[str, object]:
    """Return, and print, the differences to the best judge and to the plain mean."""
    found: dict[str, object] = {}
    for panel in list(rows)[-2:]:
        for level in LEVELS:
            best = max(judges, key=lambda name: values[name][level].value)
            for other in (best, "plain mean"):
                gap = compare_correlations(rows[panel], rows[other], human, level=level, groups=prompts)
                print(f"  {panel} - {other}, {level}: {gap.difference}, p {gap.p:.4f}")
                key = "best" if other == best else "mean"
                found[f"{panel.split(' (')[0]} - {key}, {level}"] = plain(gap.difference) | {"p": gap.p, "other": other}
    return found


def one_human(panel: Array, ratings: Array, prompts: Array, level: Level) -> dict[str, object]:
    """Return, and print, a rater and the panel against the same other two."""
    found: LeaveOneOut = (
        leave_one_out(panel, ratings, groups=prompts)
        if level == "within_group"
        else leave_one_out(panel, ratings, units=prompts)
    )
    print(
        f"  one human against the other two, {level}: {found.human}; panel {found.judge}; "
        f"difference {found.difference}, p {found.p:.4f}; it equals {found.equals} raters"
    )
    return {
        "human": plain(found.human), "panel": plain(found.judge), "difference": plain(found.difference), "p": found.p,
        "raters": found.equals and plain(found.equals),
    }  # fmt: skip


def verdict(one: dict[str, dict[str, float]]) -> str:
    low, high = one["difference"]["low"], one["difference"]["high"]
    return "passes" if low > 0 else "falls short" if high < 0 else "cannot be told apart"


def plain(one: Estimate) -> dict[str, float | None]:
    numbers = {"value": one.value, "low": one.low, "high": one.high}
    return {key: None if number is None or np.isinf(number) else round(number, 4) for key, number in numbers.items()}


if __name__ == "__main__":
    main()
