"""A value with its interval, and how names are numbered."""

from __future__ import annotations

import numpy as np

from judgekit.calibration.estimate import Estimate, number


def test_an_estimate_reads_well() -> None:
    assert str(Estimate(0.7512, 0.7, 0.8, 10, 5, "m")) == "0.751 [0.700, 0.800]"
    assert str(Estimate(-0.1, None, None, 10, 1, "", "no interval")) == "-0.100"


def test_names_are_numbered() -> None:
    assert number(["y", "x", "y"]).tolist() == [0, 1, 0]
    assert number(np.array([7, 3, 7])).tolist() == [1, 0, 1]
