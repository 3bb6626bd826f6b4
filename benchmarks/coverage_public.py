"""Intervals that a user would otherwise take, of public packages that know of no prompts: for `coverage_study`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.simulated_study import Array, Drawn

DRAWS = 1000


def both(s: Drawn) -> tuple[Array, Array]:
    there = ~np.isnan(s.judge)
    return s.judge[there], s.human[there]


def fisher(s: Drawn) -> tuple[float, float]:
    from scipy.stats import pearsonr

    return tuple(pearsonr(*both(s)).confidence_interval())


def t_test(s: Drawn) -> tuple[float, float]:
    from scipy.stats import ttest_1samp

    return tuple(ttest_1samp(np.subtract(*both(s)), 0).confidence_interval())


def scipy_bootstrap(s: Drawn, statistic: Callable[..., Array]) -> tuple[float, float]:
    from scipy.stats import bootstrap

    found = bootstrap(both(s), statistic, n_resamples=DRAWS, paired=True, vectorized=True, method="BCa", rng=0)
    return tuple(found.confidence_interval)


def spearman(x: Array, y: Array, axis: int) -> Array:
    from scipy.stats import rankdata

    a, b = (ranks - ranks.mean(axis, keepdims=True) for ranks in (rankdata(series, axis=axis) for series in (x, y)))
    return (a * b).sum(axis) / np.sqrt((a * a).sum(axis) * (b * b).sum(axis))


def pingouin_corr(s: Drawn) -> tuple[float, float]:
    import pingouin

    pingouin.options["round.column.CI95"] = None  # it would give two digits
    return tuple(pingouin.corr(*both(s), method="spearman")["CI95"].iloc[0])


def irrcac(s: Drawn) -> tuple[float, float]:
    import pandas as pd
    from irrCAC.raw import CAC

    return CAC(pd.DataFrame(s.people.T), weights="quadratic").krippendorff()["est"]["confidence_interval"]


# Name: the package, which of ours has the same truth, and the interval.
PUBLIC: dict[str, tuple[str, str, Callable[[Drawn], tuple[float, float]]]] = {
    "scipy pearsonr, r": ("scipy", "Pearson's r (not printed)", fisher),
    "scipy ttest_1samp, bias": ("scipy", "limits: bias", t_test),
    "scipy bootstrap BCa, rho": ("scipy", "rho, items", lambda s: scipy_bootstrap(s, spearman)),
    "scipy bootstrap BCa, error": (
        "scipy", "mean absolute error", lambda s: scipy_bootstrap(s, lambda x, y, axis: np.abs(x - y).mean(axis))
    ),
    "pingouin corr, rho": ("pingouin", "rho, items", pingouin_corr),
    "irrCAC alpha, interval": ("irrCAC", "alpha, interval (not printed)", irrcac),
}  # fmt: skip
