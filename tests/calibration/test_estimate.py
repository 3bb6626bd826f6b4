"""A value with its interval, and how names are numbered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from judgekit import InputError
from judgekit.calibration import (
    Bootstrap,
    alt_test,
    binary_rates,
    choose,
    cohen_kappa,
    compare_correlations,
    conformal,
    corrected_mean,
    correlation,
    detectable_correlation,
    disattenuated,
    fit,
    fit_panel,
    fleiss_kappa,
    gwet_ac,
    judge_worth,
    krippendorff_alpha,
    labels_for_alpha,
    labels_for_correlation,
    leave_one_out,
    sign_flip_test,
    split_half,
)
from judgekit.calibration.estimate import Estimate, number, one_of

R = np.random.default_rng(0).integers(1, 6, (3, 60)).astype(float)
A, B, C = R
DOORS: list[tuple[Callable[..., Any], str, str]] = [
    (lambda name: krippendorff_alpha(R, name), "Nominal", "nominal"),
    (lambda name: labels_for_alpha(R, 0.1, name), "Ratio", "ratio"),
    (lambda name: cohen_kappa(A, B, name), "Quadratic", "quadratic"),
    (lambda name: fleiss_kappa(R, name), "squared", "linear, quadratic"),
    (lambda name: gwet_ac(R, name), "lineal", "linear"),
    (lambda name: correlation(A, B, name), "Pearson", "pearson"),
    (lambda name: correlation(A, B, level=name, systems=A), "systems", "system"),
    (lambda name: compare_correlations(A, B, C, name), "Pearson", "pearson"),
    (lambda name: compare_correlations(A, B, C, level=name), "items", "item"),
    (lambda name: disattenuated(A, R, name), "Kendall", "kendall"),
    (lambda name: leave_one_out(A, R, name), "spearmans", "spearman"),
    (lambda name: split_half(R, name), "rho", "kendall, pearson, spearman"),
    (lambda name: labels_for_correlation(0.5, 0.1, name), "Pearson", "pearson"),
    (lambda name: detectable_correlation(100, name), "tau", "kendall, pearson, spearman"),
    (lambda name: fit(name, A, B), "spline", "beta, covariate"),
    (lambda name: fit(name, A, B), "Linear", "linear"),
    (lambda name: choose(A, B, kinds=(name,)), "isotone", "isotonic"),
    (lambda name: fit_panel(R[:2], C, kinds=(name,)), "stacks", "stack"),
    (lambda name: judge_worth(name, R[:2], C), "ridge", "beta, covariate"),
    (lambda name: conformal(name, A, B, scale=(1, 5)), "Isotonic", "isotonic"),
    (lambda name: Bootstrap(method=name), "BCA", "bca"),
    (lambda name: sign_flip_test(np.zeros(5), method=name), "Exact", "exact"),
    (lambda name: binary_rates([1, 0], [1, 0], missing=name), "No", "no"),
    (lambda name: alt_test(A, R, 0.1, name), "neg_RMSE", "neg_rmse"),
    (lambda name: corrected_mean(A, B, name), "Random", "random"),
]


def test_an_estimate_reads_well() -> None:
    assert str(Estimate(0.7512, 0.7, 0.8, 10, 5, "m")) == "0.751 [0.700, 0.800]"
    assert str(Estimate(-0.1, None, None, 10, 1, "", "no interval")) == "-0.100"


def test_names_are_numbered() -> None:
    assert number(["y", "x", "y"]).tolist() == [0, 1, 0]
    assert number(np.array([7, 3, 7])).tolist() == [1, 0, 1]


def test_a_name_is_one_of_those_that_are_known() -> None:
    one_of("level", "nominal", ("nominal", "ordinal"))
    with pytest.raises(InputError, match=r"^level 'Nominal'; known: nominal, ordinal; did you mean 'nominal'[?]$"):
        one_of("level", "Nominal", ("nominal", "ordinal"))
    with pytest.raises(InputError, match=r"^level None; known: nominal, ordinal$"):
        one_of("level", None, ("nominal", "ordinal"))


@pytest.mark.parametrize(("door", "name", "hint"), DOORS)
def test_a_misspelt_choice_never_passes_for_another(door: Callable[..., Any], name: str, hint: str) -> None:
    with pytest.raises(InputError, match=f"{name!r}; .*{hint}"):
        door(name)
