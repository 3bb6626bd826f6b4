"""Dawid & Skene: the published numbers of their patients, the likelihood climbs, and raters who err are found out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import NotEstimableError, dawid_skene
from judgekit.errors import InputError

# Table 1 of the paper: 45 patients, seven ratings each; the first observer saw each patient three times.
PATIENTS = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 1211111
1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 1111111 1121121
1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
""".split()
LABELS = np.array([[int(digit) for digit in patient] for patient in PATIENTS], dtype=float).T
OBSERVERS = [1, 1, 1, 2, 3, 4, 5]


RATES = """
.89 .11 .00 .00  .07 .88 .05 .00  .00 .34 .66 .00  .00 .00 .56 .44
.83 .17 .00 .00  .05 .63 .31 .00  .00 .00 1.0 .00  .00 .00 .00 1.0
1.0 .00 .00 .00  .11 .79 .11 .00  .00 .40 .20 .40  .00 .00 .67 .33
.94 .06 .00 .00  .05 .84 .10 .00  .00 .00 .80 .20  .00 .00 .33 .67
1.0 .00 .00 .00  .16 .73 .11 .00  .00 .21 .79 .00  .00 .00 .33 .67
"""


def test_the_published_numbers() -> None:
    """The estimates for the paper's patients, as two other implementations have them, to two digits."""
    found = dawid_skene(LABELS, OBSERVERS)

    assert found.share == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.01)
    assert found.errors.ravel() == pytest.approx([float(rate) for rate in RATES.split()], abs=0.01)
    assert found.converged


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6))
def test_the_likelihood_climbs_and_shares_are_shares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (4, 15)).astype(float)
    labels[rng.random(labels.shape) < 0.3] = np.nan
    labels[0, :2] = 0, 1
    steps = [dawid_skene(labels, steps=count).likelihood for count in (1, 2, 3, 10)]

    found = dawid_skene(labels)
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(steps))
    seen = ~np.isnan(labels).all(0)
    assert found.posterior[seen].sum(1) == pytest.approx(1)
    assert np.isnan(found.posterior[~seen]).all()
    assert np.nansum(found.errors, axis=2)[~np.isnan(found.errors[..., 0])] == pytest.approx(1)


def test_raters_who_err_are_found_out() -> None:
    """Three good raters and four who guess: the truth is found more often than by counting votes."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 600)
    right = np.array([0.85, 0.85, 0.85, 0.34, 0.34, 0.34, 0.34])
    guess = (truth + rng.integers(1, 3, (7, 600))) % 3
    labels = np.where(rng.random((7, 600)) < right[:, None], truth, guess).astype(float)
    votes = (labels[:, :, None] == np.arange(3)).sum(0).argmax(1)

    found = dawid_skene(labels)

    assert (found.label == truth).mean() > (votes == truth).mean() + 0.03
    assert found.errors[0].diagonal() == pytest.approx([0.85] * 3, abs=0.07)
    assert found.expected == pytest.approx(found.posterior @ [0, 1, 2])


def test_an_item_without_labels_stays_without_one() -> None:
    found = dawid_skene([[1, 2, np.nan], [1, 2, np.nan]])

    assert found.label.tolist()[:2] == [1, 2]
    assert np.isnan(found.label[2]) and np.isnan(found.expected[2])


@pytest.mark.parametrize("labels", [[[1.0, 1], [1, 1]], [[np.nan, np.nan]]])
def test_one_category_says_nothing(labels: list[list[float]]) -> None:
    with pytest.raises(NotEstimableError, match="categories"):
        dawid_skene(labels)


@pytest.mark.parametrize(("labels", "raters"), [([1.0, 2], None), ([[1.0, np.inf]], None), ([[1.0, 2]], ["a", "b"])])
def test_bad_input(labels: list[float], raters: list[str] | None) -> None:
    with pytest.raises(InputError, match="rows, items"):
        dawid_skene(labels, raters)


def test_crowd_kit_gives_the_same_labels() -> None:
    aggregation = pytest.importorskip("crowdkit.aggregation")
    pandas = pytest.importorskip("pandas")
    rows = [(r, i, label) for r, row in enumerate(LABELS) for i, label in enumerate(row)]
    frame = pandas.DataFrame(rows, columns=["worker", "task", "label"])

    theirs = aggregation.DawidSkene(n_iter=500, tol=1e-9).fit_predict(frame).sort_index().to_numpy()

    assert (theirs == dawid_skene(LABELS).label).mean() > 0.97
