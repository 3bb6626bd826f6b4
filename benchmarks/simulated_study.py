"""Studies of a population that is known: people and two judges who score answers of 12 systems to some prompts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage import shared
from judgekit.calibration import (
    Audit,
    BlandAltman,
    Bootstrap,
    Choice,
    Estimate,
    LeaveOneOut,
    NotEstimableError,
    Panel,
    TieCalibration,
    alt_test,
    audit,
    bland_altman,
    choose,
    compare_correlations,
    conformal,
    correlation,
    fit,
    fit_panel,
    leave_one_out,
    tie_calibration,
)
from judgekit.studies.doubt import keep
from judgekit.studies.served import COVERAGE, Served, served
from judgekit.studies.study import Study
from judgekit.studies.systems import Systems, systems_of
from judgekit.studies.unknown import Unknown

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
LEVELS = np.linspace(-0.8, 0.8, 12)  # of the systems, and what the judges make of them beyond it
TASTE = np.array([0.3, -0.2, 0.1, 0.4, -0.3, 0.0, 0.25, -0.35, 0.15, -0.1, -0.4, 0.2])
SEVERITY, NOISE = np.array([-0.3, 0.2, 0.0, 0.4, -0.2]), np.array([0.5, 0.7, 0.6, 0.8, 0.6])
RATINGS = {"file": "drawn", "kind": "column", "criterion": "criterion"}
STUDY = Study.model_validate({"scale": {"low": 1, "high": 5, "step": 1}, "judge": "judge", "ratings": [RATINGS]})
SOME = 10_000  # items on which intervals for one item are tried: those of few labels are slow
SCALE = (STUDY.scale.low, STUDY.scale.high)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A study, and what `judgekit.studies.analysis` asks of it: people (raters, items), all else (items,)."""

    people: Array
    judge: Array
    second: Array
    words: Array
    prompt: Ints
    system: Ints
    bootstrap: Bootstrap

    @cached_property
    def how(self) -> dict[str, Any]:
        return {"units": self.prompt, "bootstrap": self.bootstrap}

    @cached_property
    def human(self) -> Array:
        return np.asarray(self.people.mean(0))

    @cached_property
    def ceiling(self) -> LeaveOneOut:
        return leave_one_out(self.judge, self.people, groups=self.prompt, **self.how)

    @cached_property
    def ties(self) -> TieCalibration:
        return tie_calibration(self.judge, self.human, groups=self.prompt, **self.how)

    @cached_property
    def limits(self) -> BlandAltman:
        return bland_altman(self.judge, self.human, **self.how)

    @cached_property
    def bias(self) -> Audit:
        return audit(self.judge[:, None], self.people[:, :, None], length=self.words, **self.how)

    @cached_property
    def choice(self) -> Choice:
        return choose(self.judge, self.human, self.prompt, scale=SCALE, bootstrap=self.bootstrap)

    @cached_property
    def served(self) -> Served | Unknown:
        study = STUDY.model_copy(update={"draws": self.bootstrap.draws, "seed": self.bootstrap.seed})
        return served(study, self.choice, self.judge, self.people, self.human, self.prompt, None)

    @cached_property
    def panel(self) -> Panel:
        both = np.stack([self.judge, self.second])
        return fit_panel(both, self.human, groups=self.prompt, scale=SCALE, bootstrap=self.bootstrap)

    @cached_property
    def systems(self) -> Systems:
        names = tuple(map(str, self.system.tolist()))
        found = systems_of(self.judge, self.human, self.prompt, names, self.bootstrap)
        if isinstance(found, Unknown):
            raise NotEstimableError(found.reason)
        return found

    def rho(self, at: Any, method: Any = "spearman") -> Estimate:
        named = {"groups": self.prompt, "systems": self.system, "bootstrap": self.bootstrap}
        return correlation(self.judge, self.human, method, level=at, **named)

    def surest(self, share: float) -> Estimate:
        """Return the error after the map where at least this share of the items is kept, the surest."""
        found = keep(
            self.judge[None], [self.second], self.choice.predicted, self.human, SCALE, self.prompt, self.bootstrap
        )
        return next(one.risk for one in found.steps if one.risk and one.share.value >= share)

    def error(self, score: Array) -> Estimate:
        off = np.abs(score - self.human)
        return self.bootstrap.mean(off[~np.isnan(off)], self.prompt[~np.isnan(off)])

    def off(self, other: Drawn) -> Array:
        """Return by how much this study's map misses the people of another, where there is a score."""
        off = self.choice.map.apply(other.judge) - other.human
        return np.asarray(off[~np.isnan(off)])

    def holds(self, other: Drawn) -> float:
        """Return how often this study's intervals for one item hold the mean rating of another's, the first `SOME`."""
        known, named = (
            np.flatnonzero(~np.isnan(other.judge))[:SOME],
            {"groups": self.prompt, "coverage": COVERAGE, "scale": SCALE},
        )
        low, high = conformal(self.choice.kind, self.judge, self.human, **named).interval(other.judge[known])
        return float(((low - 1e-9 <= other.human[known]) & (other.human[known] <= high + 1e-9)).mean())

    def panel_error(self, other: Drawn, without: int | None = None) -> float:
        """Return the mean squared error in another study of this one's panel, or of it fitted without a judge."""
        known = ~np.isnan(self.judge), ~np.isnan(other.judge)
        mine, theirs = (np.stack([s.judge, s.second])[:, at] for s, at in zip((self, other), known, strict=True))
        if without is not None:
            mine, theirs = (np.delete(scores, without, axis=0) for scores in (mine, theirs))
        fitted = fit(self.panel.choice.kind, mine, self.human[known[0]], scale=SCALE)
        return float(((fitted.apply(theirs) - other.human[known[1]]) ** 2).mean())

    def constant(self) -> Estimate:
        below = math.floor(self.human.mean())
        tests = [alt_test(np.full(len(self.human), at), self.people, STUDY.epsilon, "neg_rmse", **self.how)
                 for at in (float(below), below + 1.0)]  # fmt: skip
        return max((test.advantage for test in tests), key=lambda found: found.value)

    def rival(self) -> Estimate:
        named: Any = {"level": "within_group", "groups": self.prompt, "bootstrap": self.bootstrap}
        return compare_correlations(self.judge, self.second, self.human, **named).difference


def grid(latent: Array, step: float = 1.0) -> Array:
    return np.clip(np.round(latent / step) * step, *SCALE)


def draw(rng: np.random.Generator, prompts: int, raters: int, bootstrap: Bootstrap) -> Drawn:
    """Draw a study; 3 parts in 10 of the variance of quality, and of what a judge adds to it, are a prompt's."""
    sizes = rng.integers(3, 13, prompts)
    prompt, n = np.repeat(np.arange(prompts), sizes), int(sizes.sum())
    order = rng.permuted(np.tile(np.arange(12), (prompts, 1)), axis=1)
    system = order[np.arange(12) < sizes[:, None]]
    quality = LEVELS[system] + 0.8 * shared(rng, prompt)
    doublings = 0.25 * quality + 0.6 * rng.normal(size=n)
    common = TASTE[system] + 0.1 * doublings + 0.5 * shared(rng, prompt)
    people = grid(3 + quality + SEVERITY[:raters, None] + NOISE[:raters, None] * rng.normal(size=(raters, n)))
    judge = grid(3.2 + 0.8 * quality + common + 0.4 * shared(rng, prompt), 0.5)
    second = grid(3.0 + 0.7 * quality + common + 0.6 * shared(rng, prompt), 0.5)
    judge[rng.random(n) < 0.05] = math.nan
    return Drawn(people, judge, second, np.ceil(300 * 2.0**doublings), prompt, system, bootstrap)
