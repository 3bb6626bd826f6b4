"""Krippendorff's alpha: by hand, his example, the krippendorff package on random data with missing cells."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, krippendorff_alpha

NAN = math.nan
QUICK = Bootstrap(draws=100, method="percentile")
LEVELS = ("nominal", "ordinal", "interval", "ratio")
FOUR = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


def test_by_hand() -> None:
    """Two raters, 1 1 2 and 1 2 2: one item of three differs. Ratings 1 x 3, 2 x 3: by chance 2 * 9 / (6 * 5) = 3/5;
    observed 2 / 6: 1 - (1/3) / (3/5) = 4/9.
    """
    assert krippendorff_alpha([[1, 1, 2], [1, 2, 2]], "nominal").value == pytest.approx(4 / 9)


def test_krippendorffs_example() -> None:
    """Content Analysis, ch. 12: nominal .743, ordinal .815, interval .849, ratio .797."""
    found = [krippendorff_alpha(FOUR, level).value for level in LEVELS]  # type: ignore[arg-type]

    assert found == pytest.approx([0.743, 0.815, 0.849, 0.797], abs=6e-4)
    assert krippendorff_alpha(FOUR).n == 11


@settings(deadline=None, max_examples=1000)
@given(st.integers(0, 1 << 32), st.integers(2, 6), st.integers(1, 30), st.floats(0, 0.7), st.sampled_from(LEVELS))
def test_the_krippendorff_package_says_the_same(seed: int, raters: int, items: int, lost: float, level: str) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(seed)
    ratings = rng.choice([0.0, 1.0, 2.0, 2.5, 4.0][: rng.integers(2, 6)], (raters, items))
    ratings[rng.random((raters, items)) < lost] = NAN
    pairable = ratings[:, (~np.isnan(ratings)).sum(0) > 1]
    if len(np.unique(pairable[~np.isnan(pairable)])) < 2:
        with pytest.raises(NotEstimableError):
            krippendorff_alpha(ratings, level, bootstrap=QUICK)  # type: ignore[arg-type]
        reject()
    theirs = krippendorff.alpha(reliability_data=ratings, level_of_measurement=level)

    assert krippendorff_alpha(ratings, level, bootstrap=QUICK).value == pytest.approx(theirs, abs=1e-9)  # type: ignore[arg-type]


def test_disagreement_is_negative() -> None:
    assert krippendorff_alpha([[1, 2, 1, 2], [2, 1, 2, 1]]).value < -0.5


@pytest.mark.parametrize("ratings", [np.ones((3, 5)), [[1, NAN], [NAN, 2]], np.full((2, 2), NAN), [[1, 2, 3]]])
def test_what_the_data_do_not_say(ratings: np.ndarray) -> None:
    with pytest.raises(NotEstimableError):
        krippendorff_alpha(ratings)


def test_refusals() -> None:
    with pytest.raises(InputError, match="shape"):
        krippendorff_alpha([1, 2])
    with pytest.raises(InputError, match="infinite"):
        krippendorff_alpha([[1, np.inf], [1, 2]])
    with pytest.raises(InputError, match="from 0 up"):
        krippendorff_alpha([[-1, 2], [1, 2]], "ratio")
    with pytest.raises(InputError, match="2 items, but 3 clusters"):
        krippendorff_alpha([[1, 2], [1, 2]], units=["a", "b", "c"])
