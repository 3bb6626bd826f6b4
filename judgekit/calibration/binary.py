"""A judge that says yes or no, against a yes or no that is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, Estimate, NotEstimableError, one_of
from judgekit.calibration.units import Units, kept_units
from judgekit.errors import InputError

DEFAULT = Bootstrap()
Missing = Literal["left out", "no"]


@dataclass(frozen=True, slots=True)
class BinaryRates:
    """How a judge's yes and no meet the truth. None where a rate has no value: it never said yes, or none is true.

    Attributes:
        balanced_accuracy: the mean of the shares right among the true yes and among the true no.
        correlation: phi, the Pearson correlation of the two.
        missing: how many items have no verdict; they are left out, or count as no, as was asked.
    """

    balanced_accuracy: Estimate | None
    precision: Estimate | None
    recall: Estimate | None
    f1: Estimate | None
    correlation: Estimate | None
    missing: int


def binary_rates(
    judge: ArrayLike,
    truth: ArrayLike,
    *,
    missing: Missing = "left out",
    units: Units = None,
    bootstrap: Bootstrap = DEFAULT,
) -> BinaryRates:
    """Return the rates of a judge's verdicts, 1 for yes and 0 for no.

    Args:
        judge, truth: shape (items,); NaN is missing. An item without a truth is left out.
        missing: what an item without a verdict counts as. ``no`` is the convention of some papers (Chakrabarty et al.
            2024, CHI, among them): it holds silence for an answer, so it is not the default.

    Raises:
        NotEstimableError: no item has both.
        InputError: other shapes, a value that is not 0 or 1, or another word for what is missing.
    """
    one_of("missing", missing, get_args(Missing))
    said, true = np.asarray(judge, dtype=float), np.asarray(truth, dtype=float)
    if said.shape != true.shape or said.ndim != 1:
        raise InputError(f"verdicts of shape {said.shape} and truths of {true.shape}; both are (items,)")
    if not np.isin([*said[~np.isnan(said)], *true[~np.isnan(true)]], (0, 1)).all():
        raise InputError("a verdict is 1 for yes, 0 for no, or NaN")
    silent = np.isnan(said) & ~np.isnan(true)
    said = np.where(silent, 0.0, said) if missing == "no" else said
    known = np.flatnonzero(~np.isnan(said + true))
    if not len(known):
        raise NotEstimableError("no item has a verdict and a truth")
    codes = (2 * true[known] + said[known]).astype(np.int64)
    found = bootstrap.resampled_sums(np.eye(4), _rates, kept_units(units, known, len(said)), codes)
    balanced, precision, recall, f1, phi = (
        None if math.isnan(found.values[which]) else found.estimate(which) for which in range(5)
    )
    return BinaryRates(balanced, precision, recall, f1, phi, int(silent.sum()))


def _rates(sums: Array) -> Array:
    """Return the five rates from the counts of true no, false yes, false no, true yes; shape (any, 5)."""
    no, false_yes, false_no, yes = sums.T
    recall, precision = yes / (yes + false_no), yes / (yes + false_yes)
    balanced = (recall + no / (no + false_yes)) / 2
    scale = np.sqrt((yes + false_yes) * (yes + false_no) * (no + false_yes) * (no + false_no))
    f1 = 2 * yes / (2 * yes + false_yes + false_no)
    return np.stack([balanced, precision, recall, f1, (yes * no - false_yes * false_no) / scale], axis=1)
