"""What people say together, and how noisy that is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.calibration import NotEstimableError
from judgekit.calibration.humans import Humans, noise

NAN = float("nan")


def variance(people: Humans) -> float:
    """Return the variance of one rating."""
    return float(people.squares.sum() / people.freedom.sum())


def test_severity_is_taken_out_by_hand() -> None:
    """The second is 2 above the first on every item: each is moved by 1 to the middle, and nothing is left over."""
    people = Humans.of([[1, 2, 4], [3, 4, 6]])

    assert people.cells.tolist() == [[2, 3, 5], [2, 3, 5]]
    assert people.mean.tolist() == [2, 3, 5]
    assert variance(people) == pytest.approx(0)


def test_noise_by_hand() -> None:
    """0 0 / 2 -2 has no severity: squares 2 and 2, freedom 2 pairs - 1 rater: variance 4, 2 of a mean."""
    people = Humans.of([[0, 0], [2, -2]])
    both = np.array([True, True])

    assert variance(people) == pytest.approx(4)
    assert noise(people.noise(both).sum(0)[None]) == pytest.approx([4 / 2 + 4 / 2])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_least_squares_says_the_same(seed: int) -> None:
    """Item + rater by a matrix, with missing cells."""
    rng = np.random.default_rng(seed)
    ratings = np.where(rng.random((3, 12)) < 0.2, NAN, rng.normal(size=(3, 12)))
    rater, item = np.nonzero(~np.isnan(ratings))
    if len(set(rater)) < 3 or len(set(item)) < 12:
        return
    design = np.column_stack([rater[:, None] == np.arange(3), item[:, None] == np.arange(12)]) * 1.0
    fit, _, rank, _ = np.linalg.lstsq(design, ratings[rater, item], rcond=None)
    left = ((ratings[rater, item] - design @ fit) ** 2).sum()
    people = Humans.of(ratings)

    assert people.squares.sum() == pytest.approx(left, abs=1e-6)
    assert np.nanmean(people.cells) == pytest.approx(np.nanmean(ratings))
    if rank == 14:
        assert people.freedom.sum() == pytest.approx(len(rater) - rank)


def test_bad_input() -> None:
    with pytest.raises(NotEstimableError, match="no human ratings"):
        Humans.of([[NAN, NAN]])
    with pytest.raises(InputError, match="the shape"):
        Humans.of([1, 2])  # type: ignore[list-item]
    with pytest.raises(NotEstimableError, match="two raters"):
        Humans.of([[1, 2, 3]]).noise(np.array([True] * 3))
