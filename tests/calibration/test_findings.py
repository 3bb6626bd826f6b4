"""What is made of an effect: its p, what could have been found, q and the verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from judgekit.calibration import Bootstrap, Crossed, Estimate
from judgekit.calibration.columns import Sheet
from judgekit.calibration.findings import Finding, find, jackknife, judge_together

stats = pytest.importorskip("scipy.stats")
ONE = Estimate(0.5, 0.3, 0.7, 50, 50, "")


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[:, 0] / sums[:, 1]


def finding(p: float, value: float, low: float, high: float, *, one_sided: bool = False) -> Finding:
    effect = replace(ONE, value=value, low=low, high=high)
    return Finding("x", effect, effect, "", "", 0.1, p, 0.3, 0.2, one_sided)


def found(values: list[float], **how: object) -> Finding:
    rows = np.column_stack([values, np.ones(len(values))])
    sheet = Sheet([np.array(values)], None)
    return find("x", sheet, rows, mean, mean, Bootstrap(), band=0.2, unit="", standard="", **how)


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    """1, 2, 6: mean 3, variance (4 + 1 + 9) / 2 = 7, standard error squared 7 / 3, two degrees of freedom."""
    value, covariance, df = jackknife(np.array([[1.0, 1], [2, 1], [6, 1]]), mean)

    assert value.tolist() == [3] and covariance == pytest.approx(np.array([[7 / 3]])) and df == 2


def test_the_jackknife_leaves_out_whole_clusters() -> None:
    """Copies of an item in its own cluster add nothing."""
    rows = np.array([[1.0, 1], [2, 1], [6, 1]])
    _, once, _ = jackknife(rows, mean)
    _, thrice, df = jackknife(np.repeat(rows, 3, axis=0), mean, np.repeat(["a", "b", "c"], 3))
    _, crossed, _ = jackknife(rows, mean, Crossed([0, 1, 2], [2, 0, 1]))

    assert (thrice, df) == (pytest.approx(once), 2)
    assert crossed == pytest.approx(2 * once)


@pytest.mark.parametrize("one_sided", [False, True])
def test_a_mean_is_tested_as_scipy_does(one_sided: bool) -> None:
    values = np.random.default_rng(0).normal(0.3, 1, 20).tolist()
    got = found(values, one_sided=one_sided)
    side = "greater" if one_sided else "two-sided"
    size = stats.t.ppf(0.95 if one_sided else 0.975, 19) + stats.t.ppf(0.8, 19)

    assert got.p == pytest.approx(stats.ttest_1samp(values, 0, alternative=side).pvalue)
    assert got.error == pytest.approx(stats.sem(values))
    assert got.detectable == pytest.approx(size * stats.sem(values))


def test_where_all_clusters_say_the_same() -> None:
    """Five ones: 2 * .5^5 = 1/16 by their signs; as many as 1 - .025^(1/5) = .5218 may be another way, unseen."""
    got, none = found([1.0] * 5), found([0.0] * 5)

    assert (got.p, got.error, got.detectable) == (1 / 16, None, None)
    assert (got.effect.low, got.effect.high) == pytest.approx((1 - 0.5218, 1.5218), abs=1e-4)
    assert got.points.low is None and "every cluster says the same" in got.points.note
    assert none.p == 1 and judge_together([none])[0].verdict == "undecided"
    assert judge_together([found([0.0] * 50)])[0].verdict == "innocent"
    assert found([-1.0] * 5, one_sided=True).p == 1


def test_q_by_hand() -> None:
    """.01 * 4 / 1 = .04; .02 * 4 / 2 = .04; .03 * 4 / 3 = .04; .5: each is the least of its own and later ones."""
    found = judge_together([finding(p, 0.5, 0.3, 0.7) for p in (0.5, 0.01, 0.03, 0.02)])

    assert [f.q for f in found] == pytest.approx([0.5, 0.04, 0.04, 0.04])
    assert [f.verdict for f in found] == ["undecided", "biased", "biased", "biased"]
    assert judge_together([]) == ()


def test_q_is_scipys() -> None:
    ps = np.random.default_rng(1).random(30) ** 3

    assert [f.q for f in judge_together([finding(p, 0, -1, 1) for p in ps])] == pytest.approx(
        stats.false_discovery_control(ps)
    )


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (finding(0.9, 0.01, -0.19, 0.19), "innocent"),
        (finding(0.001, 0.1, 0.05, 0.15), "innocent"),  # it is there, and does no harm
        (finding(0.001, 0.19, 0.1, 0.28), "undecided"),
        (finding(0.001, 0.25, 0.15, 0.35), "biased"),
        (finding(0.001, -0.25, -0.35, -0.15), "biased"),
        (finding(0.2, 0.25, -0.15, 0.65), "undecided"),
        (finding(0.999, -0.9, -1, -0.8, one_sided=True), "innocent"),
    ],
)
def test_verdicts(given: Finding, verdict: str) -> None:
    assert judge_together([given])[0].verdict == verdict


def test_no_interval_no_verdict() -> None:
    effect = replace(ONE, low=None, high=None)

    assert judge_together([replace(finding(0.001, 0, 0, 0), effect=effect)])[0].verdict == "undecided"
