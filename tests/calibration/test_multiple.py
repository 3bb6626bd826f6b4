"""Adjusted p values: by hand, beside scipy and statsmodels, and what is refused."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import adjust_pvalues, stars
from judgekit.errors import InputError

PVALUES = st.lists(st.floats(0, 1), max_size=12)
SOME_MISSING = st.lists(st.none() | st.floats(0, 1), max_size=12).filter(lambda p: any(it is not None for it in p))


def test_by_hand() -> None:
    """Sorted .01, .02, .04: bh .03, .03, .04; by times 1 + 1/2 + 1/3; holm .03, .04, .04 (.04 * 1 under .02 * 2)."""
    p = [0.04, None, 0.01, 0.02]

    assert adjust_pvalues(p) == [pytest.approx(0.04), None, pytest.approx(0.03), pytest.approx(0.03)]
    assert adjust_pvalues(p, "by")[0] == pytest.approx(0.04 * 11 / 6)
    assert adjust_pvalues(p, "holm") == [pytest.approx(0.04), None, pytest.approx(0.03), pytest.approx(0.04)]


@settings(deadline=None, max_examples=1000)
@given(PVALUES)
def test_scipy_says_the_same(p: list) -> None:
    stats = pytest.importorskip("scipy.stats")
    for method in ("bh", "by"):
        theirs = stats.false_discovery_control(p, method=method) if p else []
        assert adjust_pvalues(p, method) == pytest.approx(list(theirs), rel=1e-12)


@settings(deadline=None, max_examples=1000)
@given(SOME_MISSING)
def test_statsmodels_says_the_same(p: list) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    known = [value for value in p if value is not None]
    with mock.patch("gc.collect"):  # which theirs calls for Holm, and takes 0.1 s
        for ours, theirs in (("bh", "fdr_bh"), ("by", "fdr_by"), ("holm", "holm")):
            found = [value for value in adjust_pvalues(p, ours) if value is not None]
            assert found == pytest.approx(list(multitest.multipletests(known, method=theirs)[1]))


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(0, 1), max_size=12), st.sampled_from(["bh", "by", "holm"]))
def test_what_is_missing_does_not_count(p: list, method: str) -> None:
    known = [value for value in p if value is not None]
    found = adjust_pvalues(p, method)

    assert [value for value in found if value is not None] == adjust_pvalues(known, method)
    assert [value is None for value in found] == [value is None for value in p]
    assert all(q >= value - 1e-12 for q, value in zip(found, p, strict=True) if q is not None)


def test_stars() -> None:
    assert [stars(p) for p in (0.0009, 0.001, 0.01, 0.049, 0.05, None)] == ["***", "**", "*", "*", "", ""]


def test_refusals() -> None:
    with pytest.raises(InputError, match=r"not 1\.5"):
        adjust_pvalues([0.1, 1.5])
    with pytest.raises(InputError, match="known: bh"):
        adjust_pvalues([0.1], "bonferroni")
    assert adjust_pvalues([float("nan"), 0.1]) == [None, 0.1]
