"""How often every interval of a report of ``judgekit calibrate`` holds the truth, beside public packages; simulated.

A run draws one study: prompts with 3 to 12 answers each, of 12 systems; people with a severity and a noise of their own
rate them from 1 to 5; two judges err alike, by prompt and by system too, and a judge's score is missing now and then.
All intervals come from the same study, by the calls of `judgekit.studies.analysis`: whole prompts are drawn.

The truth is that of the same systems and the same raters (a report is about the people that it names, and of two of
them it is another value than of five) on endlessly many prompts: the mean value in 5 draws of 20,000. For a map, a
panel, the epsilon of a tie or an interval for one item it is what the very one that this study would serve does on the
first 20,000 (`SERVED`); where it says "such", its mean over all runs instead: what one fitted to so many prompts does.
"Off" is the percentage of intervals that lie below the truth, and above it.

The public packages draw items, or take them for independent; the rows "not printed" are our intervals for what they
estimate. Where one is not installed its rows say so. ``--out`` keeps what is done, so that a run that was ended goes
on. ::

    python -m benchmarks.coverage_study --runs 2000 --out cells.jsonl --json
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.coverage_public import DRAWS, PUBLIC
from benchmarks.simulated_study import STUDY, Array, Drawn, draw
from judgekit.calibration import (
    Bootstrap,
    Estimate,
    Finding,
    NotEstimableError,
    alt_test,
    concordance,
    correlation,
    gwet_ac,
    icc,
    krippendorff_alpha,
    pairwise_accuracy,
    split_half,
)
from judgekit.studies.served import level
from judgekit.studies.systems import mean_of, rank_of
from judgekit.studies.unknown import Unknown

T = TypeVar("T")
Row = dict[str, Any]
PROMPTS, RATERS = (15, 30, 96), (2, 3, 5)
FIRST = "0"  # the system that is looked at
LARGE, TIMES = 20_000, 5  # prompts of a draw that gives the truth, and how many are averaged
SLOW = 4  # times fewer runs of what takes long


def known(value: T | Unknown | None) -> T:
    if value is None or isinstance(value, Unknown):
        raise NotEstimableError("not estimable")
    return value


def probe(s: Drawn, name: str) -> Finding:
    return known(next((found for found in s.bias.findings if found.name == name), None))


PRINTED: dict[str, Callable[[Drawn], Estimate]] = {
    "people: alpha": lambda s: krippendorff_alpha(s.people, STUDY.level, **s.how),
    "people: AC2": lambda s: gwet_ac(s.people, "quadratic", **s.how),
    "people: ICC2": lambda s: icc(s.people, "ICC2", **s.how),
    "people: split halves": lambda s: split_half(s.people, **s.how),
    "rho, items": lambda s: s.rho("item"),
    "rho, within groups": lambda s: s.rho("within_group"),
    "rho, systems": lambda s: s.rho("system"),
    "tau-b, within groups": lambda s: s.rho("within_group", "kendall"),
    "a system: people's mean": lambda s: mean_of(s.systems.people, FIRST),
    "a system: the judge's mean": lambda s: mean_of(s.systems.judge, FIRST),
    "a system: people's rank": lambda s: rank_of(s.systems.people, FIRST),
    "a system: the judge's rank": lambda s: rank_of(s.systems.judge, FIRST),
    "alpha with people": lambda s: krippendorff_alpha([s.judge, s.human], "interval", **s.how),
    "concordance": lambda s: concordance(s.judge, s.human, **s.how),
    "ceiling: one person": lambda s: s.ceiling.human,
    "ceiling: the judge": lambda s: s.ceiling.judge,
    "ceiling: difference": lambda s: s.ceiling.difference,
    "ceiling: worth in raters": lambda s: known(s.ceiling.equals),
    "alt-test: advantage": lambda s: alt_test(s.judge, s.people, STUDY.epsilon, "neg_rmse", **s.how).advantage,
    "alt-test: of one score for all": lambda s: s.constant(),
    "limits: bias": lambda s: s.limits.bias,
    "limits: lower": lambda s: s.limits.lower,
    "limits: upper": lambda s: s.limits.upper,
    "limits: trend": lambda s: known(s.limits.trend),
    "mean absolute error": lambda s: s.error(s.judge),
    "mean less people's (90 %)": lambda s: known(level(STUDY, s.judge, s.human, s.prompt)).difference,
    "items without a score": lambda s: s.bootstrap.share(np.isnan(s.judge) * 1.0, s.prompt),
    "two judges, within groups": lambda s: s.rival(),
    "bias: length": lambda s: probe(s, "length").effect,
    "bias: length, in points": lambda s: probe(s, "length").points,
    "bias: severity": lambda s: probe(s, "severity").effect,
    "bias: spread": lambda s: probe(s, "spread").effect,
    "bias: slope": lambda s: probe(s, "slope").effect,
    "panel: independent judges": lambda s: s.panel.effective,
}
SERVED: dict[str, tuple[Callable[[Drawn], Estimate], Callable[[Drawn, Drawn], float]]] = {
    "pairs in order": (
        lambda s: s.ties.accuracy, lambda s, p: float(np.mean([in_order(p, at) for at in s.ties.epsilons]))
    ),
    "map: mean absolute error": (lambda s: s.error(s.choice.predicted), lambda s, p: float(np.abs(s.off(p)).mean())),
    "map: root mean squared error": (lambda s: s.choice.error, lambda s, p: float(np.sqrt((s.off(p) ** 2).mean()))),
    "map: mean less people's (90 %)": (
        lambda s: known(known(s.served).level).difference, lambda s, p: float(s.off(p).mean())
    ),
    "map: items its intervals hold": (lambda s: known(known(s.served).covered), lambda s, p: s.holds(p)),
    "panel: root mean squared error": (lambda s: s.panel.choice.error, lambda s, p: math.sqrt(s.panel_error(p))),
    "panel: worth of the judge": (
        lambda s: s.panel.worth[0], lambda s, p: s.panel_error(p, without=0) - s.panel_error(p)
    ),
    "panel: worth of the other": (
        lambda s: s.panel.worth[1], lambda s, p: s.panel_error(p, without=1) - s.panel_error(p)
    ),
}  # fmt: skip
SUCH: dict[str, Callable[[Drawn], Estimate]] = {
    "map: items such intervals hold": lambda s: known(known(s.served).covered),
    "map: advantage of such (alt-test)": lambda s: known(known(s.served).alternative).advantage,
    "map: error of the surest half": lambda s: s.surest(0.5),
    "systems: soft pairwise accuracy": lambda s: known(s.systems.soft),
}
BESIDE: dict[str, Callable[[Drawn], Estimate]] = {
    "Pearson's r (not printed)": lambda s: correlation(s.judge, s.human, "pearson", **s.how),
    "alpha, interval (not printed)": lambda s: krippendorff_alpha(s.people, "interval", **s.how),
}
OURS = PRINTED | {name: estimate for name, (estimate, _) in SERVED.items()} | SUCH | BESIDE
NAMES = (*OURS, *PUBLIC)


def wanted(name: str, runs: int) -> int:
    slow = name.startswith(("map", "panel", "scipy bootstrap"))
    return max(runs // SLOW, 1) if slow else runs


def interval(name: str, study: Drawn) -> list[float]:
    """Return value and ends, NaN where there are none, and the truth where it is this study's own, else NaN."""
    if name in PUBLIC:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of packages about their own future
            return [math.nan, *PUBLIC[name][2](study), math.nan]
    try:
        found = OURS[name](study)
    except NotEstimableError:
        return [math.nan] * 4
    own = SERVED[name][1](study, population(len(study.people))) if name in SERVED else math.nan
    return [found.value, *(math.nan if end is None else end for end in (found.low, found.high)), own]


@cache
def population(raters: int, which: int = 0) -> Drawn:
    return draw(np.random.default_rng(which), LARGE, raters, Bootstrap(100, "percentile"))


@cache
def in_order(study: Drawn, epsilon: float) -> float:
    return pairwise_accuracy(study.judge, study.human, epsilon, groups=study.prompt, bootstrap=Bootstrap(100)).value


@cache
def truth(name: str, raters: int) -> float:
    of = PUBLIC[name][1] if name in PUBLIC else name
    return float(np.mean([OURS[of](population(raters, which)).value for which in range(TIMES)]))


def cell(names: list[str], prompts: int, raters: int, runs: int) -> list[Row]:
    """Return what the intervals of one size of study did."""
    ends: dict[str, list[list[float]]] = {name: [] for name in names}
    for run in range(runs):
        study = draw(np.random.default_rng([prompts, raters, run]), prompts, raters, Bootstrap(DRAWS, seed=run))
        for name in names:
            if run < wanted(name, runs):
                ends[name].append(interval(name, study))
    return [judged(name, prompts, raters, np.array(ends[name])) for name in names]


def judged(name: str, prompts: int, raters: int, ends: Array) -> Row:
    if name in SERVED:
        true = ends[:, 3]
    else:
        true = np.full(len(ends), np.nanmean(ends[:, 0]) if name in SUCH else truth(name, raters))
    return {"name": name, "prompts": prompts, "raters": raters, "runs": len(ends)} | compared(true, ends)


def compared(true: Array, ends: Array) -> Row:
    """Hold the truth of each run against its value, low and high, NaN where there is no interval."""
    value, low, high = ends[:, :3].T
    shares = {"held": (low <= true) & (true <= high), "below": high < true, "above": low > true, "none": np.isnan(low)}
    means = {
        what: float(np.nanmean(some)) if (~np.isnan(some)).any() else None
        for what, some in (("truth", true), ("mean", value))
    }
    return means | {what: float(share.mean()) for what, share in shares.items()}


def cells(names: list[str], runs: int, out: Path | None, processes: int) -> Iterator[Row]:
    """Yield every row, those of ``out`` first; new ones are added to it."""
    done = [json.loads(line) for line in out.read_text().splitlines()] if out and out.exists() else []
    kept = {
        (row["name"], row["prompts"], row["raters"]): row for row in done if row["runs"] == wanted(row["name"], runs)
    }
    yield from (row for row in kept.values() if row["name"] in names)
    with ProcessPoolExecutor(processes) as pool:
        jobs = []
        for prompts in PROMPTS:
            for raters in RATERS:
                left = [name for name in names if (name, prompts, raters) not in kept]
                jobs += [pool.submit(cell, left, prompts, raters, runs)] if left else []
        for job in jobs:
            rows = job.result()
            if out:
                with out.open("a") as file:
                    file.writelines(json.dumps(row) + "\n" for row in rows)
            yield from rows


def line(name: str, found: dict[tuple[int, int], Row]) -> str:
    """Return a row of the table: percent that held, ``!`` beyond 2 points of what is promised."""
    if not found:
        return f"{name:34} not installed"
    promised = 90 if "90 %" in name else 95
    shown = [100 * found[k, r]["held"] if (k, r) in found else math.nan for k in PROMPTS for r in RATERS]
    below, above = (100 * np.mean([row[side] for row in found.values()]) for side in ("below", "above"))
    marks = "".join(f"{it:7.1f}{'!' if abs(it - promised) > 2 else ' '}" for it in shown)
    return f"{name:34}{marks}  {next(iter(found.values()))['runs']:5}  {below:4.1f} {above:4.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000, help=f"what takes long is run {SLOW} times less often")
    parser.add_argument("--only", default="", help="part of the name of an interval")
    parser.add_argument("--out", type=Path, help="JSON lines: what is done, kept")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    args = parser.parse_args()
    names = [name for name in NAMES if args.only in name]
    able = [name for name in names if name not in PUBLIC or find_spec(PUBLIC[name][0])]
    table: dict[str, dict[tuple[int, int], Row]] = {name: {} for name in names}
    for row in cells(able, args.runs, args.out, args.processes):
        table[row["name"]][row["prompts"], row["raters"]] = row
    print(f"{'% that hold; prompts/raters':34}" + "".join(f"{f'{k}/{r}':>7} " for k in PROMPTS for r in RATERS), end="")
    print("   runs  off: below, above")
    for name in names:
        print(line(name, table[name]))
    if args.json:
        held = {name: {f"{k}/{r}": row["held"] for (k, r), row in found.items()} for name, found in table.items()}
        print(json.dumps(held))


if __name__ == "__main__":
    main()
