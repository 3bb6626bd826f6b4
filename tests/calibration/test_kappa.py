"""Kappas and AC: by hand, against scikit-learn, and the published example with missing ratings."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from judgekit import InputError
from judgekit.calibration import Bootstrap, NotEstimableError, cohen_kappa, concordance, fleiss_kappa, gwet_ac

NAN = math.nan
QUICK = Bootstrap(draws=100, method="percentile")
SEED = st.integers(0, 1 << 32)
# Krippendorff's example, and Gwet's (2014): four raters, twelve items, seven ratings missing.
FOUR = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, NAN],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 3],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


def rated(seed: int, raters: int, items: int, lost: float) -> np.ndarray:
    """Ratings of at most 2 to 5 values, some of them lost."""
    rng = np.random.default_rng(seed)
    ratings = rng.integers(1, rng.integers(3, 7), (raters, items)).astype(float)
    ratings[rng.random((raters, items)) < lost] = NAN
    return ratings


def test_cohen_by_hand() -> None:
    """Table 2 1 / 0 1: agreement 3/4; chance (3 * 2 + 1 * 2) / 16 = 1/2: (3/4 - 1/2) / (1/2) = 1/2."""
    assert cohen_kappa([1, 1, 1, 2], [1, 1, 2, 2]).value == pytest.approx(0.5)


def test_cohen_with_weights_by_hand() -> None:
    """1, 2, 4 against 1, 4, 4. Costs: |2 - 4| = 2 of 3 items; by chance over 9 pairs of 1 2 4 and 1 4 4:
    0 3 3 + 1 2 2 + 3 0 0 = 14, so 1 - (2 / 3) / (14 / 9) = 4/7;
    squared: 4; 0 9 9 1 4 4 9 0 0 = 36: 1 - (4/3) / 4 = 2/3.
    """
    assert cohen_kappa([1, 2, 4], [1, 4, 4], "linear").value == pytest.approx(4 / 7)
    assert cohen_kappa([1, 2, 4], [1, 4, 4], "quadratic").value == pytest.approx(2 / 3)


@pytest.mark.slow
@settings(deadline=None, max_examples=1000)
@given(SEED, st.integers(2, 40), st.floats(0, 0.6), st.sampled_from([None, "linear", "quadratic"]))
def test_scikit_learn_says_the_same(seed: int, items: int, lost: float, weights: str | None) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    a, b = rated(seed, 2, items, lost)
    known = ~np.isnan(a + b)
    if len(np.unique([a[known], b[known]])) < 2:
        with pytest.raises(NotEstimableError):
            cohen_kappa(a, b, weights, bootstrap=QUICK)
        reject()
    found = cohen_kappa(a, b, weights, bootstrap=QUICK)
    theirs = metrics.cohen_kappa_score(
        a[known].astype(int), b[known].astype(int), weights=weights, labels=[1, 2, 3, 4, 5]
    )
    assert found.n == known.sum()
    assert found.value == pytest.approx(theirs, abs=1e-9)


@settings(deadline=None, max_examples=1000)
@given(SEED, st.integers(2, 40), st.floats(0, 0.6), st.sampled_from([None, "linear", "quadratic"]))
def test_statsmodels_says_the_same(seed: int, items: int, lost: float, weights: str | None) -> None:
    rater = pytest.importorskip("statsmodels.stats.inter_rater")
    a, b = rated(seed, 2, items, lost)
    known = ~np.isnan(a + b)
    assume(len(np.unique([a[known], b[known]])) > 1)
    table = np.zeros((5, 5))
    np.add.at(table, (a[known].astype(int) - 1, b[known].astype(int) - 1), 1)
    theirs = rater.cohens_kappa(table, wt=weights, return_results=False)

    assert cohen_kappa(a, b, weights, bootstrap=QUICK).value == pytest.approx(theirs, abs=1e-9)


@settings(deadline=None, max_examples=1000)
@given(SEED, st.integers(2, 6), st.integers(2, 30), st.floats(0, 0.6))
def test_statsmodels_says_the_same_of_fleiss(seed: int, raters: int, items: int, lost: float) -> None:
    """Theirs takes whole items alone; one that nobody rated changes nothing."""
    rater = pytest.importorskip("statsmodels.stats.inter_rater")
    ratings = rated(seed, raters, items, 0)
    assume(np.ptp(ratings) > 0)
    theirs = rater.fleiss_kappa(rater.aggregate_raters(ratings.T.astype(int))[0])
    unrated = np.flatnonzero(np.random.default_rng(seed).random(items) < lost)
    found = fleiss_kappa(np.insert(ratings, unrated, NAN, axis=1), bootstrap=QUICK)

    assert found.value == pytest.approx(theirs, abs=1e-9)


def test_published_values_with_missing_ratings() -> None:
    """Gwet's example as his software prints it: Fleiss' .76117, AC1 .77544."""
    assert fleiss_kappa(FOUR).value == pytest.approx(0.76117, abs=5e-6)
    assert gwet_ac(FOUR).value == pytest.approx(0.77544, abs=5e-6)


def test_fleiss_by_hand() -> None:
    """Three raters: 111, 112, 222. Agreement (1 + 1/3 + 1) / 3 = 7/9; shares 5/9, 4/9, chance 41/81: 22/40."""
    assert fleiss_kappa([[1, 1, 2], [1, 1, 2], [1, 2, 2]]).value == pytest.approx(22 / 40)


def test_gwet_by_hand() -> None:
    """The same: AC1's chance is 2 * (5/9) * (4/9) = 40/81, so (63 - 40) / (81 - 40)."""
    assert gwet_ac([[1, 1, 2], [1, 1, 2], [1, 2, 2]]).value == pytest.approx(23 / 41)


def test_two_values_leave_nothing_to_weigh() -> None:
    ratings = (np.random.default_rng(0).random((4, 30)) < 0.6) * 1.0

    for statistic in (fleiss_kappa, gwet_ac):
        plain = statistic(ratings, bootstrap=QUICK).value
        assert statistic(ratings, "linear", bootstrap=QUICK).value == pytest.approx(plain)
        assert statistic(ratings, "quadratic", bootstrap=QUICK).value == pytest.approx(plain)


@settings(deadline=None, max_examples=100)
@given(
    hnp.arrays(float, (3, 12), elements=st.sampled_from([1.0, 2.0, 4.0, NAN])),
    st.sampled_from([None, "linear", "quadratic"]),
)
def test_gwets_sums_written_out(ratings: np.ndarray, weights: str | None) -> None:
    """Loops over items and pairs of categories, as in Gwet (2014)."""
    values = sorted(set(ratings[~np.isnan(ratings)].tolist()))
    several = [item[~np.isnan(item)] for item in ratings.T if (~np.isnan(item)).sum() > 1]
    if len(values) < 2 or not several:
        return
    gap = np.abs(np.subtract.outer(values, values)) / (values[-1] - values[0])
    like = {None: (gap == 0) * 1.0, "linear": 1 - gap, "quadratic": 1 - gap**2}[weights]
    places = [[values.index(it) for it in item] for item in several]
    pairs = [[like[a, b] for a, b in itertools.permutations(item, 2)] for item in places]
    agreed = np.mean([np.mean(item) for item in pairs])
    rated = [item[~np.isnan(item)] for item in ratings.T if not np.isnan(item).all()]
    shares = np.mean([[np.mean(item == v) for v in values] for item in rated], axis=0)
    q = len(values)
    by_chance = np.sum(like) / (q * (q - 1)) * np.sum(shares * (1 - shares))
    fleiss = shares @ like @ shares

    assert gwet_ac(ratings, weights, bootstrap=QUICK).value == pytest.approx((agreed - by_chance) / (1 - by_chance))
    assert fleiss_kappa(ratings, weights, bootstrap=QUICK).value == pytest.approx((agreed - fleiss) / (1 - fleiss))


def test_agreement_below_chance_is_reported() -> None:
    assert cohen_kappa([1, 2, 1, 2], [2, 1, 2, 1]).value == pytest.approx(-1)


@pytest.mark.parametrize("ratings", [np.ones((3, 5)), np.full((2, 4), NAN), [[1, NAN], [NAN, 2]]])
def test_what_the_data_do_not_say(ratings: np.ndarray) -> None:
    for statistic in (fleiss_kappa, gwet_ac):
        with pytest.raises(NotEstimableError):
            statistic(ratings)


@pytest.mark.parametrize(("a", "b"), [([1, 2], [1]), ([[1]], [[1]]), ([1, np.inf], [1, 2])])
def test_refusals(a: list, b: list) -> None:
    with pytest.raises(InputError):
        cohen_kappa(a, b)


def test_too_many_values_are_refused() -> None:
    """As tables of every value with every other they would take all memory, and a hundred pairs 12 GiB."""
    ratings = np.random.default_rng(0).random((3, 1000))
    for of in (fleiss_kappa, gwet_ac):
        with pytest.raises(NotEstimableError, match=r"3000 distinct values .* round the ratings"):
            of(ratings)
    with pytest.raises(NotEstimableError, match=r"2000 distinct values .* round the ratings"):
        cohen_kappa(*ratings[:2])
    tracemalloc.start()
    found = cohen_kappa(*ratings[:2, :100], "quadratic", bootstrap=QUICK)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    # With squared costs kappa is Lin's concordance of the two series.
    assert found.value == pytest.approx(concordance(*ratings[:2, :100], bootstrap=QUICK).value)
    assert peak < 50e6
