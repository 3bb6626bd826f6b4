"""McNemar's test: by hand, beside statsmodels and scipy, its size by simulation, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from judgekit.calibration import NotEstimableError, mcnemar_test, sign_flip_test
from judgekit.errors import InputError

NAN = math.nan


def verdicts(both: int, only_one: int, only_two: int, neither: int) -> tuple[list, list]:
    one = [1] * both + [1] * only_one + [0] * only_two + [0] * neither
    two = [1] * both + [0] * only_one + [1] * only_two + [0] * neither
    return one, two


def test_by_hand() -> None:
    """1 against 5: P(at most 1 of 6) = (1 + 6) / 64; exact 14 / 64, mid-p less P(1) = 6 / 64."""
    one, two = verdicts(3, 1, 5, 1)

    assert mcnemar_test(one, two, method="exact").p == pytest.approx(14 / 64)
    found = mcnemar_test(one, two)
    assert (found.p, found.method) == (pytest.approx(8 / 64), "mid-p")
    assert (found.only_one, found.only_two, found.n, found.left_out, found.difference) == (1, 5, 10, 0, 0.4)


def test_clusters_by_hand() -> None:
    """Gains of three clusters: 2, 1, -1: (2 / 3) * 2 ** 2 / (4 + 1 + 1) = 4 / 9, whose root is 2 / 3 of a sigma."""
    found = mcnemar_test([0, 0, 0, 1, 1], [1, 1, 1, 0, 1], list("aabcc"))

    assert found.p == pytest.approx(math.erfc(2 / 3 / math.sqrt(2)))
    assert (found.clusters, found.method) == (3, "clustered")


@settings(deadline=None, max_examples=1000)
@given(st.integers(0, 40), st.integers(0, 40))
def test_scipy_says_the_same(b: int, c: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    if b + c == 0:
        return
    one, two = verdicts(1, b, c, 1)
    theirs = stats.binomtest(b, b + c).pvalue
    middle = stats.binom(b + c, 0.5)
    exact = mcnemar_test(one, two, method="exact").p

    assert exact == pytest.approx(theirs, rel=1e-10)
    assert exact == pytest.approx(sign_flip_test(np.subtract(two, one)).p, rel=1e-9)
    least = min(b, c)
    assert mcnemar_test(one, two).p == pytest.approx(2 * middle.cdf(least) - middle.pmf(least), rel=1e-10)


@settings(deadline=None, max_examples=1000)
@given(*[st.integers(0, 60)] * 4, st.integers(0, 5))
def test_statsmodels_says_the_same(both: int, b: int, c: int, neither: int, missing: int) -> None:
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    assume(b + c)
    one, two = (given + [lost] * missing for given, lost in zip(verdicts(both, b, c, neither), (1, NAN), strict=True))
    table = [[both, b], [c, neither]]
    assert mcnemar_test(one, two, method="exact").p == pytest.approx(tables.mcnemar(table).pvalue, rel=1e-9)
    # Clusters of one item: the plain chi-squared, but for the (K - 1) / K.
    k = both + b + c + neither
    assume(k > 1)
    plain = tables.mcnemar(table, exact=False, correction=False).statistic
    ours = mcnemar_test(one, two, list(range(k + missing))).p
    assert ours == pytest.approx(math.erfc(math.sqrt(plain * (k - 1) / k / 2)), rel=1e-9)


def test_golden_numbers() -> None:
    """Fagerland et al. 2013: airway hyper-responsiveness, 1 against 7: exact .070, mid-p .039."""
    one, two = verdicts(1, 1, 7, 12)

    assert mcnemar_test(one, two, method="exact").p == pytest.approx(0.0703, abs=5e-5)
    assert mcnemar_test(one, two).p == pytest.approx(0.0391, abs=5e-5)


def test_items_without_both_verdicts_are_counted() -> None:
    found = mcnemar_test([1, math.nan, 0, 1], [0, 1, math.nan, 1], list("abcc"))

    assert (found.n, found.left_out, found.clusters) == (2, 2, 2)


def test_no_discordant_item_is_p_1() -> None:
    assert mcnemar_test([1, 0], [1, 0]).p == 1.0
    assert mcnemar_test([1, 0], [1, 0], ["a", "b"]).p == 1.0


def test_refusals() -> None:
    with pytest.raises(InputError, match="clustered for those with"):
        mcnemar_test([1, 0], [1, 0], ["a", "b"], method="exact")
    with pytest.raises(InputError, match="clustered for those with"):
        mcnemar_test([1, 0], [1, 0], method="clustered")
    with pytest.raises(InputError, match="one of each"):
        mcnemar_test([1, 0], [1])
    with pytest.raises(InputError, match=r"1 \(right\)"):
        mcnemar_test([1, 0.5], [1, 0])
    with pytest.raises(NotEstimableError, match="no item"):
        mcnemar_test([math.nan], [1])
    with pytest.raises(NotEstimableError, match="one cluster"):
        mcnemar_test([1, 0], [0, 1], ["a", "a"])


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [15, 40])
def test_the_size_of_the_clustered_test(clusters: int) -> None:
    """Prompts of 1 to 12 items, on each of which one of two equal judges is better; 4,000 simulations, .05 +- .007."""
    draw = np.random.default_rng(1)
    index = np.repeat(np.arange(clusters), draw.integers(1, 13, clusters))
    p, naive = [], []
    for _ in range(4000):
        lean = draw.normal(0, 0.2, clusters)[index]
        one, two = draw.random(len(index)) < 0.6 - lean, draw.random(len(index)) < 0.6 + lean
        p.append(mcnemar_test(one, two, index).p)
        naive.append(mcnemar_test(one, two).p)

    assert 0.03 <= np.mean(np.array(p) < 0.05) <= 0.07
    assert np.mean(np.array(naive) < 0.05) > 0.1
