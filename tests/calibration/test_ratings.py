"""A judge's scores against given ones: by hand, with what is missing counted and never filled in."""

from __future__ import annotations

import pytest

from judgekit import InputError, Sample, Score
from judgekit.calibration.ratings import evaluate_ratings
from judgekit.types import Rated


def rated(i: int, plot: float | None, end: float | None = 1.0, source: str = "human") -> Rated:
    return Rated(Sample("p", "r", str(i)), {"plot": plot, "end": end}, group=f"g{i}", source=source)  # type: ignore[arg-type]


def score(plot: float, end: float = 1.0) -> Score:
    return Score(plot + end, None, {"plot": plot, "end": end})


SILENT = Score(None, None, {"plot": 2.0, "end": None}, error="end: missing from the reply")


def total(values: dict[str, float]) -> float:
    return sum(values.values())


def test_by_hand() -> None:
    """Given 1, 2, 4 and judged 2, 2, 5: errors 1, 0, 1. Ranks 1, 2, 3 and 1.5, 1.5, 3: 1.5 / sqrt(2 * 1.5)."""
    found = evaluate_ratings([rated(0, 1), rated(1, 2), rated(2, 4)], [score(2), score(2), score(5)], total)
    plot, end = found.parts["plot"], found.parts["end"]

    assert plot.error and plot.error.value == pytest.approx(2 / 3)
    assert plot.spearman and plot.spearman.value == pytest.approx(1.5 / 3**0.5)
    assert plot.pearson and plot.pearson.value == pytest.approx(5 / 28**0.5)  # squares 14/3 and 6
    assert (end.spearman, end.pearson) == (None, None)  # all ends are 1
    assert end.error and end.error.value == 0
    assert found.parts["total"].error == plot.error
    assert found.unscored and found.unscored.value == 0


def test_what_is_missing_on_either_side_is_counted() -> None:
    rows = [rated(0, 1), rated(1, 2), rated(2, None), rated(3, 4), rated(4, 5, source="machine")]
    found = evaluate_ratings(rows, [score(1), SILENT, score(3), score(4), score(1)], total)

    assert found.items == 5
    assert found.unscored and found.unscored.value == pytest.approx(1 / 5)
    assert found.reasons == {"end: missing from the reply": 1}
    assert found.sources == {"human": 4, "machine": 1}
    # of plot there are 0, 3 and 4: what SILENT says of plot is no verdict
    assert found.parts["plot"].items == 3
    assert found.parts["end"].items == 4
    assert found.parts["total"].items == 3
    assert found.parts["plot"].error and found.parts["plot"].error.value == pytest.approx(4 / 3)


def test_one_group_has_no_intervals() -> None:
    rows = [Rated(Sample("p", "r"), {"plot": float(i)}, group="g") for i in range(3)]
    found = evaluate_ratings(rows, [score(1)] * 3, total)

    assert found.unscored is None
    assert found.parts["plot"].items == 3 and found.parts["plot"].error is None


@pytest.mark.parametrize(("rows", "scores"), [([], []), ([rated(0, 1)], [])])
def test_refusals(rows: list[Rated], scores: list[Score]) -> None:
    with pytest.raises(InputError, match="rated samples, but"):
        evaluate_ratings(rows, scores, total)
